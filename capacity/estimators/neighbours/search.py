"""Nearest neighbours in the maximum norm, exact: who the k nearest are, and how many points lie within a radius.

The distance of two points is d(a, b) = max_c |a_c - b_c|, in float64.  How they are found was chosen by measurement:

* counts: sort and search in one column, sets of bits in more (`boxes`), all pairs (`all_pairs`) in more than five
  columns of some thousand points;
* the k nearest in few dimensions, or of few points: SciPy's k-d tree;
* in many dimensions, where a tree visits nearly every point: all pairs for up to some ten thousand points, and for
  more, where a tree of every `SPARSE`-th point gives a radius that surely holds k neighbours, sets of bits list the
  few points inside it, and their distances decide.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.spatial import cKDTree

from capacity.estimators.neighbours.all_pairs import count_by_pairs, nearest_by_pairs
from capacity.estimators.neighbours.boxes import Boxes
from capacity.runtime.cores import cores

SPARSE = 16


def nearest(points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest other points of each point, nearest first.

    Args:
        points: float64, shape (n, d), n > k.
        k: how many.

    Returns:
        distances, float64, and indices, int, each of shape (n, k).  Among equal distances any of them may be named.
    """
    way = fastest(len(points), points.shape[1], k)
    if way != "tree":
        return _by_boxes(points, k) if way == "boxes" else nearest_by_pairs(points, k)
    tree = cKDTree(points)
    order = tree.indices  # neighbours asked for one after another find the tree's branches still in the cache
    threads = max(1, min(cores(), len(points) // 1000))  # starting one costs as much as some hundred queries
    apart, who = tree.query(points[order], k + 1, p=np.inf, workers=threads)
    if (who[:, 0] == order).all():
        apart, who = apart[:, 1:], who[:, 1:]
    else:  # equals may stand before a point in its own list, or crowd it out
        own = who == order[:, None]
        own[~own.any(axis=1), -1] = True
        apart, who = apart[~own].reshape(-1, k), who[~own].reshape(-1, k)
    distances, indices = np.empty((len(points), k)), np.empty((len(points), k), np.intp)
    distances[order], indices[order] = apart, who
    return distances, indices


def count_within(points: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """How many other points lie strictly within a radius of each point.

    Args:
        points: float64, shape (n, d).
        radii: float64, shape (n,), one for each point; within 0 there is nothing.

    Returns:
        Counts, int64, shape (n,).
    """
    some = np.maximum(radii, np.finfo(np.float64).tiny)
    n, dimensions = points.shape
    counts = count_by_pairs(points, some) if dimensions > 5 and 1000 <= n < 4096 else Boxes.of(points).count(some)
    return np.where(radii > 0, counts - 1, 0)


def distances_to(points: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Distances of every point, shape (n, d), to the points that indices of shape (n, k) name: shape (n, k)."""
    out = np.zeros(indices.shape)
    for column in points.T:
        np.maximum(out, np.abs(column[:, None] - column[indices]), out=out)
    return out


def fastest(n: int, dimensions: int, k: int) -> Literal["tree", "pairs", "boxes"]:
    """Which search for the k nearest is the fastest.

    Measured on one core (x86-64) with normal data in 2 to 40 columns: up to 8 columns the tree won nearly throughout,
    at 10 from 20,000 points on; at 20 columns boxes took 1.8 times as long as pairs at 12,000 points, 1.1 at 45,000.
    """
    if n < 1000 or dimensions < 9 or (dimensions < 14 and n >= 1 << 14):
        return "tree"
    return "pairs" if n < 1 << 15 or n <= SPARSE * 8 * (k + 1) else "boxes"


def _by_boxes(points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    n, boxes = len(points), Boxes.of(points)
    sample = cKDTree(points[::SPARSE])
    bound = sample.query(points, [k + 1], p=np.inf, workers=cores())[0][:, 0]  # k others at least, with itself
    bound = np.nextafter(bound, np.inf)[boxes.order]
    distances, indices = np.empty((n, k)), np.empty((n, k), np.intp)

    def work(rows: slice) -> None:
        row, other = boxes.members(rows, bound[rows])
        distinct = other != row + rows.start
        row, other = row[distinct], other[distinct]
        distance = np.zeros(len(row))
        for column in boxes.columns:
            np.maximum(distance, np.abs(column.values[rows][row] - column.values[other]), out=distance)
        order = np.lexsort((distance, row))
        chosen = order[np.searchsorted(row, np.arange(rows.stop - rows.start))[:, None] + np.arange(k)]
        distances[boxes.order[rows]], indices[boxes.order[rows]] = distance[chosen], boxes.order[other[chosen]]

    boxes.in_threads(work)
    return distances, indices
