"""One task: a law, how each side is shown, and what is said of it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from tests.traps.laws.law import Law, Truth

Half = Literal["choosing", "reported"]
Show = Callable[[np.ndarray], np.ndarray]
SIZES = (500, 1_000, 10_000)
TABLE = Path(__file__).with_name("truths.json")


@dataclass(frozen=True)
class Task:
    """Two arrays whose information is known.

    Attributes:
        name: tells it from all others.
        family: the file that it is from.
        law: of what is drawn.
        show_x, show_y: injective maps of each side, which leave the information as it is; None for none.
        sizes: the numbers of rows that it is meant for.
        order: "time" where neighbouring rows resemble each other; the truth is that of one row.
        upper_only: whether the truth is an upper bound of the information, and no more is known.
    """

    name: str
    family: str
    law: Law
    show_x: Show | None = None
    show_y: Show | None = None
    sizes: tuple[int, ...] = SIZES
    order: Literal["time"] | None = None
    upper_only: bool = False

    def sample(self, random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """x and y, shapes (n, columns): float64, or int64 where a side is symbols alone."""
        x, y = self.law.draw(random, n)
        return self.show_x(x) if self.show_x else x, self.show_y(y) if self.show_y else y

    def rows(self, seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        """The sample that every method is given for this seed."""
        return self.sample(np.random.default_rng([zlib.crc32(self.name.encode()), seed, n]), n)

    @property
    def truth(self) -> Truth:
        """The information, as kept in `truths.json`; `python -m tests.traps.truths` computes them all again."""
        return Truth(*kept()[self.name]) if self.name in kept() else self.law.truth()

    @property
    def bits(self) -> float:
        """The information in bits."""
        return self.truth.bits

    def nearest_size(self, n: int) -> int:
        """The one of its own sizes that is nearest in ratio."""
        return min(self.sizes, key=lambda size: abs(np.log(size / n)))


@cache
def kept() -> dict[str, list]:
    """What `truths.json` has: bits, standard error and how, by name."""
    return json.loads(TABLE.read_text()) if TABLE.exists() else {}
