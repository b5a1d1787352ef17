"""Relations that are no function, or none that rises: rings, spirals, parabolas, steps, checkerboards."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.traps.laws.clouds import clouds
from tests.traps.laws.given import Given, normal_given
from tests.traps.laws.grids import normal_nodes
from tests.traps.laws.law import Law, Truth
from tests.traps.task import Task

FAMILY = "curves"
POINTS = 400


def noisy_curve(curve: Callable[[np.ndarray], np.ndarray], noise: float) -> Law:
    """A uniform point of a closed curve in the plane through normal noise; `curve` takes turns (n,), gives (n, 2).

    Densities are the trapezoid rule over the turns, which is exact to rounding where points lie closer than the noise.
    """
    cells = [(1.0 / POINTS, point, np.eye(2) * noise**2) for point in curve(np.arange(POINTS) / POINTS)]
    law = clouds(cells, 1)

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        both = curve(random.uniform(size=n)) + noise * random.normal(size=(n, 2))
        return both[:, :1], both[:, 1:]

    return Law(draw, law.density, law.truth)


def ring(turns: np.ndarray) -> np.ndarray:
    """The unit circle."""
    return np.column_stack([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)])


def lissajous(turns: np.ndarray) -> np.ndarray:
    """Three waves across to two up."""
    return np.column_stack([np.sin(6 * np.pi * turns + 0.5), np.sin(4 * np.pi * turns)])


def spiral(turns: np.ndarray) -> np.ndarray:
    """Out two rounds and back on the same way, so that the curve is closed."""
    out = 0.2 + 0.4 * (1.0 - np.cos(2 * np.pi * turns))
    return out[:, None] * np.column_stack([np.cos(4 * np.pi * out), np.sin(4 * np.pi * out)])


def function_of_normal(mean: Callable[[np.ndarray], np.ndarray], noise: float, low: float, high: float) -> Law:
    """X standard normal, Y a function of it with normal noise; low and high are the function's reach."""
    draw_y, log_given = normal_given(lambda x: mean(x[:, 0]), lambda x: np.full(len(x), noise))
    nodes, masses = normal_nodes(4000)
    y = np.arange(low - 9 * noise, high + 9 * noise, noise / 4)
    weights = np.full(len(y), noise / 4)
    law = Given(lambda random, n: random.normal(size=(n, 1)), draw_y, log_given, (nodes[:, None], masses), (y, weights))
    return law.law()


def checkerboard(squares: int) -> Law:
    """Uniform on the black squares of a board: exactly one bit, both margins uniform."""

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        row, half = random.integers(squares, size=n), random.integers(squares // 2, size=n)
        column = 2 * half + row % 2
        inside = random.uniform(size=(n, 2))
        return ((row + inside[:, 0]) / squares)[:, None], ((column + inside[:, 1]) / squares)[:, None]

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        black = (np.floor(squares * x[:, 0]) + np.floor(squares * y[:, 0])) % 2 == 0
        return np.where(black, 1.0, -np.inf)

    return Law(draw, density, lambda: Truth(1.0, 0.0, "closed form"))


def tasks() -> list[Task]:
    """The family."""
    return [
        Task("ring-.1", FAMILY, noisy_curve(ring, 0.1)),
        Task("ring-.03", FAMILY, noisy_curve(ring, 0.03)),
        Task("lissajous-.1", FAMILY, noisy_curve(lissajous, 0.1)),
        Task("spiral-.04", FAMILY, noisy_curve(spiral, 0.04)),
        Task("parabola", FAMILY, function_of_normal(lambda x: x**2, 0.3, 0.0, 73.0)),
        Task("steps", FAMILY, function_of_normal(np.round, 0.1, -9.0, 9.0)),
        Task("checkerboard-4", FAMILY, checkerboard(4)),
        Task("checkerboard-8", FAMILY, checkerboard(8)),
    ]
