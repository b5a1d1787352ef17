"""What an estimator's own numbers ask for, told before any work: counts that are whole, networks that fit."""

from __future__ import annotations

from capacity.runtime.memory import check_fits
from capacity.runtime.whole import check_fields

FLOAT = 4  # bytes
SQUARED = ("width", "rank", "dimensions", "components")  # a layer, or a covariance, has their square in numbers
ALONE = ("batch", "block", "group")


def check_sizes(estimator: object) -> None:
    """Refuse counts that are none, and more of them than memory holds.

    Raises:
        TypeError: for what is no whole number.
        ValueError: naming the field.
    """
    counts = check_fields(estimator)
    needed = {name: float(counts[name]) ** 2 for name in SQUARED if name in counts}
    needed |= {name: float(counts[name]) for name in ALONE if name in counts}
    for name, floats in needed.items():
        check_fits(FLOAT * floats, "an estimator", f"Lower {name}.")
