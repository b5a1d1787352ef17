"""Products: each part of X alone says nothing of Y."""

from __future__ import annotations

import numpy as np

from tests.traps.laws.clouds import clouds
from tests.traps.laws.given import Given, normal_given
from tests.traps.laws.grids import normal_nodes
from tests.traps.laws.law import Law, Truth, padded
from tests.traps.laws.listed import codewords
from tests.traps.laws.shows import rotation
from tests.traps.task import Task

FAMILY = "xor"


def noisy_signs(parts: int, noise: float) -> Law:
    """X several fair signs, Y their product, every one through normal noise."""
    signs = 2.0 * codewords(parts) - 1.0
    points = np.column_stack([signs, signs.prod(axis=1)])
    return clouds([(1.0 / len(points), point, np.eye(parts + 1) * noise**2) for point in points], parts)


def signs_of_numbers(parts: int, flip: float) -> Law:
    """X standard normal numbers, Y one of the sign of their product, at times the other: 1 - h(flip) bits."""

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x, size = random.normal(size=(n, parts)), np.abs(random.normal(size=(n, 1)))
        sign = np.sign(x.prod(axis=1, keepdims=True))
        return x, size * sign * np.where(random.uniform(size=(n, 1)) < flip, -1.0, 1.0)

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return 1.0 + np.log2(np.where(np.sign(x.prod(axis=1)) == np.sign(y[:, 0]), 1.0 - flip, flip))

    chances = np.array([flip, 1.0 - flip])
    kept = chances[chances > 0]
    return Law(draw, density, lambda: Truth(1.0 + float((kept * np.log2(kept)).sum()), 0.0, "closed form"))


def product(noise: float) -> Law:
    """X two standard normal numbers, Y their product with normal noise: given one, Y is normal about 0."""
    draw_y, _ = normal_given(lambda x: x.prod(axis=1), lambda x: np.full(len(x), noise))
    _, log_half_given = normal_given(lambda x: 0.0 * x[:, 0], lambda x: np.hypot(x[:, 0], noise))
    nodes, masses = normal_nodes(2000)
    y = noise * np.sinh(np.linspace(-1.0, 1.0, 4001) * np.arcsinh(75.0 / noise))
    half = Given(lambda random, n: random.normal(size=(n, 1)), draw_y, log_half_given, (nodes[:, None], masses), (y, y))

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x = random.normal(size=(n, 2))
        return x, draw_y(random, x)

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        ratio = (y[:, 0] - x.prod(axis=1)) / noise
        return (-0.5 * ratio**2 - np.log(noise * np.sqrt(2 * np.pi)) - half.log_alone(y[:, 0])) / np.log(2.0)

    def truth() -> Truth:
        log = half.log_alone(y)
        entropy = -float(np.trapezoid(np.exp(log) * log, y))
        return Truth((entropy - 0.5 * np.log(2 * np.pi * np.e * noise**2)) / np.log(2.0), 0.0, "quadrature")

    return Law(draw, density, truth)


def tasks() -> list[Task]:
    """The family."""
    return [
        Task("noisy-signs-2-.4", FAMILY, noisy_signs(2, 0.4)),
        Task("noisy-signs-2-.8", FAMILY, noisy_signs(2, 0.8)),
        Task("noisy-signs-3-.4", FAMILY, noisy_signs(3, 0.4)),
        Task("signs-of-2-numbers", FAMILY, signs_of_numbers(2, 0.0)),
        Task("signs-of-2-numbers-a-tenth-flipped", FAMILY, signs_of_numbers(2, 0.1)),
        Task("signs-of-3-numbers", FAMILY, signs_of_numbers(3, 0.05)),
        Task("product-.3", FAMILY, product(0.3)),
        Task("product-.1-turned", FAMILY, product(0.1), rotation(2, 191)),
        Task("signs-of-2-among-8-turned", FAMILY, padded(signs_of_numbers(2, 0.0), 6), rotation(8, 193)),
    ]
