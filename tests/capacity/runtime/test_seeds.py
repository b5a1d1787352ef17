"""A whole number is taken wherever a key is, and is the same as `jax.random.key` of it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import xarray as xr

sys.path.insert(0, str(Path(__file__).parents[3] / "docs" / "_site"))

import pages

import capacity
from capacity.analysis.latent.posteriors import gaussian, measure_posteriors
from capacity.channels import Gaussian, Posterior
from capacity.curves import run as curves_run
from capacity.joint import Joint, Layer, Stack
from capacity.joint.table import Rows
from capacity.runtime.keys import as_key
from synthetic import FairBits

X = np.random.default_rng(0).normal(size=(80, 2))
Y = X + 0.5 * np.random.default_rng(1).normal(size=(80, 2))
SOURCE = FairBits(jnp.eye(2))
JOINT = Joint(SOURCE, jnp.asarray, Gaussian(0.7))
SYSTEM = capacity.GaussianAutoencoder(capacity.Architecture(2, (4,)))
TRAINING = capacity.Training(2, 8, 2, 8)
MODEL = capacity.LatentModel(1, lambda x, z: z[:, 0], lambda rng, z: z)
NEITHER: Any = jnp.zeros(3)
QUICK = (
    "analysis.weights.trace.hutchinson", "claims.outcome.examine", "curves.plan.plan_curve",
    "curves.run.capacity_curve", "estimators.arrays.estimate", "estimators.column_pairs.pairwise",
    "estimators.feature_selection.information_scorer",
    "training.noises.label_noise.flip_labels", "training.train.measurement_key",
)  # fmt: skip
MATRIX = jnp.diag(jnp.arange(1.0, 5.0))


class Claimed(capacity.claims.Claim):
    """It answers with a random number."""

    name, sentence, source = "claimed", "a number is drawn", "nobody (2000)"
    predictions = (capacity.claims.Prediction("number", "it is positive", low=0.0),)

    def run(self, key: jax.Array, context: capacity.claims.Context) -> capacity.claims.Evidence:
        number = float(jax.random.normal(key))
        return capacity.claims.Evidence({"number": capacity.claims.Answer(number, number, number, 1)})


def apply(matrix: jax.Array) -> Callable[[jax.Array], jax.Array]:
    return lambda v: matrix @ v


def quadratic(params: jax.Array, example: jax.Array) -> jax.Array:
    return jnp.square(params - example).sum()


def noisy(params: jax.Array, key: jax.Array, progress: jax.Array) -> jax.Array:
    return jnp.square(params - jax.random.normal(key)).sum()


def posterior_of(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x[:, :2], 0 * x[:, :2] - 1


def shared(key: Any) -> Any:
    table = Posterior(jnp.asarray(X[:6], jnp.float32), jnp.zeros((6, 2)))
    rows = Rows.of(np.full(6, 1 / 6))
    return capacity.analysis.latent.shared_bits(key, rows, table, np.ones(2), 128)


CASES: dict[str, Callable[[Any], Any]] = {
    "analysis.codes.codes.measure_codes": lambda key: vars(
        capacity.measure_codes(key, (9 * X).astype(int) % 7).population.information.upper
    ),
    "analysis.codes.probs.measure_probs": lambda key: vars(
        capacity.measure_probs(key, X[:, :, None] * [1, 2], given="logits", samples=256).information
    ),
    "analysis.latent.latent.measure_latent": lambda key: capacity.measure_latent(
        key, X[:6], 0 * X[:6] - 1, samples=256
    ),
    "analysis.latent.posteriors.measure.measure_posteriors": lambda key: measure_posteriors(
        key, gaussian(X[:6], 0 * X[:6] + 0.6), samples=256
    ),
    "analysis.latent.shared.shared_bits": shared,
    "analysis.model.measured.measure_model": lambda key: capacity.measure_model(key, X, MODEL),
    "analysis.model.network.measure_network": lambda key: capacity.measure_network(
        key, [Layer(jnp.asarray, Gaussian(0.5))], X
    ),
    "analysis.storage.random_labels.memorise": lambda key: capacity.analysis.storage.memorise(
        key, 3, None, inputs=2, hidden=2, most=4, steps=2
    ),
    "analysis.weights.gradients.cosine_to_full": lambda key: capacity.analysis.weights.cosine_to_full(
        key, quadratic, jnp.ones(3), jnp.arange(6.0).reshape(2, 3), 1, draws=2
    ),
    "analysis.weights.spectrum.lanczos": lambda key: capacity.analysis.weights.lanczos(key, apply(MATRIX), 4, 2),
    "analysis.weights.spectrum.largest_eigenvalues": lambda key: capacity.analysis.weights.largest_eigenvalues(
        key, apply(MATRIX), 4, 1, 2
    ),
    "analysis.weights.trace.hutchinson": lambda key: capacity.analysis.weights.hutchinson(key, apply(MATRIX), 4, 2),
    "bounds.layers.measure_layers": lambda key: capacity.measure_layers(
        key, Stack(SOURCE, (Layer(jnp.asarray, Gaussian(0.5)),))
    ),
    "bounds.measurement.measure": lambda key: capacity.measure(key, JOINT, samples=64),
    "claims.outcome.examine": lambda key: capacity.claims.examine(key, Claimed()).answers,
    "curves.plan.plan_curve": lambda key: capacity.plan_curve(key, SOURCE, SYSTEM, (0.5,)).keys,
    "curves.run.capacity_curve": lambda key: capacity.capacity_curve(key, SOURCE, SYSTEM, (0.5,)),
    "curves.grid.capacity_grid": lambda key: capacity.capacity_grid(key, SOURCE, SYSTEM, levels=(0.5,)),
    "estimators.arrays.estimate": lambda key: capacity.estimate(key, X, Y, method="ksg"),
    "estimators.column_pairs.pairwise": lambda key: capacity.pairwise(key, X, method="ksg").high.values,
    "estimators.auto.choose": lambda key: capacity.choose(key, X, Y).estimate,
    "estimators.conditional.conditional_information.conditional_information": lambda key: (
        capacity.conditional_information(key, X[:, :1], Y[:, :1], X[:, 1:], method="neighbours")
    ),
    "estimators.conditional.local_permutation.conditional_permutation_test": lambda key: (
        capacity.estimators.conditional_permutation_test(key, X[:, :1], Y[:, :1], X[:, 1:], permutations=9).p_value
    ),
    "estimators.order.lags.lagged_information": lambda key: (
        capacity.lagged_information(key, X[:, 0], Y[:, 0], range(2), method="ksg").bits.values
    ),
    "estimators.order.time_interval.time_interval": lambda key: capacity.estimators.time_interval(
        key, X, Y, capacity.estimators.KSG()
    ),
    "estimators.testing.permutation.permutation_test": lambda key: (
        capacity.permutation_test(key, X, Y, permutations=9).p_value
    ),
    "estimators.feature_selection.information_scorer": lambda key: capacity.information_scorer(key, method="ksg")(
        X, Y[:, 0]
    ),
    "frameworks.module.measure_module": lambda key: capacity.measure_module(key, posterior_of, X, samples=256),
    "frameworks.module.measure_posterior": lambda key: capacity.measure_posterior(
        key, capacity.collect_module(posterior_of, X), samples=256
    ),
    "systems.constraints.calibration": lambda key: capacity.systems.constraints.calibration(key, SOURCE),
    "training.fitting.fit": lambda key: capacity.training.fit(key, noisy, jnp.ones(2), optax.sgd(0.1), 2),
    "training.noises.label_noise.flip_labels": lambda key: capacity.training.noises.flip_labels(
        key, jnp.arange(20) % 2, 0.5
    ),
    "training.noises.minibatches.minibatch": lambda key: capacity.training.noises.minibatch(key, 9, 3, 4),
    "training.train.measurement_key": lambda key: jax.random.key_data(capacity.training.measurement_key(key)),
    "training.train.sender": lambda key: _encoded(
        capacity.training.sender(key, SYSTEM.init(as_key(1), SOURCE), SOURCE, SYSTEM, 0.5)
    ),
    "training.watch.fit_watched": lambda key: capacity.training.fit_watched(
        key, noisy, jnp.ones(2), optax.sgd(0.1), 2, lambda key, params: params, 1
    ),
}
METHODS: dict[str, Callable[[Any], Any]] = {
    "Training.joint": lambda key: _encoded(TRAINING.joint(key, SOURCE, SYSTEM, 0.5)),
    "Training.train": lambda key: TRAINING.train(key, SOURCE, SYSTEM, 0.5)[1],
}


def _encoded(joint: Joint) -> jax.Array:
    return jax.vmap(joint.encoder)(SOURCE.codebook()[0])


def with_key(offered: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Public functions whose first parameter is a key, by where they are defined."""
    members = {id(m): m for names in offered.values() for m in names.values() if inspect.isfunction(m)}
    takes = [m for m in members.values() if next(iter(inspect.signature(m).parameters), None) == "key"]
    return {f"{m.__module__}.{m.__name__}".removeprefix("capacity."): m for m in takes}


