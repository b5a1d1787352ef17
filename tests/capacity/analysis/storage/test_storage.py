"""Memory: Cover's chances, listing against brute force, capacities extrapolated, networks on random labels."""

from __future__ import annotations

from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.analysis.storage import (
    Noise,
    is_separable,
    longest_memory,
    longest_separable,
    many_weights,
    memorise,
    parameter_count,
    reinforced_search,
    separable_counts,
)
from capacity.analysis.weights import memorised_bits
from capacity.theory.training import BINARY_PERCEPTRON_CAPACITY


@pytest.mark.parametrize(
    ("patterns", "chance"),
    [*(pytest.param(*p, marks=pytest.mark.slow) for p in ((30, 0.96929), (40, 0.5))), (50, 0.07621)],
)
def test_chance_of_separability(patterns: int, chance: float) -> None:
    """Within 0.05 of Cover's at 20 inputs: 600 trials miss that by chance once in seventy at 40 patterns."""
    found = separable_counts(np.random.default_rng(patterns), 20, patterns, 600) / 600
    assert found == pytest.approx(chance, abs=0.05)


def test_separability_by_hand() -> None:
    points = np.array([[1.0, 0.0], [-1.0, 1e-3], [0.0, 1.0]])
    assert is_separable(points, np.array([1, -1, 1]))
    assert is_separable(points, np.array([1, 1, 1]))  # only just: the margin is a thousandth
    assert not is_separable(np.array([[1.0], [2.0]]), np.array([1, -1]))
    with pytest.raises(ValueError, match=r"labels \+-1"):
        is_separable(points, np.array([0, 1, 1]))


@pytest.mark.slow
def test_capacity_of_real_weights() -> None:
    """2 per weight at every size (Cover): extrapolated within 10 %."""
    rng, sizes = np.random.default_rng(0), (6, 9, 14, 20)
    runs = [np.array([longest_separable(rng, n) for _ in range(80)]) / n for n in sizes]
    found = many_weights(sizes, [r.mean() for r in runs], [r.std() / 80**0.5 for r in runs])
    assert found.value == pytest.approx(2, rel=0.1)


def test_listing_agrees_with_brute_force() -> None:
    """The same patterns, all 2^7 vectors tried one by one."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        vectors, patterns = np.array(list(product((-1, 1), repeat=7))), 0
        while (vectors := vectors[vectors @ rng.standard_normal(7).astype(np.float32) > 0]).size:
            patterns += 1
        assert longest_memory(np.random.default_rng(seed), 7) == patterns


def test_capacity_of_binary_weights() -> None:
    """Listed at 8 to 18 weights and extrapolated: 0.833 within two standard errors, and these below 0.05."""
    rng, sizes = np.random.default_rng(1), (8, 10, 12, 14, 16, 18)
    runs = [np.array([longest_memory(rng, n) for _ in range(300)]) / n for n in sizes]
    found = many_weights(sizes, [r.mean() for r in runs], [r.std() / 300**0.5 for r in runs])
    assert found.stderr < 0.05
    assert abs(found.value - BINARY_PERCEPTRON_CAPACITY) < 2 * found.stderr


def test_search_finds_solutions_below_capacity_and_none_above() -> None:
    """At 201 weights: 0.6 patterns a weight are found; at 1.1, far above 0.833, nothing exists to be found."""

    def best(alpha: float) -> int:
        patterns = jax.random.normal(jax.random.key(int(100 * alpha)), (int(201 * alpha), 201))
        return len(patterns) - int(reinforced_search(jax.random.key(0), patterns))

    assert best(0.6) == 0
    assert best(1.1) > 0


def lane(patterns: int, runs: int, noise: Noise | None = None, hidden: int = 6, steps: int = 600) -> Any:
    def one(key: jax.Array) -> Any:
        return memorise(key, jnp.int32(patterns), noise, inputs=10, hidden=hidden, most=patterns, steps=steps)

    return jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(0), runs))


def test_bits_per_parameter_of_two_layers() -> None:
    """Between 1.2 and 2.6 at two labels a parameter; never more than there are labels."""
    parameters = parameter_count(10, 6)
    found = memorised_bits(lane(2 * parameters, 4).log_probs, parameters=parameters)
    assert 1.2 < found.bits < 2.6
    assert found.high <= found.limit + 0.2


@pytest.mark.slow
def test_few_labels_are_learnt_whole_and_noise_leaves_fewer() -> None:
    few = memorised_bits(lane(20, 4, hidden=12).log_probs)
    assert few.bits > 19.5
    noisy = lane(146, 4, Noise(jnp.float32(0.5), jnp.float32(0.0), jnp.float32(0.0)))
    plain = lane(146, 4)
    assert memorised_bits(noisy.log_probs).high < memorised_bits(plain.log_probs).low
    assert memorised_bits(noisy.noisy_log_probs).bits < memorised_bits(noisy.log_probs).bits


def test_untrained_network_has_memorised_nothing() -> None:
    """A lower bound on nothing is at most nothing: fresh labels, no step."""
    assert memorised_bits(lane(100, 16, steps=0).log_probs).low < 0


def test_extrapolation_of_an_exact_line() -> None:
    n = np.array([5, 10, 20, 40])
    found = many_weights(n, 0.83 + 0.4 / n, [0.01] * 4)
    assert found.value == pytest.approx(0.83) and found.slope == pytest.approx(0.4)
    assert found.misfit == pytest.approx(0, abs=1e-18)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: longest_memory(np.random.default_rng(0), 1), "from 2 to 28 weights to list; got 1"),
        (lambda: many_weights([1, 2], [1, 1], [1, 1]), "three sizes or more"),
    ],
)
def test_refusals(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
