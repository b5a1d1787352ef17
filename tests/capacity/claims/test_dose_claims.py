"""Noise on inputs and useless features: the rules that make answers of bits, and least squares against NumPy."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.claims.claim import Context
from capacity.claims.lab.classifier import ClassifierTraining, Examples, Split, held_out_bits
from capacity.claims.lab.experiment import grid, run_lanes
from capacity.claims.noise import input_noise, useless_features

KEY = jax.random.key(0)


def test_the_dose_is_chosen_on_seeds_that_do_not_measure_its_gain() -> None:
    random = np.random.default_rng(0)
    bits = 0.01 * random.normal(size=(3, 4, 9)) + np.array([0.5, 0.6, 0.7, 0.1])[:, None]
    bits[:, 3, : input_noise.CHOOSING] += 2.0  # luck of the choosing seeds
    assert input_noise.chosen_dose(bits[0]) == 3
    answers = input_noise.answers_of(bits, 0.01)
    assert answers["gain by the right dose, N = 64"].high < -0.3
    bits[:, 3, : input_noise.CHOOSING] -= 2.0
    assert input_noise.answers_of(bits, 0.01)["gain by the right dose, N = 1024"].low > 0.15
    assert answers["change by the largest dose, N = 256"].value == pytest.approx(-0.4, abs=0.02)


def test_costs_are_paired_differences() -> None:
    network = np.zeros((3, 5, 4)) + np.arange(4.0)  # seeds differ, counts do not
    network[:, -1] -= 0.25
    found = useless_features.costs(network, np.zeros((3, 6, 4)), 0.01)
    assert found["cost of 256 useless features, N = 64"][:3] == pytest.approx((0.25, 0.25, 0.25))


@pytest.mark.parametrize(("size", "count"), [(40, 0), (160, 25), (20, 50)])
def test_least_squares_is_numpys_of_least_norm(size: int, count: int) -> None:
    one = {"key": KEY, "size": jnp.int32(size), "count": jnp.int32(count)}
    found = float(useless_features._least_squares(one, ())["bits"])
    key_data, key_weight, key_noise = jax.random.split(KEY, 3)
    rows, used = 160 + useless_features.LINEAR_TEST, 20 + count
    inputs = np.asarray(jax.random.normal(key_data, (rows, 420)), np.float64)[:, :used]
    weight = np.asarray(jax.random.normal(key_weight, (20,)), np.float64)
    target = inputs[:, :20] @ weight / np.linalg.norm(weight) + 0.5 * np.asarray(jax.random.normal(key_noise, (rows,)))
    inputs[:, 20:] *= useless_features.FAINT
    fit = np.linalg.lstsq(inputs[:size], target[:size], rcond=None)[0]
    truth = 0.5 * np.log2(1.25 / np.square(target[160:] - inputs[160:] @ fit).mean())
    assert found == pytest.approx(truth, abs=0.01)


def test_a_classifier_with_enough_data_reaches_what_is_known_and_with_none_says_nothing() -> None:
    recipe = ClassifierTraining(2, width=16, steps=160, checks=8, learning_rate=1e-2)
    inputs = jax.random.normal(KEY, (3000, 2))
    labels = (inputs[:, 0] > 0).astype(jnp.int32)
    split = Split(*(Examples(inputs[a:b], labels[a:b]) for a, b in ((0, 1000), (1000, 1500), (1500, 3000))))
    random = Split(
        *(e._replace(labels=jax.random.bernoulli(KEY, 0.5, e.labels.shape).astype(jnp.int32)) for e in split)
    )
    train = jax.jit(lambda data: held_out_bits(KEY, recipe, data, jnp.int32(1000), lambda key, x: x))
    assert 0.85 < train(split)["bits"] < 1.0
    # Stopped by validation, a network that has nothing to learn stays at 0 bits: it starts there.
    assert abs(float(train(random)["bits"])) < 0.02


def test_lanes_are_found_again_in_parts() -> None:
    kept: dict[str, dict[str, np.ndarray]] = {}

    class Parts:
        load = staticmethod(kept.get)
        save = staticmethod(kept.__setitem__)

    def lane(one: dict[str, jax.Array], shared: jax.Array) -> dict[str, jax.Array]:
        return {"sum": one["a"] + 10 * one["b"] + shared}

    lanes = grid(a=(1.0, 2.0), b=(0.0, 1.0, 2.0))
    for _ in range(2):
        found = run_lanes(Context(0.05, parts=Parts()), "x", lane, lanes, jnp.float32(0.5), group=4)
        np.testing.assert_allclose(found["sum"], [1.5, 11.5, 21.5, 2.5, 12.5, 22.5])
    assert sorted(kept) == ["x-0000", "x-0004"]
