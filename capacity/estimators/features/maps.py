"""Libraries of features: what a nonlinear canonical correlation may combine on each side.

Each is fitted to training rows of both sides, and is then a map of any rows (n, d) to features (n, m).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scipy.special import ndtri

from capacity.estimators.parametric.gaussian_copula import heavy_tailed, rank_transform

Map: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""From rows (n, d) to features (n, m)."""
Library: TypeAlias = Callable[[np.ndarray, np.ndarray, np.random.Generator], tuple[Map, Map] | None]
"""From training rows of x and y to the features of each side; None where the library does not suit the dimensions."""

MAX_FEATURES = 400  # of a side


def columns(rows: np.ndarray) -> Map:
    """The columns, standardised; where a tail is heavy, their normal scores."""
    if not heavy_tailed(rows):
        mean, width = rows.mean(axis=0), rows.std(axis=0)
        return lambda new: (new - mean) / width
    to_ranks = rank_transform(rows)
    return lambda new: ndtri(to_ranks(new))


def additive(waves: int) -> Library:
    """Smooth functions of each column alone: its normal score, and cosines of its rank (Breiman & Friedman 1985)."""

    def one(rows: np.ndarray) -> Map:
        to_ranks = rank_transform(rows)

        def features(new: np.ndarray) -> np.ndarray:
            ranks = to_ranks(new)
            return np.hstack([ndtri(ranks), cosines(ranks, waves).reshape(len(new), -1)])

        return features

    return lambda x, y, random: (one(x), one(y)) if waves * max(x.shape[1], y.shape[1]) <= MAX_FEATURES else None


def radial(waves: int, power: float) -> Library:
    """Each column times a smooth function of the distance from the mean, and such functions alone.

    What turns or stretches with the radius, and whose scale is shared, is of this form.  The functions are cosines of
    the radius to a power: 1 or 2.
    """

    def one(rows: np.ndarray) -> Map:
        base = columns(rows)
        low, top = np.quantile((base(rows) ** 2).sum(axis=1) ** (power / 2), [0.0, 0.999])

        def features(new: np.ndarray) -> np.ndarray:
            values = base(new)
            radius = ((values**2).sum(axis=1) ** (power / 2) - low) / (top - low)
            bumps = cosines(np.clip(radius, -0.1, 1.2), waves)
            return np.hstack([values, bumps, (values[:, :, None] * bumps[:, None, :]).reshape(len(new), -1)])

        return features

    def both(x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> tuple[Map, Map] | None:
        wide = max(x.shape[1], y.shape[1])
        return (one(x), one(y)) if 1 < wide and (waves + 1) * wide <= MAX_FEATURES else None

    return both


def products(degree: int) -> Library:
    """All products of up to `degree` columns, equal ones too."""

    def both(x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> tuple[Map, Map] | None:
        maps = []
        for rows in (x, y):
            if math.comb(rows.shape[1] + degree, degree) - 1 > MAX_FEATURES:
                return None
            maps.append(_multiplied(columns(rows), monomials(rows.shape[1], degree)))
        return maps[0], maps[1]

    return both


def ripples(count: int, pitch: float) -> Library:
    """The columns and cosines of random projections (Rahimi & Recht 2007), `pitch` radians per unit."""

    def one(rows: np.ndarray, random: np.random.Generator) -> Map:
        base = columns(rows)
        waves = random.normal(size=(rows.shape[1], count)) * pitch / np.sqrt(rows.shape[1])
        phases = random.uniform(0.0, 2 * np.pi, count)

        def features(new: np.ndarray) -> np.ndarray:
            values = base(new)
            return np.hstack([values, np.cos(values @ waves + phases)])

        return features

    return lambda x, y, random: (one(x, random), one(y, random))


def monomials(dim: int, degree: int) -> list[list[int]]:
    """The columns that each product up to `degree` multiplies."""
    sets = (itertools.combinations_with_replacement(range(dim), k) for k in range(1, degree + 1))
    return [list(factors) for factors in itertools.chain.from_iterable(sets)]


def multiply(values: np.ndarray, factors: list[list[int]]) -> np.ndarray:
    """The products of columns, shape (n, len(factors))."""
    return np.stack([values[:, factor].prod(axis=1) for factor in factors], axis=1)


def _multiplied(base: Map, factors: list[list[int]]) -> Map:
    return lambda new: multiply(base(new), factors)


def cosines(unit: np.ndarray, waves: int) -> np.ndarray:
    """cos(pi k u) for k from 1 to `waves`, on a new last axis."""
    return np.asarray(np.cos(np.pi * unit[..., None] * np.arange(1, waves + 1)))
