"""The order in which units are met, and the slots in which the digits lie that past and coming units share.

A digit has a slot from the first unit that it moves to the last.  The fewer slots, the fewer states there are to sum
over: 2^slots (variable elimination; Koller & Friedman 2009, chapter 9).  For a convolutional code they are its trellis
(Bahl, Cocke, Jelinek & Raviv 1974), for a code in blocks one block after another.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np
from jaxtyping import Int
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import reverse_cuthill_mckee

from capacity.bounds.local.receptive import ReceptiveFields

CUTS = 24  # shares of a unit's power that are tried, each half of the one before: what is less is left out
NOWHERE = -1


class Frontier(NamedTuple):
    """A schedule of steps, a unit each.

    Attributes:
        slots: how many there are.
        units: (steps,), which unit a step meets.
        slot: (digits,), where each digit lies; -1 for one that moves no unit.
        digits: (steps, slots), which digit lies in each slot; -1 for none.
        near: (steps, slots), whether the unit depends on it.
        freed: (steps, most), slots whose digit moves no later unit; -1 past them.
        exact: whether no digit was left out.
    """

    slots: int
    units: Int[np.ndarray, " steps"]
    slot: Int[np.ndarray, " digits"]
    digits: Int[np.ndarray, "steps slots"]
    near: np.ndarray
    freed: Int[np.ndarray, "steps most"]
    exact: bool


def plan_frontier(fields: ReceptiveFields, most: int) -> Frontier:
    """A frontier of at most so many slots: digits that say least to their units are left out until it is.

    Args:
        fields: which digits move which units.
        most: slots.
    """
    total = np.bincount(fields.unit, fields.power, minlength=fields.units)
    share = fields.power / np.maximum(total[fields.unit], np.finfo(np.float64).tiny)
    found = _narrowest(fields, True)
    low, high = 0.0, 1.1
    if found.slots <= most:
        return found
    for _ in range(CUTS):
        cut = 0.5 * (low + high) if high > 0.01 else float(np.sqrt(max(low, 1e-8) * high))
        tried = _narrowest(fields.chosen(share > cut), False)
        if tried.slots <= most:
            found, high = tried, cut
        else:
            low = cut
    return found


def _narrowest(fields: ReceptiveFields, exact: bool) -> Frontier:
    """Of two orders the one with fewer slots: by where a unit's digits lie on average, and by Cuthill and McKee's."""
    count = np.maximum(np.bincount(fields.unit, minlength=fields.units), 1)
    middle = np.bincount(fields.unit, fields.digit, minlength=fields.units) / count
    orders = [np.argsort(middle, kind="stable")]
    shape = (fields.units, fields.digits)
    moved = csr_matrix((np.ones(len(fields.unit), np.int32), (fields.unit, fields.digit)), shape)
    if len(fields.unit) and moved.sum(0).max() < fields.units / 2:
        orders.append(reverse_cuthill_mckee(csr_matrix(moved @ moved.T), symmetric_mode=True))
    return min((_laid_out(fields, order, exact) for order in orders), key=lambda frontier: frontier.slots)


def _laid_out(fields: ReceptiveFields, order: np.ndarray, exact: bool) -> Frontier:
    """Slots for the digits, each the lowest that is free when the digit's first unit is met."""
    steps, rank = len(order), np.empty(len(order), int)
    rank[order] = np.arange(len(order))
    first, last = np.full(fields.digits, steps), np.full(fields.digits, -1)
    np.minimum.at(first, fields.digit, rank[fields.unit])
    np.maximum.at(last, fields.digit, rank[fields.unit])
    met = np.argsort(first, kind="stable")
    ends: list[list[int]] = [[] for _ in range(steps)]
    for digit in met[last[met] >= 0]:
        ends[last[digit]].append(int(digit))
    slot, free, used, at = np.full(fields.digits, NOWHERE), list[int](), 0, 0
    for step in range(steps):
        while at < len(met) and first[met[at]] == step:
            if not free:
                heapq.heappush(free, used)
                used += 1
            slot[met[at]] = heapq.heappop(free)
            at += 1
        for digit in ends[step]:
            heapq.heappush(free, int(slot[digit]))
    digits, near = np.full((steps, used), NOWHERE), np.zeros((steps, used), bool)
    for digit in met[last[met] >= 0]:
        digits[first[digit] : last[digit] + 1, slot[digit]] = digit
    near[rank[fields.unit], slot[fields.digit]] = True
    freed = np.full((steps, max((len(end) for end in ends), default=0)), NOWHERE)
    for row, end in zip(freed, ends, strict=True):
        row[: len(end)] = slot[end]
    return Frontier(used, np.asarray(order), slot, digits, near, freed, exact)
