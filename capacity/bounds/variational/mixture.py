"""Upper bound from a mixture of normal densities: E log p(z|m) - log r(z), r fitted by expectation maximisation.

The bound holds for any r that did not see the samples it is held against; a mixture follows clusters of z that one
normal density, the bound of maximum entropy, must cover whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from capacity.bounds.bound import Bound
from capacity.bounds.variational.marginal import SAMPLE_BATCH, check_density, marginal_bound
from capacity.bounds.variational.normal import Normal, fit_normal, whitener_of
from capacity.joint.joint import Joint
from capacity.results.estimate import Estimate
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Scalar, Units

ROUNDS = 20  # of expectation maximisation
RIDGE = 1e-3  # of a unit's variance


@register_dataclass
@dataclass(frozen=True)
class NormalMixture:
    """sum_k w_k N(z; mu_k, S_k): `log_weights` (K,) and `parts`, normal densities with leading axis K."""

    log_weights: jax.Array
    parts: Normal

    def log_prob(self, z: Units) -> Scalar:
        """log r(z) in nats of one noisy code."""
        return jax.nn.logsumexp(self.log_weights + jax.vmap(lambda part: part.log_prob(z))(self.parts))


@dataclass(frozen=True)
class Mixture(Bound):
    """The upper bound of a fitted mixture (Dempster, Laird & Rubin 1977, for its fit).

    Raises (when called):
        ValueError: if the channel has atoms.
    """

    components: int = 8
    samples: int = 2**14
    name: ClassVar[str] = "mixture"
    summary: ClassVar[str] = "upper bound from a mixture of normal densities r(z)"

    def __call__(self, key: Seed, joint: Joint) -> Estimate:
        """Upper bound on I(M;Z), in bits."""
        key = as_key(key)
        check_density(joint.channel)
        key_normal, key_fit, key_start, key_judge = jax.random.split(key, 4)
        whole = fit_normal(key_normal, joint, self.samples)
        mixture = fit_mixture(key_start, joint.sample(key_fit, self.samples)[2], whole, self.components)
        above: Estimate = marginal_bound(key_judge, joint, mixture, self.samples)
        return above


def fit_mixture(key: Key, z: Float[Array, "n units"], whole: Normal, components: int) -> NormalMixture:
    """Expectation maximisation from components as wide as all of z, at points of it.

    Args:
        key: of the starting points.
        z: noisy codes.
        whole: the normal density of all.
        components: how many, K; at most n.
    """
    n, units = z.shape
    ridge = RIDGE * np.square(np.linalg.inv(np.asarray(whole.whitener, np.float64))).sum(1)
    starts = z[jax.random.choice(key, n, (components,), replace=False)]
    whiteners = jnp.broadcast_to(whole.whitener[None], (components, units, units))
    mixture = NormalMixture(jnp.full(components, -np.log(components), jnp.float32), Normal(starts, whiteners))
    points = np.asarray(z, np.float64)
    for _ in range(ROUNDS):
        shares = np.asarray(_responsibilities(mixture, z), np.float64)  # (n, K)
        counts = shares.sum(0) + 1e-9
        means = shares.T @ points / counts[:, None]
        whiteners_now = []
        for share, mean, count in zip(shares.T, means, counts, strict=True):
            centred = points - mean
            # A ridge worth some samples of noise: a component of few points must stay a density.
            covariance = (share[:, None] * centred).T @ centred / count + np.diag(ridge * (1 + units / count))
            whiteners_now.append(whitener_of(covariance))
        parts = Normal(jnp.asarray(means, jnp.float32), jnp.asarray(np.stack(whiteners_now), jnp.float32))
        mixture = NormalMixture(jnp.asarray(np.log(counts / n), jnp.float32), parts)
    return mixture


@jax.jit
def _responsibilities(mixture: NormalMixture, z: jax.Array) -> jax.Array:
    def of_one(point: jax.Array) -> jax.Array:
        return jax.nn.softmax(mixture.log_weights + jax.vmap(lambda part: part.log_prob(point))(mixture.parts))

    shares: jax.Array = jax.lax.map(of_one, z, batch_size=SAMPLE_BATCH)
    return shares
