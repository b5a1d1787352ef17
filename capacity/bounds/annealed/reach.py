"""What no sample saw: how far an interval must reach, whatever the spread of those that were seen."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from capacity.results.estimate import Estimate
from capacity.results.intervals import rule_of_three_bits

UNLIMITED = 2.0  # times what was found: what an event may give where the source's entropy is infinite


class Unseen(NamedTuple):
    """Events that none of so many samples saw: together, with 95 % confidence, of a probability below 3 in so many.

    Attributes:
        samples: how many (the rule of three, Hanley & Lippman-Hand 1983).
        down, up: bits that such an event may take and give, where it happens.
    """

    samples: float | int
    down: float
    up: float

    @classmethod
    def of_source(cls, bits: float, source_bits: float, samples: int, room: float = 0.0) -> Unseen:
        """By what any event may do to I(M;Z).

        Given an event of the message, or of z, log p(z|m)/p(z) averages at least 0, as a divergence does, and at most
        the source's bits.

        Args:
            bits: what was found.
            source_bits: H(M); where it is infinite, an event is taken to give no more than `UNLIMITED` times the bits.
            samples: how many might have seen an event.
            room: bits by which a value may lie beyond that.
        """
        bits = max(bits, 0.0) if np.isfinite(bits) else 0.0
        most = source_bits if np.isfinite(source_bits) else UNLIMITED * bits
        return cls(samples, bits + room, max(most - bits, 0.0) + room)

    @property
    def reach(self) -> tuple[float, float]:
        """Bits that all such events together may take, and give."""
        down, up = (float(rule_of_three_bits(bits, self.samples)) for bits in (self.down, self.up))
        return down, up


def reaching(bound: Estimate, *unseen: Unseen) -> Estimate:
    """The bound, its interval widened by what events that were not seen may take or give: errors add as squares.

    Args:
        bound: its interval that of the samples seen.
        unseen: events, each kind unseen by some of the samples.
    """
    down, up = (np.linalg.norm(reach) for reach in zip(*(events.reach for events in unseen), strict=True))
    low = bound.bits - jnp.hypot(bound.bits - bound.low, down)
    high = bound.bits + jnp.hypot(bound.high - bound.bits, up)
    return replace(bound, low=low, high=high)
