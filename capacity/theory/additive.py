"""Capacity of additive noise under a power, from above, whatever the noise's density.

Two bounds, in bits.  Of all outputs of mean square P + V the normal one has the greatest entropy, so that

    C <= 1/2 log2(2 pi e (P + V)) - h(N)                        (Shannon 1948, section 24; Ihara 1978),

exact for normal noise and tight at high P/V.  And for every output density q and price s >= 0

    C <= max_u [ KL(p(.|u) || q) - s (u^2 - P) ]                (duality; Blahut 1972, Arimoto 1972),

here with the q of the best input on a grid, found by Blahut-Arimoto, mixed with a little of a wide normal density that
keeps the maximum finite: beyond the grid the bracket then only falls.
"""

from __future__ import annotations

import numpy as np

from capacity.results.estimate import NATS_PER_BIT
from capacity.theory.capacity import blahut_arimoto
from capacity.theory.floats import Floats

MAX_SNR = 30.0  # above it the first bound is tight, and the grid of the second would be long
REACH = 8.0  # of inputs, in standard deviations of the output
INPUT_EVERY = 5  # cells from one input of the search to the next
WIDE_SHARE = 1e-4  # of the wide density: costs -log2(1 - share) bits
TOLERANCE_BITS = 3e-4


def additive_noise_ceiling(cells: Floats, step: float, entropy: float, snr: float) -> tuple[float, float]:
    """The second bound in bits, and its slope: bits per unit of power over noise variance.

    q is constant within cells, so that KL(p(.|u) || q) is exact at inputs on cells.  To about 1e-3 bits where the cells
    reach the noise's tails.  Both are infinite above a ratio of 30, where the first bound has to do; at 0 both are 0.

    Args:
        cells: (2 k + 1,), the noise's masses around -k step .. k step, in units of its standard deviation, centred.
        step: of the cells, in the same units.
        entropy: h(N) in nats, in the same units: log of the standard deviation less.
        snr: P/V, the power over the noise's variance, not negative.
    """
    if not snr <= MAX_SNR:
        return np.inf, np.inf
    if snr == 0:
        return 0.0, 0.0
    mass = np.asarray(cells, np.float64) / np.sum(cells)
    half = len(mass) // 2
    count = int(np.ceil(REACH * np.sqrt(1 + snr) / (step * INPUT_EVERY)))
    reach = count * INPUT_EVERY
    coarse = np.arange(-reach, reach + 1, INPUT_EVERY)
    table = np.zeros((len(coarse), 2 * (reach + half) + 1))
    for row, at in zip(table, coarse, strict=True):
        row[at + reach : at + reach + len(mass)] = mass
    with np.errstate(divide="ignore"):
        found = blahut_arimoto(np.log(table), coarse * step, power=snr, tolerance=TOLERANCE_BITS)
    price = max(found.multiplier * NATS_PER_BIT, 1e-9)
    probs = np.zeros(len(coarse))
    probs[np.searchsorted(coarse * step, found.inputs)] = found.probs
    outputs = np.arange(-reach - half, reach + half + 1) * step
    log_wide = np.log(WIDE_SHARE * step) - 0.5 * price * outputs**2 - 0.5 * np.log(2 * np.pi / price)
    log_q = np.logaddexp(np.log1p(-WIDE_SHARE) + np.log(np.maximum(probs @ table, 1e-300)), log_wide)
    inputs = np.arange(-reach, reach + 1) * step
    gains = np.log(step) - entropy - np.correlate(log_q, mass, "valid") - price * (inputs**2 - snr)
    edge = inputs[-1]
    beyond = -entropy - np.log(WIDE_SHARE) + 0.5 * np.log(2 * np.pi / price)
    beyond += 0.5 * price * (edge**2 + 1) - price * (edge**2 - snr)
    return float(max(gains.max(), beyond) / NATS_PER_BIT), price / NATS_PER_BIT
