"""Brackets narrowed by bounds without chains, or made of these alone where no chain can go."""

from __future__ import annotations

from capacity.bounds.annealed.tightest import check_agreement, clipped_to_source, tighter_bound
from capacity.bounds.variational.simple import simple_bounds
from capacity.joint.joint import Joint
from capacity.results.estimate import Bracket, Estimate, TracePoint
from capacity.runtime.shapes import Key

SHARE = 0.1  # of a budget: what may be spent beside chains
NARROW = 0.01  # of the bits: a bracket that is narrower needs no other bounds


def narrowed(
    key: Key, joint: Joint, budget_gflop: float, bounds: tuple[Estimate, Estimate], how: str
) -> tuple[Estimate, Estimate, str]:
    """A lower and an upper bound, each the tightest of those in hand and those without chains; and how it was found.

    Args:
        key: of the samples.
        joint: source, encoder and channel.
        budget_gflop: of the whole bracket, billions of operations.
        bounds: a lower and an upper bound in hand, bits.
        how: they were found.
    """
    lower, upper = bounds
    if float(upper.high - lower.low) <= NARROW * min(float(upper.high), joint.source.bits):
        return lower, upper, how
    words: dict[str, str] = {}
    for bound, what in simple_bounds(key, joint, SHARE * budget_gflop, max(float(lower.low), 0.0)):
        if bound.kind == "lower":
            lower, taken = tighter_bound(lower, bound)
        else:
            upper, taken = tighter_bound(upper, bound)
        if taken:
            words["below" if bound.kind == "lower" else "above"] = what
    said = [f"{what} {side}" for side, what in words.items()]
    if len(set(words.values())) < len(words):
        said = [f"{words['below']} on both sides"]
    return lower, upper, "; ".join([*said, how] if how else said)


def simple_bracket(key: Key, joint: Joint, budget_gflop: float) -> Bracket | None:
    """Bounds without chains alone; None where they say no more than that 0 to H(M) bits pass.

    Args:
        key: the same key gives the same bracket.
        joint: an encoder that can be traced, and any channel.
        budget_gflop: billions of operations; a part of them is spent.
    """
    bits = joint.source.bits
    nothing = tuple(
        Estimate.from_normal(bits=bits if kind == "upper" else 0.0, stderr=0.0, kind=kind, limit=bits)
        for kind in ("lower", "upper")
    )
    lower, upper, how = narrowed(key, joint, budget_gflop, (nothing[0], nothing[1]), "")
    if not how:
        return None
    check_agreement(lower, upper)
    lower, upper = clipped_to_source(lower, upper, bits)
    point = TracePoint(budget_gflop, float(lower.bits), float(upper.bits), float(lower.low), float(upper.high), how)
    return Bracket(lower, upper, how, (point,))
