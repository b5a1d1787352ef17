"""KSG against its peers in one run: `pytest tests/benchmarks/test_ksg_speed.py -s` prints medians and ratios.

Every peer computes the same figure, variant 1 with k = 5 and the maximum norm, from the same standardised columns:
SciPy's k-d tree as the usual programs have it, scikit-learn's k-d tree (its own function for one column a side), and
ennemi and infomeasure where they are installed.  `KSG.terms` is what is timed; an `Estimate` adds parts of the sample
and larger k for its interval, and its time is printed beside.  No time is asserted: other work on the machine counts.
"""

from __future__ import annotations

import importlib.util
import platform
import statistics
import time
from collections.abc import Callable

import jax
import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.special import digamma

from capacity.estimators.neighbours.ksg import KSG, scaled_margins
from capacity.runtime.cores import cores

K = 5
SLOW = 3.0  # seconds; what takes longer is timed once
Peer = Callable[[np.ndarray, np.ndarray], float]


def scipy_tree(x: np.ndarray, y: np.ndarray) -> float:
    joint = np.hstack([x, y])
    inner = cKDTree(joint).query(joint, K + 1, p=np.inf)[0][:, -1] * (1 - 1e-10)
    if x.shape[1] == y.shape[1] == 1:
        lines = [np.sort(a[:, 0]) for a in (x, y)]
        counts = [
            np.searchsorted(line, a[:, 0] + inner, "right") - np.searchsorted(line, a[:, 0] - inner)
            for line, a in zip(lines, (x, y), strict=True)
        ]
    else:
        counts = [cKDTree(a).query_ball_point(a, inner, p=np.inf, return_length=True) for a in (x, y)]
    return digamma(K) + digamma(len(x)) - sum(digamma(c).mean() for c in counts)


def sklearn_tree(x: np.ndarray, y: np.ndarray) -> float:
    trees = importlib.import_module("sklearn.neighbors")
    joint = np.hstack([x, y])
    radii = np.nextafter(trees.KDTree(joint, metric="chebyshev").query(joint, K + 1)[0][:, -1], 0)
    counts = [trees.KDTree(a, metric="chebyshev").query_radius(a, radii, count_only=True) for a in (x, y)]
    return digamma(K) + digamma(len(x)) - sum(digamma(c).mean() for c in counts)


def sklearn_regression(x: np.ndarray, y: np.ndarray) -> float:
    regression = importlib.import_module("sklearn.feature_selection").mutual_info_regression
    return float(regression(x, y[:, 0], n_neighbors=K, random_state=0)[0])


def ennemi(x: np.ndarray, y: np.ndarray) -> float:
    """Its inner function: the public one takes y of one column only."""
    return float(importlib.import_module("ennemi._entropy_estimators")._estimate_single_mi(x, y, K))


def infomeasure(x: np.ndarray, y: np.ndarray) -> float:
    module = importlib.import_module("infomeasure")
    return float(module.mutual_information(x, y, approach="metric", k=K, noise_level=0, base="e"))


def peers(columns: int, n: int) -> dict[str, Peer]:
    """Those that are installed, and that take no more than a minute at this size."""
    found: dict[str, Peer] = {"SciPy": scipy_tree} if columns < 10 or n < 50_000 else {}
    if importlib.util.find_spec("sklearn"):
        found["scikit-learn's tree"] = sklearn_tree
        if columns == 1:
            found["scikit-learn"] = sklearn_regression
    if columns < 10 or n < 10_000:
        found |= {name: f for name, f in (("ennemi", ennemi),) if importlib.util.find_spec(name)}
    if n <= 10_000 and columns < 10:
        found |= {name: f for name, f in (("infomeasure", infomeasure),) if importlib.util.find_spec(name)}
    return found


def seconds(work: Callable[[], object]) -> float:
    """Median of the runs that half a second holds, three at least, after one that warms up; of one where it is slow."""
    times: list[float] = []
    while len(times) < 4 or sum(times) < 0.5:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
        if times[-1] > SLOW:
            return times[-1]
    return statistics.median(times[1:])


@pytest.mark.parametrize("n", [2000, 10_000, 50_000])
@pytest.mark.parametrize("columns", [1, 3, 10])
def test_ksg_against_peers(columns: int, n: int) -> None:
    x, noise = np.random.default_rng(0).normal(size=(2, n, columns))
    x, y = scaled_margins(x, "standard"), scaled_margins(0.6 * x + 0.8 * noise, "standard")
    ours = float(KSG(K).terms(x, y).mean())
    mine = seconds(lambda: KSG(K).terms(x, y))
    print(f"\n{columns} x {columns}, n = {n}, {cores()} cores ({platform.machine()}): ours {mine:.3f} s", end="")
    if n <= 10_000:
        print(f", with its interval {seconds(lambda: KSG(K)(jax.random.key(0), x, y)):.3f} s", end="")
    ratios = {}
    for name, peer in peers(columns, n).items():
        theirs = peer(x, y)
        assert theirs == pytest.approx(ours, abs=1e-3), name
        ratios[name] = seconds(lambda peer=peer: peer(x, y)) / mine  # type: ignore[misc]
        print(f"; {name} {ratios[name] * mine:.3f} s", end="")
    if ratios:
        name = min(ratios, key=lambda peer: ratios[peer])
        print(f"; the fastest peer, {name}, takes {ratios[name]:.2f} times as long")
