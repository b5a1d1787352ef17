"""Small networks trained with dropout between their layers, and the bits that pass each of them.

The code is u = standardised(W2 z), z what dropout leaves of h = tanh(W1 x); noise of standard deviation sigma follows.
Masks are few, so that all of them are listed with all messages (`capacity.bounds.measure_layers`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import PyTree

from capacity.bounds.layers import measure_layers
from capacity.channels import Channel, Gaussian, SharedDropout
from capacity.joint.stack import Layer, Stack
from capacity.systems.constraints import standardised
from capacity.systems.networks import AutoregressiveBits
from capacity.systems.networks.running import merge
from capacity.training.fitting import cosine_adam, fit
from synthetic import FairBits

CALIBRATION = 8192  # messages with masks behind mean and power of the units


@dataclass(frozen=True)
class InnerDropout:
    """Sizes of the network, its noises and its training.

    Attributes:
        groups: how many groups of hidden nodes are dropped, each together; 0 for no dropout.
        rate: of the dropout.
        hidden, units: nodes of the two layers.
        sigma: standard deviation of the noise in the units, whose mean square is 1.
        steps, batch: of Adam.
    """

    groups: int
    rate: float
    hidden: int = 8
    units: int = 4
    sigma: float = 0.3
    steps: int = 1500
    batch: int = 256

    @property
    def channel(self) -> Channel:
        """The dropout; without any, one that drops nothing."""
        group = np.arange(self.hidden) * max(self.groups, 1) // self.hidden
        members = group == np.arange(max(self.groups, 1))[:, None]
        return SharedDropout(self.rate if self.groups else 0.0, members)

    def bits(self, key: jax.Array, source: FairBits) -> tuple[np.ndarray, np.ndarray]:
        """Train one network: lower and upper ends of the bits past the dropout, and past the noise, each (2,).

        Args:
            key: decides all.
            source: what is sent.
        """
        key_train, key_measure = jax.random.split(key)
        params = self._trained(key_train, source)
        brackets = measure_layers(key_measure, self._stack(params, source))
        return np.array([float(b.low) for b in brackets]), np.array([float(b.high) for b in brackets])

    @partial(jax.jit, static_argnums=0)
    def _trained(self, key: jax.Array, source: FairBits) -> PyTree:
        keys = jax.random.split(key, 5)
        fresh = jax.random.normal(keys[0], (source.dim, self.hidden)) / source.dim**0.5
        params = {
            "first": fresh,
            "second": jax.random.normal(keys[1], (self.hidden, self.units)) / self.hidden**0.5,
            "decoder": nnx.split(self._decoder(source, nnx.Rngs(keys[2])))[1],
        }
        optimiser = cosine_adam(1e-2, self.steps)

        def loss(params: dict[str, Any], key: jax.Array, progress: jax.Array) -> jax.Array:
            key_source, key_masks, key_noise = jax.random.split(key, 3)
            batch = source.sample(key_source, self.batch)
            u = standardised(self._masked(params, key_masks, batch.vector) @ params["second"], 1.0)
            z = u + self.sigma * jax.random.normal(key_noise, u.shape)
            decoder = merge(lambda rngs: self._decoder(source, rngs), params["decoder"])
            return -jax.vmap(decoder.log_prob)(batch.message, z).mean()

        trained, _ = fit(keys[3], loss, params, optimiser, self.steps)
        key_source, key_masks = jax.random.split(keys[4])
        raw = self._masked(trained, key_masks, source.sample(key_source, CALIBRATION).vector) @ trained["second"]
        return trained | {"mean": raw.mean(0), "std": raw.std(0)}

    def _masked(self, params: dict[str, Any], key: jax.Array, vectors: jax.Array) -> jax.Array:
        hidden = jnp.tanh(vectors @ params["first"])
        return jax.vmap(self.channel)(jax.random.split(key, len(hidden)), hidden)

    def _decoder(self, source: FairBits, rngs: nnx.Rngs) -> AutoregressiveBits:
        return AutoregressiveBits(self.units, source.message_dim, (64, 64), "silu", rngs)

    def _stack(self, params: PyTree, source: FairBits) -> Stack:
        first = jax.tree_util.Partial(_first, params["first"])
        second = jax.tree_util.Partial(_second, params["second"], params["mean"], params["std"])
        return Stack(source, (Layer(first, self.channel), Layer(second, Gaussian(jnp.float32(self.sigma)))))


def _first(weights: jax.Array, vector: jax.Array) -> jax.Array:
    return jnp.tanh(vector @ weights)


def _second(weights: jax.Array, mean: jax.Array, std: jax.Array, hidden: jax.Array) -> jax.Array:
    return (hidden @ weights - mean) / std
