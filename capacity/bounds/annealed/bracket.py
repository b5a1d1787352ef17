"""A bracket by annealed importance sampling: pilots, a plan, the chains that count, and both bounds."""

from __future__ import annotations

import jax
import numpy as np

from capacity.bounds.annealed.refusals import check_codes
from capacity.bounds.annealed.sampler import Sampler, trace_point
from capacity.bounds.annealed.tightest import check_agreement, clipped_to_source, tighter_bound
from capacity.bounds.posterior.additive_fit import fit_additive
from capacity.bounds.posterior.flips import fit_flips
from capacity.bounds.posterior.gaussian import fit_gaussian
from capacity.bounds.variational.decoder import Decoder, LogDecoder
from capacity.bounds.variational.simple_bracket import narrowed
from capacity.joint.joint import Joint
from capacity.results.estimate import Bracket, TracePoint
from capacity.runtime.progress import Progress
from capacity.runtime.shapes import Key

SIDES = {"lower": "below", "upper": "above"}
WIDE = 0.05  # of the bits: a wider bracket than this to come, and another approximation is tried


def annealed_bracket(
    key: Key, joint: Joint, budget_gflop: float, log_decoder: LogDecoder | None, progress: Progress
) -> Bracket:
    """Both bounds on I(M;Z) within the budget, and the trace of how they narrowed.

    Args:
        key: the same key gives the same bracket.
        joint: an encoder that can be traced, and a channel of full support.
        budget_gflop: billions of operations.
        log_decoder: its lower bound is taken where it is the higher one.
        progress: called with the share of the budget that is spent, and what was just done.

    Raises:
        ValueError: where codes are not finite, or too large for their noise in single precision; where a channel
            without atoms leaves some unit of some message without any noise.
    """
    key_first, key_second, key_main, key_decoder = jax.random.split(key, 4)
    check_codes(key_decoder, joint)
    decoder = None if log_decoder is None else Decoder(log_decoder)(key_decoder, joint).conservative()
    outer = (0.0 if decoder is None else max(float(decoder.bits), 0.0), np.inf)
    trace: list[TracePoint] = []
    discrete = joint.source.discrete
    fit = fit_additive if discrete else fit_gaussian
    samplers = [Sampler.pilot(key_first, joint, fit, outer, budget_gflop, trace, progress)]
    left = budget_gflop - trace[-1].work
    plans = [samplers[0].plan(left)]
    if discrete and not plans[0].width <= WIDE * min(trace[-1].high, joint.source.bits):
        samplers.append(Sampler.pilot(key_second, joint, fit_flips, samplers[0].controlled.room, left, trace, progress))
        left = budget_gflop - trace[-1].work
        plans = [sampler.plan(left) for sampler in samplers]
    best, plan = min(zip(samplers, plans, strict=True), key=lambda pair: pair[1].width)
    (lower, upper), how, spent = best.run(key_main, plan, left)
    others = [("decoder", decoder)] if decoder is not None else []
    for sampler in samplers:
        others += [("start", bound) for bound in sampler.controlled.cheap.start]
    if best.controlled.entropy_bound_competes(best.last.chains):
        others.append(("maximum entropy", best.controlled.cheap.entropy))
    for name, bound in others:
        if bound.kind == "lower":
            lower, taken = tighter_bound(lower, bound)
        else:
            upper, taken = tighter_bound(upper, bound)
        how = f"{name} {SIDES[bound.kind]}; {how}" if taken else how
    lower, upper, how = narrowed(jax.random.fold_in(key, 1), joint, budget_gflop, (lower, upper), how)
    check_agreement(lower, upper)
    lower, upper = clipped_to_source(lower, upper, joint.source.bits)
    trace.append(trace_point(budget_gflop - left + spent, (lower, upper), how))
    progress(1.0, how)
    return Bracket(lower, upper, how, tuple(trace))
