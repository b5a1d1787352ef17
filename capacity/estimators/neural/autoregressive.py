"""A conditional density by a normalising flow of mixtures: q(y | x) = prod_j q(y_j | x, y_<j), each a normal mixture.

The map of y_j to its conditional mixture's distribution function is the flow (Huang et al. 2018; Ho et al. 2019), its
parameters from one masked network (Germain et al. 2015), so that the density takes one pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from capacity.estimators.neural.critics import linear, randomise

_LOG_2PI = 1.8378770664093453


@dataclass(frozen=True)
class MixtureFlow:
    """A density of y (n, dim) given inputs (n, given); no inputs make it unconditional.

    Attributes:
        width: nodes for each coordinate of y, in each of two layers.
        components: normal laws in each coordinate's mixture.
    """

    width: int = 32
    components: int = 6

    def init(self, key: jax.Array, given: int, dim: int) -> PyTree:
        """Parameters: the inputs go to all nodes, coordinate j to the nodes of later coordinates.

        The inputs' weights start at 0: what they tell has to be learnt, and is not there by chance.
        """
        first = linear(given + dim, 2 * self.width * dim)
        deviations = {
            "first": first | {"kernel": first["kernel"].at[:given].set(0.0)},
            "second": jax.tree.map(lambda a: jnp.stack([a] * dim), linear(self.width, 2 * self.width)),
            "kernel": linear(self.width, dim * 3 * self.components, 0.1)["kernel"].reshape(self.width, dim, 3, -1),
            "past": jnp.zeros((given + dim, dim)),
        }
        spread = jnp.broadcast_to(jnp.linspace(-1.5, 1.5, self.components), (dim, self.components))
        bias = jnp.zeros((dim, 3, self.components)).at[:, 1].set(spread)
        return randomise(key, deviations) | {"bias": bias}

    def log_prob(self, params: PyTree, given: jax.Array, y: jax.Array) -> jax.Array:
        """log q(y | given) in nats, shape (n,)."""
        n, dim = y.shape
        inputs = jnp.concatenate([given, y], axis=1)
        seen = np.concatenate([np.ones((given.shape[1], dim)), np.triu(np.ones((dim, dim)), 1)]).astype(np.float32)
        kernel = params["first"]["kernel"].reshape(-1, dim, 2 * self.width) * seen[:, :, None]
        hidden = inputs @ kernel.reshape(inputs.shape[1], -1) + params["first"]["bias"][None]
        hidden = _gated(hidden.reshape(n, dim, 2 * self.width))
        second = params["second"]
        hidden = hidden + _gated(jnp.einsum("njw,jwv->njv", hidden, second["kernel"]) + second["bias"][None])
        raw = jnp.einsum("njw,wjpc->njpc", hidden, params["kernel"]) + params["bias"][None]
        logits, means, widths = raw[:, :, 0], raw[:, :, 1], raw[:, :, 2]
        means = means + (inputs @ (params["past"] * seen))[:, :, None]
        log_std = 4.0 * jnp.tanh(widths / 4.0)
        z = (y[:, :, None] - means) * jnp.exp(-log_std)
        log_normal = -0.5 * jnp.square(z) - log_std - 0.5 * _LOG_2PI
        return jax.nn.logsumexp(jax.nn.log_softmax(logits, axis=2) + log_normal, axis=2).sum(1)


def _gated(rows: jax.Array) -> jax.Array:
    value, gate = jnp.split(rows, 2, axis=-1)
    return value * jax.nn.sigmoid(gate)
