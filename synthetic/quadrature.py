"""Exact information of a finite constellation through Gaussian noise, by quadrature.

I = -sum_m p_m integral phi(e) log2 sum_k p_k exp(|e|^2 / 2 - |e + (x_m - x_k) / sigma|^2 / 2) de:
the trapezoid rule about each codeword, whose error for such smooth, fast-falling integrands falls
exponentially with the spacing (Trefethen & Weideman 2014).
"""

import math

import numpy as np

_SPACING = 1.0 / 6.0
_REACH = 9.0
_MAX_TERMS = 2**34
_CHUNK = 2**22


def information_by_quadrature(vectors: np.ndarray, log_probs: np.ndarray, noise_std: float) -> float:
    """I(X; X + noise_std * N) in bits for codewords of at most two dimensions, N standard normal.

    The grid, of spacing sigma / 6 out to 9 sigma about each codeword, grows neither with the
    distance between codewords nor with 1 / sigma; the error is about 1e-9 bits.

    Args:
      vectors: (M, dim) codewords, dim at most 2.
      log_probs: (M,) log masses in nats, renormalised in float64.
      noise_std: sigma, positive.

    Raises:
      ValueError: `noise_std` not positive and finite, dim past 2, or more codewords than can be
        paired on the grid (about 12,000 in one dimension, 1,200 in two).
    """
    if not (noise_std > 0 and math.isfinite(noise_std)):
        raise ValueError(f"Expected a positive, finite noise_std; got {noise_std}.")
    count, dim = vectors.shape
    if dim > 2:
        raise ValueError(f"Expected codewords of at most 2 dimensions; got {dim}.")
    line = np.arange(-round(_REACH / _SPACING), round(_REACH / _SPACING) + 1) * _SPACING
    if count**2 * len(line) ** dim > _MAX_TERMS:
        raise ValueError(
            f"Expected at most {math.isqrt(_MAX_TERMS // len(line) ** dim)} codewords in {dim} "
            f"dimensions for exact information; got {count}."
        )
    points = np.stack(np.meshgrid(*[line] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    weights = np.exp(-0.5 * (points**2).sum(axis=1))
    weights /= weights.sum()
    masses = log_probs.astype(np.float64)
    masses = masses - np.logaddexp.reduce(masses)
    scaled = vectors.astype(np.float64) / noise_std
    nats = 0.0
    for vector, mass in zip(scaled, masses, strict=True):
        ratio = _log_marginal_ratio(points, vector - scaled, masses)
        nats -= math.exp(mass) * float(weights @ ratio)
    # Rounding can take a source without information a hair below zero.
    return max(0.0, nats / math.log(2.0))


def _log_marginal_ratio(points: np.ndarray, shifts: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Ratio log p(z) / p(z | x_m) at z = x_m + sigma e, for points e (G, dim), in parts."""
    offsets = masses - 0.5 * (shifts**2).sum(axis=1)
    ratio = np.full(len(points), -np.inf)
    step = max(1, _CHUNK // len(points))
    for start in range(0, len(shifts), step):
        part = slice(start, start + step)
        terms = offsets[None, part] - points @ shifts[part].T
        top = np.maximum(ratio, terms.max(axis=1))
        ratio = top + np.log(np.exp(ratio - top) + np.exp(terms - top[:, None]).sum(axis=1))
    return ratio
