"""Covariances of units from samples that need not outnumber them: full, diagonal, by blocks, shrunk.

A normal density r(z) with any of them is normalised, so E log p(z|m)/r(z) is an upper bound with each; what is paid for
a bad one is height.  The shrunk one is (1 - s) S + s 1 of standardised units, S their sample correlation, with

    s = min(1, b^2 / d^2),    d^2 = ||S - 1||^2,    b^2 = sum_k ||x_k x_k' - S||^2 / n^2,

the least expected squared error of all s (Ledoit & Wolf 2004, section 3).  Samples are met in chunks: no array has as
many rows as there are samples.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from capacity.joint.joint import Joint, drawn, noisy_moments
from capacity.runtime.shapes import Key

COVARIANCES = ("full", "diagonal", "blocks", "shrunk")
CHUNK = 1024  # samples at once
BLOCK = 64  # units of a block, side by side
LEAST_SPREAD = 1e-12  # of a unit, before noise: one that does not move has no correlation


class CodeMoments(NamedTuple):
    """Of n sampled codes: mean, noise variance, covariance about the mean, and the sum of ||x||^4 of standardised x."""

    mean: Float[np.ndarray, " units"]
    noise: Float[np.ndarray, " units"]
    covariance: Float[np.ndarray, "units units"]
    fourth: float
    n: int


def code_moments(key: Key, joint: Joint, samples: int) -> CodeMoments:
    """Moments of the noisy units' means, and the mean variance of their noise, in float64.

    Args:
        key: of the samples.
        joint: source, encoder and channel.
        samples: how many; rounded up to whole chunks.
    """
    first = _chunk(jax.random.fold_in(key, 0), joint)
    centre, spread = first[0].mean(0), np.maximum(first[0].std(0), LEAST_SPREAD)
    units = len(centre)
    count = -(-samples // CHUNK)
    total, noise, square, fourth = np.zeros(units), np.zeros(units), np.zeros((units, units)), 0.0
    for part in range(count):
        means, variances = first if part == 0 else _chunk(jax.random.fold_in(key, part), joint)
        left = means - centre
        total, noise, square = total + left.sum(0), noise + variances.sum(0), square + left.T @ left
        fourth += float(np.square(np.square(left / spread).sum(1)).sum())
    n = count * CHUNK
    shift = total / n
    return CodeMoments(centre + shift, noise / n, square / n - np.outer(shift, shift), fourth, n)


def restricted_covariance(moments: CodeMoments, kind: str) -> Float[np.ndarray, "units units"]:
    """The covariance of the noisy units, positive definite where each has noise.

    Args:
        moments: of sampled codes.
        kind: one of `COVARIANCES`.

    Raises:
        ValueError: for another kind.
    """
    if kind not in COVARIANCES:
        raise ValueError(f"Expected covariance to be one of {', '.join(COVARIANCES)}; got {kind!r}.")
    spread = np.sqrt(np.maximum(np.diag(moments.covariance), LEAST_SPREAD**2))
    correlation = moments.covariance / np.outer(spread, spread)
    if kind != "full":
        correlation = _restricted(correlation, moments, kind)
    found: np.ndarray = correlation * np.outer(spread, spread) + np.diag(moments.noise)
    return found


def _restricted(correlation: np.ndarray, moments: CodeMoments, kind: str) -> np.ndarray:
    units = len(correlation)
    if kind == "diagonal":
        return np.diag(np.diag(correlation))
    if kind == "blocks":
        block = np.arange(units) // BLOCK
        return np.where(block[:, None] == block[None], correlation, 0.0)
    size = float(np.square(correlation).sum())
    distance = size - 2 * float(np.trace(correlation)) + units
    error = max(moments.fourth / moments.n - size, 0.0) / moments.n
    share = min(1.0, error / max(distance, LEAST_SPREAD))
    return (1 - share) * correlation + share * np.eye(units)


def _chunk(key: Key, joint: Joint) -> tuple[np.ndarray, np.ndarray]:
    mean, variance = noisy_moments(joint, drawn(joint.source, key, CHUNK).vector)
    return np.asarray(mean, np.float64), np.asarray(variance, np.float64)
