"""Discrete codes as a user brings them: symbols' numbers, or probabilities of symbols, and the codebook's size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from scipy.special import log_softmax

from capacity.runtime.memory import check_fits
from capacity.runtime.names import check_name
from capacity.runtime.whole import whole

MAX_SYMBOLS = 2**24  # of one codebook
SUM_TOLERANCE = 1e-3  # of probabilities: a softmax in half precision is off by as much
GIVEN_PROBS = ("probs", "logits")
BYTES = 8.0  # of a number in double precision
COPIES = 4.0  # of the probabilities that are held at once

CodebookSize = int | Sequence[int] | None
"""Symbols of one codebook for all positions, or of each position's own; None: inferred."""


class CheckedCodes(NamedTuple):
    """Symbols' numbers (points, positions) from 0, how many symbols each position has, and whether that was given."""

    symbols: Int[np.ndarray, "points positions"]
    sizes: Int[np.ndarray, " positions"]
    given: bool


def parsed_codebook(text: str | None) -> list[int] | None:
    """`--codebook` as numbers: one, or one for each position, with commas between.

    Raises:
        ValueError: for anything else.
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f"Expected --codebook as a number, or as one for each position (8,5,5,5); got {text!r}.")
    return [int(part) for part in parts]


def checked_codes(codes: ArrayLike, codebook: CodebookSize = None) -> CheckedCodes:
    """Codes as whole numbers from 0, with the sizes of their codebooks.

    Args:
        codes: (N, positions), whole numbers from 0, of any type of number.
        codebook: see `CodebookSize`; None takes the largest number + 1 for all positions.

    Raises:
        TypeError, ValueError: for other shapes, fewer than two points, numbers that are negative, not whole or not
            finite, and symbols past the codebook; the message says where.
    """
    table = np.asarray(codes)
    if table.dtype.kind not in "fiub":
        raise ValueError(f"Expected codes as an array of whole numbers; got {table.dtype}.")
    if table.ndim != 2 or 0 in table.shape:
        hint = {
            1: " A single position needs a column of its own: codes[:, None].",
            3: " Put the positions of a point in one row: codes.reshape(len(codes), -1).",
            4: " Put the positions of a point in one row: codes.reshape(len(codes), -1).",
        }.get(table.ndim, "")
        raise ValueError(f"Expected codes of shape (N, positions); got shape {table.shape}.{hint}")
    _check_points(len(table))
    if table.dtype.kind == "f":
        _refuse(~np.isfinite(table), table, "finite codes")
        hint = " Are these the vectors? Give the numbers of the codebook's entries."
        _refuse(table != np.rint(table), table, "codes as whole numbers", hint)
    _refuse(table < 0, table, "codes from 0", " Leave rows or positions out that have no code.")
    _refuse(table >= MAX_SYMBOLS, table, f"codes below {MAX_SYMBOLS}")
    symbols = table.astype(np.int64)
    sizes = _sizes(codebook, symbols.shape[1], max(int(symbols.max()) + 1, 2))
    past = symbols >= sizes
    if past.any():
        row, column = np.argwhere(past)[0]
        raise ValueError(
            f"Expected symbols below {sizes[column]}, the codebook's size; got {symbols[row, column]} in row {row}, "
            f"position {column}."
        )
    return CheckedCodes(symbols, sizes, codebook is not None)


def checked_probs(probs: ArrayLike, given: str | None = None) -> Float[np.ndarray, "points positions symbols"]:
    """Log probabilities of stochastic codes, float64, each position's summing to one.

    Args:
        probs: (N, positions, symbols), probabilities, or what `given` says.
        given: "probs" or "logits"; None is "probs".

    Raises:
        ValueError: for other shapes, fewer than two points or symbols, numbers that are not finite, and probabilities
            that are negative or do not sum to one; the message says where.
    """
    if given is not None:
        check_name(given, GIVEN_PROBS, "given")
    table = np.asarray(probs)
    if table.dtype.kind not in "fiu":
        raise ValueError(f"Expected probabilities as an array of real numbers; got {table.dtype}.")
    if table.ndim != 3 or 0 in table.shape or table.shape[2] < 2:
        hint = " A single position needs an axis of its own: probs[:, None, :]." if table.ndim == 2 else ""
        raise ValueError(
            f"Expected probabilities of shape (N, positions, symbols), of two symbols or more; got shape "
            f"{table.shape}.{hint}"
        )
    _check_points(len(table))
    check_fits(COPIES * BYTES * table.size, "probabilities", "Give fewer points.")
    table = table.astype(np.float64)
    if given == "logits":
        _refuse(np.isnan(table) | (table == np.inf), table, "finite logits")
        _refuse(np.broadcast_to((table == -np.inf).all(2, keepdims=True), table.shape), table, "a symbol that may come")
        return np.asarray(log_softmax(table, axis=2))
    _refuse(~np.isfinite(table), table, "finite probabilities")
    hint = " Are these logits? Say given='logits' (on the command line: --given logits)."
    _refuse(table < 0, table, "probabilities from 0", hint)
    total = table.sum(2)
    wrong = np.abs(total - 1) > SUM_TOLERANCE
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise ValueError(
            f"Expected probabilities that sum to one; got a sum of {total[row, column]:.6g} in row {row}, position "
            f"{column}.{hint}"
        )
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(table / total[:, :, None]))


def _check_points(count: int) -> None:
    if count < 2:
        raise ValueError(f"Expected at least two data points, a row for each; got {count}.")


def _sizes(codebook: CodebookSize, positions: int, inferred: int) -> Int[np.ndarray, " positions"]:
    if codebook is None:
        return np.full(positions, inferred)
    several = list(codebook) if isinstance(codebook, Sequence | np.ndarray) else [codebook]
    sizes = [whole(size, "codebook", 2, MAX_SYMBOLS) for size in several]
    if len(sizes) not in (1, positions):
        raise ValueError(f"Expected a codebook of one size, or of one for each of {positions} positions; got {sizes}.")
    return np.broadcast_to(np.array(sizes), positions).copy()


def _refuse(wrong: np.ndarray, table: np.ndarray, expected: str, hint: str = "") -> None:
    if wrong.any():
        place = tuple(np.argwhere(wrong)[0].tolist())
        where = ", ".join(f"{name} {i}" for name, i in zip(("row", "position", "symbol"), place, strict=False))
        raise ValueError(f"Expected {expected}; got {table[place]} in {where}.{hint}")
