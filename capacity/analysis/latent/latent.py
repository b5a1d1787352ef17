"""How many bits does a trained model's code hold?  From the posterior N(mu_ij, sigma_ij^2) of N data points i, unit j.

With a data point drawn from the N at random and q(z) = 1/N sum_i q(z|i), everything is exact by enumeration:

    rate E KL(q(z|i) || N(0,1)) = I(i;Z) + KL(q(z) || N(0,1))
    KL(q(z) || N(0,1))          = total correlation of the units + sum_j KL(q(z_j) || N(0,1))

(Hoffman & Johnson 2016; Chen et al. 2018, equation 2).  The units are independent given i, so that the total
correlation is what they say more than once, sum_j I(i;Z_j) - I(i;Z), and what two of them share is I(Z_j;Z_k).
I(i;Z) is at most log2 N: where it comes near, a larger data set would show more, and `growth` says how much.  What the
distribution says from which the points were drawn lies in the brackets of `population`; total correlation, increments
and shared bits of a code that tells all points apart measure log2 N.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from capacity.analysis.latent.limited import NEAR_LIMIT, LimitedByPoints
from capacity.analysis.latent.population import Population, measure_population
from capacity.analysis.latent.shared import SharedBits, shared_bits
from capacity.analysis.latent.usage import Usage, usage_of
from capacity.bounds.exact.enumeration import (
    PRECISION_SAMPLES,
    in_default_precision,
    information_of,
    widen,
)
from capacity.bounds.exact.listing import list_codes
from capacity.bounds.exact.rate import rate_less_information
from capacity.bounds.exact.resolution import RESOLUTION
from capacity.bounds.exact.sample import sampled
from capacity.bounds.exact.units import UnitBits, unit_information_of
from capacity.channels import LearntGaussian, Posterior
from capacity.joint.table import Rows, tabled
from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.once import MAX_NUMBERS, ran
from capacity.runtime.progress import Progress, reporter
from capacity.runtime.tables.posterior import MIN_SAMPLES, check_samples, checked_posterior

ACTIVE_VARIANCE = 0.01  # Burda, Grosse & Salakhutdinov (2016), section 5.2
GROWTH_DIVISORS = (8, 4, 2, 1)  # the data set's size is divided by these


class Growth(NamedTuple):
    """Information against the number of data points: `points` (k,), and its estimates with leaves (k,)."""

    points: np.ndarray
    information: Estimate


@dataclass(frozen=True)
class Latent(LimitedByPoints):
    """What the code of N data points holds; all in bits unless said otherwise.

    Attributes:
        points: N.
        information: I(data point; Z), exact by enumeration; its limit is log2 N.
        rate: E KL(q(z|i) || N(0,1)), a closed form: its interval has no width.
        marginal_kl: KL(q(z) || N(0,1)), the rate less the information (Hoffman & Johnson 2016).
        total_correlation: KL(q(z) || prod_j q(z_j)), what the units say more than once.
        joint_per_unit: information / units.
        marginal, increment: I(i;Z_j) and I(i;Z_j|Z_<j), leaves (units,).
        unit_rate: (units,), each unit's share of the rate.
        mean_variance: (units,), variance of the posterior means over the data points, in the unit's own scale squared.
        shared: what pairs of units share.
        growth: information for an eighth, a quarter and half of the points, and for all of them.
        population: brackets on the same figures for the distribution that the points were drawn from.
    """

    points: int
    information: Estimate
    rate: Estimate
    marginal_kl: Estimate
    total_correlation: Estimate
    joint_per_unit: float
    marginal: Estimate
    increment: Estimate
    unit_rate: np.ndarray
    mean_variance: np.ndarray
    shared: SharedBits
    growth: Growth
    population: Population | None = None

    @property
    def units(self) -> int:
        """How many units the code has."""
        return len(self.unit_rate)

    @property
    def active(self) -> np.ndarray:
        """(units,) whether the unit's posterior mean varies by more than 0.01 (Burda et al. 2016)."""
        return self.mean_variance > ACTIVE_VARIANCE

    @property
    def excess(self) -> Estimate:
        """The old name of `marginal_kl`."""
        warnings.warn("`excess` is now called `marginal_kl`.", DeprecationWarning, stacklevel=2)
        return self.marginal_kl

    @property
    def usage(self) -> Usage:
        """Units by the bits that each says alone: the population's where they are bracketed, else of these points.

        Which are idle or dead is said of these points.
        """
        if self.population is None or not np.isfinite(self.population.marginal.high).all():
            return usage_of(self.marginal.bits, self.marginal.low, self.marginal.high)
        found = self.population.marginal
        of_points = np.asarray(self.marginal.bits), np.asarray(self.marginal.high)
        return usage_of((found.lower.bits + found.upper.bits) / 2, found.low, found.high, of_points)

    @property
    def shared_known(self) -> np.ndarray:
        """(pairs,) whether what two units share is their own: their bits together stay a bit below log2 N."""
        alone, shared = np.asarray(self.marginal.bits), self.shared
        together = alone[shared.first] + alone[shared.second] - np.asarray(shared.bits.bits)
        return np.asarray(together < self.limit - NEAR_LIMIT)

    def _repr_html_(self) -> str:
        from capacity.results.html import html_table, number

        figures = [("information", self.information), ("excess", self.marginal_kl)]
        if not self.told_apart:
            figures.append(("total correlation", self.total_correlation))
        rows = [[name, number(e.bits), f"{number(e.low)} to {number(e.high)}"] for name, e in figures]
        rows.insert(1, ["rate", number(self.rate.bits), "closed form"])
        if self.population is not None:
            wider = self.population.information
            rows.insert(0, ["information of the population", "", f"{number(wider.low)} to {number(wider.high)}"])
        active = f"{int(self.active.sum())} of {self.units} units active"
        title = f"{self.points:,} points, at most {self.limit:.2f} bits; {active}"
        return html_table(title, ["figure", "bits", "95 % interval"], rows, "saturated" if self.saturated else "")


