"""Instruments held to dense matrices, closed forms and enumeration on small networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree

from capacity.analysis.weights import (
    cosine_to_full,
    gap_bits,
    gauss_newton_product,
    gaussian_divergence,
    generalization_bound,
    gradient_statistics,
    hessian_product,
    hutchinson,
    lanczos,
    largest_eigenvalues,
    memorised_bits,
    noisy_descent_information,
    posterior_information,
    student_interval,
)
from capacity.training import fit, fit_watched

INPUTS, HIDDEN, COUNT = 4, 5, 40


def network(params: Any, x: jax.Array) -> jax.Array:
    return jnp.tanh(x @ params["a"] + params["b"]) @ params["c"]  # one input (4,)


def example_loss(params: Any, example: Any) -> jax.Array:
    x, y = example
    return jax.nn.softplus(-y * network(params, x))


@pytest.fixture(scope="module")
def task() -> tuple[Any, Any]:
    """A small two-layer network, part of the way down, and its data."""
    keys = jax.random.split(jax.random.key(0), 5)
    x = jax.random.normal(keys[0], (COUNT, INPUTS))
    y = jnp.sign(jax.random.normal(keys[1], (COUNT,)))
    params = {
        "a": jax.random.normal(keys[2], (INPUTS, HIDDEN)),
        "b": jnp.zeros(HIDDEN),
        "c": jax.random.normal(keys[3], (HIDDEN,)),
    }
    loss = full_loss((x, y))
    params, _ = jax.jit(lambda p: fit(keys[4], lambda p, k, t: loss(p), p, optax.adam(0.02), 100))(params)
    return params, (x, y)


def full_loss(data: Any) -> Callable[[Any], jax.Array]:
    return lambda params: jax.vmap(example_loss, (None, 0))(params, data).mean()


def dense(product: Any, dim: int) -> np.ndarray:
    return np.asarray(jax.jit(jax.vmap(product))(jnp.eye(dim)), np.float64)


all_values = jax.jit(lanczos, static_argnums=(1, 2, 3))


def test_lanczos_agrees_with_the_dense_hessian(task: Any) -> None:
    """To 1e-3 of the largest, at 20 of 30 products; at 30 the whole spectrum."""
    params, data = task
    flat, unravel = ravel_pytree(params)
    matrix = jax.jit(jax.hessian(lambda v: full_loss(data)(unravel(v))))(flat)
    truth = np.linalg.eigvalsh(np.asarray(matrix, np.float64))[::-1]
    product, dim = hessian_product(full_loss(data), params)
    found = jax.jit(largest_eigenvalues, static_argnums=(1, 2, 3, 4))(jax.random.key(1), product, dim, 4, 20)
    np.testing.assert_allclose(found.values, truth[:4], atol=1e-3 * truth[0])
    assert np.all(np.abs(found.values - truth[:4]) <= found.residual + 1e-5 * truth[0])
    whole = all_values(jax.random.key(2), product, dim, dim)
    np.testing.assert_allclose(whole.values, truth, atol=1e-4 * truth[0])


def test_lanczos_on_repeated_eigenvalues_and_ghosts() -> None:
    """A spectrum of six orders of magnitude with a triple value: each as often as it is there."""
    truth = np.array([100.0, 7.0, 7.0, 7.0, 1.0, 1e-2, 0.0, -1e-4, -3.0, -50.0])
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(10, 10)))[0]
    matrix = jnp.asarray(rotation * truth @ rotation.T, jnp.float32)
    found = all_values(jax.random.key(0), lambda v: matrix @ v, 10, 10)
    np.testing.assert_allclose(found.values, np.sort(truth)[::-1], atol=2e-4)
    assert not np.isnan(found.residual).any()


def test_lanczos_of_nothing() -> None:
    found = all_values(jax.random.key(0), jnp.zeros_like, 5, 3)
    np.testing.assert_array_equal(found.values, np.zeros(3))


def test_trace_and_its_interval(task: Any) -> None:
    """400 probes lie within 4 standard errors of the dense trace; 100 intervals of 16 probes hold it about 95 times."""
    params, data = task
    product, dim = hessian_product(full_loss(data), params)
    truth = np.trace(dense(product, dim))
    found = jax.jit(hutchinson, static_argnums=(1, 2, 3))(jax.random.key(5), product, dim, 400)
    assert abs(found.value - truth) < 4 * found.stderr
    many = jax.jit(jax.vmap(lambda key: hutchinson(key, product, dim, 16)))(jax.random.split(jax.random.key(6), 100))
    held = ((many.low <= truth) & (truth <= many.high)).sum()
    assert 88 <= held <= 100


def test_gauss_newton(task: Any) -> None:
    """J' diag(q (1 - q) / n) J by hand; no negative eigenvalue."""
    params, (x, y) = task

    def outputs(p: Any) -> jax.Array:
        return jax.vmap(network, (None, 0))(p, x)

    flat, unravel = ravel_pytree(params)
    jacobian = np.asarray(jax.jit(jax.jacobian(lambda v: outputs(unravel(v))))(flat), np.float64)
    q = np.asarray(jax.nn.sigmoid(outputs(params)), np.float64)
    truth = (jacobian.T * (q * (1 - q) / COUNT)) @ jacobian
    product, dim = gauss_newton_product(outputs, lambda f: jax.nn.softplus(-y * f).mean(), params)
    found = dense(product, dim)
    np.testing.assert_allclose(found, truth, atol=1e-6)
    assert np.linalg.eigvalsh(found).min() > -1e-6


