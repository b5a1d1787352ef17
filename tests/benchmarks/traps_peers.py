"""Other tools on the same rows, each by its public function with its own defaults; bits.

None is a dependency: one that does not import is a refusal that says so.  scikit-learn (Pedregosa et al. 2011),
ennemi (Laarne et al. 2021) and GMM-MI (Piras et al. 2023) answer for one column a side, infomeasure (Büth et al. 2025)
and latentmi (Gowri et al. 2024) for any number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Peer = Callable[[int, np.ndarray, np.ndarray], tuple[float, ...]]
"""Seed, x (n, dx) and y (n, dy), float64 or int64 for symbols; gives bits, with low and high where it has them."""


def _single(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both sides as one column."""
    if x.shape[1] != 1 or y.shape[1] != 1:
        raise ValueError(f"Expected one column a side; got {x.shape[1]} and {y.shape[1]}.")
    return x[:, 0], y[:, 0]


def _symbols(side: np.ndarray) -> bool:
    return side.dtype.kind in "iu"


def scikit_learn(seed: int, x: np.ndarray, y: np.ndarray) -> tuple[float, ...]:
    """Neighbours, or a table where both sides are symbols."""
    from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

    single, target = _single(x, y)
    method = mutual_info_classif if _symbols(y) else mutual_info_regression
    nats = method(single[:, None], target, discrete_features=_symbols(x), random_state=seed)
    return (float(nats[0]) / np.log(2.0),)


def ennemi(seed: int, x: np.ndarray, y: np.ndarray) -> tuple[float, ...]:
    """Neighbours; symbols are declared."""
    from ennemi import estimate_mi

    single, target = _single(x, y)
    declared = {"discrete_x": _symbols(x), "discrete_y": _symbols(y)}
    return (float(np.asarray(estimate_mi(target, single, **declared)).ravel()[0]) / np.log(2.0),)


def infomeasure(seed: int, x: np.ndarray, y: np.ndarray) -> tuple[float, ...]:
    """Neighbours, or a table where both sides are symbols, rows of several columns taken as one."""
    import infomeasure as tool

    if _symbols(x) and _symbols(y):
        sides = [np.unique(side, axis=0, return_inverse=True)[1].ravel() for side in (x, y)]
        return (float(tool.mutual_information(*sides, approach="discrete", base=2)),)
    # Its small noise against ties is drawn from NumPy's own generator.
    np.random.seed(seed)
    return (float(tool.mutual_information(x.astype(float), y.astype(float), approach="ksg", base="e")) / np.log(2.0),)


def gmm_mi(seed: int, x: np.ndarray, y: np.ndarray) -> tuple[float, ...]:
    """Gaussian mixtures, refitted to resampled rows: mean and spread."""
    from gmm_mi.mi import EstimateMI

    single, target = _single(x, y)
    if _symbols(x) or _symbols(y):
        raise ValueError("Expected real numbers on both sides; got symbols.")
    np.random.seed(seed)
    mean, spread = EstimateMI().fit_estimate(np.column_stack([single, target]))
    bits, error = float(np.ravel(mean)[0]) / np.log(2.0), float(np.ravel(spread)[0]) / np.log(2.0)
    return bits, bits - 1.96 * error, bits + 1.96 * error


def latentmi(seed: int, x: np.ndarray, y: np.ndarray) -> tuple[float, ...]:
    """Neighbours between low-dimensional codes of either side that a network learns."""
    import torch
    from latentmi import lmi

    torch.manual_seed(seed)
    np.random.seed(seed)
    pointwise = lmi.estimate(x.astype(float), y.astype(float))[0]
    return (float(np.nanmean(pointwise)),)


NOT_TO_BE_HAD = ("neural-mi",)
"""Named in the literature; in no package index that was looked at."""


def _imported(peer: Peer, module: str) -> Peer:
    """A peer that is absent refuses in words."""

    def ask(seed: int, x: np.ndarray, y: np.ndarray) -> tuple[float, ...]:
        try:
            return peer(seed, x, y)
        except ImportError as absent:
            raise ValueError(f"Expected {module} to be installed; got {absent}.") from absent

    return ask


PEERS: dict[str, Peer] = {
    "scikit-learn": _imported(scikit_learn, "scikit-learn"),
    "ennemi": _imported(ennemi, "ennemi"),
    "infomeasure": _imported(infomeasure, "infomeasure"),
    "gmm-mi": _imported(gmm_mi, "gmm-mi"),
    "latentmi": _imported(latentmi, "latentmi"),
}
"""By the name that the command line takes."""
