"""What a code drawn at random carries through Gaussian noise: at least this much on average, for any length.

With M equally likely messages, 2^k of them, and codewords drawn from the normal law of the allowed power,

    I(M;Z) = E[-log2(2^-k (1 + sum over the others of p(z|x') / p(z|x)))]  >=  E[-log2(2^-k + (1 - 2^-k) 2^-i(x;z))],

by Jensen's inequality over the other codewords, each of which has E p(z|x') = p(z); i is the information density.  Some
code therefore carries as much.  As k grows it is the capacity (Shannon 1948); what it falls short of both limits, k and
the capacity, is what a short code loses (Polyanskiy, Poor & Verdu 2010).

The density of n units is one number: with a = (z / s_z)^2 and b = (noise / sigma)^2 of correlation sigma / s_z,

    i = n C + sum_j (a_j - b_j) / 2 = n C + sqrt(snr / (1 + snr)) V,

V a sum of n products of two independent standard normal numbers, of the variance-gamma law.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, kve

from capacity.theory.floats import Floats
from capacity.theory.gaussian import gaussian_capacity

POINTS = 20_001  # of the sum over the density; with a tenth of them the figure is the same to 1e-9
MAX_BESSEL_ORDER = 25  # up to it no value on the grid overflows
REACH = 60.0  # natural logarithms below the peak where the law's tail is cut off


def random_coding_information(bits: float, units: int, sigma: float, power: float = 1.0) -> float:
    """Bits that a random Gaussian code carries on average, at the least; at most `bits` and the capacity of the units.

    Args:
        bits: of the message, all messages equally likely.
        units: of the code.
        sigma: standard deviation of the noise of each unit.
        power: mean square of each unit.

    Raises:
        ValueError: unless all are positive and finite.
    """
    for name, value in (("bits", bits), ("units", units), ("sigma", sigma), ("power", power)):
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"Expected a positive {name}, and finite; got {value}.")
    snr = power / sigma**2
    values, weights = _variance_gamma(units)
    density = units * float(gaussian_capacity(snr)) + np.sqrt(snr / (1 + snr)) * values / np.log(2)
    # -log2(2^-k + (1 - 2^-k) 2^-i), without overflow
    other = np.log2(-np.expm1(-bits * np.log(2)))
    return float(weights @ -np.logaddexp2(-bits, other - density))


def _variance_gamma(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Values of a sum of n products of two standard normal numbers, and their weights, which sum to 1.

    The law has density |v|^m K_m(|v|) / (sqrt(pi) 2^m Gamma(n / 2)), m = (n - 1) / 2, which for n = 1 is infinite at 0:
    the sum goes over t, v = t^3, where it is not.
    """
    order = 0.5 * (n - 1)
    reach = REACH + 3 * np.sqrt(n * REACH)
    t = np.linspace(-np.cbrt(reach), np.cbrt(reach), POINTS - 1)  # an even number of points: none of them is 0
    v = np.abs(t**3)
    log_density = order * np.log(v) + _log_bessel(order, v)
    log_density -= 0.5 * np.log(np.pi) + order * np.log(2) + gammaln(0.5 * n)
    weights = np.exp(log_density) * 3 * t**2
    return t**3, weights / weights.sum()


def _log_bessel(order: float, v: Floats) -> Floats:
    """log K_order(v), the modified Bessel function of the second kind; by Debye's expansion where it overflows.

    Abramowitz & Stegun (1964), 9.7.8 to three terms: at order 25 they leave 1e-6.
    """
    if order <= MAX_BESSEL_ORDER:
        near: Floats = np.log(kve(order, v)) - v
        return near
    x = v / order
    root = np.sqrt(1 + x**2)
    p = 1 / root
    first = (3 * p - 5 * p**3) / 24
    second = (81 * p**2 - 462 * p**4 + 385 * p**6) / 1152
    series = np.log1p(-first / order + second / order**2)
    far: Floats = 0.5 * np.log(0.5 * np.pi * p / order) - order * (root + np.log(x / (1 + root))) + series
    return far