def test_gradient_noise_of_minibatches(task: Any) -> None:
    """Statistics against per-example gradients by hand, and against the spread of drawn minibatches."""
    params, data = task
    each = jax.jit(jax.vmap(lambda e: ravel_pytree(jax.grad(example_loss)(params, e))[0]))
    rows = np.asarray(each(data), np.float64)
    mean = rows.mean(0)
    sigma = ((rows - mean) ** 2).sum() / COUNT
    found = gradient_statistics(example_loss, params, data, 8)
    noise = sigma / 8 * (COUNT - 8) / (COUNT - 1)
    np.testing.assert_allclose(found.norm, np.linalg.norm(mean), rtol=1e-4)
    np.testing.assert_allclose(found.snr, mean @ mean / noise, rtol=1e-3)
    np.testing.assert_allclose(found.noise_scale, sigma / (mean @ mean), rtol=1e-3)
    assert jnp.isinf(gradient_statistics(example_loss, params, data, COUNT).snr)
    drawn = np.random.default_rng(0)
    parts = np.stack([rows[drawn.choice(COUNT, 8, replace=False)].mean(0) for _ in range(4000)])
    cosines = parts @ mean / np.linalg.norm(parts, axis=1) / np.linalg.norm(mean)
    cosine = cosine_to_full(jax.random.key(1), example_loss, params, data, 8, 400)
    assert abs(cosine.value - cosines.mean()) < 4 * float(cosine.stderr)
    assert cosine_to_full(jax.random.key(1), example_loss, params, data, COUNT, 2).value == pytest.approx(1, abs=1e-5)


def test_watched_fit_is_the_plain_one(task: Any) -> None:
    params, data = task
    key = jax.random.key(3)

    def loss(p: Any, key: jax.Array, progress: jax.Array) -> jax.Array:
        return full_loss(data)(p) + 0.01 * jax.random.normal(key) * p["c"].sum()

    plain, history = fit(key, loss, params, optax.sgd(0.1), 12)
    watched = fit_watched(key, loss, params, optax.sgd(0.1), 12, lambda key, p: full_loss(data)(p), 3)
    np.testing.assert_allclose(watched.history, history, rtol=1e-5)
    assert watched.probed.shape == (3,)
    np.testing.assert_allclose(watched.probed[-1], full_loss(data)(plain), rtol=1e-5)
    with pytest.raises(ValueError, match="divides 12 steps; got 5"):
        fit_watched(key, loss, params, optax.sgd(0.1), 12, lambda key, p: p, 5)


def test_information_of_a_linear_model() -> None:
    """Y = X w + noise: the mean of KL(posterior || prior) over data sets is I(w; Y) = 1/2 log2 det(1 + s^2 X'X/v)."""
    rng = np.random.default_rng(0)
    n, d, s, v = 12, 3, 1.7, 0.4
    x = rng.normal(size=(n, d))
    eigenvalues = np.linalg.eigvalsh(x.T @ x) / (n * v)
    truth = 0.5 * np.log2(1 + n * eigenvalues * s**2).sum()
    inside = np.linalg.inv(x.T @ x / v + np.eye(d) / s**2)
    w = s * rng.normal(size=(4000, d))
    y = w @ x.T + v**0.5 * rng.normal(size=(4000, n))
    means = y @ x / v @ inside
    found = jax.vmap(lambda m: posterior_information(jnp.asarray(eigenvalues, jnp.float32), m, n, s))(
        jnp.asarray(means, jnp.float32)
    )
    assert abs(found.mean() - truth) < 4 * found.std() / 4000**0.5
    assert jnp.isnan(posterior_information(jnp.array([-1.0]), jnp.zeros(1), 10, 1.0))


