"""A sampler of brackets: an approximation of the posterior, controls, what chains cost, and how the last pilot went."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np

from capacity.bounds.annealed.chains import run_chains
from capacity.bounds.annealed.controlled_bounds import ControlledBounds, Ends
from capacity.bounds.annealed.first_phase import MAX_FIRST_PHASE, MIN_FIRST_PHASE, first_phase_samples
from capacity.bounds.annealed.legs import LANES
from capacity.bounds.annealed.neighbours import fit_neighbours
from capacity.bounds.annealed.reach import Unseen
from capacity.bounds.annealed.refusals import check_fitted
from capacity.bounds.annealed.schedule import BATCHES, Cost, Pilot, SamplingPlan, cost_of, pilots, plan_sampling
from capacity.bounds.posterior.approximation import PosteriorApproximation
from capacity.joint.joint import Joint
from capacity.results.estimate import Estimate, TracePoint
from capacity.results.intervals import CONSERVATIVE_ERRORS
from capacity.runtime.progress import Progress
from capacity.runtime.shapes import Key

FIRST_PHASE_SHARE = 0.15  # of the budget: cheap samples, from which the means of the controls are learnt
NEIGHBOUR_SHARE = 0.05  # and samples from which the mean of the dearest control is
MORE_SHARE = 0.5  # of what chains leave: what more cheap samples may cost
FAINT = 0.5  # times the noise: what no cheap sample saw need not weigh less
MAX_SAMPLES = LANES * BATCHES[-1]


class Sampler(NamedTuple):
    """One approximation of the posterior, tried.

    Attributes:
        joint: to be measured.
        approximation: that chains start from.
        controlled: what the first phase knows.
        cost: of one sample's chains.
        cheap: billions of operations of one cheap sample.
        last: the last pilot.
    """

    joint: Joint
    approximation: PosteriorApproximation
    controlled: ControlledBounds
    cost: Cost
    cheap: float
    last: Pilot

    @classmethod
    def pilot(
        cls,
        key: Key,
        joint: Joint,
        fit: Callable[[jax.Array, Joint], PosteriorApproximation],
        outer: Ends,
        budget_gflop: float,
        trace: list[TracePoint],
        progress: Progress,
    ) -> Sampler:
        """Fit an approximation and try it; each pilot is put on the trace.

        Args:
            key: of the fit, the first phase and the pilots.
            joint: to be measured.
            fit: the approximation of a joint, by a key.
            outer: bits between which bounds without chains say that the truth lies.
            budget_gflop: billions of operations that are left.
            trace: what was known so far; it grows.
            progress: called after each pilot.
        """
        key_fit, key_side, key_pilot, key_more = jax.random.split(key, 4)
        approximation = fit(key_fit, joint)
        check_fitted(approximation)
        cost = cost_of(joint, approximation)
        cheap = first_phase_samples(cost.simulated, FIRST_PHASE_SHARE * budget_gflop)
        controlled = ControlledBounds.simulate(key_side, joint, approximation, cheap)._replace(outer=outer)
        spent = cheap * cost.simulated + (trace[-1].work if trace else 0.0)
        for last in pilots(key_pilot, joint, approximation, controlled.draw, cost, budget_gflop):
            stage = f"pilot, {type(approximation).__name__}, {last.ladder.rungs} rungs"
            trace.append(trace_point(spent + last.spent, controlled.bounds(last.chains), stage))
            progress(last.spent / budget_gflop, f"{trace[-1].low:.2f} to {trace[-1].high:.2f} bits")
        sampler = cls(joint, approximation, controlled, cost, cost.simulated, last)
        return sampler.with_neighbours(key_more, budget_gflop, trace) if joint.source.discrete else sampler

    def with_neighbours(self, key: Key, budget_gflop: float, trace: list[TracePoint]) -> Sampler:
        """With one more control, dearer than the others, where a narrower bracket is to be expected of it."""
        spread, known = self.controlled.spread(self.last.chains)
        if not spread > known * MAX_SAMPLES**0.5:  # the others leave hardly any noise
            return self
        key_fit, key_samples = jax.random.split(key)
        neighbours = fit_neighbours(key_fit, self.joint)
        each = self.cost.simulated + 2 * neighbours.cost(self.cost.truth)  # of the noise as it is, and mirrored
        cheap = first_phase_samples(each, NEIGHBOUR_SHARE * budget_gflop)
        controlled = self.controlled.with_control(key_samples, neighbours, cheap)
        chains = self.last.chains
        others = chains._replace(samples=chains.samples._replace(rows=None))  # of another first phase
        last = self.last._replace(chains=others)
        helps = _noise(*controlled.spread(others)) < _noise(spread, known)
        found = self._replace(controlled=controlled, cheap=each, last=last) if helps else self
        bounds = found.controlled.bounds(found.last.chains)
        trace.append(trace_point(trace[-1].work + cheap * each, bounds, "controls"))
        return found

    def plan(self, budget_gflop: float) -> SamplingPlan:
        """The chains that so much buys."""
        spread, known = self.controlled.spread(self.last.chains)
        limit, lower = self.joint.source.bits, float(self.controlled.bounds(self.last.chains)[0].bits)
        (least, most), gap = self.controlled.room, self.controlled.cheap.gap
        unseen = self.controlled.unseen(lower, LANES, max(least, lower - gap), min(most, lower + gap))
        return plan_sampling(self.last, spread, self.cost, budget_gflop, known, limit, unseen)

    def run(self, key: Key, plan: SamplingPlan, budget_gflop: float) -> tuple[tuple[Estimate, Estimate], str, float]:
        """Both bounds, in bits; how they were found; and what that cost.

        What chains leave of the budget buys cheap samples: the more of these, the rarer is what none of them saw.
        """
        key_draw, key_chains = jax.random.split(key)
        spent = self.cost.of_chains(plan.samples, plan.chains, plan.ladder)
        more = self.more_samples(plan, MORE_SHARE * (budget_gflop - spent))
        controlled = self.controlled.with_samples(len(self.controlled.odds) + more)
        samples = controlled.draw(key_draw, plan.samples)
        chains = run_chains(key_chains, self.joint, self.approximation, samples, plan.ladder, plan.chains)
        how = f"{plan.samples} samples, {plan.chains} + 1 chains of {plan.ladder.rungs} rungs"
        spent += more * self.cheap
        return controlled.bounds(chains), f"annealing from {type(self.approximation).__name__}, {how}", spent

    def more_samples(self, plan: SamplingPlan, room_gflop: float) -> int:
        """How many cheap samples more are worth their price: while what none of them saw is not faint beside the noise.

        Args:
            plan: of the chains to come.
            room_gflop: what they may cost, billions of operations.
        """
        spread, known = self.controlled.spread(self.last.chains)
        bits, begun = float(self.controlled.bounds(self.last.chains)[0].bits), len(self.controlled.odds)

        def is_faint(n: int) -> bool:
            noise = CONSERVATIVE_ERRORS * np.hypot(spread / plan.samples**0.5, known * (begun / n) ** 0.5)
            return bool(max(Unseen.of_source(bits, self.joint.source.bits, n).reach) <= FAINT * noise)

        most = min(MAX_FIRST_PHASE, begun + room_gflop / self.cheap)
        n = begun
        while n + MIN_FIRST_PHASE <= most and not is_faint(n):
            n += MIN_FIRST_PHASE
        return n - begun


def trace_point(work: float, bounds: tuple[Estimate, Estimate], stage: str) -> TracePoint:
    """What a lower and an upper bound say after so much work."""
    lower, upper = bounds
    return TracePoint(work, float(lower.bits), float(upper.bits), float(lower.low), float(upper.high), stage)


def _noise(spread: float, known: float, n: int = 1024) -> float:
    """Standard error of a mean of so many values whose controls' means are known so well, bits."""
    return float(np.hypot(spread / n**0.5, known))
