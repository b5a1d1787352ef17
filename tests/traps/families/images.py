"""Images of 64 to 196 pixels: smooth blobs and rectangles of related places, noisy bars, digits of one class.

Digits are scikit-learn's, 1,797 images of 8 x 8.  A side is one of them, drawn uniformly of its class, so that the two
images share their classes and no more.  No image is in two classes, so the class is read off the image and
I(X;Y) = I(class; class), exactly; with pixel noise of .3 (of 16) a class is mistaken less often than once in 1e12, by
the union bound over the least distance between classes; under heavy noise the information of the classes is an upper
bound only.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.special import logsumexp

from tests.traps.laws.grids import information
from tests.traps.laws.law import Law, Truth, monte_carlo
from tests.traps.laws.normal import correlation_of, normal
from tests.traps.laws.shows import blob, rectangle
from tests.traps.task import Show, Task

FAMILY = "images"
CLASSES = 10


@cache
def digits() -> list[np.ndarray]:
    """The images of each class."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return [images[labels == label] for label in range(CLASSES)]


def classes(same: float) -> Law:
    """Two classes and a fresh number in [0, 1) each, which picks the image: the same class so often, else another."""
    other = (1.0 - same) / (CLASSES - 1)
    masses = (np.full((CLASSES, CLASSES), other) + (same - other) * np.eye(CLASSES)) / CLASSES

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x = random.integers(CLASSES, size=n)
        y = np.where(random.uniform(size=n) < same, x, (x + random.integers(1, CLASSES, size=n)) % CLASSES)
        return tuple(np.column_stack([side, random.uniform(size=n)]) for side in (x, y))

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.log2(masses[x[:, 0].astype(int), y[:, 0].astype(int)]) + 2 * np.log2(CLASSES)

    return Law(draw, density, lambda: Truth(information(masses), 0.0, "enumeration"))


def digit(noise: float = 0.0, seed: int = 0) -> Show:
    """The image of each row's class, picked by the row's number, with pixel noise."""

    def show(side: np.ndarray) -> np.ndarray:
        each = digits()
        images = np.stack([each[int(k)][int(u * len(each[int(k)]))] for k, u in side])
        # Noise of its own for every row, told by the row: a task's sample stays a function of what was drawn.
        random = np.random.default_rng([seed, int(side[:, 1].sum() * 2**32)])
        return images + noise * random.normal(size=images.shape) if noise else images

    return show


def label(side: np.ndarray) -> np.ndarray:
    """The class alone."""
    return side[:, :1].astype(np.int64)


def noisy_bars(side: int, rho: float, noise: float) -> Law:
    """X a number, Y an image of one bar with noise in every pixel; its place is a related number.

    p(image | x) is the trapezoid rule over the bar's place.
    """
    grid = np.linspace(0.0, 1.0, side)
    scores = np.linspace(-7.0, 7.0, 281)
    spread = np.sqrt(1.0 - rho**2)

    def bar(score: np.ndarray) -> np.ndarray:
        row = np.exp(-0.5 * ((grid - 0.5 - score[:, None] / 6.0) / 0.12) ** 2)
        return np.repeat(row, side, axis=1)

    bars = bar(scores)

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x, fresh = random.normal(size=(2, n))
        return x[:, None], bar(rho * x + spread * fresh) + noise * random.normal(size=(n, side * side))

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        heard = (y @ bars.T - 0.5 * (bars**2).sum(axis=1)) / noise**2
        own = -0.5 * ((scores - rho * x) / spread) ** 2 - np.log(spread)
        return (logsumexp(heard + own, axis=1) - logsumexp(heard - 0.5 * scores**2, axis=1)) / np.log(2.0)

    return Law(draw, density, lambda: monte_carlo(draw, density))


def tasks() -> list[Task]:
    """The family."""
    return [
        Task("blobs-10-by-10", FAMILY, normal(correlation_of(2.0, 2)), blob(10, 0.2), blob(10, 0.2)),
        Task("blobs-small-14-by-14", FAMILY, normal(correlation_of(1.0, 2)), blob(14, 0.1), blob(14, 0.1)),
        Task("rectangles-12-by-12", FAMILY, normal(correlation_of(2.0, 4)), rectangle(12), rectangle(12)),
        Task("noisy-bars-8-by-8", FAMILY, noisy_bars(8, 0.9, 1.0)),
        Task("digits-of-one-class", FAMILY, classes(1.0), digit(), digit()),
        Task("digits-of-one-class-noisy", FAMILY, classes(1.0), digit(0.3, 1), digit(0.3, 2)),
        Task("digits-often-of-one-class", FAMILY, classes(0.7), digit(0.3, 3), digit(0.3, 4)),
        Task("digits-and-label", FAMILY, classes(1.0), digit(0.3, 5), label),
        Task("digits-under-noise", FAMILY, classes(1.0), digit(6.0, 7), digit(6.0, 8), upper_only=True),
    ]
