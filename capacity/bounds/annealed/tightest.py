"""Of several bounds the tightest, and what needs no samples: between 0 and the source's bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from capacity.results.estimate import Estimate


def tighter_bound(first: Estimate, second: Estimate) -> tuple[Estimate, bool]:
    """Of two lower bounds the one whose interval starts higher, of two upper ones that ends lower; if it is the second.

    Each errs with less than a quarter of 5 %, at `CONSERVATIVE_ERRORS` standard errors: all hold at once
    (Bonferroni), so any choice does.
    """
    is_tighter = second.low > first.low if first.kind == "lower" else second.high < first.high
    taken = not np.isfinite(first.bits) or bool(is_tighter)  # infinite: no chain came through
    return (first, second)[taken], taken


def clipped_to_source(lower: Estimate, upper: Estimate, source_bits: float) -> tuple[Estimate, Estimate]:
    """The bounds cut off at 0 and at the source's bits, which need no samples.

    An interval goes along with a figure that is cut, lest a figure that chance put far beyond an end leave an interval
    of no width there.
    """

    def cut(bound: Estimate) -> Estimate:
        bits, low, high = (float(part) for part in (bound.bits, bound.low, bound.high))
        moved = np.clip(bits, 0.0, source_bits) - bits if np.isfinite(bits) else 0.0
        low, high = low + min(moved, 0.0), high + max(moved, 0.0)
        bits, low, high = (np.clip(end, 0.0, source_bits) for end in (bits, low, high))
        return replace(bound, bits=bits, low=low, high=high)

    return cut(lower), cut(upper)


def check_agreement(lower: Estimate, upper: Estimate) -> None:
    """Refuse bounds that contradict each other by more than chance does.

    Raises:
        ValueError: if the lower one's interval begins above the end of the upper one's.
    """
    if float(lower.low) > float(upper.high) + 1e-6 * abs(float(upper.high)):
        raise ValueError(
            f"Expected bounds that agree; got one of at least {float(lower.low):.4g} bits below and one of at most "
            f"{float(upper.high):.4g} above, which chance hardly does. Does the encoder give a message the same code "
            "every time, compiled by jax.jit or not, and a finite one?"
        )
