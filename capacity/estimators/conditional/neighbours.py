"""Conditional information from nearest neighbours, for numbers, symbols and mixtures.

About each point a ball holds its k nearest neighbours in (x, y, w); how many points fall within it in (x, w), in (y, w)
and in w says how much x and y depend on each other there (Frenzel & Pompe 2007).  In nats,

    <psi(k) - psi(n_xw) - psi(n_yw) + psi(n_w)>

Each count has the points strictly within and its own.  Where others lie as far away as the k-th neighbour, k and all
counts take in what is no farther (Mesner & Shalizi 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import jax
import numpy as np
from scipy.special import digamma

from capacity.estimators.neighbours.ksg import scaled_margins
from capacity.estimators.neighbours.profile import estimate_from_terms
from capacity.estimators.neighbours.search import count_within, nearest
from capacity.results.estimate import Estimate

MAX_RARE = 0.05  # of the rows may have a symbol that k others do not share


def from_neighbours(key: jax.Array, x: np.ndarray, y: np.ndarray, w: np.ndarray, k: int) -> Estimate:
    """I(X;Y|W) in bits, with an interval for spread and bias (`neighbours.profile`).

    `limit` is <psi(n_w)> - psi(k), as if each ball held no other points than its k neighbours in (x, w) and in (y, w).
    Where more than a twentieth of the rows have a symbol that k others do not share, the interval reaches up to it.

    Args:
        key: for the parts of the sample.
        x, y, w: real numbers, float64 of shape (n, d), or symbols, int64 of shape (n, 1).
        k: how many neighbours.
    """
    apart, gap = on_one_scale(x, y, w)
    width = apart[1].shape[1]

    def terms(left: np.ndarray, rest: np.ndarray, ks: Sequence[int]) -> np.ndarray:
        return local_terms(left, rest[:, :width], rest[:, width:], gap, ks)

    dimensions = max(sum(side.shape[1] for side in (x, y, w) if side.dtype.kind == "f"), 1)
    limit = _limit(apart[0], apart[1], apart[2], gap, k)
    found = estimate_from_terms(key, terms, apart[0], np.hstack(apart[1:]), k, dimensions, limit, both_ways=True)
    rare = max((_rare(side, k) for side in (x, y, w) if side.dtype.kind == "i"), default=0.0)
    return replace(found, high=max(found.high, found.limit)) if rare > MAX_RARE else found


def on_one_scale(*sides: np.ndarray) -> tuple[list[np.ndarray], float]:
    """Sides as points, numbers in standard deviations and symbols on a line, and how far symbols are from the next."""
    scaled = [scaled_margins(side, "standard") if side.dtype.kind == "f" else side for side in sides]
    gap = 1.0 + max([2 * float(np.ptp(side, axis=0).max()) for side in scaled if side.dtype.kind == "f"], default=0.0)
    return [side if side.dtype.kind == "f" else side * gap for side in scaled], gap


def local_terms(x: np.ndarray, y: np.ndarray, w: np.ndarray, gap: float, ks: Sequence[int]) -> np.ndarray:
    """Local terms in nats, whose mean is the information, for each k: shape (len(ks), n).

    Args:
        x, y, w: float64, shapes (n, d); symbols as points of a line, `gap` from the next.
        gap: a distance larger than any between numbers: balls end there.
        ks: how many neighbours.
    """
    joint = np.hstack([x, y, w])
    spaces = [np.hstack([x, w]), np.hstack([y, w]), w]
    radii = np.minimum(nearest(joint, max(ks))[0][:, np.asarray(ks) - 1].T, gap)
    out = np.empty((len(ks), len(x)))
    for row, radius, k in zip(out, radii, ks, strict=True):
        counts = np.array([_within(space, radius) for space in spaces])
        held = np.full(len(x), k)
        special = (radius == 0) | (radius == gap)
        if special.any():
            held[special] = _within(joint, radius)[special]
        as_near = np.array([_as_near(space, radius) for space in spaces])
        tied = ((as_near - counts).max(axis=0) > 1) & ~special
        if tied.any():
            counts[:, tied] = as_near[:, tied]
            held[tied] = _as_near(joint, radius)[tied] - 1
        row[:] = digamma(held) - digamma(counts[0]) - digamma(counts[1]) + digamma(counts[2])
    return out


def _limit(x: np.ndarray, y: np.ndarray, w: np.ndarray, gap: float, k: int) -> float:
    radius = np.minimum(nearest(np.hstack([x, y, w]), k)[0][:, -1], gap)
    return float(digamma(np.maximum(_within(w, radius), k)).mean() - digamma(k))


def _within(points: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Points strictly within each radius, or equal where it is 0, each itself among them."""
    return np.asarray(count_within(points, np.maximum(radius, np.finfo(np.float64).tiny)) + 1)


def _as_near(points: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Points no farther than each radius, each itself among them."""
    return np.asarray(count_within(points, np.nextafter(radius, np.inf)) + 1)


def _rare(symbols: np.ndarray, k: int) -> float:
    """The share of rows whose symbol at most k rows have."""
    return float((np.bincount(symbols[:, 0])[symbols[:, 0]] <= k).mean())