def test_gaussian_divergence() -> None:
    """log2(3) - 1/2 (1 - 1/9)/ln 2 + 2/9/ln 2 for N(2, 1) against N(0, 9)... by hand, and 0 for the prior itself."""
    truth = np.log2(3) + (-0.5 * (1 - 1 / 9) + 0.5 * 4 / 9) / np.log(2)
    assert gaussian_divergence(jnp.array([2.0]), jnp.array([1.0]), 0.0, 3.0) == pytest.approx(truth, abs=1e-5)
    assert gaussian_divergence(jnp.zeros(3), jnp.ones(3)) == 0


def test_noisy_descent_bound() -> None:
    """W' = W - eta (W - mean of the data) + sigma N, normal throughout: exact at one step, a bound at many."""
    eta, sigma, n, d = 0.2, 0.3, 10, 4
    square = d / n  # E|F - E F|^2: the data's mean has variance 1/n in each of d dimensions

    def exact(steps: int) -> float:
        gain, noise = 1 - (1 - eta) ** steps, sum((1 - eta) ** (2 * t) for t in range(steps)) * sigma**2
        return 0.5 * d * float(np.log2(1 + gain**2 / n / noise))

    bounds = [
        float(noisy_descent_information(jnp.full(steps, eta), jnp.full(steps, sigma), square, d))
        for steps in (1, 5, 20)
    ]
    assert bounds[0] == pytest.approx(exact(1), rel=1e-5)
    assert bounds[1] > exact(5) and bounds[2] > exact(20)
    assert generalization_bound(jnp.float32(8 / np.log(2)), 100, 0.5) == pytest.approx(0.2, rel=1e-5)


def test_memorised_bits_of_a_code_that_stores_labels() -> None:
    """ "Weights" that keep k of N labels with each flipped with chance p hold k (1 - h(p)) bits; the bound meets it."""
    rng = np.random.default_rng(1)
    runs, n, k, p = 200, 60, 40, 0.1
    right = rng.random((runs, k)) > p
    kept = np.where(right, np.log(1 - p), np.log(p))
    log_probs = np.concatenate([kept, np.full((runs, n - k), np.log(0.5))], 1)
    found = memorised_bits(jnp.asarray(log_probs, jnp.float32), parameters=10)
    truth = k * 0.531004 / 10
    assert found.kind == "lower" and found.limit == 6
    assert found.low < truth < found.high and found.high - found.low < 0.2
    assert jnp.isnan(memorised_bits(jnp.asarray(log_probs[:1], jnp.float32)).low)


def test_held_out_bits_never_pass_the_truth() -> None:
    """A fair label seen through a flip of 0.11 holds 0.5 bits; an overconfident reader shows fewer."""
    rng = np.random.default_rng(2)
    right = rng.random(20000) > 0.11
    true = np.where(right, np.log(0.89), np.log(0.11))
    over = np.where(right, np.log(0.999), np.log(0.001))
    found = gap_bits(jnp.asarray(true[:1000], jnp.float32), jnp.asarray(true, jnp.float32), 1.0)
    assert found.held_out.kind == "lower" and found.training.kind == "point"
    assert abs(found.held_out.bits - 0.500084) < 4 * found.held_out.stderr
    assert gap_bits(jnp.zeros(10), jnp.asarray(over, jnp.float32), 1.0).held_out.bits < 0.3
    assert gap_bits(jnp.zeros(10), jnp.asarray(over, jnp.float32), 1.0).gap.bits > 0.7


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: lanczos(jax.random.key(0), lambda v: v, 3, 4), "from 1 to 3 Lanczos steps; got 4"),
        (lambda: largest_eigenvalues(jax.random.key(0), lambda v: v, 3, 4), "from 1 to 3 eigenvalues; got 4"),
        (lambda: student_interval(jnp.zeros(1)), "at least two independent values"),
        (lambda: memorised_bits(jnp.zeros(3)), "log_probs of shape"),
    ],
)
def test_refusals(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
