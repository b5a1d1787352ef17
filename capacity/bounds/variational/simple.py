"""Bounds that need no chains, tried one after another: single units, blocks of digits, tables of sampled codes.

What is fitted is fitted to samples of its own; one sample that fitted nothing judges all.  The encoder is only called:
it may have no gradient.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np

from capacity.bounds.variational.code_tables import TABLES, drawn_tables, merged_tables, table_bounds
from capacity.bounds.variational.dependence import find_dependence
from capacity.bounds.variational.digit_blocks import block_values, is_fair, lay_out, table_blocks
from capacity.bounds.variational.judged import (
    Judged,
    draw_judged,
    draw_messages,
    encode,
    has_atoms_unawares,
    lower_bound,
    upper_bound,
)
from capacity.bounds.variational.unit_mixtures import MAX_ENTRIES, fit_unit_mixtures, unit_log_densities
from capacity.channels.channel import Channel, Code
from capacity.joint.joint import Joint
from capacity.results.estimate import Estimate
from capacity.runtime.shapes import Key

MIN_JUDGED, MAX_JUDGED = 2**13, 2**16  # samples that count
MAX_NUMBERS = 2**25  # samples times units that are kept
FITTED, PILOT = 2**14, 2**11  # samples that tables of units are from, and that weights are fitted to
MIN_ENTRIES = 64  # of a unit's table
MIN_CODES, MAX_CODES, MAX_DRAWN = 2**8, 2**14, 2**13  # of a table of codes, and where equal ones are merged
MAX_BITS = 14  # of a block
OPERATIONS = 10.0  # of one density of one unit, as many as take about as long
MIN_GFLOP = 1.0  # that each bound may take whatever the budget: seconds on one core
NARROW = 0.01  # of the bits: a bracket of blocks that no table of codes need make narrower


class Found(NamedTuple):
    """A bound, its interval three standard errors long and longer, and how it was found."""

    bound: Estimate
    how: str


class Plan(NamedTuple):
    """What a budget allows.

    Attributes:
        operations: of each bound.
        judged: samples that count.
        entries: of a unit's table.
        bits: of a block.
        codes: in a table of codes.
        drawn: codes in a table of which equal ones are merged.
        held: samples that count and are held against a table of codes.
    """

    operations: float
    judged: int
    entries: int
    bits: int
    codes: int
    drawn: int
    held: int


def simple_bounds(key: Key, joint: Joint, budget_gflop: float, low: float = 0.0) -> list[Found]:
    """All that apply: lower and upper bounds on I(M;Z), in bits; none where a density is none.

    Args:
        key: the same key gives the same bounds.
        joint: an encoder that can be traced, and any channel.
        budget_gflop: billions of operations, about; at least some, see `MIN_GFLOP`.
        low: bits that are known to pass: a table too small to say more is not drawn.
    """
    if not _plain(joint) or not (joint.channel.memoryless or joint.channel.full_support):
        return []  # what is impossible with memory is said once: densities of units would not add up to 1
    key_codes, key_pilot, key_judged, key_blocks, key_tables = jax.random.split(key, 5)
    units = jax.eval_shape(joint.moments, jax.eval_shape(lambda k: joint.source.sample(k, 1).vector[0], key))[0].size
    plan = _plan(joint, units, budget_gflop)
    codes = encode(joint, draw_messages(key_codes, joint, min(FITTED, MAX_NUMBERS // units)))
    if any(leaf.ndim != 2 for leaf in jax.tree.leaves(codes)):
        return []  # outcomes of all units together have no densities by unit
    pilot, judged = draw_judged(key_pilot, joint, PILOT), draw_judged(key_judged, joint, plan.judged)
    if has_atoms_unawares(joint.channel, judged):
        return []
    found = []
    mixtures = fit_unit_mixtures(joint.channel, codes, pilot, plan.entries)
    of_pilot, of_judged = (unit_log_densities(mixtures, joint.channel, part.z) for part in (pilot, judged))
    if joint.channel.memoryless:
        found.append(Found(upper_bound(judged.conditional - of_judged.sum(1), judged, joint), "single units"))
        if joint.source.discrete and _alike(joint.channel):
            found += _by_blocks(key_blocks, joint, judged, of_judged, plan)
    if _narrow(found):
        return found
    tables = merged_tables(key_tables, joint, codes, 4 * plan.codes, plan.drawn)
    if tables is None and low < np.log2(plan.codes + 1):
        tables = drawn_tables(key_tables, joint, plan.codes)
    if tables is not None:
        held = min(plan.held * _power_of_two(plan.codes / tables.entries, 1, MAX_CODES), plan.judged)
        first = jax.tree.map(lambda leaf: leaf[:held], judged)
        bounds = table_bounds(tables, joint, (pilot, of_pilot.sum(1)), (first, of_judged[:held].sum(1)))
        found += [Found(bound, f"a table of {tables.entries} codes") for bound in bounds]
    return [one for one in found if np.isfinite(one.bound.low) and np.isfinite(one.bound.high)]


def _by_blocks(key: Key, joint: Joint, judged: Judged, log_units: np.ndarray, plan: Plan) -> list[Found]:
    key_probe, key_prior = jax.random.split(key)
    dependence = find_dependence(key_probe, joint)
    if dependence is None:
        return []
    layout = lay_out(dependence, is_fair(joint), plan.bits)
    if not any(len(block.units) for block in layout.blocks):
        return []
    sampled = judged.message[:0] if is_fair(joint) else draw_messages(key_prior, joint, MAX_JUDGED)
    tabled = table_blocks(layout, joint, sampled)
    each = OPERATIONS * sum(part.log_prior.size * part.units.shape[1] for part in tabled)
    held = _power_of_two(plan.operations / each, MIN_JUDGED, plan.judged)
    judged = jax.tree.map(lambda leaf: leaf[:held], judged)
    lower, upper = block_values(layout, tabled, joint, judged, log_units[:held])
    what = f"{len(layout.blocks)} block{'s' * (len(layout.blocks) > 1)} of digits"
    return [Found(lower_bound(lower, judged, joint), what), Found(upper_bound(upper, judged, joint), what)]


def _plan(joint: Joint, units: int, budget_gflop: float) -> Plan:
    """What a third of the budget buys for each of the three."""
    operations = 1e9 * max(budget_gflop / 3, MIN_GFLOP)
    encoder = _encoder_operations(joint)
    room = operations / (MIN_JUDGED * OPERATIONS * units)  # entries that each sample can be held against
    entries = _power_of_two(room, MIN_ENTRIES, MAX_ENTRIES)
    judged = _power_of_two(
        min(MIN_JUDGED * room / entries, MAX_NUMBERS / units, operations / encoder),
        MIN_JUDGED,
        MAX_JUDGED,
    )
    bits = int(np.clip(np.log2(4 * room), min(8, MAX_BITS), MAX_BITS))
    each = OPERATIONS * (units + 4)  # of one sample and one code
    codes = _power_of_two(operations / (MIN_JUDGED * each + TABLES * encoder), MIN_CODES, MAX_CODES)
    held = _power_of_two(operations / (codes * each), MIN_JUDGED, judged)
    drawn = _power_of_two(operations / (TABLES * encoder), MIN_CODES, MAX_DRAWN)
    return Plan(operations, judged, entries, bits, codes, drawn, held)


def _power_of_two(number: float, least: int, most: int) -> int:
    return int(np.clip(2 ** np.floor(np.log2(max(number, 1.0))), least, most))


def _encoder_operations(joint: Joint) -> float:
    """Operations of one code, as the compiler counts them."""

    def code(joint: Joint, key: jax.Array) -> Code:
        return joint.encoder(jax.tree.map(lambda leaf: leaf[0], joint.source.sample(key, 1).vector))

    counted = jax.jit(code).lower(joint, jax.random.key(0)).cost_analysis() or {}
    return max(float(counted.get("flops", 0.0)), 1.0)


def _plain(joint: Joint) -> bool:
    """Whether a message is one array of digits or numbers: with noise inside, p(z|m) is an integral."""
    drawn = jax.eval_shape(lambda key: joint.source.sample(key, 2).message, jax.random.key(0))
    return len(jax.tree.leaves(drawn)) == 1 and len(jax.tree.leaves(drawn)[0].shape) == 2


def _alike(channel: Channel) -> bool:
    """Whether all units have the same noise, so that any of them can be asked together."""
    parts = jax.tree.leaves(channel), jax.tree.leaves(channel.part(slice(0, 1)))
    return [np.shape(leaf) for leaf in parts[0]] == [np.shape(leaf) for leaf in parts[1]]


def _narrow(found: list[Found]) -> bool:
    lows = [float(one.bound.low) for one in found if one.bound.kind == "lower"]
    highs = [float(one.bound.high) for one in found if one.bound.kind == "upper"]
    return bool(lows and highs) and min(highs) - max(lows) <= NARROW * min(highs)
