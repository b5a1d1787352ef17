"""Bits in a code from posteriors of any kind, a point each: what `measure_latent` says of normal ones.

    I(i;Z) of these points by enumeration;  rate E KL(q(z|i) || r) = I(i;Z) + KL(q(z) || r);  units, and levels in
    order, I(i;Z_1..Z_L) = sum_l I(i;Z_l|Z_<l);  and the population's bits between two bounds.

The posterior that K importance-weighted draws stand for has no density that could be computed (Burda et al. 2016): of
such a model its proposal is measured, the posterior of one draw.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from capacity.analysis.latent.limited import LimitedByPoints
from capacity.analysis.latent.population import bracket_known
from capacity.analysis.latent.posteriors.levels import Hierarchy
from capacity.analysis.latent.posteriors.points import Posteriors
from capacity.analysis.latent.posteriors.population import bracket_of_population
from capacity.analysis.latent.posteriors.prior import LogPrior, checked_prior, rate_of
from capacity.analysis.latent.usage import Usage, usage_of
from capacity.bounds.exact.enumeration import PRECISION_SAMPLES, in_default_precision, information_of, widen
from capacity.bounds.exact.listing import Listed, list_codes
from capacity.bounds.exact.resolution import RESOLUTION
from capacity.bounds.exact.sample import Sample, sampled
from capacity.bounds.exact.units import UnitBits, unit_information_of
from capacity.channels.channel import Channel, Code, sliced
from capacity.joint.joint import Joint
from capacity.joint.table import Rows, tabled
from capacity.results.estimate import Bracket, Estimate
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.once import ran
from capacity.runtime.progress import Progress, reporter
from capacity.runtime.tables.posterior import MIN_SAMPLES, check_samples


@dataclass(frozen=True)
class PosteriorBits(LimitedByPoints):
    """What the code of N points holds; all in bits.

    Attributes:
        points, units: N, and how many numbers a noisy code has.
        information: I(i;Z), exact by enumeration; its limit is log2 N.
        prior: what the rate is held against, in words; None where nothing is.
        rate: E KL(q(z|i) || prior), without an error where it is a closed form.
        marginal_kl: the rate less the information.
        by_unit: of each unit alone, added to those before, and said more than once; None where units cannot be told
            apart (on the sphere, in a hierarchy).
        levels: I(i;Z_l|Z_<l) of each level, in order; empty where there is one.
        population: I(X;Z) of the distribution that the points were drawn from, between two bounds.
    """

    points: int
    units: int
    information: Estimate
    prior: str | None
    rate: Estimate | None
    marginal_kl: Estimate | None
    by_unit: UnitBits | None
    levels: tuple[Estimate, ...]
    population: Bracket

    @property
    def population_known(self) -> bool:
        """Whether `population` says more than that the points are told apart: it is narrow, or they are not."""
        return bool(bracket_known(self.population, np.asarray(self.told_apart)))

    @property
    def usage(self) -> Usage | None:
        """Units by the bits of these points that each says alone; None where units cannot be told apart."""
        if self.by_unit is None:
            return None
        alone = self.by_unit.marginal
        return usage_of(alone.bits, alone.low, alone.high)


def measure_posteriors(
    key: Seed,
    posteriors: Posteriors,
    *,
    prior: str | LogPrior | None = None,
    samples: int = 4096,
    progress: Progress | Literal[True] | None = None,
) -> PosteriorBits:
    """Bits in the code of a trained model, from posteriors of any kind.

    Args:
        key: decides the samples; a whole number is taken as a seed.
        posteriors: of N points, made by `gaussian`, `full_gaussian`, `laplace`, `uniform`, `mixture_of_gaussians`,
            `von_mises_fisher`, `through_channel` (any channel) or `hierarchy`.
        prior: "normal" (N(0, 1)), "laplace" (of scale 1), "sphere" (uniform on it), or a function from one code
            (units,) to its log density; None takes the sphere for codes on it, and the normal for others.
        samples: how many noisy codes are drawn for the information; a quarter of them for figures unit by unit.
        progress: called with the share that is done, and what was just done; True shows a bar.

    Raises:
        ValueError: for a prior on another space than the codes, and numbers of samples that say nothing.
    """
    check_samples(samples, posteriors.units)
    stated = checked_prior(posteriors, prior)
    keys = jax.random.split(as_key(key), 4)
    report = reporter(progress) or (lambda share, text: None)
    count, units = posteriors.count, posteriors.units
    report(0.0, f"{count:,} points, {units} units")
    rows = Rows.of(np.full(count, 1 / count))
    with jax.enable_x64(not _resolved(posteriors)):
        joint = _joint(posteriors, rows)
        information, listed, sample = _information(keys[0], joint, count, units, samples)
        report(0.4, f"{float(information.bits):.2f} bits")
        rate = None if stated is None else rate_of(posteriors, listed, sample, stated)
        by_unit = None
        if posteriors.sliced:
            fewer = ran(
                sampled, keys[1], joint, listed, static=(max(samples // 4, MIN_SAMPLES), True), numbers=_most(joint)
            )
            by_unit = ran(unit_information_of, joint, listed, fewer, numbers=_most(joint))
        levels = _levels(keys[2], posteriors, rows, information, samples)
    report(0.7, "units and levels")
    population = bracket_of_population(keys[3], posteriors, samples)
    report(1.0, f"{float(information.bits):.2f} bits")
    information, rate, by_unit, levels = in_default_precision((information, rate, by_unit, levels))
    words = stated if isinstance(stated, str) or stated is None else "a function of the caller's"
    excess = None if rate is None else _difference(rate, information)
    return PosteriorBits(count, units, information, words, rate, excess, by_unit, levels, population)


def _most(joint: Joint) -> int:
    return max(int(leaf.size) for leaf in jax.tree.leaves(joint))


def _joint(posteriors: Posteriors, rows: Rows) -> Joint:
    codes, channel, rows = in_default_precision((posteriors.codes, posteriors.channel, rows))
    return tabled(rows, jax.tree.map(jnp.asarray, codes), jax.tree.map(jnp.asarray, channel))


def _resolved(posteriors: Posteriors) -> bool:
    """Whether single precision holds the noise of every unit beside its mean."""
    channel, codes = in_default_precision((posteriors.channel, posteriors.codes))
    if channel.atomic:
        return True
    numbers = max(int(np.size(leaf)) for leaf in jax.tree.leaves(codes))
    centre, variance = ran(_moments, channel, codes, numbers=numbers)
    least = RESOLUTION * np.finfo(np.float32).eps * np.abs(centre)
    return not bool(((np.asarray(variance) > 0) & (np.sqrt(variance) < least)).any())


@jax.jit
def _moments(channel: Channel, codes: Code) -> tuple[jax.Array, jax.Array]:
    mean, variance = jax.vmap(channel.moments)(codes)
    return mean, variance


def _information(key: jax.Array, joint: Joint, count: int, units: int, samples: int) -> tuple[Estimate, Listed, Sample]:
    numbers = max(_most(joint), samples * units)
    listed = ran(list_codes, joint, numbers=numbers)
    sample = ran(sampled, key, joint, listed, static=(samples,), numbers=numbers)
    found = ran(information_of, joint, listed, sample, numbers=numbers)
    found = widen(found, joint.channel, listed, sample.z[:PRECISION_SAMPLES], sample.q.joint[:PRECISION_SAMPLES])
    return replace(found, limit=jnp.asarray(np.log2(count), jnp.float32)), listed, sample


def _levels(key: jax.Array, posteriors: Posteriors, rows: Rows, whole: Estimate, samples: int) -> tuple[Estimate, ...]:
    """What each level adds to those before: differences of the information of levels up to each."""
    if len(posteriors.levels) < 2:
        return ()
    so_far = []
    for level, own in enumerate(jax.random.split(key, len(posteriors.levels) - 1)):
        part = _first_levels(posteriors, level + 1)
        so_far.append(_information(own, _joint(part, rows), part.count, sum(part.levels), samples)[0])
    so_far.append(whole)
    return so_far[0], *(_difference(after, before) for before, after in pairwise(so_far))


def _first_levels(posteriors: Posteriors, count: int) -> Posteriors:
    levels, channel = posteriors.levels[:count], posteriors.channel
    if isinstance(channel, Hierarchy):
        return replace(posteriors, channel=Hierarchy(channel.levels[:count]), levels=levels)
    units = slice(sum(levels))
    return replace(posteriors, channel=channel.part(units), codes=sliced(posteriors.codes, units), levels=levels)


def _difference(one: Estimate, other: Estimate) -> Estimate:
    """one - other, errors of both added as those of independent figures."""
    bits = one.bits - other.bits
    down = jnp.hypot(one.bits - one.low, other.high - other.bits)
    up = jnp.hypot(one.high - one.bits, other.bits - other.low)
    stderr = jnp.hypot(one.stderr, other.stderr)
    return Estimate(bits, stderr, bits - down, bits + up, jnp.inf, other.n, "exact")
