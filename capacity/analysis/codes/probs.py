"""How many bits does a stochastic discrete code hold?  From the probabilities q_j(z_j|i) of each of N data points i.

Positions are independent given the point.  With a point drawn from the N at random, I(i;Z) is exact by enumeration of
all points, I(i;Z_j) = H(mean q_j) - mean H(q_j) a closed form, and the rate against a uniform prior

    E KL(q(z|i) || uniform) = sum_j log K - mean_i H(q_j(.|i))

The population's I(X;Z) is at least the enumerated figure, a multi-sample bound (Poole et al. 2019, section 2.3), and at
least H(Z) - H(Z|X) with a lower bound on H(Z) from one code of each point (`entropy_bounds`), which sees further where
there is little noise.  It is at most E log q(z|x) - log r(z), where r mixes laws of the code (`code_length`) and the
posteriors of other points.  Of one code of each point, positions say more than once what those of a deterministic code
would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from capacity.analysis.codes.bounding import cut_at, lower_bounds, one_of, upper_bounds
from capacity.analysis.codes.code_length import FOLDS, cross_fitted, folds_of
from capacity.analysis.codes.codebook import use_of_probs
from capacity.analysis.codes.codes import Codes, counted, share_of
from capacity.analysis.codes.copies import repeated, some_are_copies, without_copies
from capacity.analysis.codes.counts import STRENGTHS
from capacity.analysis.codes.population import (
    CodesPopulation,
    end_at,
    nothing_of,
    row_numbers,
    symbol_brackets,
)
from capacity.analysis.codes.posteriors import DrawnCodes, controls, draw_codes, entropies, posterior_sums
from capacity.analysis.latent.population import MIN_POINTS
from capacity.estimators.checks import random_of
from capacity.results.estimate import NATS_PER_BIT, Bracket, Estimate
from capacity.results.intervals import rule_of_three_bits
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.progress import Progress, reporter
from capacity.runtime.tables.codes import checked_probs
from capacity.runtime.tables.posterior import MIN_SAMPLES
from capacity.runtime.whole import whole

LogProbs = Float[np.ndarray, "points positions symbols"]


def measure_probs(
    key: Seed,
    probs: ArrayLike,
    *,
    given: str | None = None,
    samples: int = 4096,
    progress: Progress | Literal[True] | None = None,
) -> Codes:
    """Bits in the stochastic discrete code of each of N data points.

    Args:
        key: decides the draws; the same key gives the same figures; a whole number is taken as a seed.
        probs: (N, positions, symbols), the probability of each symbol.
        given: "probs" or "logits", what `probs` holds; None is probabilities.
        samples: how many codes are drawn for the information, at least 256.
        progress: called with the share that is done, and what was just done; True shows a bar.

    Raises:
        TypeError, ValueError: other shapes, fewer than two points or symbols, numbers that are not finite, and
            probabilities that are negative or do not sum to one.
    """
    whole(samples, "samples", MIN_SAMPLES)
    log_probs = checked_probs(probs, given)
    rng = random_of(as_key(key))
    count, positions, size = log_probs.shape
    report = reporter(progress) or (lambda share, text: None)
    report(0.0, f"{count:,} points, {positions} positions")
    entropy = entropies(log_probs)
    mean = np.exp(log_probs).mean(0)
    each = (_entropy_of(mean) - entropy.mean(0)) / NATS_PER_BIT
    exact = _of_these_points(rng, log_probs, entropy, samples)
    report(0.2, f"{float(exact.bits):.2f} bits")
    population = _population(rng, log_probs, entropy, samples, share_of(report, 0.2), float(exact.bits), each)
    report(1.0, f"{float(exact.bits):.2f} bits")
    marginal = counted(np.maximum(each, 0.0), count)
    total = float(np.asarray(marginal.bits).sum())
    twice = replace(exact, bits=total - exact.bits, low=total - exact.high, high=total - exact.low, limit=np.inf)
    rate = Estimate.closed_form(float((np.log(size) - entropy).sum(1).mean()) / NATS_PER_BIT, count)
    return Codes(count, True, use_of_probs(log_probs), exact, marginal, rate, twice, population)


def _entropy_of(shares: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(-np.where(shares > 0, shares * np.log(shares), 0.0).sum(-1))


def _of_these_points(rng: np.random.Generator, log_probs: LogProbs, entropy: np.ndarray, samples: int) -> Estimate:
    """I(i;Z), its interval as of independent draws of point and code, cut to [0, log2 N]."""
    count = len(log_probs)
    points = np.concatenate([rng.permutation(count) for _ in range(-(-samples // count))])[:samples]
    drawn = draw_codes(rng, log_probs, points)
    sums = posterior_sums(log_probs, drawn, np.zeros(count, int))[:, 0]
    values = drawn.own - np.logaddexp(sums, drawn.own) + np.log(count)
    found = one_of(lower_bounds(values[None], np.log2(count), controls=controls(log_probs, entropy, drawn)[None]))
    unseen = rule_of_three_bits(np.log2(count) - found.bits, len(points))
    high = np.minimum(found.high + unseen, np.log2(count))
    return replace(found, bits=np.minimum(found.bits, high), high=high, kind="exact")


def _population(
    rng: np.random.Generator,
    log_probs: LogProbs,
    entropy: np.ndarray,
    samples: int,
    report: Callable[[float], None],
    enumerated: float,
    each: np.ndarray,
) -> CodesPopulation:
    same = row_numbers(log_probs.reshape(len(log_probs), -1))
    kept = without_copies(same)
    order = kept[rng.permutation(len(kept))]
    log_probs, entropy = log_probs[order], entropy[order]
    count, positions, size = log_probs.shape
    if count < MIN_POINTS or some_are_copies(same[order]):
        return nothing_of(count, enumerated, each, repeated(same[order]))
    fold, told, sizes = folds_of(rng, count), np.arange(min(count, samples)), np.full(positions, size)
    codes = draw_codes(rng, log_probs, np.arange(count))
    rows = row_numbers(codes.symbols)
    drawn = DrawnCodes(told, codes.symbols[told], codes.own[told])
    sums = posterior_sums(log_probs, drawn, fold)
    known = controls(log_probs, entropy, drawn)
    below = drawn.own - np.logaddexp(logsumexp(sums, axis=1), drawn.own) + np.log(count)
    lower = one_of(lower_bounds(below[None], np.log2(count), controls=known[None]))

    def posteriors(rows: np.ndarray, folds: list[int]) -> np.ndarray:
        return np.asarray(logsumexp(sums[rows][:, folds], axis=1)[None] - np.log(np.isin(fold, folds).sum()))

    lengths = cross_fitted(codes.symbols, rows, sizes, fold, told, posteriors)
    above = drawn.own + lengths.whole
    upper = one_of(upper_bounds(above[None], lengths.most[None]))
    report(0.5)
    apart, against = _by_position(log_probs, entropy, fold)
    marginal = _bracket(
        lower_bounds(apart, np.log2(count)), cut_at(upper_bounds(*against), np.log2(size)), "mean posteriors"
    )
    found = symbol_brackets(rng, codes.symbols, rows, sizes, report=lambda share: report(0.5 + 0.5 * share))
    given = one_of(upper_bounds(entropy.sum(1)[None], np.full((1, count), positions * np.log(size))))
    collisions = end_at(max(float(found.entropy.low) - float(given.high), 0.0), "lower", count)
    names = {"enumeration": lower, "counts and collisions": collisions}
    best = max(names, key=lambda name: float(names[name].low))
    information = _bracket(names[best], cut_at(upper, positions * np.log2(size)), f"{best} below, chosen laws above")
    least = one_of(lower_bounds((apart[:, told].sum(0) - above)[None], loss=lengths.most[None]))
    most = max(float(np.asarray(marginal.high).sum()) - float(information.low), 0.0)
    twice = found.total_correlation
    lower_twice = max(least, twice.lower, key=lambda one: float(one.low))
    upper_twice = min(end_at(most, "upper", count), twice.upper, key=lambda one: float(one.high))
    correlation = _bracket(lower_twice, upper_twice, twice.method)
    return CodesPopulation(
        count, float(np.log2(count)), enumerated, each, information, marginal, correlation, found.shared,
        repeated(same[order]),
    )  # fmt: skip


def _by_position(
    log_probs: LogProbs, entropy: Float[np.ndarray, "points positions"], fold: Int[np.ndarray, " points"]
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """KL(q_j(.|x) || r_j) of every point, nats (positions, points): r the mean of all posteriors, and that of other
    folds, drawn towards the uniform law by what another fold likes best; and the most that the latter could be."""
    probs = np.exp(log_probs)
    size = probs.shape[2]
    sums = np.stack([probs[fold == f].sum(0) for f in range(FOLDS)])
    counts = np.bincount(fold, minlength=FOLDS)
    mean = sums.sum(0) / len(probs)
    apart = _cross_entropy(probs, mean) - entropy
    against, most = np.empty_like(apart), np.empty_like(apart)
    for f in range(FOLDS):
        weighing = (f + 1) % FOLDS
        fitting = [g for g in range(FOLDS) if g not in (f, weighing)]
        total, seen = sums[fitting].sum(0), counts[fitting].sum()
        laws = [(total + a / size) / (seen + a) for a in STRENGTHS]
        trial = np.array([_cross_entropy(probs[fold == weighing], law).mean(0) for law in laws])
        best = trial.argmin(0)
        law = np.stack(laws)[best, np.arange(len(best))]
        against[fold == f] = _cross_entropy(probs[fold == f], law) - entropy[fold == f]
        most[fold == f] = -np.log(law.min(1))
    return apart.T, (against.T, most.T)


def _cross_entropy(probs: np.ndarray, law: np.ndarray) -> Float[np.ndarray, "points positions"]:
    log_law = np.log(np.maximum(law, np.finfo(float).tiny))
    return np.asarray(-np.einsum("njk,jk->nj", probs, log_law))


def _bracket(lower: Estimate, upper: Estimate, method: str) -> Bracket:
    return Bracket(lower, replace(upper, high=np.maximum(upper.high, lower.low)), method)
