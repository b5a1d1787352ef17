"""Bits of the population: I(X;Z) of the distribution that the data points were drawn from, between two bounds.

Below.  I(X;Z) is concave in the distribution of X (Cover & Thomas 2006, theorem 2.7.4), so that the figure of N drawn
points, which is at most log2 N, is at most the population's in expectation: the multi-sample bound with the posterior
itself for a critic (Poole et al. 2019, section 2.3).  Where points are told apart, their interpolated bound (section
2.4) sees further: half of the points give a law r, the other half a mixture m of posteriors, and with
a = alpha m + (1 - alpha) r

    I(X;Z) >= 1 + E log q(z|x) / a(z; m with x) - E m(z) / a(z; m without x)

Above.  E KL(q(z|x) || r), r and which r it is from other points: `laws`.

Intervals are over points and noise: to first order a point moves either mean by its own value alone, for the derivative
by the mixture vanishes (mean over q of dq/q is 0), so that one noisy code of each point gives both parts of the error.
Kinds of points that no sample saw may take away and add what `unseen` says.  Bounds reach three standard errors, which
is 97.5 % even for the better of eighteen (Bonferroni).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import jax
import numpy as np

from capacity.analysis.latent.bounding import bound_of, bounds_of, noise_controls, not_below_zero, own_mixture
from capacity.analysis.latent.folds import FOLDS, Folded, fold_sums, folded, over, pair_density, unit_sums
from capacity.analysis.latent.laws import chain_rates, rates, unit_rates
from capacity.analysis.latent.limited import NEAR_LIMIT
from capacity.analysis.latent.pairs import SharedBracket, pair_brackets
from capacity.analysis.latent.reference import LOG_2PI, bulk
from capacity.analysis.latent.unseen import reaching_for_unseen
from capacity.results.estimate import Bracket, Estimate, Kind

MIN_POINTS = 64  # distinct; of fewer nothing is said about a population
UNIT_CODES = 1024  # noisy codes for figures by unit
MIN_UNIT_CODES = 256
UNIT_POINTS = 8192  # for the same: the bound from fewer points is one too
MAX_DENSITIES = 1e9  # of single units
MAX_CLOSED = 2**21  # closed forms of single units: of as many points, and none drawn, the laws are held to all of them
SEEN = 32.0  # alpha times the number of noisy codes: what none of them saw costs 3/32 nats at most
WIDE_SHARE, WIDE_BITS = 0.15, 0.1  # of the upper end, bits: a bracket wider than both tells little


@dataclass(frozen=True)
class Population:
    """Brackets on the bits of the distribution that the points were drawn from; leaves (units,) where by unit.

    Attributes:
        distinct: how many of the points are no copies of others; copies count as one draw.
        information: I(X;Z).
        marginal: I(X;Z_j), leaves (units,).
        increment: I(X;Z_j|Z_<j), leaves (units,).
        total_correlation: sum_j I(X;Z_j) - I(X;Z).
        enumerated: the figures of these points for the units up to each, leaves (units,), kind `lower`; their limit
            is the bits of the data set, log2 N without copies.
        shared: what pairs of the units with most bits share; None where nothing is said of it.
    """

    distinct: int
    information: Bracket
    marginal: Bracket
    increment: Bracket
    total_correlation: Bracket
    enumerated: Estimate
    shared: SharedBracket | None = None

    @property
    def information_known(self) -> bool:
        """Whether the bracket says more than that the points are told apart: it is narrow, or they are not."""
        return bool(self._known(self.information, self._told_apart[-1]))

    @property
    def total_correlation_known(self) -> bool:
        """The same of the total correlation."""
        return bool(self._known(self.total_correlation, self._told_apart[-1]))

    @property
    def increment_known(self) -> np.ndarray:
        """(units,) the same of each increment."""
        return self._known(self.increment, self._told_apart)

    @property
    def marginal_known(self) -> np.ndarray:
        """(units,) the same of each unit alone."""
        return self._known(self.marginal, np.asarray(self.marginal.lower.bits >= self._limit - NEAR_LIMIT))

    @property
    def _limit(self) -> np.ndarray:
        return np.asarray(self.enumerated.limit)

    @property
    def _told_apart(self) -> np.ndarray:
        return np.asarray(self.enumerated.high >= self._limit - NEAR_LIMIT)

    @staticmethod
    def _known(bracket: Bracket, told_apart: np.ndarray) -> np.ndarray:
        return bracket_known(bracket, told_apart)


def bracket_known(bracket: Bracket, told_apart: np.ndarray) -> np.ndarray:
    """Whether a bracket says more than that points are told apart: it is narrow, or they are not.

    Args:
        bracket: of figures.
        told_apart: whether their enumerated figure comes near the logarithm of the number of points.
    """
    high = np.asarray(bracket.high)
    wide = ~(bracket.width <= np.maximum(WIDE_SHARE * high, WIDE_BITS))
    return np.asarray(~np.isinf(high) & ~(wide & told_apart))


def measure_population(
    key: jax.Array, means: np.ndarray, log_std: np.ndarray, samples: int, pairs: bool = True
) -> Population:
    """Brackets from the posteriors of N points, drawn independently but for copies.

    Args:
        key: decides the folds and the noise.
        means, log_std: (N, units), float64.
        samples: of how many points a noisy code is drawn, at most; fewer for figures by unit.
        pairs: whether to bracket what pairs of units share.
    """
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel().tolist())
    centre = np.median(means, axis=0)
    data = folded(rng, means - centre, log_std, samples)
    count, units = data.mean.shape
    if count < MIN_POINTS:
        return _nothing(count, units, data.limit)
    few = data.part(UNIT_POINTS)
    few = few.fewer(int(np.clip(MAX_DENSITIES / (2 * units * len(few.mean)), MIN_UNIT_CODES, UNIT_CODES)))
    with jax.enable_x64(True):
        information = _whole(data, centre)
        found = _by_unit(few, _without_noise(data, units), centre, information)
        shared = pair_brackets(few, centre, np.asarray(found.marginal.upper.bits)) if pairs else None
    return replace(found, distinct=count, shared=shared)


def _whole(data: Folded, centre: np.ndarray) -> Bracket:
    sums = fold_sums(data)
    own = data.own().sum(1)
    noise = noise_controls(data)
    lowers = {"enumeration": bound_of(data, own - own_mixture(data, sums, own), "lower", noise, data.limit)}
    if len(data.mean) == data.copies.sum():
        lowers["interpolation"] = bound_of(data, _interpolated(data, sums, own), "lower", noise)
    values, laws = rates(data, sums, centre)
    upper = bound_of(data, values, "upper", None if "posteriors" not in laws else noise)
    upper = reaching_for_unseen(upper, len(data.drawn), len(data.mean))
    name = max(lowers, key=lambda name: float(lowers[name].low))
    return Bracket(not_below_zero(lowers[name]), not_below_zero(upper), f"{name} below, {laws} above")


def _without_noise(data: Folded, units: int) -> Folded:
    """Points for closed forms, all of them drawn where that is not too much work."""
    most = data.part(max(MAX_CLOSED // units, UNIT_CODES))
    return most._replace(drawn=np.arange(len(most.mean)), noise=np.zeros_like(most.mean))


def _by_unit(data: Folded, more: Folded, centre: np.ndarray, whole: Bracket) -> Population:
    units = data.mean.shape[1]
    alone, so_far = unit_sums(data)
    own = data.own().T
    noise = np.stack([noise_controls(data.units(slice(j, j + 1))) for j in range(units)])
    below = own - np.stack([own_mixture(data, one, log_q) for one, log_q in zip(alone, own, strict=True)])
    above = unit_rates(data, alone, centre)
    lower = bounds_of(data, below, "lower", noise, data.limit)
    upper = bounds_of(data, above, "upper", noise, np.inf)
    most = bound_of(data, above.sum(0), "upper", noise.sum(0))
    seen = not_below_zero(upper)
    points, n = len(more.mean), len(data.drawn)
    upper, most = (reaching_for_unseen(one, n, points, times) for one, times in ((upper, 1), (most, units)))
    if points > n:
        closed = unit_rates(more, None, centre)
        each = reaching_for_unseen(bounds_of(more, closed, "upper", None, np.inf), points, points)
        total = reaching_for_unseen(bound_of(more, closed.sum(0), "upper", None), points, points, units)
        upper, most = _lower_of(upper, each), _lower_of(most, total)
    marginal = Bracket(not_below_zero(lower), not_below_zero(upper), "enumeration below, chosen laws above")
    together = np.cumsum(own, axis=0) - so_far + np.log(data.copies.sum())
    prefix = bounds_of(data, together, "lower", np.cumsum(noise, axis=0), data.limit)
    chain = chain_rates(data)
    added = reaching_for_unseen(bounds_of(data, chain, "upper", None, np.inf), n, points)
    before = bounds_of(data, np.cumsum(chain, axis=0), "upper", None, np.inf)
    least = bound_of(data, below.sum(0), "lower", noise.sum(0))
    correlation = _difference(least, most, float(whole.low), float(whole.high))
    return Population(
        len(data.mean), whole, marginal, _increments(marginal, seen, prefix, added, before), correlation, prefix
    )  # fmt: skip


def _lower_of(one: Estimate, other: Estimate) -> Estimate:
    """Of two upper bounds, number by number, the one whose interval ends lower."""
    use = np.asarray(one.high <= other.high)
    found: Estimate = jax.tree.map(lambda a, b: np.where(use, a, b), one, other)
    return found


def _increments(marginal: Bracket, seen: Estimate, prefix: Estimate, added: Estimate, before: Estimate) -> Bracket:
    """Above: the chain's, or the unit alone, which tells no less.  Below: units up to it less those before.

    A kind that no point showed takes from a difference at most its own share: `before` and `seen`, of units alone, are
    of the points that were.
    """
    upper = _lower_of(added, marginal.upper)
    least_before = np.minimum(np.asarray(before.high), np.cumsum(np.asarray(seen.high)))
    shifted = np.concatenate([[0.0], least_before[:-1]])
    low = np.maximum(np.asarray(prefix.low) - shifted, 0.0)
    bits = np.maximum(np.asarray(prefix.bits) - shifted, low)
    lower = replace(prefix, bits=bits, low=low, high=np.maximum(np.asarray(prefix.high) - shifted, bits))
    return Bracket(lower, upper, "differences below, a chain of normal laws or the unit alone above")


def _difference(lower: Estimate, upper: Estimate, joint_low: float, joint_high: float) -> Bracket:
    """Bracket of a sum between two bounds less what lies in the joint bracket, at least 0."""
    below = float(lower.low) - joint_high, float(upper.high) - joint_low
    low, high = (max(end, 0.0) for end in below)
    one = Estimate(low, 0.0, low, low, np.inf, lower.n, "lower")
    return Bracket(one, replace(one, bits=high, low=high, high=high, kind="upper"), "sum of units less the whole")


def _interpolated(data: Folded, sums: np.ndarray, own: np.ndarray) -> np.ndarray:
    """`interpolated`, with the normal law of the bulk of the other half's posteriors."""
    fold, codes = data.fold, data.codes
    log_r = np.empty(len(own))
    for half in (0, 1):
        other, here = fold % 2 != half, fold[data.drawn] % 2 == half
        law = bulk(data.mean[other], data.log_std[other], data.copies[other])
        log_r[here] = -law.cross_entropy(codes[here]) + 0.5 * LOG_2PI * codes.shape[1]
    return interpolated(data, sums, own, log_r, pair_density(data, following(data)))


