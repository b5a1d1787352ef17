"""Injective maps of one side: what people see of latent numbers.  They leave the information as it is.

Random weights are drawn once a map, from its own seed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtr

Show = Callable[[np.ndarray], np.ndarray]


def rotation(columns: int, seed: int) -> Show:
    """All columns turned by a random orthogonal matrix."""
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(columns, columns)))[0]
    return lambda latent: latent @ turn


def shuffled(columns: int, seed: int) -> Show:
    """Columns in another order, so that none is known by its place."""
    order = np.random.default_rng(seed).permutation(columns)
    return lambda latent: latent[:, order]


def linear(columns: int, wide: int, seed: int) -> Show:
    """A random linear map into more columns: injective for almost all weights."""
    weights = np.random.default_rng(seed).normal(size=(columns, wide)) / columns**0.5
    return lambda latent: latent @ weights


def tanh_layer(columns: int, wide: int, seed: int, gain: float = 1.0) -> Show:
    """tanh of random sums with random thresholds, `wide` >= `columns`: injective for almost all weights."""
    random = np.random.default_rng(seed)
    weights, thresholds = gain * random.normal(size=(columns, wide)) / columns**0.5, random.normal(size=wide)
    return lambda latent: np.tanh(latent @ weights + thresholds)


def tanh_network(columns: int, hidden: int, out: int, seed: int, gain: float = 1.0) -> Show:
    """A hidden layer of tanh and a linear one: injective for almost all weights from 2 `columns` + 1 outputs on."""
    inner, random = tanh_layer(columns, hidden, seed, gain), np.random.default_rng(seed + 1)
    weights = random.normal(size=(hidden, out)) / hidden**0.5
    return lambda latent: inner(latent) @ weights


def leaky_layer(columns: int, wide: int, seed: int) -> Show:
    """Leaky ReLUs of random sums: one to one unit by unit, so injective for almost all weights."""
    random = np.random.default_rng(seed)
    weights, thresholds = random.normal(size=(columns, wide)) / columns**0.5, random.normal(size=wide)

    def show(latent: np.ndarray) -> np.ndarray:
        sums = latent @ weights + thresholds
        return np.where(sums > 0, sums, 0.1 * sums)

    return show


def opposed_relus(columns: int, directions: int, seed: int) -> Show:
    """ReLUs of random sums and of their negatives: of every sum one of two units tells the value."""
    weights = np.random.default_rng(seed).normal(size=(columns, directions)) / columns**0.5
    return lambda latent: np.maximum(np.hstack([latent @ weights, -latent @ weights]), 0.0)


def blob(side: int, width: float) -> Show:
    """An image (side * side,) of one smooth blob; two standard normal numbers say where."""
    grid = np.linspace(0.0, 1.0, side)

    def show(latent: np.ndarray) -> np.ndarray:
        down, across = (np.exp(-0.5 * ((grid - ndtr(latent[:, [j]])) / width) ** 2) for j in (0, 1))
        return (down[:, :, None] * across[:, None, :]).reshape(len(latent), -1)

    return show


def rectangle(side: int) -> Show:
    """An image of one bright rectangle with smoothed edges; two numbers say where its centre is, two its size."""
    edges = np.linspace(0.0, 1.0, side + 1)

    def covered(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        return np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0.0, None) * side

    def show(latent: np.ndarray) -> np.ndarray:
        place, size = 0.25 + 0.5 * ndtr(latent[:, :2]), 0.1 + 0.15 * ndtr(latent[:, 2:4])
        down, across = (covered(place[:, [j]] - size[:, [j]], place[:, [j]] + size[:, [j]]) for j in (0, 1))
        return (down[:, :, None] * across[:, None, :]).reshape(len(latent), -1)

    return show
