"""Convolutional codes as networks: every place of a sequence has units of its own, and all places share the weights.

A unit sees a window of the vector, 1 + layers (kernel - 1) entries long, whatever the length: such a code is measured
exactly (`capacity.bounds.local`), and one that was trained on short messages runs on long ones.  Its message decoder
takes the digits in order, each given z around it and the digits just before it, q(m|z) = prod_i q(m_i | z, m_<i).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx

from capacity.systems.networks.decoders import log_prob_of_bits
from capacity.systems.networks.mlp import ACTIVATIONS
from capacity.systems.networks.residual import linear_layer
from capacity.systems.networks.windows import windows

PAST = 12  # digits before one that its decoder sees


def check_places(length: int, outputs: int) -> None:
    """Refuse a length that leaves places unequal.

    Args:
        length: of the sequence.
        outputs: numbers that come out of it.

    Raises:
        ValueError: unless one is a whole number of times the other.
    """
    if max(length, outputs) % min(length, outputs):
        raise ValueError(
            f"Expected units a whole number of times the places of the sequence, or the reverse, for a network whose "
            f"places share weights; got {outputs} units and {length} places."
        )


class SharedConvolutions(nnx.Module):
    """Convolutions, of which each place has the same number of outputs.  Maps (length * channels,) to (outputs,).

    Where outputs are fewer than places, the last convolution strides over the rest.
    """

    def __init__(
        self, length: int, channels: int, widths: Sequence[int], outputs: int, kernel: int, activation: str,
        rngs: nnx.Rngs,
    ):  # fmt: skip
        check_places(length, outputs)
        self.channels, self.kernel, self.activation = channels, kernel, activation
        self.stride, self.each = max(length // outputs, 1), max(outputs // length, 1)
        self.layers = nnx.List([linear_layer(kernel * a, b, rngs) for a, b in pairwise((channels, *widths))])
        last = 1 if widths else kernel  # without hidden layers the window is that of the readout
        self.read = linear_layer(last * (widths[-1] if widths else channels), self.each, rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """One vector to one output; the outputs of a kind side by side."""
        h = x.reshape(-1, self.channels)
        for i, layer in enumerate(self.layers):
            stride = self.stride if i == len(self.layers) - 1 else 1
            h = ACTIVATIONS[self.activation](layer(windows(h, self.kernel, stride)))
        return self.read(h if len(self.layers) else windows(h, self.kernel, self.stride)).T.reshape(-1)


class SharedDecoder(nnx.Module):
    """Convolutions over the noisy units, then as many numbers at each place as it stands for.

    Maps (inputs,) to (length * channels,).
    """

    def __init__(
        self, inputs: int, length: int, channels: int, widths: Sequence[int], kernel: int, activation: str,
        rngs: nnx.Rngs,
    ):  # fmt: skip
        check_places(length, inputs)
        self.each, self.kernel, self.activation = max(inputs // length, 1), kernel, activation
        self.finer = max(length // inputs, 1)
        self.layers = nnx.List([linear_layer(kernel * a, b, rngs) for a, b in pairwise((self.each, *widths))])
        self.read = linear_layer(widths[-1] if widths else self.each, self.finer * channels, rngs)

    def features(self, z: jax.Array) -> jax.Array:
        """What the convolutions make of one noisy code (inputs,), (places, features)."""
        h = z.reshape(self.each, -1).T
        for layer in self.layers:
            h = ACTIVATIONS[self.activation](layer(windows(h, self.kernel, 1)))
        return h

    def __call__(self, x: jax.Array) -> jax.Array:
        """One noisy code to one vector."""
        return self.read(self.features(x)).reshape(-1)


class WindowedBits(nnx.Module):
    """q(m | z) for a message of 0/1 digits in order, each by features of z around it and the digits just before it."""

    def __init__(
        self, units: int, digits: int, widths: Sequence[int], kernel: int, activation: str, rngs: nnx.Rngs
    ):  # fmt: skip
        self.activation = activation
        hidden = widths[-1] if widths else 1
        self.received = SharedDecoder(units, digits, hidden, widths, kernel, activation, rngs)
        self.past = linear_layer(PAST, hidden, rngs)
        self.read = linear_layer(hidden, 1, rngs)

    def log_prob(self, message: jax.Array, z: jax.Array) -> jax.Array:
        """log q(message | z) in nats, a scalar; message (digits,) of 0/1, z (units,)."""
        digits = len(message)
        signs = jnp.pad(2 * message.astype(z.dtype) - 1, (PAST, 0))
        before = jnp.stack([signs[back : back + digits] for back in range(PAST)], axis=1)
        told = self.received(z).reshape(digits, -1)
        h = ACTIVATIONS[self.activation](told + self.past(before))
        return log_prob_of_bits(message, self.read(h)[:, 0])
