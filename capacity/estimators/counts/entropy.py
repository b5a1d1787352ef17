"""Entropy of a discrete law from counts, in nats, by four corrections of the plug-in's bias.

none             -sum n_i/N log n_i/N                                          too small by about (m - 1)/2N
miller_madow     plug-in + (m - 1)/2N, m symbols seen                          (Miller 1955)
grassberger      log N - 1/N sum n_i G(n_i)                                    (Grassberger 2003, equation 28)
nsb              the posterior mean under a prior that is flat in the entropy  (Nemenman, Shafee & Bialek 2002)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from scipy.special import gammaln, logsumexp, polygamma, psi

from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.results.intervals import Z95

Correction = Literal["none", "miller_madow", "grassberger", "nsb"]

_NODES = 400
MAX_SINGLETONS = 0.02  # of the rows: symbols seen once, above which an entropy is not known


def plug_in(counts: np.ndarray) -> float:
    """Entropy of the frequencies; `counts` of the symbols seen, all positive."""
    share = counts / counts.sum()
    return float(-(share * np.log(share)).sum())


def miller_madow(counts: np.ndarray) -> float:
    """The plug-in with (m - 1)/2N added for the m symbols seen."""
    return plug_in(counts) + (len(counts) - 1) / (2 * float(counts.sum()))


def grassberger(counts: np.ndarray) -> float:
    """log N - 1/N sum n G(n), G(n) = psi(n) + (-1)^n/2 (psi((n + 1)/2) - psi(n/2))."""
    total = float(counts.sum())
    sign = 1.0 - 2.0 * (counts % 2)
    terms = psi(counts) + 0.5 * sign * (psi((counts + 1) / 2) - psi(counts / 2))
    return float(np.log(total) - (counts * terms).sum() / total)


def nsb(counts: np.ndarray, symbols: int) -> float:
    """Posterior mean of the entropy under a mixture of Dirichlet laws whose prior entropy is flat."""
    return nsb_moments(counts, symbols)[0]


ENTROPIES: dict[Correction, Callable[[np.ndarray, int], float]] = {
    "none": lambda counts, _: plug_in(counts),
    "miller_madow": lambda counts, _: miller_madow(counts),
    "grassberger": lambda counts, _: grassberger(counts),
    "nsb": nsb,
}
"""From the counts of the symbols seen, and how many symbols there could be, to nats."""


def within_entropies(estimate: Estimate, x: np.ndarray, y: np.ndarray) -> Estimate:
    """An estimate of I(X;Y) cut to the entropy of sides that are symbols, which information is never above.

    The interval's upper end is cut to the upper end of the entropy's own.  A side with symbols that were hardly seen,
    whose entropy is not known, cuts nothing.

    Args:
        estimate: of the information, bits.
        x, y: symbols, int64 of shape (n, 1), or real numbers, float64 of shape (n, d).
    """
    for side in (x, y):
        if side.dtype.kind != "i":
            continue
        counts = np.unique(side, return_counts=True)[1]
        if (counts == 1).sum() > MAX_SINGLETONS * len(side):
            continue
        bits, surprisal = grassberger(counts) / NATS_PER_BIT, np.log2(len(side) / counts)
        variance = float((counts * np.square(surprisal - (counts * surprisal).sum() / len(side))).sum()) / len(side)
        most = bits + Z95 * (variance / len(side)) ** 0.5
        if estimate.high > most or estimate.bits > bits:
            figure = min(estimate.bits, bits)
            low = min(estimate.low, figure)
            estimate = replace(estimate, bits=figure, low=low, high=max(min(estimate.high, most), figure))
    return estimate


def nsb_moments(counts: np.ndarray, symbols: int) -> tuple[float, float]:
    """Posterior mean in nats and standard deviation of the entropy (Nemenman, Shafee & Bialek 2002, equations 5 to 11).

    Given a concentration b of each of K symbols, mean and second moment are in closed form (Wolpert & Wolf 1995); the
    integral over b has the weight of the evidence and of the slope of the prior's mean entropy,
    K psi1(K b + 1) - psi1(b + 1), and is taken over log b with the largest exponent subtracted.

    Args:
        counts: of the symbols seen, all positive.
        symbols: K, how many there could be, seen or not.

    Raises:
        ValueError: for fewer possible symbols than seen ones.
    """
    if symbols < len(counts):
        raise ValueError(f"Expected at least as many possible symbols as the {len(counts)} seen; got {symbols}.")
    if symbols == 1:
        return 0.0, 0.0
    sizes, times = np.unique(counts, return_counts=True)  # equal counts have equal terms
    total = float(counts.sum())
    low, high = np.log(1e-8 / symbols), np.log(1e4 * max(1.0, total / symbols))
    for _ in range(2):  # once over all of the range, once over where the weight is
        log_b = np.linspace(low, high, _NODES)
        weight = _log_weight(np.exp(log_b), sizes, times, total, symbols) + log_b
        inside = log_b[weight > weight.max() - 40.0]
        step = log_b[1] - log_b[0]
        low, high = inside[0] - step, inside[-1] + step
    mean, second = _moments(np.exp(log_b), sizes, times, total, symbols)
    share = np.exp(weight - logsumexp(weight))
    average = float(share @ mean)
    return average, float(max(share @ second - average**2, 0.0)) ** 0.5


def _log_weight(b: np.ndarray, sizes: np.ndarray, times: np.ndarray, total: float, symbols: int) -> np.ndarray:
    evidence = gammaln(symbols * b) - gammaln(total + symbols * b)
    evidence = evidence + (gammaln(sizes + b[:, None]) - gammaln(b)[:, None]) @ times
    return np.asarray(evidence + np.log(symbols * polygamma(1, symbols * b + 1) - polygamma(1, b + 1)))


def _moments(
    b: np.ndarray, sizes: np.ndarray, times: np.ndarray, total: float, symbols: int
) -> tuple[np.ndarray, np.ndarray]:
    """E[H | b, counts] and E[H^2 | b, counts] over a grid of b (Wolpert & Wolf 1995; Archer, Park & Pillow 2014)."""
    whole = total + symbols * b
    unseen = symbols - times.sum()
    a = np.hstack([sizes + b[:, None], b[:, None]])
    many = np.append(times, unseen).astype(float)
    mean = psi(whole + 1) - (a * psi(a + 1)) @ many / whole
    # E[H^2] = sum_{i != j} a_i a_j/(A (A + 1)) I_ij + sum_i a_i (a_i + 1)/(A (A + 1)) J_i
    slope = psi(a + 1) - psi(whole + 2)[:, None]
    first = ((a * slope) @ many) ** 2 - (a**2 * slope**2) @ many
    pairs = first - polygamma(1, whole + 2) * (((a @ many) ** 2) - (a**2) @ many)
    own = psi(a + 2) - psi(whole + 2)[:, None]
    alone = (a * (a + 1) * (own**2 + polygamma(1, a + 2) - polygamma(1, whole + 2)[:, None])) @ many
    return mean, (pairs + alone) / (whole * (whole + 1))
