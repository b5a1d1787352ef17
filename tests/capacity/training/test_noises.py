"""Noises of training: stationary variances, the stability limit of a delay, sampling and flips in closed form."""

from __future__ import annotations

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from capacity.systems import Architecture, GaussianAutoencoder
from capacity.theory.training import delay_limit, langevin_variance, separable, sgd_variance
from capacity.training import Training
from capacity.training.fitting import apply_update
from capacity.training.noises import (
    annealed_noise,
    average_minibatch,
    flip_labels,
    langevin,
    minibatch,
    randomly_stale_gradients,
    stale_gradients,
)
from synthetic import FairBits


def descend(optimiser: optax.GradientTransformation, curvature: Any, start: jax.Array, steps: int) -> jax.Array:
    """Parameters at every step (steps, ...) on a theta^2 / 2, the optimiser adding its noise."""

    def step(carry: Any, _: None) -> tuple[Any, jax.Array]:
        theta, state = carry
        theta, state = apply_update(optimiser, curvature * theta, state, theta)
        return (theta, state), theta

    return jax.lax.scan(step, (start, optimiser.init(start)), None, length=steps)[1]


def squares(optimiser: optax.GradientTransformation, curvature: jax.Array) -> jax.Array:
    """Mean square of 1024 independent walkers that started in 0, and its standard error."""
    last = jnp.square(descend(optimiser, curvature, jnp.zeros(1024), 400)[-1])
    return jnp.stack([last.mean(), last.std() / 32])


def test_sgd_on_a_quadratic() -> None:
    """Twelve cells, each within 3.5 standard errors: all pass by chance with probability 0.994."""
    curvature, product = (a.ravel() for a in jnp.meshgrid(jnp.array([0.5, 1.0, 3.0]), jnp.array([0.1, 0.5, 1.0, 1.7])))

    def cell(key: jax.Array, curvature: jax.Array, rate: jax.Array) -> jax.Array:
        return squares(optax.chain(annealed_noise(0.49, key, 0.0), optax.sgd(rate)), curvature)

    rate = product / curvature
    found = jax.jit(jax.vmap(cell))(jax.random.split(jax.random.key(7), 12), curvature, rate)
    truth = sgd_variance(rate, curvature, 0.7)
    assert np.all(np.abs(found[:, 0] - truth) < 3.5 * found[:, 1])


def test_langevin_on_a_quadratic() -> None:
    def cell(key: jax.Array, step_size: jax.Array) -> jax.Array:
        return squares(langevin(step_size, key, 1.5), jnp.float32(2.0))

    sizes = jnp.array([0.1, 0.5, 1.25])
    found = jax.jit(jax.vmap(cell))(jax.random.split(jax.random.key(3), 3), sizes)
    assert np.all(np.abs(found[:, 0] - langevin_variance(sizes, 2.0, 1.5)) < 3.5 * found[:, 1])


def test_langevin_takes_a_schedule() -> None:
    path = descend(langevin(lambda t: 0.5 / (1 + t), jax.random.key(0), 0.0), 1.0, jnp.ones(1), 3)
    np.testing.assert_allclose(path[:, 0], np.cumprod([1 - 0.25, 1 - 0.125, 1 - 0.5 / 6]), rtol=1e-6)


def test_annealed_noise_decays_as_said() -> None:
    """Variance eta / (1 + t)^gamma at t = 0, 1, 9, within 4 standard errors of a variance (sqrt(2/n) of it)."""
    optimiser, n = annealed_noise(0.3, jax.random.key(1)), 40000
    state, zeros = optimiser.init(jnp.zeros(n)), jnp.zeros(n)
    seen = []
    with jax.numpy_dtype_promotion("standard"):
        for _ in range(10):
            noise, state = optimiser.update(zeros, state)
            seen.append(float(jnp.square(noise).mean()))
    truth = 0.3 / (1 + np.arange(10)) ** 0.55
    assert np.all(np.abs(np.array(seen) / truth - 1) < 4 * (2 / n) ** 0.5)


