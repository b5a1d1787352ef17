"""Sorting as integers against NumPy's own."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.bounds.exact.sorting import quantiles_of_rows, rising_order


def numbers(n: int, dtype: type) -> np.ndarray:
    """Of both signs, over many decades, with ties, zeros and both infinities."""
    draw = np.random.default_rng(n)
    values = draw.standard_normal(n) * 10.0 ** draw.integers(-30, 30, n)
    values[draw.random(n) < 0.3] = 2.5
    values[: min(n, 5)] = [0.0, -0.0, -np.inf, np.inf, 0.0][: min(n, 5)]
    return values.astype(dtype)


@pytest.mark.parametrize("n", [1, 2, 3, 64, 65, 5000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_order_is_that_of_a_stable_sort(n: int, dtype: type) -> None:
    values = numbers(n, dtype)
    with jax.enable_x64(dtype is np.float64):
        order = np.asarray(jax.jit(rising_order)(jnp.asarray(values)))
    np.testing.assert_array_equal(order, np.argsort(values, kind="stable"))


@pytest.mark.parametrize("n", [1, 2, 3, 101, 4096])
def test_quantiles_are_those_of_numpy(n: int) -> None:
    values = np.random.default_rng(n).standard_normal((n, 3)).astype(np.float32)
    shares = (0.0, 0.01, 0.5, 0.99, 1.0)
    found = jax.jit(quantiles_of_rows, static_argnums=1)(jnp.asarray(values), shares)
    np.testing.assert_allclose(np.stack(found), np.quantile(values, shares, axis=0), rtol=1e-5)
