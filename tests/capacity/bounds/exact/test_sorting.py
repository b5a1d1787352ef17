"""Sorting as integers against NumPy's own."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.bounds.exact.sorting import nearly_rising_order, quantiles_of_rows


def numbers(n: int, dtype: type) -> np.ndarray:
    """Of both signs, over many decades, with ties, zeros and both infinities."""
    draw = np.random.default_rng(n)
    values = draw.standard_normal(n) * 10.0 ** draw.integers(-30, 30, n)
    values[draw.random(n) < 0.3] = 2.5
    values[: min(n, 5)] = [0.0, -0.0, -np.inf, np.inf, 0.0][: min(n, 5)]
    return values.astype(dtype)


def order_of(values: np.ndarray) -> np.ndarray:
    with jax.enable_x64(values.dtype == np.float64):
        return np.asarray(jax.jit(nearly_rising_order)(jnp.asarray(values)))


@pytest.mark.parametrize("n", [1, 2, 3, 64, 65, 5000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_values_are_in_order_and_equal_ones_as_they_come(n: int, dtype: type) -> None:
    values = numbers(n, dtype)
    order = order_of(values)
    np.testing.assert_array_equal(np.sort(order), np.arange(n))
    ordered = values[order].astype(np.longdouble)
    assert ordered[0] == ordered.min() and ordered[-1] == ordered.max()
    finite = ordered[np.isfinite(ordered)]
    before = np.maximum.accumulate(finite)
    assert np.all(before - finite <= 1e-2 * np.maximum(np.abs(before), np.abs(finite)))
    for value in (2.5, 0.0):
        assert np.all(np.diff(order[ordered == value]) > 0)


@pytest.mark.parametrize("octaves", [1e-3, 1, 4, 64])
def test_values_of_like_size_are_in_order_to_a_thousandth(octaves: float) -> None:
    values = 2 ** np.random.default_rng(0).uniform(0, octaves, 2**16).astype(np.float32)
    ordered = values[order_of(values)]
    assert np.all(np.maximum.accumulate(ordered) <= 1.001 * ordered)


def test_values_that_differ_by_little_are_in_order_all_the_same() -> None:
    values = (1 + 1e-3 * np.random.default_rng(0).random(2**16)).astype(np.float32)
    np.testing.assert_array_equal(order_of(values), np.argsort(values, kind="stable"))


@pytest.mark.parametrize("n", [1, 2, 3, 101, 4096])
def test_quantiles_are_those_of_numpy(n: int) -> None:
    values = np.random.default_rng(n).standard_normal((n, 3)).astype(np.float32)
    shares = (0.0, 0.01, 0.5, 0.99, 1.0)
    found = jax.jit(quantiles_of_rows, static_argnums=1)(jnp.asarray(values), shares)
    np.testing.assert_allclose(np.stack(found), np.quantile(values, shares, axis=0), rtol=1e-5)