@pytest.mark.parametrize(("tau", "limit"), [(0, 2), (1, 1), (2, 0.6180), (4, 0.3473), (8, 0.1845)])
def test_delayed_descent_diverges_and_converges_on_the_right_sides(tau: int, limit: float) -> None:
    assert delay_limit(tau) == pytest.approx(limit, abs=5e-5)
    rates = jnp.float32(delay_limit(tau)) * jnp.array([0.98, 1.02])
    steps = 300 * (2 * tau + 1)

    def run(rate: jax.Array, delay: jax.Array) -> jax.Array:
        optimiser = optax.chain(stale_gradients(delay, 8), optax.sgd(rate))
        return jnp.abs(descend(optimiser, 1.0, jnp.ones(()), steps)[-(4 * tau + 4) :]).max()

    below, above = jax.vmap(run, (0, None))(rates, jnp.int32(tau))
    assert below < 0.5 < 2 < above


def test_stale_gradients_are_those_of_earlier_steps() -> None:
    optimiser = stale_gradients(2)
    state, out = optimiser.init({"w": jnp.zeros(1)}), []
    for t in range(6):
        update, state = optimiser.update({"w": jnp.full(1, t + 1.0)}, state)
        out.append(float(update["w"][0]))
    assert out == [0, 0, 1, 2, 3, 4]


def test_random_staleness_has_its_law() -> None:
    """Delays are read off gradients that count the steps; chi-square of three classes below its 0.999 quantile."""
    probabilities, steps = jnp.array([0.5, 0.2, 0.3]), 4000
    optimiser = randomly_stale_gradients(probabilities, jax.random.key(5))

    def step(state: Any, t: jax.Array) -> Any:
        update, state = optimiser.update(t, state)
        return state, t - update

    delays = jax.lax.scan(step, optimiser.init(jnp.zeros(())), jnp.arange(steps, dtype=jnp.float32))[1][2:]
    counts = np.bincount(np.asarray(delays, int), minlength=3)
    expected = np.asarray(probabilities) * (steps - 2)
    assert ((counts - expected) ** 2 / expected).sum() < 13.8


def test_minibatch_variance() -> None:
    """Of a mean of B of n without replacement: Sigma/B (n - B)/(n - 1), within 4 standard errors; none at B = n."""
    values, n = jnp.arange(12.0), 12

    def mean(key: jax.Array, size: jax.Array) -> jax.Array:
        drawn = minibatch(key, n, size, n)
        return (drawn.weight * values[drawn.rows]).sum()

    keys = jax.random.split(jax.random.key(2), 20000)
    means = jax.vmap(lambda size: jax.vmap(lambda key: mean(key, size))(keys))(jnp.array([1, 3, 8, 12]))
    sizes = np.array([1, 3, 8, 12])
    truth = float(values.var()) / sizes * (n - sizes) / (n - 1)
    assert np.all(np.abs(np.asarray(means).var(1) - truth) <= 4 * truth * (2 / 20000) ** 0.5 + 1e-9)


def test_average_minibatch_composes() -> None:
    optimiser = optax.chain(average_minibatch(4, jax.random.key(0)), optax.sgd(1.0))
    params = {"w": jnp.zeros(2)}
    update, _ = optimiser.update({"w": jnp.arange(8.0).reshape(4, 2)}, optimiser.init(params), params)
    np.testing.assert_allclose(update["w"], [-3.0, -4.0], rtol=1e-6)


