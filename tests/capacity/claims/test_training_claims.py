"""Claims on training, data and memory: instruments meet the truth, statistics known answers, at small sizes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from figure_checks import faults
from matplotlib.figure import Figure

from capacity.claims import CLAIMS, Context
from capacity.claims.claim import check_answers, miss_rate
from capacity.claims.lab import experiment, noisy_training, perceptrons
from capacity.claims.lab.folds import outside_fold, train_and_test
from capacity.claims.lab.subset import Subset
from capacity.claims.learning import (
    generalization,
    generation,
    gradient_noise,
    minibatch,
    small_data,
    stale_gradient,
    temperature,
)
from capacity.claims.learning.generalization import partial_rank_correlation
from capacity.claims.learning.memorization import slope
from capacity.claims.learning.stale_gradient import measured_limits
from capacity.claims.learning.temperature import _lanczos_error
from capacity.theory.training import delay_limit
from capacity.training import sweep
from synthetic import FairBits, MarkovBits


def test_walkers_on_a_quadratic_meet_the_closed_form() -> None:
    """All cells within 4 standard errors of their closed form: missed by chance once in 1,300 runs.

    Of what the start had, the slowest cell keeps 0.9^2 a step: 1e-7 after 75.
    """
    ratio = minibatch.minibatch_descent_ratio(jax.random.key(0), walkers=512, steps=75)
    assert np.all(np.abs(ratio.mean(1) - 1) < 4 * ratio.std(1) / 512**0.5)


def test_measured_limits_of_delay() -> None:
    np.testing.assert_allclose(measured_limits(), delay_limit([0, 1, 2, 4, 8]), rtol=5e-3)


def test_lanczos_of_the_runs_meets_the_dense_hessian() -> None:
    assert _lanczos_error(jax.random.key(1)) < 1e-3


def test_digits_are_those_of_the_library() -> None:
    images, labels = small_data.zeros_and_ones()
    assert images.shape == (360, 64) and (labels == 1).sum() == 182 and (labels == -1).sum() == 178
    assert images.min() == -1 and images.max() == 1


def test_split_trains_validates_and_tests_on_different_images() -> None:
    """With labels that are noise nothing can be told of held-out ones; with the digits nearly everything can."""
    images, labels = (jnp.asarray(a) for a in small_data.zeros_and_ones())
    one = {"size": jnp.int32(160), "fold": jnp.int32(1), "decay": jnp.float32(1e-3), "rate": jnp.float32(0.01)}

    def splits(labels: jax.Array) -> jax.Array:
        keys = jax.random.split(jax.random.key(0), 4)
        return jax.vmap(lambda key: train_and_test(key, images, labels, (16,), one, 150))(keys)

    found = jax.jit(splits)(labels)
    assert found["bits"].min() > 0.8 and found["accuracy"].min() > 0.95
    noise = jax.jit(splits)(jnp.sign(jax.random.normal(jax.random.key(1), labels.shape)))
    assert noise["bits"].mean() < 0.05 and noise["validation"].mean() > 53 * np.log(2) * 0.95


def test_folds_part_the_places() -> None:
    """Every place of the first `size` is in one fold, and trained on with the others; with no fold all are."""
    for size in (10, 11, 12, 40):
        for fold in (-1, 0, 1, 2):
            count, places = outside_fold(jnp.int32(fold), jnp.int32(size))
            assert places[: int(count)].tolist() == [p for p in range(size) if p % 3 != fold]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sizes": (10, 20)}, "80 among them; got"),
        ({"sizes": (80, 20)}, "Expected rising sizes"),
        ({"sizes": (80, 261)}, "from 10 to 260"),
        ({"splits": 1}, "at least two splits; got 1"),
        ({"steps": 0}, "at least one step; got 0"),
    ],
)
def test_small_data_refuses(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        small_data.SmallData(**fields)


@pytest.mark.slow
def test_small_data_runs_as_small_as_its_fields() -> None:
    claim = small_data.SmallData(sizes=(10, 80), splits=3, steps=20)
    evidence = claim.run(jax.random.key(0), Context(0.025, fast=True))
    assert evidence.data["size"].values.tolist() == [10, 80]
    assert {answer.n for answer in evidence.answers.values()} == {3}


def test_excess_is_the_divergence_by_hand() -> None:
    """An untrained generator calls all vectors alike: 12 - H bits; a trained one is near 0 and never below."""
    source = MarkovBits(jnp.eye(generation.SYMBOLS))
    one = {"dropout": jnp.float32(0), "gaussian": jnp.float32(0), "gradient": jnp.float32(0), "count": jnp.int32(4000)}
    untrained, trained = (
        jax.jit(lambda key, steps=steps: generation.excess_bits(key, source, one, steps))(jax.random.key(0))
        for steps in (0, 300)
    )
    assert untrained == pytest.approx(12 - source.bits, abs=1e-3)
    assert -1e-4 < trained < 0.3


def test_generator_is_a_distribution() -> None:
    """Its probabilities of all 2^12 vectors sum to 1, and no symbol sees itself or a later one."""
    params = generation._init(jax.random.key(0))
    params |= {"out": jax.random.normal(jax.random.key(1), params["out"].shape)}
    silent = {"dropout": jnp.zeros(()), "gaussian": jnp.zeros(())}
    vectors, _ = FairBits(jnp.eye(generation.SYMBOLS)).codebook()
    log_probs = jax.jit(generation._log_probs)(params, vectors, jax.random.key(2), silent)
    assert jnp.exp(log_probs).sum() == pytest.approx(1, abs=1e-4)


def test_noisy_training_lane_is_plain_descent_without_noise() -> None:
    """At the full batch every step points straight down: cosine 1, nothing added."""
    none = {"batch": jnp.float32(noisy_training.TRAINING), "eta": jnp.float32(0), "delay": jnp.float32(0)}
    found = jax.jit(lambda: noisy_training._train(jax.random.key(0), none | {"rate": jnp.float32(0.3)}, 80, 2))()
    np.testing.assert_allclose(found["cosine"], 1, atol=1e-4)
    assert (found["noise"] == 0).all() and (found["signal"] > 0).all()


def test_partial_rank_correlation_ignores_what_groups_differ_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups that pull x and y apart the other way; within them y grows with x; given y's cause nothing is left."""
    monkeypatch.setattr(generalization, "DRAWS", 400)
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(4), 60)
    cause = rng.normal(size=240)
    x = cause + 0.5 * rng.normal(size=240) + 10 * group
    y = cause + 0.5 * rng.normal(size=240) - 10 * group
    assert np.corrcoef(x, y)[0, 1] < -0.9
    within = partial_rank_correlation(rng, x, y, group, (), 0.05)
    assert within.low > 0.3
    given = partial_rank_correlation(rng, x, y, group, (cause + 10 * group,), 0.05)
    assert abs(given.value) < 0.5 * within.value


