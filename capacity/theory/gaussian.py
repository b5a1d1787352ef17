"""Closed forms, and one-dimensional quadratures, that measurements are held against.  All results in bits."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from capacity.results.estimate import NATS_PER_BIT
from capacity.theory.floats import Floats


def gaussian_capacity(snr: ArrayLike) -> Floats:
    """Capacity of one unit with additive Gaussian noise, 1/2 log2(1 + snr) (Shannon 1948, theorem 17).

    Examples:
        >>> gaussian_capacity([1, 3, 15]).tolist()
        [0.5, 1.0, 2.0]

    Args:
        snr: power over noise variance, any shape, non-negative.

    Raises:
        ValueError: if a ratio is negative or NaN.
    """
    ratio = np.asarray(snr, np.float64)
    if not np.all(ratio >= 0):
        raise ValueError(f"Expected a signal-to-noise ratio of at least 0; got {ratio}.")
    return 0.5 * np.log1p(ratio) / NATS_PER_BIT


def gaussian_noise_information(points: ArrayLike, probs: ArrayLike, noise_std: float) -> float:
    """Information, in bits, between a real-valued symbol and itself plus Gaussian noise.

    h(Z) - h(Z|X), the first by the trapezoid rule on a grid of step sigma/8 that reaches 10 sigma past the
    outermost points: for an analytic density that decays, the rule's error falls exponentially in 1/step
    (Trefethen & Weideman 2014); here it is below 1e-10 bits.

    Examples:
        >>> round(gaussian_noise_information([-1, 1], [0.5, 0.5], noise_std=1.0), 6)  # one bit as ±1 at SNR 1
        0.485944

    Args:
        points: shape (m,), the symbols' values.
        probs: shape (m,), their probabilities.
        noise_std: standard deviation of the noise, positive.

    Raises:
        ValueError: if shapes disagree, the noise is not positive, or the probabilities do not sum to 1.
    """
    x, p = np.asarray(points, np.float64), np.asarray(probs, np.float64)
    if x.ndim != 1 or x.shape != p.shape:
        raise ValueError(f"Expected points and probs of one shape (m,); got {x.shape} and {p.shape}.")
    if not (noise_std > 0 and abs(p.sum() - 1) < 1e-9 and np.all(p > 0)):
        raise ValueError(f"Expected noise_std > 0 and positive probs that sum to 1; got {noise_std} and sum {p.sum()}.")
    step = noise_std / 8
    grid = np.arange(x.min() - 10 * noise_std, x.max() + 10 * noise_std + step, step)
    log_density = logsumexp(-0.5 * ((grid[:, None] - x) / noise_std) ** 2 + np.log(p), axis=1)
    log_density -= 0.5 * np.log(2 * np.pi * noise_std**2)
    entropy = -step * np.sum(np.exp(log_density) * log_density)
    return float((entropy - 0.5 * np.log(2 * math.pi * math.e * noise_std**2)) / NATS_PER_BIT)


def pam_information(bits: int, units: int, noise_std: float, power: float = 1.0) -> float:
    """Total information, in bits, of a hand-made code: message bits dealt out over units, each unit sent by PAM.

    Every unit carries `bits // units` bits (the first `bits % units` one more) on 2^b equally spaced levels of
    mean square `power` (Proakis 2001, section 5.2), through Gaussian noise.

    Args:
        bits: of the message, fair.
        units: how many numbers carry them.
        noise_std: of each unit's noise, positive.
        power: mean square of each unit.
    """
    total = 0.0
    for carried, count in (
        (bits // units + 1, bits % units),
        (bits // units, units - bits % units),
    ):
        if count and carried:
            levels = np.arange(2**carried) * 2.0 - (2**carried - 1)
            levels *= np.sqrt(power / np.mean(levels**2))
            total += count * gaussian_noise_information(levels, np.full(2**carried, 0.5**carried), noise_std)
    return total


def linear_vae(spectrum: ArrayLike, decoder_variance: float, beta: float) -> tuple[float, int]:
    """Rate in bits and active units of the optimal linear beta-VAE on Gaussian vectors.

    A principal component of variance v is coded iff v > beta s, s being the decoder's variance, and then at
    1/2 log2(v / (beta s)) bits (Lucas et al. 2019, extended to beta as in Alemi et al. 2018).

    Args:
        spectrum: shape (dim,), the vectors' variances.
        decoder_variance: s.
        beta: weight of the rate in the loss.
    """
    ratio = np.asarray(spectrum, np.float64) / (beta * decoder_variance)
    return float(0.5 * np.sum(np.log2(np.maximum(ratio, 1)))), int(np.sum(ratio > 1))