def test_flipped_labels() -> None:
    """One in four of five classes changes, never to itself, to the others alike; within 4 standard errors."""
    labels = jnp.arange(50000) % 5
    noisy = flip_labels(jax.random.key(4), labels, jnp.float32(0.25), 5)
    changed = np.asarray(noisy != labels)
    assert abs(changed.mean() - 0.25) < 4 * (0.25 * 0.75 / 50000) ** 0.5
    shares = np.bincount((np.asarray(noisy - labels) % 5)[changed], minlength=5) / changed.sum()
    np.testing.assert_allclose(shares[1:], 0.25, atol=4 * (0.25 * 0.75 / changed.sum()) ** 0.5)
    assert shares[0] == 0
    assert (flip_labels(jax.random.key(4), labels, 0.0) == labels).all()


def test_lanes_differ_in_traced_strengths() -> None:
    """One program for lanes of several strengths, delays and sizes: each lane as if it were alone."""

    def lane(eta: jax.Array, delay: jax.Array, key: jax.Array) -> jax.Array:
        optimiser = optax.chain(annealed_noise(eta, key), stale_gradients(delay, 3), optax.sgd(0.1))
        return descend(optimiser, 1.0, jnp.ones(2), 20)[-1]

    etas, delays, keys = jnp.array([0.0, 0.1]), jnp.array([3, 1]), jax.random.split(jax.random.key(0), 2)
    together = jax.jit(jax.vmap(lane))(etas, delays, keys)
    for i in range(2):
        np.testing.assert_allclose(together[i], lane(etas[i], delays[i], keys[i]), rtol=1e-5)


def test_lanes_of_a_sweep_have_noise_of_their_own() -> None:
    """An optimiser that asks for a key gets another one in every lane; its program is part of the configuration."""

    def noisy(key: jax.Array) -> optax.GradientTransformation:
        seen.append(key)
        return optax.chain(annealed_noise(0.1, key), optax.sgd(0.1))

    seen: list[jax.Array] = []
    training = Training(steps=2, batch=4, receiver_steps=0, optimiser=noisy)
    assert training.configuration["optimiser"] == Training(optimiser=noisy).configuration["optimiser"] is not None
    system, source = GaussianAutoencoder(Architecture(units=2, widths=(3,))), FairBits.build(jax.random.key(0), 2, 3)
    seen.clear()
    for i in range(2):
        training.train(jax.random.key(i), source, system, jnp.float32(0.5))
    assert (jax.random.key_data(seen[0]) != jax.random.key_data(seen[-1])).any()


def test_cover() -> None:
    truth = {30: 0.96929, 40: 0.5, 50: 0.07621}
    for patterns, chance in truth.items():
        assert separable(patterns, 20) == pytest.approx(chance, abs=1e-5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: annealed_noise(-1.0, jax.random.key(0)), "eta of at least 0; got -1.0"),
        (lambda: langevin(0.0, jax.random.key(0)), "positive step_size; got 0.0"),
        (lambda: langevin(1.0, jax.random.key(0), -1.0), "temperature of at least 0; got -1.0"),
        (lambda: stale_gradients(3, 2), "delay from 0 to 2 steps; got 3"),
        (lambda: stale_gradients(jnp.int32(3)), "Expected `longest`"),
        (lambda: randomly_stale_gradients(jnp.ones((2, 2)), jax.random.key(0)), "got shape (2, 2)"),
        (lambda: minibatch(jax.random.key(0), 5, 6, 5), "minibatch of 1 to 5 examples; got 6"),
        (lambda: minibatch(jax.random.key(0), 5, 2, 6), "from 1 to 5 places"),
        (lambda: flip_labels(jax.random.key(0), jnp.ones(3), 0.1), "integer labels; got float32"),
        (lambda: flip_labels(jax.random.key(0), jnp.ones(3, int), 1.5), "probability from 0 to 1; got 1.5"),
        (lambda: flip_labels(jax.random.key(0), jnp.ones(3, int), 0.5, 1), "at least two classes; got 1"),
        (lambda: delay_limit(-1), "delay of at least 0"),
        (lambda: separable(0, 3), "at least one pattern"),
    ],
)
def test_refusals(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        call()
