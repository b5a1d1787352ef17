"""Closed forms of channels against tabulated figures, and against Blahut-Arimoto on the channels' own densities."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import theory
from capacity.channels import (
    Binarised,
    BinarySymmetric,
    Chain,
    Dropout,
    Erasure,
    Gaussian,
    GaussianDropout,
    Quantized,
    StochasticBinarised,
    StochasticDepth,
    Uniform,
    unit_capacity,
)

ceiling_of = jax.jit(lambda channel, power: channel.ceiling(power))
PAIR = (-1.0, 1.0)
AXIS = np.linspace(-5, 5, 81)
AMPLITUDES = [(0.5, 0.16075), (1, 0.48594), (1.5, 0.75998), (2, 0.9419)]


@pytest.mark.parametrize(
    ("figures", "truth", "digits"),
    [
        (lambda: theory.binary_input_gaussian([1, 2, 4]), [0.485944, 0.721452, 0.912822], 6),
        (lambda: theory.uniform_noise_information([0.5, 0.05, 0.005, 0.0005]), [0.72135, 3.39406, 6.65107, 9.96651], 5),
        (lambda: theory.z_channel_capacity(0.5), 0.321928, 6),
        (lambda: theory.z_channel_information(0.5, 0.5), 0.311278, 6),
        (lambda: [theory.erasure_information(1, 0.5, k) for k in (1, 3, 10)], [0.5, 0.875, 0.999023], 6),
        (lambda: theory.gaussian_dropout_information([0.2, 0.5]), [0.912822, 0.485944], 6),
        (lambda: theory.binary_symmetric_capacity(0.11), 0.500084, 6),
        (lambda: [theory.binary_symmetric_repetition(0.1, k) for k in (1, 3, 5)], [0.5310, 0.8624, 0.9569], 4),
        (
            lambda: [theory.binary_symmetric_capacity(0.1, depth) for depth in (1, 2, 5, 10)],
            [0.53100, 0.31992, 0.07890, 0.00833],
            5,
        ),
        (lambda: [theory.gaussian_chain_capacity(1, d) for d in (1, 2, 5, 10)], [0.5, 0.29248, 0.13152, 0.06875], 5),
        (
            lambda: [theory.gaussian_chain_capacity(1, d, restored=True) for d in (1, 2, 3, 4)],
            [0.5, 0.20752, 0.09632, 0.04655],
            5,
        ),
        (lambda: theory.uniform_coin_information(), 0.278652, 6),
        (lambda: 6 * theory.binary_input_gaussian([1, 4, 9]), [2.9157, 5.4769, 5.9667], 4),
        (lambda: theory.path_information(8.0, [0.7] * 3), 8 * 0.343, 9),
    ],
)
def test_tabulated(figures: Any, truth: Any, digits: int) -> None:
    np.testing.assert_allclose(figures(), truth, atol=0.5 * 10.0**-digits + 1e-12)


@pytest.mark.parametrize(
    ("amplitude", "truth"),
    [*AMPLITUDES, *(pytest.param(*pair, marks=pytest.mark.slow) for pair in ((3, 1.2715), (5, 1.7584)))],
)
def test_amplitude_limit(amplitude: float, truth: float) -> None:
    """The values of the table, within its 4e-5 bits and a grid of 1/25 (Smith 1971)."""
    found = theory.amplitude_limited_gaussian(amplitude)
    assert found.upper - found.lower <= 1e-5
    assert found.lower - 6e-5 <= truth <= found.upper + 6e-5
    masses = found.inputs[found.probs > 1e-2]
    if amplitude < 1.6659:
        np.testing.assert_allclose(np.sort(masses)[[0, -1]], [-amplitude, amplitude])
        assert theory.gaussian_noise_information([-amplitude, amplitude], [0.5, 0.5], 1.0) >= found.lower - 1e-9
    else:
        assert np.any(np.abs(masses) < 0.9 * amplitude)


def test_coins_of_an_even_grid() -> None:
    chances = (np.arange(2000) + 0.5) / 2000
    assert theory.coin_information(chances, np.full(2000, 1 / 2000)) == pytest.approx(
        theory.uniform_coin_information(), abs=1e-6
    )


@pytest.mark.parametrize(
    ("channel", "inputs", "power"),
    [
        (Gaussian(0.8), AXIS, 1.0),
        (BinarySymmetric(0.11), PAIR, None),
        (Erasure(0.3), PAIR, None),
        (Dropout(0.3, values=PAIR), PAIR, None),
        (Dropout(0.5, values=(0.0, 1.0)), (0.0, 1.0), None),
        (Dropout(0.4, fill=2.0, values=(-1.0, 0.5, 2.0)), (-1.0, 0.5, 2.0), None),
        (GaussianDropout(0.3, values=PAIR), PAIR, None),
        (Binarised(), AXIS, 1.0),
        (StochasticBinarised(0.7), AXIS, 0.25),
        (StochasticBinarised(2.0, "linear"), np.linspace(-2, 2, 21), 1.0),
        (Quantized(5.0), np.linspace(-1.5, 1.5, 31), None),
        (Chain(Binarised(), BinarySymmetric(0.11)), PAIR, None),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_ceilings_are_capacities(channel: Any, inputs: Any, power: float | None) -> None:
    found = unit_capacity(channel, inputs, power=power, tolerance=1e-4)
    ceiling = float(ceiling_of(channel, jnp.float32(power or 1.0)))
    # Inputs on a grid come short of a continuum; closed forms are in single precision.
    slack = 1e-3 if isinstance(channel, StochasticBinarised) else 2e-5
    assert found.upper - found.lower <= 1e-4
    assert found.lower - slack <= ceiling <= found.upper + slack


@pytest.mark.parametrize(
    ("channel", "power", "gap"),
    [(Uniform(0.5), 1.0, 0.2547), (Uniform(1.5), 1.0, 0.2547), (Chain(Dropout(0.3), Gaussian(0.5)), 1.0, 0.5)],
    ids=lambda value: getattr(value, "name", None),
)
def test_ceilings_that_are_bounds_lie_above(channel: Any, power: float, gap: float) -> None:
    found = unit_capacity(channel, np.linspace(-4, 4, 81), power=power, tolerance=1e-2, per_std=25)
    ceiling = float(ceiling_of(channel, jnp.float32(power)))
    assert found.lower <= ceiling <= found.upper + gap


def test_blahut_arimoto_of_a_power_meets_the_gaussian() -> None:
    def log_prob(z: np.ndarray, u: np.ndarray) -> np.ndarray:
        return -0.5 * (z - u) ** 2 - 0.5 * np.log(2 * np.pi)

    outputs = np.arange(-14, 14, 0.25)
    found = theory.scalar_capacity(
        log_prob, np.linspace(-5, 5, 101), outputs, weights=np.full(len(outputs), 0.25), power=1.0, tolerance=1e-5
    )
    assert found.lower <= 0.5 + 1e-6 <= found.upper + 2e-5
    assert found.upper - found.lower <= 1e-5
    assert found.probs @ found.inputs**2 <= 1 + 1e-9
    assert found.multiplier == pytest.approx(0.25 / np.log(2), abs=0.01)  # d/dP of 1/2 log2(1 + P)


def test_only_the_least_power() -> None:
    found = theory.blahut_arimoto(np.log([[0.9, 0.1], [0.1, 0.9]]), [0.0, 1.0], power=0.0)
    assert found.lower == pytest.approx(0, abs=1e-12) and found.upper == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: theory.binary_entropy(1.2), "Expected probabilities"),
        (lambda: theory.binary_symmetric_capacity(0.1, 0), "Expected a depth"),
        (lambda: theory.erasure_information(1, 0.5, 0), "at least one copy"),
        (lambda: theory.binary_input_gaussian(-1), "at least 0"),
        (lambda: theory.gaussian_dropout_information(0.0), "above 0"),
        (lambda: theory.coin_information([0.5], [0.9]), "of sum 1"),
        (lambda: theory.uniform_noise_information(0.0), "positive half_width"),
        (lambda: theory.gaussian_chain_capacity(-1, 1), "at least 0"),
        (lambda: theory.amplitude_limited_gaussian(0), "positive amplitude"),
        (lambda: theory.blahut_arimoto(np.zeros((2, 2)), [0, 1]), "rows that add up to 1"),
        (lambda: theory.blahut_arimoto(np.zeros((2, 2)), [0]), r"Expected log_prob \(m, k\)"),
        (lambda: theory.blahut_arimoto(np.log(np.full((2, 2), 0.5)), [1, 2], power=0.5), "input of power at most"),
        (lambda: unit_capacity(StochasticDepth(0.5), [0.0, 1.0]), "Expected a memoryless channel"),
        (lambda: unit_capacity(Gaussian(1e-4), [-1.0, 1.0]), "points over the outputs"),
    ],
)
def test_refusals(build: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build()
