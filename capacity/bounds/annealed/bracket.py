"""A bracket by annealed importance sampling: pilots, the choice of chains, the walks that count, and both bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np

from capacity.bounds.annealed.chains import LANES, walk
from capacity.bounds.annealed.controls import Side, far_samples
from capacity.bounds.annealed.neighbours import fit_neighbours
from capacity.bounds.annealed.schedule import BATCHES, Choice, Cost, Pilot, choose, pilots, price
from capacity.bounds.posterior.additive import fit_additive
from capacity.bounds.posterior.flips import fit_flips
from capacity.bounds.posterior.gaussian import fit_gaussian
from capacity.bounds.variational.decoder import Decoder, LogDecoder
from capacity.joint.joint import Joint
from capacity.results.estimate import Bracket, Estimate, TracePoint

FAR_SHARE = 0.1  # of the budget: cheap samples, from which the means of the controls are learnt


DEAR_SHARE = 0.05  # and samples from which the mean of the dearest control is


MOST_SAMPLES = LANES * BATCHES[-1]


NARROW = 0.05  # of the bits: a wider bracket than this to come, and another way to walk is tried


Progress = Callable[[float, str], None]


def _bracket(
    key: jax.Array, joint: Joint, budget_gflop: float, log_decoder: LogDecoder | None, progress: Progress
) -> Bracket:
    key_first, key_second, key_main, key_decoder = jax.random.split(key, 4)
    trace: list[TracePoint] = []
    discrete = joint.source.discrete
    engines = [
        Engine.pilot(key_first, joint, fit_additive if discrete else fit_gaussian, budget_gflop, trace, progress)
    ]
    left = budget_gflop - trace[-1].work
    choices = [engines[0].choose(left)]
    if discrete and not choices[0].width <= NARROW * min(trace[-1].high, joint.source.bits):
        engines.append(Engine.pilot(key_second, joint, fit_flips, left, trace, progress))
        left = budget_gflop - trace[-1].work
        choices = [engine.choose(left) for engine in engines]
    best, choice = min(zip(engines, choices, strict=True), key=lambda pair: pair[1].width)
    (lower, upper), how, spent = best.measure(key_main, choice)
    if log_decoder is not None:
        lower, taken = _tighter(lower, Decoder(log_decoder)(key_decoder, joint).conservative())
        how = f"decoder below; {how}" if taken else how
    if best.side.normal_is_near(best.last.walks):
        upper, taken = _tighter(upper, best.side.entropy_bound)
        how = f"maximum entropy above; {how}" if taken else how
    lower, upper = within(lower, upper, joint.source.bits)
    trace.append(_point(budget_gflop - left + spent, (lower, upper), how))
    progress(1.0, how)
    return Bracket(lower, upper, how, tuple(trace))


class Engine(NamedTuple):
    """One way to walk: an approximation of the posterior, what it costs, and how its last pilot went."""

    joint: Joint
    approximation: Any
    side: Side
    cost: Cost
    last: Pilot

    @classmethod
    def pilot(
        cls,
        key: jax.Array,
        joint: Joint,
        fit: Callable[[jax.Array, Joint], Any],
        budget_gflop: float,
        trace: list[TracePoint],
        progress: Progress,
    ) -> Engine:
        """Fit and try it; each pilot is put on the trace."""
        key_fit, key_side, key_pilot, key_more = jax.random.split(key, 4)
        approximation = fit(key_fit, joint)
        cost = price(joint, approximation)
        far = far_samples(cost.once, FAR_SHARE * budget_gflop)
        side = Side.draw(key_side, joint, approximation, far)
        spent = far * cost.once + (trace[-1].work if trace else 0.0)
        for last in pilots(key_pilot, joint, approximation, cost, budget_gflop):
            stage = f"pilot, {type(approximation).__name__}, {last.ladder.rungs} rungs"
            trace.append(_point(spent + last.spent, side.bounds(last.walks), stage))
            progress(last.spent / budget_gflop, f"{trace[-1].low:.2f} to {trace[-1].high:.2f} bits")
        engine = cls(joint, approximation, side, cost, last)
        return engine.informed(key_more, budget_gflop, trace) if joint.source.discrete else engine

    def informed(self, key: jax.Array, budget_gflop: float, trace: list[TracePoint]) -> Engine:
        """With one more control, dearer than the others, where a narrower bracket is to be expected of it."""
        spread, known = self.side.spread(self.last.walks)
        if not spread > known * MOST_SAMPLES**0.5:  # the others leave hardly any noise
            return self
        key_fit, key_far = jax.random.split(key)
        neighbours = fit_neighbours(key_fit, self.joint)
        each = self.cost.once + 2 * neighbours.cost(self.cost.truth)  # told of the noise as it is, and mirrored
        far = far_samples(each, DEAR_SHARE * budget_gflop)
        side = self.side.joined(key_far, neighbours, far)
        if not _noise(*side.spread(self.last.walks)) < _noise(spread, known):
            side = self.side
        trace.append(_point(trace[-1].work + far * each, side.bounds(self.last.walks), "controls"))
        return self._replace(side=side)

    def choose(self, budget_gflop: float) -> Choice:
        """The walks that so much buys."""
        spread, known = self.side.spread(self.last.walks)
        return choose(self.last, spread, self.cost, budget_gflop, known, self.joint.source.bits)

    def measure(self, key: jax.Array, choice: Choice) -> tuple[tuple[Estimate, Estimate], str, float]:
        """Both bounds, in bits; how they were found; and what that cost."""
        walks = walk(key, self.joint, self.approximation, choice.samples, choice.ladder, choice.chains)
        how = f"{choice.samples} samples, {choice.chains} + 1 chains of {choice.ladder.rungs} rungs"
        spent = self.cost.walks(choice.samples, choice.chains, choice.ladder)
        return self.side.bounds(walks), f"annealing from {type(self.approximation).__name__}, {how}", spent


def _noise(spread: float, known: float, n: int = 1024) -> float:
    """Standard error of a mean of so many values whose controls' means are known so well, bits."""
    return float(np.hypot(spread / n**0.5, known))


