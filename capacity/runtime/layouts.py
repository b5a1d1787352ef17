"""How a vector may be laid out along axes, and cut into patches: told without loading JAX."""

from __future__ import annotations

import math
from collections.abc import Sequence


def check_layout(layout: Sequence[int], dim: int) -> None:
    """Refuse a layout of another size than a vector of `dim` numbers, or of other than one or two axes.

    Raises:
        ValueError: saying what was expected.
    """
    if math.prod(layout) != dim or len(layout) not in (2, 3) or min(layout) < 1:
        raise ValueError(
            f"Expected a layout (length, channels) or (height, width, channels) of {dim} numbers; got {tuple(layout)}."
        )


def check_patch(axes: Sequence[int], patch: int) -> None:
    """Refuse patches of a side that does not divide every axis.

    Raises:
        ValueError: saying which axes there are.
    """
    if patch < 1 or any(axis % patch for axis in axes):
        raise ValueError(f"Expected a patch that divides the axes {tuple(axes)}; got {patch}.")
