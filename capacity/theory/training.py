"""Closed forms of training under noise and of memory, that simulations are held against."""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import ArrayLike

from capacity.theory.floats import Floats

PERCEPTRON_CAPACITY = 2.0  # bits per real weight (Cover 1965; Gardner 1988)
# Bits per weight of +-1 (Krauth & Mézard 1989); proven: at most 0.847 (Altschuler & Tikhomirov 2024).
BINARY_PERCEPTRON_CAPACITY = 0.833


def sgd_variance(learning_rate: ArrayLike, curvature: ArrayLike, noise_std: ArrayLike) -> Floats:
    """Stationary variance of SGD on a quadratic, eta sigma^2 / (a (2 - eta a)); inf where eta a >= 2.

    theta' = (1 - eta a) theta - eta sigma N(0, 1) is a first-order autoregressive process (Mandt et al. 2017).

    Args:
        learning_rate, curvature, noise_std: eta, a and sigma, positive, of shapes that broadcast.
    """
    eta, a, sigma = (np.asarray(value, np.float64) for value in (learning_rate, curvature, noise_std))
    with np.errstate(divide="ignore"):
        return np.where(eta * a < 2, eta * sigma**2 / (a * np.maximum(2 - eta * a, 0)), np.inf)


def langevin_variance(step_size: ArrayLike, curvature: ArrayLike, temperature: ArrayLike = 1.0) -> Floats:
    """Stationary variance of Langevin dynamics of a finite step on a quadratic, T / (a (1 - eps a / 4)).

    theta' = (1 - eps a / 2) theta + sqrt(eps T) N(0, 1) is a first-order autoregressive process (Welling & Teh 2011).

    Args:
        step_size, curvature, temperature: eps, a and T, positive, of shapes that broadcast.
    """
    eps, a, t = (np.asarray(value, np.float64) for value in (step_size, curvature, temperature))
    with np.errstate(divide="ignore"):
        return np.where(eps * a < 4, t / (a * np.maximum(1 - eps * a / 4, 0)), np.inf)


def delay_limit(delay: ArrayLike) -> Floats:
    """The product of learning rate and curvature below which delayed gradient descent is stable.

    2 sin(pi / (2 (2 tau + 1))): there a root of z^(tau+1) - z^tau + eta a reaches the unit circle (Levin & May 1976).

    Args:
        delay: tau, steps, any shape, non-negative.
    """
    tau = np.asarray(delay, np.float64)
    if not np.all(tau >= 0):
        raise ValueError(f"Expected a delay of at least 0 steps; got {tau}.")
    return 2 * np.sin(np.pi / (2 * (2 * tau + 1)))


def separable(patterns: int, inputs: int) -> float:
    """Chance that random labels of so many points in general position can be had by a perceptron without bias.

    2^(1-P) sum_{k<N} C(P-1, k) (Cover 1965, theorem 1).

    Args:
        patterns: P, how many points.
        inputs: N, how many weights.

    Raises:
        ValueError: unless both are positive.
    """
    if patterns < 1 or inputs < 1:
        raise ValueError(f"Expected at least one pattern and one input; got {patterns} and {inputs}.")
    labellings = sum(comb(patterns - 1, k) for k in range(min(inputs, patterns)))
    return float(labellings / 2 ** (patterns - 1))
