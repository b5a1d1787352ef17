"""Posteriors that are mixtures of K normal laws with independent units: q(z|i) = sum_k w_ik N(z; mu_ik, sigma_ik^2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from capacity.analysis.latent.posteriors.points import Posteriors, TableLeaf, positive, real_table, same_shape
from capacity.channels import Channel
from capacity.channels.gaussian import LOG_2PI
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Units

WEIGHTS = 1e-4  # how far the sum of weights may be from 1


class MixtureCode(NamedTuple):
    """Log weights, means and log standard deviations of K components, each (K, units); a weight for all units alike."""

    log_weight: Float[Array, "K units"]
    mean: Float[Array, "K units"]
    log_std: Float[Array, "K units"]


@register_dataclass
@dataclass(frozen=True)
class LearntMixture(Channel):
    """Noise that is a mixture of normal laws; which of them is one draw for all units.  Lebesgue density."""

    memoryless: ClassVar[bool] = False
    code: ClassVar[type] = MixtureCode
    code_axes: ClassVar[int] = 2
    name: ClassVar[str] = "learnt_mixture"
    summary: ClassVar[str] = "noise that is a learnt mixture of normal laws"
    no_ceiling_because: ClassVar[str] = "the widths are learnt and may go to 0 at any power"

    def __call__(self, key: Key, u: MixtureCode) -> Units:
        which, noise = jax.random.split(key)
        k = jax.random.categorical(which, u.log_weight[:, 0])
        return u.mean[k] + jnp.exp(u.log_std[k]) * jax.random.normal(noise, u.mean.shape[1:], u.mean.dtype)

    def log_prob(self, z: Units, u: MixtureCode) -> Units:
        """Log density of each unit given those before, shape (units,), nats."""
        each = -0.5 * jnp.square((z[None] - u.mean) * jnp.exp(-u.log_std)) - u.log_std - 0.5 * LOG_2PI
        so_far = jax.scipy.special.logsumexp(u.log_weight + jnp.cumsum(each, axis=1), axis=0)
        return jnp.diff(so_far, prepend=jnp.zeros((), so_far.dtype))

    def moments(self, u: MixtureCode) -> tuple[Units, Units]:
        """Mean and variance of each unit."""
        weight = jnp.exp(u.log_weight)
        mean = (weight * u.mean).sum(0)
        return mean, (weight * (jnp.square(u.mean - mean[None]) + jnp.exp(2 * u.log_std))).sum(0)

    def covariance(self, u: MixtureCode) -> Float[Array, "units units"]:
        """Within components and between them."""
        weight = jnp.exp(u.log_weight)
        left = u.mean - (weight * u.mean).sum(0)[None]
        return (weight * left).T @ left + jnp.diag((weight * jnp.exp(2 * u.log_std)).sum(0))

    def signal(self, u: MixtureCode) -> Units:
        """The means of the units, shape (units,)."""
        return self.moments(u)[0]


def mixture_of_gaussians(
    weights: ArrayLike, means: ArrayLike, stds: ArrayLike, *, levels: tuple[int, ...] = ()
) -> Posteriors:
    """Posteriors that are mixtures of normal laws.

    Args:
        weights: (N, K), of sum 1 in each row.
        means, stds: (N, K, units).
        levels: units of each level, in order.

    Raises:
        ValueError: for shapes that do not fit, weights that are none, and standard deviations that are not above 0.
    """
    weight, mean = real_table(weights, "weights"), real_table(means, "means", 3)
    std = positive(real_table(stds, "standard deviations", 3), "standard deviations")
    same_shape(mean, std, "means and standard deviations")
    if weight.shape != mean.shape[:2]:
        raise ValueError(f"Expected weights of shape {mean.shape[:2]}; got {weight.shape}.")
    if (weight < 0).any() or (np.abs(weight.sum(1) - 1) > WEIGHTS).any():
        raise ValueError(f"Expected weights of sum 1, none below 0; got sums {weight.sum(1).min():.4g} and so on.")
    share = np.maximum(weight / weight.sum(1, keepdims=True), np.finfo(np.float32).tiny)
    log_weight: TableLeaf = np.broadcast_to(np.log(share)[:, :, None], mean.shape)
    return Posteriors(LearntMixture(), MixtureCode(log_weight, mean, np.log(std)), levels=levels)
