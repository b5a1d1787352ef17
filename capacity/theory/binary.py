"""Closed forms for units of one bit: flips, erasures, the Z-channel, cascades, repetitions, coins.  All in bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy
from scipy.stats import binom

from capacity.results.estimate import NATS_PER_BIT
from capacity.theory.floats import Floats
from capacity.theory.gaussian import gaussian_noise_information


def binary_entropy(p: ArrayLike) -> Floats:
    """h(p) = -p log2 p - (1 - p) log2(1 - p), any shape.

    Raises:
        ValueError: if a p is no probability.
    """
    p = _probability(p)
    bits: Floats = -(xlogy(p, p) + xlogy(1 - p, 1 - p)) / NATS_PER_BIT
    return bits


def binary_symmetric_capacity(flip: ArrayLike, depth: int = 1) -> Floats:
    """1 - h(q) bits of `depth` binary symmetric channels in a row, q = (1 - (1 - 2p)^depth)/2.

    Cover & Thomas (2006), section 7.1.4 and problem 7.7.

    Raises:
        ValueError: if `flip` is no probability, or there is no channel.
    """
    if depth < 1:
        raise ValueError(f"Expected a depth of at least 1; got {depth}.")
    return 1 - binary_entropy(0.5 * (1 - (1 - 2 * _probability(flip)) ** depth))


def binary_symmetric_repetition(flip: float, copies: int) -> float:
    """Bits that a fair bit passes when it is sent so often through independent binary symmetric channels.

    The number of flipped copies tells all: I = 1 - E h(posterior), over a binomial count.

    Raises:
        ValueError: if `flip` is no probability, or there is no copy.
    """
    _copies(copies)
    flip = float(_probability(flip))
    counts = np.arange(copies + 1)
    right, wrong = binom.pmf(counts, copies, flip), binom.pmf(counts[::-1], copies, flip)
    both = 0.5 * (right + wrong)
    return float(1 - np.sum(both * binary_entropy(np.where(both > 0, 0.5 * right / np.where(both > 0, both, 1), 0))))


def erasure_information(bits: ArrayLike, rate: float, copies: int = 1) -> Floats:
    """bits (1 - p^copies): what passes if each of `copies` units that hold everything is erased with probability p.

    At one copy the erasure channel's capacity (Elias 1955); for real-valued units of an injective code under dropout
    with its mask in sight, the figure of a source of so many bits: it is not limited by the noise.

    Raises:
        ValueError: if the rate is no probability, or there is no copy.
    """
    _copies(copies)
    return np.asarray(bits, np.float64) * (1 - _probability(rate) ** copies)


def z_channel_information(rate: ArrayLike, ones: ArrayLike) -> Floats:
    """Bits of a unit that is 1 with probability `ones`, else 0, when a 1 turns to 0 with probability `rate`.

    h(q (1 - p)) - q h(p): dropout whose mask is hidden among the zeros.

    Raises:
        ValueError: if either is no probability.
    """
    rate, ones = _probability(rate), _probability(ones)
    return binary_entropy(ones * (1 - rate)) - ones * binary_entropy(rate)


def z_channel_capacity(rate: ArrayLike) -> Floats:
    """log2(1 + (1 - p) p^(p/(1-p))) bits (Tallini, Al-Bassam & Bose 2002, ISIT).

    Raises:
        ValueError: if the rate is no probability.
    """
    p = _probability(rate)
    keep = np.where(p < 1, 1 - p, 1.0)
    return np.where(p < 1, np.log1p(keep * np.exp(xlogy(p, p) / keep)) / NATS_PER_BIT, 0.0)


def binary_input_gaussian(snr: ArrayLike) -> Floats:
    """Bits of a fair +-1 unit in Gaussian noise of variance 1/snr, any shape; for two inputs that is the capacity.

    Raises:
        ValueError: if a ratio is negative or NaN.
    """
    ratios = np.asarray(snr, np.float64)
    if not np.all(ratios >= 0):
        raise ValueError(f"Expected a signal-to-noise ratio of at least 0; got {ratios}.")

    def one(ratio: float) -> float:
        return gaussian_noise_information([-1, 1], [0.5, 0.5], ratio**-0.5) if ratio > 0 else 0.0

    bits: Floats = np.vectorize(one, otypes=[float])(ratios)
    return bits


def gaussian_dropout_information(rate: ArrayLike) -> Floats:
    """Bits of a fair +-1 unit under Gaussian dropout: that of a Gaussian channel of SNR (1 - p)/p.

    Raises:
        ValueError: if the rate is not between 0 and 1.
    """
    p = _probability(rate)
    if np.any(p == 0):
        raise ValueError(f"Expected a rate above 0; got {p}.")
    return binary_input_gaussian((1 - p) / p)


def coin_information(chances: ArrayLike, probs: ArrayLike) -> float:
    """h(E p) - E h(p) bits: of a unit that is 1 with a probability p which the message sets.

    Args:
        chances: shape (m,), p of each message.
        probs: shape (m,), how likely the messages are.

    Raises:
        ValueError: if these are no probabilities, or `probs` do not sum to 1.
    """
    p, weights = _probability(chances), _probability(probs)
    if p.shape != weights.shape or abs(weights.sum() - 1) > 1e-9:
        raise ValueError(f"Expected chances and probs of one shape, the latter of sum 1; got sum {weights.sum()}.")
    return float(binary_entropy(weights @ p) - weights @ binary_entropy(p))


def uniform_coin_information() -> float:
    """1 - 1/(2 ln 2) bits: of a unit that is 1 with probability p, p uniform on (0, 1); integral of h is 1/(2 ln 2)."""
    return 1 - 0.5 / NATS_PER_BIT


def path_information(bits: float, survival: ArrayLike) -> float:
    """bits prod(survival): what passes stochastic depth where a dropped block kills the signal.

    Raises:
        ValueError: if a survival is no probability.
    """
    return float(bits * np.prod(_probability(survival)))


def _copies(copies: int) -> None:
    if copies < 1:
        raise ValueError(f"Expected at least one copy; got {copies}.")


def _probability(p: ArrayLike) -> Floats:
    values = np.asarray(p, np.float64)
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError(f"Expected probabilities from 0 to 1; got {values}.")
    return values
