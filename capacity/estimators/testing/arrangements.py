"""Other pairings of the same rows, under which independent sides look the same: random orders, and shifts of a series.

Rows that are independent draws may be put in any order.  Of a stationary series every shift looks the same, whatever
its memory, and no order but that; shifted round a circle it is broken at one place (Harris 2020).  Where blocks are
asked for, which are long against the memory, the series is cut into such and the blocks are put in any order: more
pairings, more breaks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from capacity.runtime.whole import whole

Order = Literal["time"]
"""Rows that follow each other in time; None stands for rows that are independent draws."""


def check_order(order: Order | None, block: int | None, n: int) -> None:
    """Refuse an unknown order, blocks of rows without one, and blocks of which there are fewer than four.

    Raises:
        ValueError: saying what was expected.
    """
    if order not in (None, "time"):
        raise ValueError(f'Expected order None (rows are independent draws) or "time"; got {order!r}.')
    if block is None:
        return
    if order is None:
        raise ValueError(f'Expected order="time" with a block of rows; got block={block} and order=None.')
    if not 1 <= whole(block, "block", None) <= n // 4:
        raise ValueError(f"Expected a block from 1 to a quarter of the {n} rows; got {block}.")


def arrangements(
    random: np.random.Generator, n: int, number: int, order: Order | None = None, block: int | None = None
) -> Iterator[np.ndarray]:
    """Orders of n rows, each shape (n,): `number` of them, or as many as there are shifts.

    Args:
        random: decides which.
        n: how many rows.
        number: how many are asked for.
        order: None for rows in any order, "time" for shifts.
        block: rows of a block; None for shifts of the whole.
    """
    rows = np.arange(n)
    if order is None:
        yield from (random.permutation(n) for _ in range(number))
    elif block is None:
        offsets = np.arange(1, n) if n - 1 <= number else random.choice(np.arange(1, n), number, replace=False)
        yield from (np.roll(rows, offset) for offset in offsets)
    else:
        for _ in range(number):
            pieces = np.array_split(np.roll(rows, random.integers(n)), n // block)
            yield np.concatenate([pieces[i] for i in random.permutation(len(pieces))])