def leaves(found: Any) -> list[np.ndarray]:
    """Arrays of a result; of an estimate its fields, of a key its numbers."""
    if isinstance(found, xr.Dataset):
        return [variable.values for variable in found.data_vars.values()]
    found = vars(found) if isinstance(found, capacity.Estimate | capacity.Bracket) else found
    data = (
        jax.random.key_data(leaf) if is_key(leaf) else leaf
        for leaf in jax.tree.leaves(found)
        if not isinstance(leaf, str)
    )
    return [np.asarray(leaf) for leaf in data]


def is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and bool(jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key))


def test_every_public_function_of_a_key_is_tried() -> None:
    assert with_key(pages.public_names()).keys() == CASES.keys()


@pytest.mark.parametrize("case", CASES | METHODS)
def test_a_seed_is_made_a_key_before_any_work(case: str) -> None:
    """What makes a key of a seed is one function for all: it refuses what is neither in its own words."""
    with pytest.raises(TypeError, match="Expected a key by jax.random.key, or a whole number as a seed; got an array"):
        (CASES | METHODS)[case](NEITHER)


@pytest.mark.parametrize("case", QUICK)
def test_a_seed_is_the_key_made_of_it(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves_run, "run_plan", lambda plan, *given, **named: plan.keys)
    seeded, keyed = leaves(CASES[case](0)), leaves(CASES[case](jax.random.key(0)))
    assert seeded and len(seeded) == len(keyed)
    assert all(map(partial(np.array_equal, equal_nan=True), seeded, keyed))


