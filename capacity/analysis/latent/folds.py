"""Posteriors of distinct data points in folds, noisy codes of some of them, and their log densities under each fold.

    S_if = log sum over k in fold f, k other than i, of c_k q(z_i | x_k),     c_k the copies of point k

One pass over all pairs of a noisy code and a posterior gives every mixture of posteriors that leaves folds or the
point itself out.  Copies of a point are one point that counts so often: they are no draws of their own, and in two
folds a copy would be fitted to what it is held against.  float64 throughout.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.special import logsumexp

from capacity.analysis.latent.distinct import distinct_rows

FOLDS = 6
BLOCK_BYTES = 3e7  # of one table of densities
CANCELLED = 1e-3  # nats that the expanded square may be off; past it differences are taken unit by unit

Array = Float[np.ndarray, "..."]


class Folded(NamedTuple):
    """Distinct points in random order, cut into `FOLDS` runs, and one noisy code of some points of each fold.

    Attributes:
        mean, log_std: (points, units), centred, float64.
        copies: (points,), how many of the rows each stands for.
        edges: (FOLDS + 1,), where folds start and end.
        drawn: (n,), the points that have a noisy code.
        noise: (n, units), standard normal.
    """

    mean: Float[np.ndarray, "points units"]
    log_std: Float[np.ndarray, "points units"]
    copies: Float[np.ndarray, " points"]
    edges: Int[np.ndarray, " edges"]
    drawn: Int[np.ndarray, " n"]
    noise: Float[np.ndarray, "n units"]

    @property
    def codes(self) -> Float[np.ndarray, "n units"]:
        """(n, units) noisy codes."""
        return np.asarray(self.mean[self.drawn] + np.exp(self.log_std[self.drawn]) * self.noise)

    @property
    def fold(self) -> Int[np.ndarray, " points"]:
        """(points,) the fold of each."""
        return np.repeat(np.arange(FOLDS), np.diff(self.edges))

    @property
    def weight(self) -> Float[np.ndarray, " n"]:
        """(n,) copies of the drawn points over their mean, 1 where no point has copies."""
        return np.asarray(self.copies[self.drawn] / self.copies.mean())

    @property
    def limit(self) -> float:
        """Bits that tell the points apart: log2 of their number where there are no copies."""
        share = self.copies / self.copies.sum()
        return -float(share @ np.log2(share))

    def units(self, which: slice | list[int]) -> Folded:
        """The same points by some of their units."""
        return self._replace(mean=self.mean[:, which], log_std=self.log_std[:, which], noise=self.noise[:, which])

    def own(self) -> Float[np.ndarray, "n units"]:
        """(n, units) log densities of the noisy codes under their own posteriors, less the constant of 2 pi."""
        return np.asarray(-0.5 * self.noise**2 - self.log_std[self.drawn])

    def fewer(self, n: int) -> Folded:
        """The same with noisy codes of at most n points, about as many of each fold."""
        if n >= len(self.drawn):
            return self
        kept = np.sort(np.argsort(_place_in_fold(self.fold[self.drawn]), kind="stable")[:n])
        return self._replace(drawn=self.drawn[kept], noise=self.noise[kept])

    def part(self, points: int) -> Folded:
        """The same with at most so many points, about as many of each fold, and those of their codes."""
        if points >= len(self.mean):
            return self
        kept = np.sort(np.argsort(_place_in_fold(self.fold), kind="stable")[:points])
        held = np.isin(self.drawn, kept)
        edges = np.searchsorted(self.fold[kept], np.arange(FOLDS + 1))
        drawn = np.searchsorted(kept, self.drawn[held])
        return Folded(self.mean[kept], self.log_std[kept], self.copies[kept], edges, drawn, self.noise[held])


def _place_in_fold(fold: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """How many of the same fold come before each; folds in runs."""
    starts = np.searchsorted(fold, fold)
    return np.arange(len(fold)) - starts


def folded(rng: np.random.Generator, mean: np.ndarray, log_std: np.ndarray, n: int) -> Folded:
    """Distinct rows of tables in folds, with noisy codes of some of them.

    Args:
        rng: decides folds and noise.
        mean, log_std: (N, units).
        n: how many points have a noisy code, at most.
    """
    kept, copies = distinct_rows(mean, log_std)
    order = rng.permutation(len(kept))
    mean, log_std = mean[kept[order]], log_std[kept[order]]
    edges = np.linspace(0, len(order), FOLDS + 1).astype(int)
    every = np.arange(len(order))
    all_drawn = Folded(mean, log_std, copies[order].astype(float), edges, every, mean)
    drawn = all_drawn.fewer(n).drawn
    return all_drawn._replace(drawn=drawn, noise=rng.normal(size=(len(drawn), mean.shape[1])))


def fold_sums(data: Folded) -> Float[np.ndarray, "n folds"]:
    """S (n, FOLDS): log sums of densities of the noisy codes over each fold, their own posteriors left out."""
    out = np.empty((len(data.drawn), FOLDS))
    for rows, table in _all_units(data):
        table += np.log(data.copies)
        out[rows] = sums_by_fold(table, data.drawn[rows], data.edges)
    return out


def unit_sums(data: Folded) -> tuple[Float[np.ndarray, "units n folds"], Float[np.ndarray, "units n"]]:
    """S of every unit alone (units, n, FOLDS), and log sums over all points, their own too, of units up to each."""
    n, units = data.noise.shape
    alone, so_far = np.empty((units, n, FOLDS)), np.empty((units, n))
    log_copies = np.log(data.copies)
    for rows in _blocks(data):
        total = np.broadcast_to(log_copies, (len(rows), len(data.mean))).copy()
        own = np.log(data.copies[data.drawn[rows]])
        for j, table in enumerate(_by_unit(data, rows)):
            total += table
            own = own + data.own()[rows, j]
            so_far[j, rows] = _log_sum(_with_own(total, data.drawn[rows], own))
            table += log_copies
            alone[j, rows] = sums_by_fold(table, data.drawn[rows], data.edges)
    return alone, so_far


def pair_density(data: Folded, other: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """(n,) log density of each noisy code under the posterior of one other point."""
    distance = (data.codes - data.mean[other]) * np.exp(-data.log_std[other])
    return np.asarray((-0.5 * distance**2 - data.log_std[other]).sum(1))


def _blocks(data: Folded) -> Iterator[Int[np.ndarray, " rows"]]:
    step = max(int(BLOCK_BYTES / 8 / len(data.mean)), 1)
    every = np.arange(len(data.drawn))
    for start in range(0, len(every), step):
        yield every[start : start + step]


def _by_unit(data: Folded, rows: Int[np.ndarray, " rows"]) -> Iterator[Float[np.ndarray, "rows points"]]:
    codes = data.codes[rows]
    for j in range(codes.shape[1]):
        table = codes[:, j, None] - data.mean[None, :, j]
        table *= np.exp(-data.log_std[:, j])
        np.square(table, out=table)
        table *= -0.5
        table -= data.log_std[:, j]
        yield table


def _all_units(data: Folded) -> Iterator[tuple[Int[np.ndarray, " rows"], Float[np.ndarray, "rows points"]]]:
    """Blocks of log densities of noisy codes under all posteriors."""
    precision = np.exp(-2 * data.log_std)
    largest = (np.maximum(np.abs(data.mean).max(0), np.abs(data.codes).max(0)) ** 2 * precision.max(0)).sum()
    if largest * np.finfo(float).eps > CANCELLED:
        for rows in _blocks(data):
            yield rows, _added(data, rows)
        return
    columns = np.hstack([-0.5 * precision, data.mean * precision]).T
    constant = -(0.5 * data.mean**2 * precision + data.log_std).sum(1)
    for rows in _blocks(data):
        codes = data.codes[rows]
        yield rows, np.hstack([codes**2, codes]) @ columns + constant


def _added(data: Folded, rows: Int[np.ndarray, " rows"]) -> Float[np.ndarray, "rows points"]:
    total = np.zeros((len(rows), len(data.mean)))
    for table in _by_unit(data, rows):
        total += table
    return total


def sums_by_fold(table: Array, own: Int[np.ndarray, " rows"], edges: Int[np.ndarray, " edges"]) -> Array:
    """(rows, FOLDS) log sums of a table (rows, points) over each fold, without each row's own point; writes on it."""
    table = _with_own(table, own, np.full(len(own), -np.inf))
    return np.stack([_log_sum(table[:, a:b]) for a, b in pairwise(edges)], -1)


def _with_own(table: Array, own: Int[np.ndarray, " rows"], value: Float[np.ndarray, " rows"]) -> Array:
    """The table itself, each row's own place set: what it is is known without rounding."""
    table[np.arange(len(own)), own] = value
    return table


def _log_sum(table: Array) -> Array:
    most = table.max(1)
    safe = np.where(np.isfinite(most), most, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(table - safe[:, None]).sum(1)) + safe)


def over(sums: Array, folds: list[int]) -> Array:
    """Log sum over some folds, of S (..., FOLDS)."""
    return np.asarray(logsumexp(sums[..., folds], axis=-1))