def measure_latent(
    key: Seed,
    means: ArrayLike,
    logvars: ArrayLike,
    *,
    given: str | None = None,
    samples: int = 4096,
    progress: Progress | Literal[True] | None = None,
) -> Latent:
    """Bits in the code of a trained variational model, from the posterior of each of N data points.

    Args:
        key: decides the samples; the same key gives the same figures; a whole number is taken as a seed.
        means: (N, units), posterior means.
        logvars: (N, units), logarithms of the posterior variances, unless `given` says otherwise.
        given: "logvar", "log_std", "variance", "std" or "precision": what `logvars` holds.  None takes log-variances
            and refuses numbers that look like anything else.
        samples: how many noisy codes are drawn for the information; a quarter of them for figures unit by unit.
        progress: called with the share that is done, and what was just done; True shows a bar.

    Raises:
        ValueError: shapes that differ, numbers that are not finite, numbers that look like variances, and means whose
            digits an offset took.
    """
    means, log_std = checked_posterior(means, logvars, given)
    count, units = means.shape
    check_samples(samples, units)
    keys, order = ran(_keys_and_order, as_key(key), static=(count,), numbers=count)
    report = reporter(progress) or (lambda share, text: None)
    report(0.0, f"{count:,} points, {units} units")
    # Bits are the same wherever units have their zero; numbers near it hold more digits of the noise.
    centred = means - np.median(means, axis=0)
    with jax.enable_x64(not _resolved(centred, log_std)):
        table, rows = in_default_precision(
            (Posterior(centred[np.asarray(order)], log_std[np.asarray(order)]), Rows.of(np.full(count, 1 / count)))
        )
        narrow, by_unit, check = _figures(keys.whole, keys.units, rows, table, samples, max(samples // 4, MIN_SAMPLES))
        exact = widen(narrow, LearntGaussian(), *check)
        report(0.5, f"{float(exact.bits):.2f} bits")
        shared = shared_bits(keys.shared, rows, table, np.asarray(by_unit.marginal.bits), samples)
        report(0.75, "what units share")
        growth = _growth(keys.growth, table, exact, max(samples // 4, MIN_SAMPLES))
    report(0.85, "growth")
    population = measure_population(keys.population, means, log_std, samples)
    report(1.0, f"{float(exact.bits):.2f} bits")
    exact, by_unit, shared, growth = in_default_precision((exact, by_unit, shared, growth))
    # float64: nothing is left to chance in a closed form.
    unit_rate = (0.5 * (means**2 + np.exp(2 * log_std) - 1) - log_std).mean(0) / NATS_PER_BIT
    rate = float(unit_rate.sum())
    return Latent(
        count,
        replace(exact, limit=jnp.asarray(np.log2(count), jnp.float32)),
        Estimate.closed_form(rate, count),
        rate_less_information(rate, exact),
        by_unit.redundancy,
        float(exact.bits) / units,
        by_unit.marginal,
        by_unit.increment,
        unit_rate,
        means.var(0),
        shared,
        growth,
        population,
    )


class _Keys(NamedTuple):
    """Of the figures; `growth` is one for each number of points."""

    whole: jax.Array
    units: jax.Array
    shared: jax.Array
    growth: jax.Array
    population: jax.Array


@partial(jax.jit, static_argnums=1)
def _keys_and_order(key: jax.Array, count: int) -> tuple[_Keys, jax.Array]:
    own = jax.random.split(key, 4)
    whole, units = jax.random.split(own[1])
    keys = _Keys(whole, units, own[2], jax.random.split(own[3], len(_sizes(count))), jax.random.fold_in(key, 4))
    return keys, jax.random.permutation(own[0], count)


def _resolved(means: np.ndarray, log_std: np.ndarray) -> bool:
    """Whether single precision holds the noise of every unit beside its mean, both (N, units)."""
    return bool((RESOLUTION * np.finfo(np.float32).eps * np.abs(means) <= np.exp(log_std)).all())


def _figures(
    key_whole: jax.Array, key_units: jax.Array, rows: Rows, table: Posterior, samples: int, fewer: int
) -> tuple[Estimate, UnitBits, Any]:
    joint = tabled(rows, table, LearntGaussian())
    numbers = max(table.mean.size, samples * table.mean.shape[1])
    listed = ran(list_codes, joint, numbers=numbers)
    sample = ran(sampled, key_whole, joint, listed, static=(samples,), numbers=numbers)
    found = ran(information_of, joint, listed, sample, numbers=numbers)
    check = listed, sample.z[:PRECISION_SAMPLES], sample.q.joint[:PRECISION_SAMPLES]
    sample = ran(sampled, key_units, joint, listed, static=(fewer, True), numbers=numbers)
    return found, ran(unit_information_of, joint, listed, sample, numbers=numbers), check


def _sizes(count: int) -> np.ndarray:
    return np.unique([max(count // divisor, 1) for divisor in GROWTH_DIVISORS])


def _growth(keys: jax.Array, table: Posterior, whole: Estimate, samples: int) -> Growth:
    """Of the first of the (shuffled) points; the whole is known."""
    count = len(table.mean)
    points = _sizes(count)
    each = []
    for own, size in zip(keys, points[:-1], strict=False):
        numbers = max(table.mean.size, samples * table.mean.shape[1])
        # Of many points the others are left out, which spares time; of few they stay, at no mass: one program for all.
        kept = size if numbers > MAX_NUMBERS else count
        rows = replace(Rows.of(np.where(np.arange(kept) < size, 1 / size, 0.0)), bits=0.0)
        rows = replace(rows, log_probs=rows.log_probs.astype(table.mean.dtype))
        joint = tabled(rows, jax.tree.map(lambda leaf: leaf[:kept], table), LearntGaussian())  # noqa: B023
        listed = ran(list_codes, joint, numbers=numbers)
        sample = ran(sampled, own, joint, listed, static=(samples,), numbers=numbers)
        each.append(ran(information_of, joint, listed, sample, numbers=numbers))
    found: Estimate = jax.tree.map(lambda *leaves: np.stack(leaves), *each, whole)
    return Growth(points, replace(found, limit=jnp.asarray(np.log2(points), jnp.float32)))
