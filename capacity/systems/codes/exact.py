"""Exact bits of a hand-made code: every output listed through flips, quadrature through Gaussian noise.

I(M;Z) = H(Z) - H(Z|M) over all 2^n outputs of a binary code; for points in one or two dimensions the trapezoid rule
about each point, whose error falls exponentially (Trefethen & Weideman 2014).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from capacity.results.estimate import NATS_PER_BIT
from capacity.theory import Floats, gaussian_noise_information

MAX_TERMS = 2**26
STEP, REACH = 1 / 4, 8.0  # of the grid about each point, in noise deviations


def flips_information(words: ArrayLike, flip: float) -> float:
    """I(M;Z) in bits of equally likely words (M, n) of 0 and 1 whose digits each flip with probability `flip`.

    Raises:
        ValueError: other values, a probability outside [0, 1], or more than 2^26 pairs of words and outputs.
    """
    sent = np.asarray(words)
    if sent.ndim != 2 or not np.isin(sent, (0, 1)).all():
        raise ValueError(f"Expected words (M, n) of digits 0 and 1; got shape {sent.shape}.")
    if not 0 <= flip <= 1:
        raise ValueError(f"Expected a probability; got {flip}.")
    count, n = sent.shape
    if count * 2**n > MAX_TERMS:
        raise ValueError(f"Expected at most 2^26 pairs of words and outputs; got {count} words of {n} digits.")
    outputs = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    distance = n * 1.0 - (sent @ outputs.T + (1 - sent) @ (1 - outputs).T)
    mass = (flip**distance * (1.0 - flip) ** (n - distance)).mean(0)
    seen = mass[mass > 0]
    one = np.array([flip, 1 - flip])
    noise = n * -(one[one > 0] * np.log2(one[one > 0])).sum()
    return float(-(seen * np.log2(seen)).sum() - noise)


def points_information(points: ArrayLike, noise_std: float) -> float:
    """I(M;Z) in bits of equally likely points (M, d), d of 1 or 2, through Gaussian noise; to about 1e-9.

    Raises:
        ValueError: points of more dimensions, or noise that is not positive.
    """
    sent = np.asarray(points, np.float64)
    if sent.ndim != 2 or sent.shape[1] not in (1, 2):
        raise ValueError(f"Expected points (M, 1) or (M, 2); got shape {sent.shape}.")
    if sent.shape[1] == 1:
        return gaussian_noise_information(sent[:, 0], np.full(len(sent), 1 / len(sent)), noise_std)
    if not noise_std > 0:
        raise ValueError(f"Expected noise_std > 0; got {noise_std}.")
    nodes, weights = _grid()
    nats = 0.0
    for point in sent:
        away = (point[None] - sent) / noise_std
        # log p(z | k) / p(z | sent) at z = point + sigma e.
        ratio = -0.5 * np.square(away).sum(1) - nodes @ away.T
        nats += math.log(len(sent)) - weights @ logsumexp(ratio, axis=1)
    return float(nats / len(sent) / NATS_PER_BIT)


def _grid() -> tuple[Floats, Floats]:
    """Nodes (G, 2) of a standard normal in the plane, and their weights."""
    line = np.arange(-REACH, REACH + STEP, STEP)
    nodes = np.stack(np.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    weights = np.exp(-0.5 * np.square(nodes).sum(1))
    return nodes, weights / weights.sum()
