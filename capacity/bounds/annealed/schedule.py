"""Before the chains that count: pilot chains, from which the ladder, the chains and the samples are chosen and frozen.

Work that is done too fast is lost: by the lag between chains up and chains down a rung of height d dissipates about
zeta d^2 nats, zeta being the friction there, so for T rungs the bracket's gap is least when d is as 1/sqrt(zeta), and
falls as 1/T (Sivak & Crooks 2012, Phys. Rev. Lett. 108, 190602).  The noise in z falls as 1/sqrt(n).  Both share the
budget.  Pilots are drawn as the samples that count are, rare and far ones first, and weighted: a spread of zero among
samples that are all alike would be believed.  Their moves are their own, so what is chosen by them spoils no bound.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from capacity.bounds.annealed.chains import Chains, run_chains
from capacity.bounds.annealed.ladder import STRIDE, Ladder
from capacity.bounds.annealed.legs import LANES, Samples
from capacity.bounds.annealed.reach import Unseen
from capacity.bounds.annealed.scores import FLIPS
from capacity.bounds.posterior.approximation import PosteriorApproximation
from capacity.bounds.posterior.bridge import Target
from capacity.results.estimate import NATS_PER_BIT
from capacity.results.intervals import CONSERVATIVE_ERRORS
from capacity.runtime.shapes import Key

PILOT_SHARE = 0.2  # of the budget, at most, unless the first pilot alone is more
PILOT_CHAINS = 4
FIRST_RUNGS = 16  # rungs of either leg in the first pilot
CHAINS = (1, 2, 4, 8, 16, 32)
BATCHES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
MAX_RUNGS = 2**16
MIN_GAP_POWER = 0.5  # of the rungs by which a gap is taken to fall: rare lost chains fall off slower than 1/T
WIDTH_TOLERANCE = 1.03  # times the least width: what is as good for less is taken
GAP_TOLERANCE = 1e-3  # bits: a gap that needs no more rungs


class Cost(NamedTuple):
    """Billions of operations of one sample: a rung of either leg, what is done once a chain, and one true density."""

    temper: float
    bridge: float
    once: float
    truth: float

    @property
    def simulated(self) -> float:
        """Of a cheap sample with its controls and scores."""
        return self.once + FLIPS * self.truth

    def of_chains(self, n: int, chains: int, ladder: Ladder) -> float:
        """Of n samples with so many forward chains and one in reverse."""
        rungs = self.temper * (len(ladder.temper) - 1) + self.bridge * (len(ladder.bridge) - 1)
        return n * (chains + 1) * (rungs + self.once)


@dataclass(frozen=True)
class SamplingPlan:
    """What the chains that count will be.

    Attributes:
        samples: a multiple of `LANES`.
        chains: forward ones for each sample.
        ladder: of all chains.
        width: of the bracket that is expected of them, bits.
    """

    samples: int
    chains: int
    ladder: Ladder
    width: float


class Pilot(NamedTuple):
    """The chains of one pilot, and what all of them so far cost in billions of operations."""

    chains: Chains
    ladder: Ladder
    spent: float


def cost_of(target: Target, approximation: PosteriorApproximation) -> Cost:
    """What the chains of one sample cost: the approximation's own count, and the compiler's of the true density."""
    batch = jax.eval_shape(lambda key: target.sample(key, 1), jax.random.key(0))
    one = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), (batch[0], batch[2]))
    counted = jax.jit(target.log_prob).lower(*one)
    truth = float((counted.cost_analysis() or {}).get("flops", 0.0)) / 1e9
    sweep = approximation.operations / 1e9
    return Cost(sweep, 2 * sweep + truth, sweep + 2 * truth, truth)


def pilots(
    key: Key,
    target: Target,
    approximation: PosteriorApproximation,
    draw: Callable[[Key, int], Samples],
    cost: Cost,
    budget_gflop: float,
) -> Iterator[Pilot]:
    """Pilots, each about twice as long as the one before, on the ladder that that one suggests.

    A first one that takes more than the pilots' share has half of the chains.

    Args:
        key: of the pilots' samples and chains.
        target: what chains end at.
        approximation: that they start from.
        draw: by a key, so many samples of the target.
        cost: of one sample's chains.
        budget_gflop: billions of operations, of which pilots take a share.
    """
    ladder, spent = approximation.initial_ladder(FIRST_RUNGS), 0.0
    dear = cost.of_chains(LANES, PILOT_CHAINS, ladder) > PILOT_SHARE * budget_gflop
    count = PILOT_CHAINS // 2 if dear else PILOT_CHAINS
    for number in itertools.count():
        key_draw, key_chains = jax.random.split(jax.random.fold_in(key, number))
        chains = run_chains(key_chains, target, approximation, draw(key_draw, LANES), ladder, count)
        spent += cost.of_chains(LANES, count, ladder)
        pilot = Pilot(chains, ladder, spent)
        yield pilot
        room = 2 * cost.of_chains(LANES, PILOT_CHAINS, ladder)
        if gap_of(chains, PILOT_CHAINS) < GAP_TOLERANCE or spent + room > PILOT_SHARE * budget_gflop:
            return
        ladder = optimal_ladder(pilot, cost, room / (LANES * (PILOT_CHAINS + 1)), FIRST_RUNGS)


def gap_of(pilot: Chains, chains: int) -> float:
    """Mean of upper less lower with so many chains that a pilot lets one expect, in bits; at least 0.

    Where it stands out from its noise, the mean itself and one standard error more.  Else a pilot's few samples may by
    chance show hardly a gap, and what is chosen on the word of that would be much too short; but normal work of
    variance s^2 dissipates s^2 / 2 nats each way (Jarzynski 1997, Phys. Rev. Lett. 78, 2690, equation 14), which to
    first order is a gap of s^2 / K for K chains, and upper less lower then has the variance 2 s^2 / K^2.
    """
    chains = min(chains, len(pilot.forward))
    gaps = pilot.upper(chains) - pilot.lower(chains)
    if not np.isfinite(gaps).all():  # chains that started at impossible messages
        return np.inf
    weight = pilot.samples.weight / pilot.samples.weight.sum()
    mean = weight @ gaps
    squares = np.square(gaps - mean)
    error = np.sqrt(np.square(weight) @ squares)
    from_spread = 0.0 if mean > 2 * error else chains * (weight @ squares) / 2
    return float(max(mean + error, from_spread) / NATS_PER_BIT)


def optimal_ladder(pilot: Pilot, cost: Cost, room: float, least: int = STRIDE) -> Ladder:
    """The ladder that dissipates least at a price of `room` a chain.

    A leg of R rungs dissipates a / R and costs c R: for a fixed price of both, R is as sqrt(a / c).

    Args:
        pilot: whose chains say what is lost where.
        cost: of one sample's chains.
        room: billions of operations.
        least: rungs of either leg.
    """
    legs = list(zip(pilot.ladder, pilot.chains.dissipated, (cost.temper, cost.bridge), strict=True))
    wishes = [(max(lost.sum(), 1e-9) * (len(rungs) - 1) / price) ** 0.5 for rungs, lost, price in legs]
    spare = max(room - cost.once - least * (cost.temper + cost.bridge), 0.0)
    each = spare / sum(wish * price for wish, (_, _, price) in zip(wishes, legs, strict=True))
    counts = [least + int(min(wish * each, MAX_RUNGS) // STRIDE * STRIDE) for wish in wishes]
    return Ladder(*(respaced(rungs, lost, count) for (rungs, lost, _), count in zip(legs, counts, strict=True)))


def plan_sampling(
    pilot: Pilot,
    spread: float,
    cost: Cost,
    budget_gflop: float,
    known: float = 0.0,
    limit: float = np.inf,
    unseen: Unseen | None = None,
) -> SamplingPlan:
    """The cheapest of those samples, chains and rungs that make gap and noise together about least within the budget.

    Args:
        pilot: the last one.
        spread: standard deviation of a value once its controls are taken off, in bits.
        cost: of one sample's chains.
        budget_gflop: billions of operations that are left.
        known: standard error that no chain takes away, of the controls' means, in bits.
        limit: bits at which an upper bound is cut off.
        unseen: by the pilot's samples; by more, the less.
    """
    events = unseen.reach if unseen else (0.0, 0.0)
    offers = []
    for chains, batches in itertools.product(CHAINS, BATCHES):
        n = batches * LANES
        gap = _gap_of_chains(pilot.chains, chains)
        room = budget_gflop / (n * (chains + 1))
        lower = np.average(pilot.chains.lower(min(chains, PILOT_CHAINS)), weights=pilot.chains.samples.weight)
        above = max(limit - lower / NATS_PER_BIT, 0.0)
        for ladder in [optimal_ladder(pilot, cost, share) for share in (0.0, room / 4, room)]:
            relief = _relief(pilot, ladder)
            # The upper bound is cut off at the limit; the lower one, at most half the gap away, falls on short chains.
            rest = above + max(relief - 1, 0.0) * min(0.5 * gap, above)
            noise = CONSERVATIVE_ERRORS * np.hypot(spread / n**0.5, known)
            width = min(gap * relief, rest) + sum(np.hypot(noise, event * LANES / n) for event in events)
            offers.append(SamplingPlan(n, chains, ladder, float(width)))
    prices = [cost.of_chains(offer.samples, offer.chains, offer.ladder) for offer in offers]
    affordable = [i for i, paid in enumerate(prices) if paid <= budget_gflop] or [0]
    enough = WIDTH_TOLERANCE * min(offers[i].width for i in affordable)
    return offers[min((i for i in affordable if offers[i].width <= enough), key=lambda i: prices[i])]


def _gap_of_chains(pilot: Chains, chains: int) -> float:
    """The gap of so many chains; past those of the pilot it goes on falling as it fell when they were last doubled."""
    gap = gap_of(pilot, min(chains, PILOT_CHAINS))
    if chains <= PILOT_CHAINS or not np.isfinite(gap):
        return gap
    doubled = np.clip(gap / max(gap_of(pilot, PILOT_CHAINS // 2), 1e-12), 0.5, 1.0)
    return float(gap * doubled ** np.log2(chains / PILOT_CHAINS))


def _relief(pilot: Pilot, ladder: Ladder) -> float:
    """By what factor another ladder changes the pilot's gap: each leg's as 1/R, or slower where it is longer."""
    dissipated = [max(lost.sum(), 1e-9) for lost in pilot.chains.dissipated]
    ratios = [(len(old) - 1) / (len(new) - 1) for old, new in zip(pilot.ladder, ladder, strict=True)]
    factors = [ratio if ratio > 1 else ratio**MIN_GAP_POWER for ratio in ratios]
    return float(np.dot(dissipated, factors) / np.sum(dissipated))


def respaced(
    rungs: Float[np.ndarray, " rungs"], dissipated: Float[np.ndarray, " steps"], count: int
) -> Float[np.ndarray, " new"]:
    """Rungs (count + 1,) between 0 and 1, closest where most was dissipated (T,) between the rungs (T + 1,)."""
    steps = np.diff(rungs)
    width = max(len(steps) // 16, 1)
    kernel = np.ones(2 * width + 1) / (2 * width + 1)
    smooth = np.convolve(np.pad(dissipated, width, mode="edge"), kernel, mode="valid")
    # A floor, so that nowhere is hurried through on the word of a noisy pilot.
    smooth = np.maximum(smooth, 0.1 * max(smooth.mean(), 1e-12))
    friction = smooth / np.square(steps)
    length = np.concatenate([[0.0], np.cumsum(np.sqrt(friction) * steps)])
    new: np.ndarray = np.interp(np.linspace(0, length[-1], count + 1), length, rungs)
    new[0], new[-1] = 0.0, 1.0
    return new
