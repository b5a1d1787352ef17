"""Laws that the rate is held against: E KL(q(z|i) || r), in closed form where there is one, else by the draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from capacity.analysis.latent.posteriors.points import Posteriors
from capacity.analysis.latent.posteriors.sphere import log_area
from capacity.bounds.exact.listing import MAX_VARIANCE, Listed, held_moments
from capacity.bounds.exact.sample import Sample, over_items
from capacity.channels.gaussian import LOG_2PI
from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.runtime.names import check_name
from capacity.runtime.shapes import Scalar, Units

LogPrior: TypeAlias = Callable[[Units], Scalar]
"""Log density of one code (units,), nats; traceable."""


def _normal(z: Units) -> Scalar:
    return -0.5 * jnp.square(z).sum() - 0.5 * LOG_2PI * z.shape[0]


def _laplace(z: Units) -> Scalar:
    return -jnp.abs(z).sum() - z.shape[0] * float(np.log(2))


def _sphere(z: Units) -> Scalar:
    return jnp.asarray(-log_area(z.shape[0]), z.dtype)


PRIORS: dict[str, LogPrior] = {"normal": _normal, "laplace": _laplace, "sphere": _sphere}
"""N(0, 1) on every unit; Laplace of scale 1 on every unit; uniform on the sphere."""
USUAL: dict[str, str | None] = {"real": "normal", "sphere": "sphere", "atoms": None}


def checked_prior(posteriors: Posteriors, prior: str | LogPrior | None) -> str | LogPrior | None:
    """The prior, or the usual one of the space where None is given; None where there is none.

    Raises:
        ValueError: for a name that is none, or that of a law on another space.
    """
    if prior is None:
        return USUAL[posteriors.space]
    if isinstance(prior, str):
        check_name(prior, PRIORS, "prior")
    fits = "sphere" if prior == "sphere" else "real"
    if posteriors.space == "atoms" or (isinstance(prior, str) and fits != posteriors.space):
        raise ValueError(f"Expected a prior on codes that are {posteriors.space}; got {prior!r}.")
    return prior


def rate_of(posteriors: Posteriors, listed: Listed, sample: Sample, prior: str | LogPrior) -> Estimate:
    """E KL(q(z|i) || r) in bits, of the listed points; traceable but for the choice of the way.

    Args:
        posteriors: of the points.
        listed: their codes.
        sample: by `sampled`: used where there is no closed form.
        prior: r.
    """
    channel = posteriors.channel
    if channel.has_entropy and prior in ("normal", "sphere"):
        entropy = np.asarray(over_items(channel, channel.entropy)(listed.codes), np.float64).sum(1)
        centre, variance = (np.asarray(part, np.float64) for part in held_moments(channel, listed.codes))
        cross = 0.5 * (centre**2 + variance + LOG_2PI).sum(1)
        if prior == "sphere":
            cross = np.full_like(cross, log_area(centre.shape[1]))
        if (variance < MAX_VARIANCE).all():
            weight = np.exp(np.asarray(listed.log_probs, np.float64))
            bits = float(weight @ (cross - entropy) / weight.sum() / NATS_PER_BIT)
            return Estimate(bits, 0.0, bits, bits, np.inf, len(weight), "exact")
    log_r = jax.vmap(PRIORS[prior] if isinstance(prior, str) else prior)(sample.z)
    controls = jnp.stack(sample.controls.joint, -1)
    return sample.mean(sample.conditional.sum(1) - log_r, controls)
