"""Pilots on points that the model makes: where chains start, how many temperatures they pass, and how far they step.

A ladder of temperatures is laid by one walk of many chains: from b to the next so far that log weights spread by a part
of a nat over the chains of a point.  The sum of these spreads is the length L between start and posterior; with T steps
equal in length the bounds are about L^2/T apart (Neal 2001; Grosse, Maddison & Salakhutdinov 2013), which says how many
are needed.  Chains both ways then show how far the bounds really are apart: the start of least length is taken if they
are near enough, else the next, and the best of all at last.  All of it is on draws of its own: nothing that the bounds
are measured on has decided it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from capacity.analysis.model.chains import ChainPlan, EvidenceEnds, ends
from capacity.analysis.model.latent_model import CodeRows, LatentModel, PointRows
from capacity.analysis.model.moves import MAX_STEP, Annealed, wanted_acceptance
from capacity.analysis.model.starts import ChainStart, starts
from capacity.runtime.names import check_name

PILOT_PAIRS = 2048
PAIRS_PER_UNIT = 32
WALKED_POINTS, WALKED_CHAINS = 24, 16
TRIED_POINTS = 32
SPREAD = 0.5  # nats from one rung of the walk to the next
MAX_RUNGS = 1000  # of the walk
TUNING_MOVES = 2  # for each of them
TUNING_RATE = 0.7
FEWEST_STEPS = 4
CHECKED_MOVES, CHECKED_POINTS, CHECKED_ERRORS = 8, 1024, 6.0
RIDGE = 1e-3  # of a precision
MAX_RANDOM_STEP = 2.0

Told = Callable[[str], None]


class Walk(NamedTuple):
    """A walk from a start to the posterior: temperatures, the length up to each, steps there."""

    start: ChainStart
    precision: Float[np.ndarray, " units"]
    betas: Float[np.ndarray, " rungs"]
    length: Float[np.ndarray, " rungs"]
    steps: Float[np.ndarray, " rungs"]

    def plan(self, steps: int) -> ChainPlan:
        """Temperatures equally far from each other, and the sizes of the moves at each."""
        even = np.linspace(0, self.length[-1], steps + 1)
        betas = np.interp(even, self.length, self.betas)
        betas[0], betas[-1] = 0.0, 1.0
        return ChainPlan(self.start, self.precision, betas, np.interp(even, self.length, self.steps))


class TriedPlan(NamedTuple):
    """A plan, and how far apart its bounds were on pilot points, nats."""

    plan: ChainPlan
    gap: float

    @property
    def temperatures(self) -> int:
        """How many steps from start to posterior."""
        return len(self.plan.betas) - 1


def planned(
    rng: np.random.Generator, model: LatentModel, gap: float, most: int, chains: int, start: str | None, told: Told
) -> TriedPlan:
    """The plan that brings the bounds within a gap at the least work, or as near as so many temperatures do.

    Args:
        rng: of the pilots alone.
        model: decoder, prior and encoder.
        gap: nats that the bounds should be apart at most.
        most: temperatures, at most.
        chains: forward chains for each point.
        start: a name in `starts`; None tries all.
        told: is told what was tried.

    Raises:
        ValueError: where `simulate` does not draw from the density that `log_likelihood` computes.
    """
    pairs = max(PILOT_PAIRS, PAIRS_PER_UNIT * model.units)
    z, x = model.draw(rng, pairs)
    posterior = None if model.encode is None else model.posterior(x)
    known = starts(model, z, posterior)
    if start is not None:
        check_name(start, known, "start")
        known = {start: known[start]}
    walked = [_walked(rng, model, *_turned(model, one, z, x)) for one in known.values()]
    walked.sort(key=lambda walk: float(walk.length[-1]))
    _check_draws(rng, model, walked[0].plan(FEWEST_STEPS))
    best, walk = TriedPlan(walked[0].plan(FEWEST_STEPS), np.inf), walked[0]
    for one in walked:
        wanted = int(np.clip(np.ceil(one.length[-1] ** 2 / gap), FEWEST_STEPS, most))
        tried = _tried(rng, model, one.plan(wanted), chains, told)
        if tried.gap < best.gap or one is walk:
            best, walk = tried, one
        if best.gap <= gap:
            return best
    while best.gap > gap and best.temperatures < most:
        best = _tried(rng, model, walk.plan(min(2 * best.temperatures, most)), chains, told)
    return best


def _tried(rng: np.random.Generator, model: LatentModel, plan: ChainPlan, chains: int, told: Told) -> TriedPlan:
    z, x = model.draw(rng, TRIED_POINTS)
    found: EvidenceEnds = ends(rng, model, plan, x, chains, z)
    apart = float(np.mean(found.upper - found.lower))
    tried = TriedPlan(plan, apart if np.isfinite(apart) else np.inf)
    told(f"{plan.start.name}: {tried.temperatures} temperatures, bounds {tried.gap:.3g} nats apart")
    return tried


def _turned(model: LatentModel, start: ChainStart, z: CodeRows, x: PointRows) -> tuple[ChainStart, np.ndarray]:
    """The start turned to the posterior's own axes, and its mean precision along each.

    The precision is the mean square of the score at codes of the posterior; without a gradient, the inverse of their
    covariance.
    """
    if model.gradient is not None:
        square, count = np.zeros((model.units, model.units)), 0
        for first in range(0, len(x), model.batch):
            some = slice(first, first + model.batch)
            slope = Annealed(model, x[some], start.at(model, x[some]), np.ones(model.units)).exact(z[some]).slope
            assert slope is not None
            usable = slope[np.isfinite(slope).all(1)]
            square, count = square + usable.T @ usable, count + len(usable)
        square = square / max(count, 1)
    else:
        v = start.at(model, x).back(z)
        left = v - v.mean(0)
        square = np.linalg.pinv(left.T @ left / len(left), hermitian=True)
    values, axes = np.linalg.eigh(square)
    precision = np.maximum(values, RIDGE)
    return ChainStart(start.name, start.offset, start.slope, start.shared @ axes, start.encoded), precision


def _walked(rng: np.random.Generator, model: LatentModel, start: ChainStart, precision: np.ndarray) -> Walk:
    _, x = model.draw(rng, WALKED_POINTS)
    ground = ChainPlan(start, precision, np.zeros(2), np.zeros(2)).on(model, x, WALKED_CHAINS)
    at = ground.state(rng.normal(size=ground.coordinates.mean.shape))
    beta, step, aim = 0.0, 0.5, wanted_acceptance(model)
    betas, length, steps = [0.0], [0.0], [step]
    while beta < 1 and len(betas) < MAX_RUNGS:
        spread = _spread(at.log_weight.reshape(WALKED_POINTS, WALKED_CHAINS))
        rise = min(SPREAD / max(spread, 1e-12), 1 - beta)
        beta = 1.0 if len(betas) == MAX_RUNGS - 1 else beta + rise
        for _ in range(TUNING_MOVES):
            at, chance = ground.move(rng, at, beta, step)
            step = float(np.clip(step * np.exp(TUNING_RATE * (chance.mean() - aim)), 1e-4, _most_step(model)))
        betas.append(beta)
        length.append(length[-1] + rise * spread)
        steps.append(step)
    even = 1e-9 * np.array(betas)  # where start and posterior are the same law
    return Walk(start, precision, np.array(betas), np.array(length) + even, np.array(steps))


def _spread(weights: Float[np.ndarray, "points chains"]) -> float:
    """Standard deviation of log weights over the chains of a point; the mean over points."""
    alive = np.where(np.isfinite(weights), weights, np.nan)
    few = np.isfinite(alive).sum(1) < 2
    return float(np.nanstd(alive[~few], axis=1).mean()) if not few.all() else 0.0


def _most_step(model: LatentModel) -> float:
    return MAX_STEP if model.gradient is not None else MAX_RANDOM_STEP


def _check_draws(rng: np.random.Generator, model: LatentModel, plan: ChainPlan) -> None:
    """Refuse draws that are none of the density: moves of the posterior would leave it as it is.

    Raises:
        ValueError: where log p(x, z) moves in the mean from the code that made the point, and where it is not finite.
    """
    z, x = model.draw(rng, CHECKED_POINTS)
    ground = plan.on(model, x, 1)
    before = at = ground.exact(z)
    if not np.isfinite(at.value).all():
        raise ValueError(
            f"Expected points that the likelihood holds possible for the codes that made them; got a log density of "
            f"{at.value[~np.isfinite(at.value)][0]} for one. Do simulate and log_likelihood speak of one decoder?"
        )
    for _ in range(CHECKED_MOVES):
        at, _ = ground.move(rng, at, 1.0, float(plan.steps[-1]))
    change = at.value - before.value
    error = change.std() / len(change) ** 0.5
    if abs(change.mean()) > CHECKED_ERRORS * error:
        raise ValueError(
            "Expected simulate to draw points from the density that log_likelihood computes, and the prior's sample "
            f"from its log_prob; got points whose log density moves by {change.mean():.3g} ± {error:.2g} nats in moves "
            "that leave the posterior as it is. Does simulate give means instead of draws?"
        )
