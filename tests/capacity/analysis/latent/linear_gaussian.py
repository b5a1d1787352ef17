"""Populations whose bits are known: normal data through a linear encoder, noise of variance 1."""

from __future__ import annotations

import numpy as np


def linear_gaussian(seed: int, bits: float, units: int, points: int, rank: int | None = None) -> np.ndarray:
    """(points, units) means of data of `rank` dimensions: I(X;Z) = rank/2 log2(1 + snr) = bits at a variance of 1."""
    rank = rank or units
    snr = 2 ** (2 * bits / rank) - 1
    turned, _ = np.linalg.qr(np.random.default_rng(7).normal(size=(units, units)))
    return np.random.default_rng(seed).normal(size=(points, rank)) * snr**0.5 @ turned[:rank]


def unit_bits(bits: float, units: int, rank: int | None = None) -> np.ndarray:
    """(units,) I(X;Z_j) of the same."""
    rank = rank or units
    turned, _ = np.linalg.qr(np.random.default_rng(7).normal(size=(units, units)))
    variance = (2 ** (2 * bits / rank) - 1) * (turned[:rank] ** 2).sum(0)
    return np.asarray(0.5 * np.log2(1 + variance))
