"""Closed forms for real-valued units: uniform noise, chains of Gaussian noise.  All in bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from capacity.results.estimate import NATS_PER_BIT
from capacity.theory.floats import Floats


def uniform_noise_information(half_width: ArrayLike, width: float = 1.0) -> Floats:
    """Bits of X uniform on an interval through additive uniform noise within +-half_width.

    The sum has a trapezoid's density, of entropy log a + b/2a for sides a >= b, so that with b = 2 epsilon <= a

        I = log2(a / 2 epsilon) + epsilon / (a ln 2),

    and a/(4 epsilon ln 2) where the noise is wider.

    Args:
        half_width: epsilon, any shape, positive.
        width: of the interval, positive.

    Raises:
        ValueError: if either is not positive.
    """
    noise = 2 * np.asarray(half_width, np.float64)
    if not (np.all(noise > 0) and width > 0):
        raise ValueError(f"Expected a positive half_width and width; got {noise / 2} and {width}.")
    longer, shorter = np.maximum(noise, width), np.minimum(noise, width)
    return (np.log(longer / noise) + 0.5 * shorter / longer) / NATS_PER_BIT


def gaussian_chain_capacity(snr: float, depth: int, restored: bool = False) -> float:
    """Bits of a Gaussian input through `depth` layers that each add Gaussian noise of variance 1/snr of the power.

    Without rescaling noise variances add: 1/2 log2(1 + snr/depth).  With the power restored to the input's before each
    layer's noise, every layer keeps a share snr/(1 + snr) of the squared correlation:
    -1/2 log2(1 - (snr/(1+snr))^depth).

    Args:
        snr: power over the noise variance of one layer, non-negative.
        depth: layers, at least 1.
        restored: whether the power is restored between layers.

    Raises:
        ValueError: for values out of range.
    """
    if not snr >= 0 or depth < 1:
        raise ValueError(f"Expected a ratio of at least 0 and a depth of at least 1; got {snr} and {depth}.")
    if restored:
        return float(-0.5 * np.log1p(-((snr / (1 + snr)) ** depth)) / NATS_PER_BIT)
    return float(0.5 * np.log1p(snr / depth) / NATS_PER_BIT)