def test_few_messages_are_a_source() -> None:
    source = FairBits.build(jax.random.key(0), 5, 8)
    few = Subset(source, source.messages()[3:9])
    batch = few.sample(jax.random.key(1), 200)
    assert few.bits == pytest.approx(np.log2(6))
    assert {tuple(m) for m in np.asarray(batch.message).tolist()} == {tuple(m) for m in np.asarray(few.rows).tolist()}
    np.testing.assert_allclose(batch.vector, source.embed(batch.message))
    assert jnp.exp(few.codebook()[1]).sum() == pytest.approx(1)


def test_slope_of_proportional_bits() -> None:
    sizes = np.array([10, 40, 160])
    found = slope(sizes, 2 * sizes[:, None] * np.exp(0.01 * np.random.default_rng(0).normal(size=(3, 5))), 0.05)
    assert found.low < 1 < found.high and found.high - found.low < 0.05


NAMES = (
    "minibatch", "gradient_noise", "stale_gradient", "temperature", "small_data", "memorization", "generation",
    "generalization",
)  # fmt: skip


def traced_only(lane: Any) -> Any:
    """In place of `sweep`: lanes are traced under the tests' strict rules, and their figures drawn at random."""

    def program(lanes: Any, shared: Any) -> Any:
        shapes = sweep(lane).shapes(lanes, shared)
        rng = np.random.default_rng(0)
        return jax.tree.map(lambda leaf: np.abs(rng.normal(size=leaf.shape)), shapes)

    return SimpleNamespace(lower=lambda *args: SimpleNamespace(compile=lambda: program))


@pytest.mark.parametrize("name", NAMES)
def test_every_prediction_is_answered_and_drawn(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the work: what lanes would find is random, and so may be any verdict."""
    monkeypatch.setattr(experiment, "sweep", traced_only)
    monkeypatch.setattr(minibatch, "minibatch_descent_ratio", lambda key: np.ones((12, 5)) + np.arange(5) / 100)
    monkeypatch.setattr(gradient_noise, "noisy_descent_ratio", lambda key: np.ones((12, 5)) + np.arange(5) / 100)
    monkeypatch.setattr(stale_gradient, "measured_limits", lambda: delay_limit([0, 1, 2, 4, 8]))
    monkeypatch.setattr(temperature, "_lanczos_error", lambda key: jnp.float32(1e-6))
    monkeypatch.setattr(perceptrons, "separable_counts", lambda rng, n, patterns, trials: trials // 2)
    monkeypatch.setattr(perceptrons, "longest_separable", lambda rng, n: 2 * n + int(rng.integers(2)))
    monkeypatch.setattr(perceptrons, "longest_memory", lambda rng, n: n - int(rng.integers(3)))
    monkeypatch.setattr(perceptrons, "longest_searched", lambda key, instances: 0.7 + np.arange(instances) / 100)
    monkeypatch.setattr(generalization, "DRAWS", 400)
    monkeypatch.setattr(generalization, "SYSTEMS", dict(list(generalization.SYSTEMS.items())[:2]))
    claim = CLAIMS[name]()
    evidence = claim.run(jax.random.key(0), Context(miss_rate(claim), fast=True))
    check_answers(claim, evidence.answers)
    assert all("units" in evidence.data[v].attrs and "long_name" in evidence.data[v].attrs for v in evidence.data)
    figure = Figure(figsize=(10, 5.5), layout="constrained")
    claim.plot(evidence.data, figure)
    # Figures drawn at random leave any axis.
    assert [fault for fault in faults(figure) if not fault.startswith("cropped")] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["temperature", "small_data"])
def test_fast_version(name: str) -> None:
    claim = CLAIMS[name]()
    evidence = claim.run(jax.random.key(0), Context(miss_rate(claim), fast=True))
    check_answers(claim, evidence.answers)
    claim.plot(evidence.data, Figure())
