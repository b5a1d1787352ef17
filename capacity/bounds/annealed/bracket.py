"""A bracket by annealed importance sampling: pilots, a plan, the chains that count, and both bounds."""

from __future__ import annotations

import jax

from capacity.bounds.annealed.sampler import Sampler, trace_point
from capacity.bounds.annealed.tightest import clipped_to_source, tighter_bound
from capacity.bounds.posterior.additive_fit import fit_additive
from capacity.bounds.posterior.flips import fit_flips
from capacity.bounds.posterior.gaussian import fit_gaussian
from capacity.bounds.variational.decoder import Decoder, LogDecoder
from capacity.bounds.variational.simple_bracket import narrowed
from capacity.channels.channel import Channel
from capacity.joint.joint import Joint
from capacity.results.estimate import Bracket, TracePoint
from capacity.runtime.progress import Progress
from capacity.runtime.shapes import Key

WIDE = 0.05  # of the bits: a wider bracket than this to come, and another approximation is tried


def check_full_support(channel: Channel) -> None:
    """Refuse a channel under which chains from message to message are cut off.

    Raises:
        ValueError: if its density may be 0.
    """
    if not channel.full_support:
        raise ValueError(
            f"Expected a channel that leaves every message possible, for an annealed bracket; got {channel.name}, "
            "whose noisy units rule messages out. A source of at most 2**20 messages can be enumerated instead, and "
            "Gaussian noise after the channel (`Chain`) makes it fit for a bracket."
        )


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
        ValueError: where a channel without atoms leaves some unit of some message without any noise.
    """
    key_first, key_second, key_main, key_decoder = jax.random.split(key, 4)
    trace: list[TracePoint] = []
    discrete = joint.source.discrete
    fit = fit_additive if discrete else fit_gaussian
    samplers = [Sampler.pilot(key_first, joint, fit, budget_gflop, trace, progress)]
    left = budget_gflop - trace[-1].work
    plans = [samplers[0].plan(left)]
    if discrete and not plans[0].width <= WIDE * min(trace[-1].high, joint.source.bits):
        samplers.append(Sampler.pilot(key_second, joint, fit_flips, left, trace, progress))
        left = budget_gflop - trace[-1].work
        plans = [sampler.plan(left) for sampler in samplers]
    best, plan = min(zip(samplers, plans, strict=True), key=lambda pair: pair[1].width)
    (lower, upper), how, spent = best.run(key_main, plan)
    if log_decoder is not None:
        lower, taken = tighter_bound(lower, Decoder(log_decoder)(key_decoder, joint).conservative())
        how = f"decoder below; {how}" if taken else how
    if best.controlled.entropy_bound_competes(best.last.chains):
        upper, taken = tighter_bound(upper, best.controlled.entropy_bound)
        how = f"maximum entropy above; {how}" if taken else how
    key_simple = jax.random.fold_in(key, 1)
    lower, upper, how = narrowed(key_simple, joint, budget_gflop, (lower, upper), how)
    lower, upper = clipped_to_source(lower, upper, joint.source.bits)
    trace.append(trace_point(budget_gflop - left + spent, (lower, upper), how))
    progress(1.0, how)
    return Bracket(lower, upper, how, tuple(trace))
