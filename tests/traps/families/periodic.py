"""Y goes round 1 to 100 times while X goes once: sines, phases, sawteeth.  The truth is that of a single turn."""

from __future__ import annotations

import numpy as np
from scipy.special import i0e

from tests.traps.families.curves import function_of_normal
from tests.traps.families.high_information import narrow_uniform
from tests.traps.laws.given import Given, normal_given
from tests.traps.laws.grids import legendre, uniform_nodes
from tests.traps.laws.law import Law, Truth
from tests.traps.task import Task

FAMILY = "periodic"


def turned(law: Law, turns: int) -> Law:
    """Of a law whose X is uniform on [0, 1): X goes round so many times."""

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x, y = law.draw(random, n)
        return (x + random.integers(turns, size=x.shape)) / turns, y

    return Law(draw, lambda x, y: law.density(turns * x % 1.0, y), law.truth)


def sine(noise: float) -> Law:
    """X uniform, Y the sine of one turn with normal noise."""
    draw_y, log_given = normal_given(lambda x: np.sin(2 * np.pi * x[:, 0]), lambda x: np.full(len(x), noise))
    x, masses = uniform_nodes(800)
    y = legendre(np.arange(-1.0 - 9 * noise, 1.0 + 9 * noise + 0.5 * noise, 0.5 * noise), 8)
    return Given(lambda random, n: random.uniform(size=(n, 1)), draw_y, log_given, (x[:, None], masses), y).law()


def phase(noise: float) -> Law:
    """X uniform, Y the point of the unit circle at that angle with normal noise: p(y) has a Bessel function."""
    variance = noise**2

    def log_alone(radius: np.ndarray) -> np.ndarray:
        return -0.5 * (radius - 1.0) ** 2 / variance + np.log(i0e(radius / variance)) - np.log(2 * np.pi * variance)

    def point(x: np.ndarray) -> np.ndarray:
        return np.hstack([np.cos(2 * np.pi * x), np.sin(2 * np.pi * x)])

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x = random.uniform(size=(n, 1))
        return x, point(x) + noise * random.normal(size=(n, 2))

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        own = -0.5 * ((y - point(x)) ** 2).sum(axis=1) / variance - np.log(2 * np.pi * variance)
        return (own - log_alone(np.hypot(*y.T))) / np.log(2.0)

    def truth() -> Truth:
        radius, weights = legendre(np.linspace(0.0, 1.0 + 10 * noise, 200))
        log = log_alone(radius)
        entropy = -float((2 * np.pi * radius * weights) @ (np.exp(log) * log))
        return Truth((entropy - np.log(2 * np.pi * np.e * variance)) / np.log(2.0), 0.0, "quadrature")

    return Law(draw, density, truth)


def tasks() -> list[Task]:
    """The family."""
    return [
        Task("sine-1-turn", FAMILY, sine(0.1)),
        Task("sine-3-turns", FAMILY, turned(sine(0.1), 3)),
        Task("sine-10-turns", FAMILY, turned(sine(0.3), 10)),
        Task("sine-30-turns", FAMILY, turned(sine(0.1), 30)),
        Task("sine-100-turns", FAMILY, turned(sine(0.1), 100)),
        Task("phase-2-turns", FAMILY, turned(phase(0.3), 2)),
        Task("phase-7-turns", FAMILY, turned(phase(0.2), 7)),
        Task("saw-5-teeth", FAMILY, turned(narrow_uniform(0.1), 5)),
        Task("sine-of-normal", FAMILY, function_of_normal(lambda x: np.sin(6 * x), 0.2, -1.0, 1.0)),
    ]
