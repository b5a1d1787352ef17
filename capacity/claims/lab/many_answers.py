"""Least losses on questions with many right answers, in closed form: a bimodal target, and Go's first move."""

from __future__ import annotations

import math

import numpy as np

from capacity.results.estimate import NATS_PER_BIT

SPREAD = 0.1  # of either half of the bimodal target
SIDE = 19  # of the board


def orbits(side: int = SIDE) -> np.ndarray:
    """Number of the orbit of every point of a square board under its eight symmetries, (side, side)."""
    points = np.arange(side * side).reshape(side, side)
    images = [np.rot90(board, k) for board in (points, points.T) for k in range(4)]
    return np.unique(np.min(images, axis=0), return_inverse=True)[1].reshape(side, side)


def bimodal_losses() -> dict[str, float]:
    """Least loss of every output on the bimodal target, bits; and the truth, its entropy."""
    noise = 0.5 * math.log2(2 * math.pi * SPREAD**2)
    return {
        "truth": 1 + noise + 0.5 / NATS_PER_BIT,  # the two halves overlap in 1e-23
        "deterministic": noise + (1 + SPREAD**2) / (2 * SPREAD**2) / NATS_PER_BIT,
        "gaussian": 0.5 * math.log2(2 * math.pi * math.e * (1 + SPREAD**2)),
        "mixture": 1 + noise + 0.5 / NATS_PER_BIT,
    }


def go_losses(side: int = SIDE) -> dict[str, float]:
    """Least loss on a move drawn from all points alike: any output, a Gaussian one, its orbit, the rest."""
    share = np.bincount(orbits(side).ravel()) / side**2
    orbit = float(-(share * np.log2(share)).sum())
    variance = (side**2 - 1) / 12
    return {
        "move": 2 * math.log2(side),
        "gaussian": math.log2(2 * math.pi * math.e * variance),
        "orbit": orbit,
        "move given orbit": 2 * math.log2(side) - orbit,
    }