def following(data: Folded) -> np.ndarray:
    """(n,) the next point of the same half of each drawn one."""
    inside = [np.flatnonzero(data.fold % 2 == half) for half in (0, 1)]
    out = np.empty(len(data.drawn), int)
    for members in inside:
        here = np.isin(data.drawn, members)
        out[here] = members[(np.searchsorted(members, data.drawn[here]) + 1) % len(members)]
    return out


def interpolated(data: Folded, sums: np.ndarray, own: np.ndarray, log_r: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """(n,) nats whose mean is at most I(X;Z) in expectation: Poole et al. (2019), equation 16, with a density r.

    The mixture with x holds one point less from among the others, so that both mixtures are of as many points.

    Args:
        data: points in folds, none of them with copies.
        sums: of `fold_sums`.
        own: (n,), log densities of the codes under their own posteriors.
        log_r: (n,), the same under a law of the other half of the folds.
        gone: (n,), the same under the posterior of the `following` point.
    """
    alpha = min(SEEN / len(data.drawn), 0.5)
    fold = data.fold
    values = np.empty(len(own))
    for half in (0, 1):
        members = int((fold % 2 == half).sum())
        others = over(sums, [f for f in range(FOLDS) if f % 2 == half])
        with np.errstate(divide="ignore", invalid="ignore"):
            fewer = others + np.log1p(-np.exp(np.minimum(gone - others, 0.0)))
        with_own = np.logaddexp(own, np.where(np.isnan(fewer), -np.inf, fewer)) - np.log(members - 1)
        without = others - np.log(members - 1)
        known = np.log1p(-alpha) + log_r
        held = np.logaddexp(np.log(alpha) + with_own, known)
        product = np.exp(without - np.logaddexp(np.log(alpha) + without, known))
        here = fold[data.drawn] % 2 == half
        values[here] = (1 + own - held - product)[here]
    return values - 3 / SEEN


def _nothing(count: int, units: int, limit: float) -> Population:
    """Of too few points nothing is said."""

    def end(value: float, kind: Kind, shape: tuple[int, ...]) -> Estimate:
        full, zero = np.full(shape, value), np.zeros(shape)
        return Estimate(full, zero, full, full, zero + np.inf, zero + count, kind)

    def bracket(*shape: int) -> Bracket:
        words = f"fewer than {MIN_POINTS} points that differ"
        return Bracket(end(0.0, "lower", shape), end(np.inf, "upper", shape), words)

    enumerated = replace(end(0.0, "lower", (units,)), limit=np.full(units, limit))
    return Population(count, bracket(), bracket(units), bracket(units), bracket(), enumerated)
