"""Message decoders q(m | z): normalised, so that each gives a lower bound on the information (Barber & Agakov 2003).

Bits are decoded one given the ones before, q(m | z) = prod_i q(m_i | z, m_<i) (MADE, Germain et al. 2015), by
one masked network.  A decoder that takes the bits one by one independently is not enough to *train* with: its bound
is sum_i I(M_i; Z), which a code in strong noise raises by dropping half of the bits and keying the rest as +-1 --
below what the same units carry when all bits share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from capacity.channels.additive import LOG_2PI
from capacity.systems.networks.mlp import ACTIVATIONS, MLP
from capacity.training.precision import product


def log_prob_of_bits(message: jax.Array, logits: jax.Array) -> jax.Array:
    """Log probability in nats, a scalar, of 0/1 digits (digits,), each by its own logit."""
    return -jax.nn.softplus(jnp.where(message == 1, -logits, logits)).sum()


class AutoregressiveBits(nnx.Module):
    """q(m | z) for a message of 0/1 digits, in one pass of a masked network.

    A hidden node of degree d sees z and the first d digits; digit i is read from nodes of degree < i.  More nodes have
    a low degree than a high one (degrees grow as the 3/2 power): the first digits have the most to infer from z alone.
    """

    def __init__(self, units: int, digits: int, widths: Sequence[int], activation: str, rngs: nnx.Rngs):
        self.activation, self.digits = activation, digits
        degrees = [np.concatenate([np.zeros(units), np.arange(1, digits + 1)])]
        degrees += [np.floor(digits * (np.arange(w) / w) ** 1.5) for w in widths]
        degrees += [np.arange(digits)]
        self.degrees = tuple(tuple(int(d) for d in layer) for layer in degrees)
        kernels, biases = [], []
        for mask in self._masks():
            scale = mask / np.sqrt(np.maximum(mask.sum(0), 1), dtype=np.float32)
            kernels.append(nnx.Param(jax.random.normal(rngs.params(), mask.shape) * scale))
            biases.append(nnx.Param(jnp.zeros(mask.shape[1])))
        self.kernels, self.biases = nnx.List(kernels), nnx.List(biases)

    def _masks(self) -> list[np.ndarray]:
        layers = [np.array(d) for d in self.degrees]
        return [(b >= a[:, None]).astype(np.float32) for a, b in pairwise(layers)]

    def log_prob(self, message: jax.Array, z: jax.Array) -> jax.Array:
        """log q(message | z) in nats, a scalar; message (digits,) of 0/1, z (units,)."""
        digits = message.astype(z.dtype)
        h = jnp.concatenate([z, 2 * digits - 1])
        masks = self._masks()
        for i, (kernel, bias, mask) in enumerate(zip(self.kernels, self.biases, masks, strict=True)):
            h = product(h, kernel[...] * mask) + bias[...]
            if i < len(masks) - 1:
                h = ACTIVATIONS[self.activation](h)
        return log_prob_of_bits(message, h)


class GaussianMessage(nnx.Module):
    """q(m | z) for a real-valued message: normal around a network's output, one learnt deviation for each entry."""

    def __init__(self, units: int, digits: int, widths: Sequence[int], activation: str, rngs: nnx.Rngs):
        self.mean = MLP((units, *widths, digits), activation, rngs)
        self.log_std = nnx.Param(jnp.zeros(digits))

    def log_prob(self, message: jax.Array, z: jax.Array) -> jax.Array:
        """log q(message | z) in nats, a scalar; message (digits,), z (units,)."""
        log_std = self.log_std[...]
        return -(0.5 * jnp.square((message - self.mean(z)) * jnp.exp(-log_std)) + log_std + 0.5 * LOG_2PI).sum()
