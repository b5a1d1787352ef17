"""What is done to two sides before methods see them: few values become symbols, grids and atoms are spread."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import numpy as np

from capacity.estimators.atoms import spread_atoms
from capacity.estimators.checks import FEW_VALUES, random_of
from capacity.estimators.rounding import grid_step, spread_within_steps

MIN_PAIRS = 200  # from which a part can be held out, and few values are told from few rows
OFTEN = 5  # rows for each symbol, or each pair of them, from which counts tell
SENTINEL_REACH = 20.0  # interquartile ranges beyond the middle half


@dataclass(frozen=True)
class Prepared:
    """Two sides as methods take them.  Nothing that is done to them changes what they share.

    Attributes:
        x, y: symbols (n, 1) or real numbers (n, d) without ties of atoms or grids.
        tied_x, tied_y: the same with their atoms as they are, for methods that allow ties.
        columns_x, columns_y: the same with symbols column by column, as they came.
        atoms: whether a column of either side has atoms.
        words: what was done and seen, in sentences; empty, or with a space at the end.
    """

    x: np.ndarray
    y: np.ndarray
    tied_x: np.ndarray
    tied_y: np.ndarray
    columns_x: np.ndarray
    columns_y: np.ndarray
    atoms: bool
    words: str


def prepared(key: jax.Array, x: np.ndarray, y: np.ndarray) -> Prepared:
    """Both sides as methods take them, and what was done.

    Args:
        key: of the places within steps and gaps.
        x, y: as `checked` returns them.
    """
    random, words, atoms = random_of(key), "", False
    spread, tied, by_column = [], [], []
    few = [symbols_if_few(side) for side in (x, y)]
    cells = np.prod([len(np.unique(side)) for side in few if side.dtype.kind == "i"])
    for name, given, side in (("x", x, few[0]), ("y", y, few[1])):
        if OFTEN * cells >= len(x) and rounded_throughout(given):
            side = given  # too many to count, and numbers after all
        without = side
        if side.dtype.kind == "f":
            words += _sentinels(name, side)
            side, rounded = spread_within_steps(random, side)
            if rounded:
                words += (
                    f"Rounded numbers in {rounded} of {side.shape[1]} columns of {name}: spread within their steps. "
                )
            without, columns = spread_atoms(random, side)
            if columns:
                words += f"Values that repeat in {columns} of {side.shape[1]} columns of {name}: spread apart. "
                atoms = True
        spread.append(without)
        tied.append(side)
        by_column.append(given if side.dtype.kind == "i" else without)
    return Prepared(spread[0], spread[1], tied[0], tied[1], by_column[0], by_column[1], atoms, words)


def symbols_if_few(side: np.ndarray) -> np.ndarray:
    """Rows numbered as symbols, where no column has more than a few values; else the side as it is."""
    few = len(side) >= MIN_PAIRS and all(len(np.unique(column)) < FEW_VALUES for column in side.T)
    return np.unique(side, axis=0, return_inverse=True)[1].reshape(-1, 1).astype(np.int64) if few else side


def rounded_throughout(side: np.ndarray) -> bool:
    """Whether all columns are real numbers on grids of three values or more."""
    return side.dtype.kind == "f" and all(grid_step(column) is not None for column in side.T)


def _sentinels(name: str, side: np.ndarray) -> str:
    """A warning where one value, far from all others, occurs more than once: it may stand for a missing number."""
    words = ""
    for j, column in enumerate(side.T):
        quarter, three = np.quantile(column, [0.25, 0.75])
        far = np.maximum(quarter - column, column - three) > SENTINEL_REACH * (three - quarter)
        if not far.any() or three == quarter:
            continue
        values, counts = np.unique(column[far], return_counts=True)
        if len(values) <= 2 and counts.min() >= 2:
            value, count = values[counts.argmax()], counts.max()
            # Columns that never change were left out before, by name.
            which = name if side.shape[1] == 1 else f"Column {j} of those of {name} that change"
            words += (
                f"{which} is {value:g} in {count} rows, far from all others: if that stands for a "
                "missing number, leave those rows out. "
            )
    return words
