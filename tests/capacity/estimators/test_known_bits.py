"""Bits that enumeration knows: 4 fair bits through Gaussian units are met, more are never told wrong in silence."""

from __future__ import annotations

from functools import cache

import jax
import numpy as np
import pytest

from capacity import Joint, measure
from capacity.channels import Gaussian as GaussianNoise
from capacity.estimators.registry import ESTIMATORS
from synthetic import FairBits

N = 10_000
HANDLE = ("auto", "ross", "mixed", pytest.param("infonce", marks=pytest.mark.slow))


@cache
def sent(bits: int, sigma: float, n: int = N) -> tuple[float, np.ndarray, np.ndarray]:
    """Truth in bits, keyed bits (N, bits) of +-1, noisy units (N, bits)."""
    joint = Joint(FairBits(np.eye(bits, dtype=np.float32)), lambda x: x, GaussianNoise(sigma))
    message, _, z = joint.sample(jax.random.key(2), n)
    truth = measure(jax.random.key(1), joint).lower.bits
    return float(truth), 2.0 * np.asarray(message) - 1, np.asarray(z, np.float64)


def given(name: str, x: np.ndarray) -> np.ndarray:
    """The message as symbols, or as numbers to a method that takes nothing else."""
    return x if ESTIMATORS[name].takes == "continuous" else (x > 0).astype(int)


@pytest.mark.parametrize("n", [N // 4, pytest.param(N, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", HANDLE)
def test_four_bits_are_met(name: str, n: int) -> None:
    truth, x, z = sent(4, 0.5, n)
    found = ESTIMATORS[name]()(jax.random.key(3), given(name, x), z)
    assert found.low <= truth
    assert found.kind == "lower" or truth <= found.high
    assert found.bits > truth - 0.1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "bits", "n"),
    [
        (name, bits, n)
        for bits, n in ((12, N // 5), (14, N // 2), (14, N))
        for name in ("auto", "ross", "mixed", "infonce")
    ],
)
def test_more_bits_than_pairs_can_show_are_not_told_wrong_in_silence(name: str, bits: int, n: int) -> None:
    """Of more messages than pairs."""
    truth, x, z = sent(bits, 0.2, n)
    found = ESTIMATORS[name]()(jax.random.key(3), given(name, x), z)
    assert found.low <= truth
    assert bool(found.saturated) or found.kind == "lower" or truth <= found.high


@pytest.mark.parametrize(
    "name", ["ksg", "3h", "gaussian", "gaussian_copula", "gaussian_mixture", "student", "student_copula", "feature_cca"]
)
def test_methods_for_continuous_laws_refuse_bits(name: str) -> None:
    _, x, z = sent(4, 0.5, N // 4)
    with pytest.raises(ValueError, match="mixed"):
        ESTIMATORS[name]()(jax.random.key(3), x, z)


def test_bits_written_as_real_numbers_are_seen_as_symbols() -> None:
    truth, x, z = sent(4, 0.5, N // 4)
    found = ESTIMATORS["auto"]()(jax.random.key(3), x, z)
    assert found.low <= truth <= found.high
