"""Bits that reach each layer of a noisy stack, I(M;Z_l), from both sides.

Noises with nothing between them are one (`joint.fused`).  Where messages and the ways of the inner noise can be listed,
they are (`exact.listed_layers`); where the layer's own noise leaves everything possible, chains go over message and
noise (`annealed.inner_noise`); where it does not, and its density given the message is out of reach, bounds are by data
processing (`data_processing`).  Each layer is tightened by its neighbours.
"""

from __future__ import annotations

import jax
import numpy as np

from capacity.bounds.annealed.inner_noise import inner_bracket
from capacity.bounds.annealed.refusals import check_codes
from capacity.bounds.annealed.tightest import check_agreement, clipped_to_source
from capacity.bounds.data_processing import (
    NOISES,
    held_at_most,
    known_bound,
    processed,
    received_bits,
    share_passed,
    spread_of_units,
    tightest,
    with_more_noise,
)
from capacity.bounds.exact.listed_layers import measure_listed
from capacity.bounds.measurement import DEFAULT_BUDGET, measure
from capacity.bounds.variational.simple_bracket import simple_bracket
from capacity.joint.fused import fused
from capacity.joint.joint import Joint
from capacity.joint.stack import Stack
from capacity.results.estimate import Bracket, Estimate, TracePoint
from capacity.runtime.deprecated import renamed_keywords
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.shapes import Key

__all__ = ["measure_layers", "processed"]

NARROW = 0.01  # of the bits: a bracket that is narrower needs no other bounds
MORE_NOISE_SHARE = 0.4  # of a layer's budget, for each of the noises that are added to bound it from below


@renamed_keywords(budget="budget_gflop")
def measure_layers(key: Seed, stack: Stack, *, budget_gflop: float | int = DEFAULT_BUDGET) -> list[Bracket]:
    """I(M;Z_l) of every layer of a stack, first to last.

    Args:
        key: the same key gives the same brackets; a whole number is taken as a seed.
        stack: a discrete source and the layers, with noises of any kind: normal, uniform, dropout of units, groups or
            whole layers, flips, rounding, learnt, and any channel whose noise is a function z = f(u, e).
        budget_gflop: billions of operations for each layer (see `measure`).

    Returns:
        Brackets that hold the truths of all layers at once with probability 95 % at least: each is widened for their
        number (Bonferroni), then narrowed by its neighbours, since what reaches a layer has passed all before it.
        `method` says how each was found: "enumeration" where messages and ways of the noise were listed.

    Raises:
        ValueError: for a continuous source, an inner channel whose noise is not known as a function, codes that are not
            finite, or a budget that is not positive.
    """
    if not stack.source.discrete:
        raise ValueError("Expected a discrete source for the layers of a stack; got a continuous one.")
    if not (np.isfinite(budget_gflop) and budget_gflop > 0):
        raise ValueError(f"Expected a budget greater than 0, in billions of operations; got {budget_gflop}.")
    numbers = range(1, len(stack.layers) + 1)
    keys = jax.random.split(as_key(key), len(stack.layers))
    for number in numbers:
        stack.joint(number)  # refuses what is not known, before any work
    shares = [share_passed(stack, number) for number in numbers]
    with jax.default_matmul_precision("highest"):
        brackets = [
            _measured(one, *fused(stack, number), float(budget_gflop), float(np.prod(shares[:number])))
            for one, number in zip(keys, numbers, strict=True)
        ]
    return processed(brackets, shares)


def _measured(key: Key, stack: Stack, number: int, budget_gflop: float, share: float) -> Bracket:
    """One layer's bracket, by what applies to it.

    Args:
        key: of this layer.
        stack: fused.
        number: of the layer, its last.
        budget_gflop: billions of operations.
        share: of the source's bits that may pass the layers up to this one.
    """
    key_listed, key_chains, key_bounds = jax.random.split(key, 3)
    found = measure_listed(key_listed, stack, number, budget_gflop)
    if found is not None:
        return found
    last = stack.layers[number - 1]
    if number == 1 and (last.channel.full_support or stack.source.listable):
        first = Joint(stack.source, last.encoder, last.channel)
        if last.channel.atomic:
            simple = simple_bracket(key, first, budget_gflop)
            if simple is not None and simple.width <= NARROW * float(simple.high):
                return simple
        return measure(key, first, budget_gflop=budget_gflop)
    joint = stack.joint(number)
    check_codes(key_chains, joint)
    if last.channel.full_support:
        return inner_bracket(key_chains, joint, budget_gflop)
    return _processed_bracket(key_bounds, stack, number, budget_gflop, share)


def _processed_bracket(key: Key, stack: Stack, number: int, budget_gflop: float, share: float) -> Bracket:
    """Bounds of a layer whose noise rules messages out: by data processing, and without chains."""
    bits = float(stack.source.bits)
    key_simple, key_receiver, key_spread, key_more = jax.random.split(key, 4)
    uppers = [(known_bound(min(share * bits, held_at_most(stack, number)), bits, "upper"), "data processing")]
    lowers = [(known_bound(0.0, bits, "lower"), "nothing")]
    if number == 1:
        layer = stack.layers[0]
        simple = simple_bracket(key_simple, Joint(stack.source, layer.encoder, layer.channel), budget_gflop)
        if simple is not None:
            uppers.append((simple.upper, simple.method))
            lowers.append((simple.lower, simple.method))
    if _open(lowers, uppers):
        lowers.append((received_bits(key_receiver, stack.joint(number)), "a linear receiver"))
    spread = spread_of_units(key_spread, stack, number)
    for part, noise in enumerate(NOISES):
        if spread > 0 and _open(lowers, uppers):
            noisier = fused(*with_more_noise(stack, number, noise * spread))
            found = _measured(jax.random.fold_in(key_more, part), *noisier, MORE_NOISE_SHARE * budget_gflop, share)
            lowers.append((found.lower, f"{found.method} with more noise"))
    (lower, below), (upper, above) = tightest(lowers), tightest(uppers)
    check_agreement(lower, upper)
    lower, upper = clipped_to_source(lower, upper, bits)
    how = f"{below} below, {above} above"
    ends = float(lower.bits), float(upper.bits), float(lower.low), float(upper.high)
    return Bracket(lower, upper, how, (TracePoint(budget_gflop, *ends, how),))


def _open(lowers: list[tuple[Estimate, str]], uppers: list[tuple[Estimate, str]]) -> bool:
    """Whether the bounds in hand leave room for a better lower one."""
    low, high = float(tightest(lowers)[0].low), float(tightest(uppers)[0].high)
    return high - low > NARROW * high
