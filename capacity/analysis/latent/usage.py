"""Which units matter: bits of each alone, in order, how many carry 95 % of them, and which are idle or dead."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

DEAD_BITS = 0.01  # a unit whose interval ends below is dead
IDLE_BITS = 0.05  # one that says less is idle, however its mean varies (Burda et al. 2016 count it among the active)
CARRIED = 0.95
ACTIVE, IDLE, DEAD = "active", "idle", "dead"


class Usage(NamedTuple):
    """Units by what they say alone.

    Attributes:
        order: (units,), their numbers, the one with most bits first.
        bits, low, high: (units,), bits of each alone and the ends of its interval, in the units' own order.
        state: (units,), "active", "idle" (below 0.05 bits) or "dead" (the interval ends below 0.01 bits): of the points
            at hand, for no number of points shows that a unit says nothing of those that none of them is like.
        carriers: how many of the first in order carry 95 % of the sum of bits.
    """

    order: Int[np.ndarray, " units"]
    bits: Float[np.ndarray, " units"]
    low: Float[np.ndarray, " units"]
    high: Float[np.ndarray, " units"]
    state: np.ndarray
    carriers: int

    def of_state(self, state: str) -> list[int]:
        """Numbers of the units of a state."""
        return [int(unit) for unit in np.flatnonzero(self.state == state)]

    @property
    def active(self) -> Bool[np.ndarray, " units"]:
        """(units,) which are neither idle nor dead."""
        return np.asarray(self.state == ACTIVE)


def usage_of(
    bits: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    of_points: tuple[np.ndarray, np.ndarray] | None = None,
) -> Usage:
    """Units in order of their bits.

    Args:
        bits, low, high: (units,), what each says alone and the ends of its interval.
        of_points: (units,) each, bits of the points at hand and the upper ends of their intervals, by which units are
            idle or dead where the others are of a population; None: they are the same.
    """
    bits, low, high = (np.asarray(part, np.float64) for part in (bits, low, high))
    counted = np.maximum(bits, 0.0)
    said, most = (bits, high) if of_points is None else map(np.asarray, of_points)
    state = np.where(most < DEAD_BITS, DEAD, np.where(said < IDLE_BITS, IDLE, ACTIVE))
    order = np.argsort(-counted, kind="stable")
    alive = np.where(state == DEAD, 0.0, counted)[order]
    so_far = np.cumsum(alive)
    carriers = int(np.searchsorted(so_far, CARRIED * so_far[-1]) + 1) if so_far[-1] > 0 else 0
    return Usage(order, bits, low, high, state, carriers)
