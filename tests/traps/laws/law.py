"""What every trap is made of: how pairs are drawn, their exact log density ratio, and their information.

Nothing here or in the families needs more than NumPy, SciPy and scikit-learn's digits: other tools, in environments of
their own, are given the same pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]
Density = Callable[[np.ndarray, np.ndarray], np.ndarray]
How = Literal["closed form", "quadrature", "enumeration", "Monte Carlo"]

MIN_DRAWS = 2**20
MAX_DRAWS = 2**25
CHUNK = 2**16
TARGET = 0.002  # standard error of a Monte Carlo truth, as a share of it


class Truth(NamedTuple):
    """I(X;Y) in bits, the standard error of that (0 but for Monte Carlo), and how it was computed."""

    bits: float
    stderr: float
    how: How


@dataclass(frozen=True)
class Law:
    """The joint distribution of two sides.

    Attributes:
        draw: x (n, dx) and y (n, dy), rows independent.
        density: log2 p(x, y) / (p(x) p(y)), shape (n,), of such pairs; its mean is the truth.
        truth: the information, computed apart from `draw`, but for Monte Carlo.
    """

    draw: Draw
    density: Density
    truth: Callable[[], Truth]


def monte_carlo(draw: Draw, density: Density, seed: int = 20_26) -> Truth:
    """The mean of the exact log density ratio over at least 2^20 draws, and more until its error is .2 % of it."""
    random, count, total, squares = np.random.default_rng(seed), 0, 0.0, 0.0
    while True:
        values = density(*draw(random, CHUNK))
        count, total, squares = count + CHUNK, total + float(values.sum()), squares + float((values**2).sum())
        mean = total / count
        stderr = float(np.sqrt(max(squares / count - mean**2, 0.0) / count))
        if count >= MAX_DRAWS or (count >= MIN_DRAWS and stderr < TARGET * mean):
            return Truth(mean, stderr, "Monte Carlo")


def independent(draw_x: Callable[..., np.ndarray], draw_y: Callable[..., np.ndarray]) -> Law:
    """Two sides that share nothing; either function takes (random, n) and returns (n, columns)."""
    return Law(
        lambda random, n: (draw_x(random, n), draw_y(random, n)),
        lambda x, y: np.zeros(len(x)),
        lambda: Truth(0.0, 0.0, "closed form"),
    )


def beside(*laws: Law) -> Law:
    """Independent pairs side by side: their information adds up."""
    widths = [tuple(side.shape[1] for side in law.draw(np.random.default_rng(0), 2)) for law in laws]
    cuts_x, cuts_y = np.cumsum([w for w, _ in widths])[:-1], np.cumsum([w for _, w in widths])[:-1]

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        sides = [law.draw(random, n) for law in laws]
        # Empty sides are left out: they would make real numbers of symbols.
        x, y = ([side for side in each if side.shape[1]] for each in zip(*sides, strict=True))
        return np.hstack(x), np.hstack(y)

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        parts = zip(laws, np.split(x, cuts_x, axis=1), np.split(y, cuts_y, axis=1), strict=True)
        return np.sum([law.density(a, b) for law, a, b in parts], axis=0)

    def truth() -> Truth:
        parts = [law.truth() for law in laws]
        worst = max((part.how for part in parts), key=["closed form", "enumeration", "quadrature", "Monte Carlo"].index)
        return Truth(sum(part.bits for part in parts), float(np.hypot.reduce([part.stderr for part in parts])), worst)

    return Law(draw, density, truth)


def padded(law: Law, more_x: int, more_y: int = 0, noise: Callable[..., np.ndarray] | None = None) -> Law:
    """Columns added that are independent of everything: standard normal, or `noise(random, (n, columns))`."""

    def columns(random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
        return random.normal(size=shape) if noise is None else noise(random, shape)

    def extra(count: int) -> Callable[..., np.ndarray]:
        return lambda random, n: columns(random, (n, count))

    return beside(law, independent(extra(more_x), extra(more_y)))