@pytest.mark.parametrize("name", capacity.bounds.BOUNDS)
def test_a_bound_takes_a_seed(name: str) -> None:
    kind = capacity.bounds.BOUNDS[name]
    bound = kind(lambda message, z: -jnp.square(z).sum()) if name == "decoder" else kind()
    with pytest.raises(TypeError, match="Expected a key by jax.random.key"):
        bound(NEITHER, JOINT)


@pytest.mark.parametrize("name", capacity.estimators.ESTIMATORS)
def test_an_estimator_takes_a_seed(name: str) -> None:
    kind = capacity.estimators.ESTIMATORS[name]
    x, y = (X[:, 0] > 0, Y[:, 0] > 0) if kind.takes == "discrete" else (X, Y)
    x = x[:, 0] > 0 if kind.takes == "mixed" else x
    with pytest.raises(TypeError, match="Expected a key by jax.random.key"):
        kind()(NEITHER, x, y)


def test_a_key_as_a_curve_keeps_it_is_that_key() -> None:
    key = jax.random.key(7)
    words = jax.random.key_data(key)
    assert as_key(words) == key and as_key(np.asarray(words)) == key
    with pytest.raises(TypeError, match=r"got an array of uint32 \(3,\)"):
        as_key(np.zeros(3, np.uint32))