def _tighter(first: Estimate, second: Estimate) -> tuple[Estimate, bool]:
    """Of two lower bounds the one whose interval starts higher, of two upper ones that ends lower; if it is the second.

    Each errs with less than a quarter of 5 %, at `CONSERVATIVE_ERRORS` standard errors: all hold at once
    (Bonferroni), so any choice does.
    """
    is_tighter = second.low > first.low if first.kind == "lower" else second.high < first.high
    taken = not np.isfinite(first.bits) or bool(is_tighter)  # infinite: no walk came through
    return (first, second)[taken], taken


def within(lower: Estimate, upper: Estimate, source_bits: float) -> tuple[Estimate, Estimate]:
    """The bounds cut off at 0 and at the source's bits, which need no samples.

    An interval goes along with a figure that is cut, lest a figure that chance put far beyond an end leave an interval
    of no width there.
    """

    def cut(bound: Estimate) -> Estimate:
        bits, low, high = (float(getattr(bound, part)) for part in ("bits", "low", "high"))
        moved = np.clip(bits, 0.0, source_bits) - bits if np.isfinite(bits) else 0.0
        ends = {"bits": bits, "low": low + min(moved, 0.0), "high": high + max(moved, 0.0)}
        return replace(bound, **{part: np.clip(end, 0.0, source_bits) for part, end in ends.items()})

    return cut(lower), cut(upper)


def _point(work: float, bounds: tuple[Estimate, Estimate], stage: str) -> TracePoint:
    lower, upper = bounds
    return TracePoint(work, float(lower.bits), float(upper.bits), float(lower.low), float(upper.high), stage)
