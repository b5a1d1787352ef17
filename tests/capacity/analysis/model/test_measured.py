"""Whole measurements against closed forms of a linear model; what cannot be answered is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import jax
import numpy as np
import pytest
from linear_vae import Known, linear_vae
from scipy.stats import norm

from capacity.analysis.latent.unseen import unseen_kind_bits
from capacity.analysis.model import CodePrior, LatentModel, ModelBits, measure_model
from capacity.analysis.model.measured import LEAST_SAMPLES
from capacity.results.estimate import NATS_PER_BIT, Bracket

POINTS, UNITS = 512, 4  # as in the tests of populations, whose programs these share
WRONG = linear_vae(UNITS, 12, 0.4, shift=0.7, wide=1.4)


def points(known: Known, n: int = POINTS) -> np.ndarray:
    return known.model.draw(np.random.default_rng(99), n)[1]


def measured(known: Known, seed: int = 0) -> ModelBits:
    return measure_model(seed, points(known), known.model, points=64, simulated=64)


@cache
def wrong() -> ModelBits:
    return measured(WRONG)


def holds(found: Bracket, nats: float) -> bool:
    return bool(found.low <= nats / NATS_PER_BIT <= found.high)


def test_a_linear_model_with_a_wrong_encoder() -> None:
    found, encoder = wrong(), wrong().encoder
    assert encoder is not None and encoder.information is not None and encoder.share is not None
    _, x = WRONG.model.draw(np.random.default_rng(5), 100_000)
    mean_evidence = float(WRONG.evidence(x).mean())
    assert holds(found.evidence, mean_evidence)
    assert holds(found.information, WRONG.information)
    assert holds(encoder.inference_gap, WRONG.gap) and encoder.inference_gap.width < 0.8
    assert encoder.data_inference_gap.low <= WRONG.gap / NATS_PER_BIT
    assert encoder.bits_back.low <= (WRONG.gap - mean_evidence) / NATS_PER_BIT <= encoder.bits_back.high
    assert encoder.importance.low <= mean_evidence / NATS_PER_BIT
    assert 0.5 < encoder.share.low <= encoder.share.high <= 1
    assert found.slack.high < 0.3 and 0.5 < found.accepted <= 1
    np.testing.assert_allclose(found.own.lower, WRONG.evidence(found.own_points), atol=1.0)


def test_the_same_key_gives_the_same_figures_and_another_gives_others() -> None:
    other = measured(WRONG)
    np.testing.assert_array_equal(other.own.upper, wrong().own.upper)
    assert other.encoder == wrong().encoder
    assert measured(WRONG, 1).evidence.lower.bits != other.evidence.lower.bits


def test_what_is_in_memory_at_once_does_not_decide() -> None:
    """A batch of other rows draws other chains, of the same law."""
    small = measured(WRONG._replace(model=replace(WRONG.model, batch=40)))
    assert small.own.lower.mean() == pytest.approx(WRONG.evidence(small.own_points).mean(), abs=0.1)


def test_a_factor_of_the_covariance_leaves_no_gap() -> None:
    known = linear_vae(UNITS, 12, 0.4, full=True)
    found = measured(known)
    assert found.encoder is not None
    assert found.encoder.inference_gap.high < 1e-6 and abs(found.slack.bits) < 1e-6
    assert found.encoder.information is None and found.encoder.share is None


def test_without_an_encoder_chains_start_from_the_prior() -> None:
    known = linear_vae(2, 6, 0.4, encoder=False)
    found = measured(known)
    assert found.encoder is None and found.start == "prior" and np.isnan(found.own.elbo).all()
    assert found.own.lower.mean() == pytest.approx(known.evidence(found.own_points).mean(), abs=0.1)


def test_a_collapsed_encoder_says_nothing() -> None:
    """One posterior for all points: no population can be told from them, but no information exceeds the rate, but for
    what a kind that no point showed may add."""
    known = linear_vae(2, 6, 0.4)
    model = replace(known.model, encode=lambda x: (np.full((len(x), 2), 0.5), np.zeros((len(x), 2))))
    found = measure_model(0, points(known), model, points=8, simulated=8, max_temperatures=4).encoder
    assert found is not None and found.information is not None and found.share is not None
    count = len(points(known))
    most = 0.25 / NATS_PER_BIT + unseen_kind_bits(count, count)
    assert found.information.low == 0 and found.information.high == pytest.approx(most)
    assert (found.share.low, found.share.high) == (0, 1)


def test_another_prior() -> None:
    """z ~ N(1, 2^2) instead: a linear model whose marginal is a normal law."""
    prior = CodePrior(
        lambda z: norm.logpdf(z, 1, 2).sum(1), lambda rng, n: rng.normal(1, 2, (n, 1)), lambda z: -(z - 1) / 4
    )

    def value_and_gradient(x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return norm.logpdf(x, z, 0.5).sum(1), (x - z) / 0.25

    model = LatentModel(
        1,
        lambda x, z: value_and_gradient(x, z)[0],
        lambda rng, z: z + 0.5 * rng.normal(size=z.shape),
        value_and_gradient,
        lambda x: (x, np.full(x.shape, np.log(0.5))),
        prior,
    )
    known = Known(model, lambda x: norm.logpdf(x[:, 0], 1, 4.25**0.5), 0.5 * np.log(17), np.nan)
    found = measured(known)
    assert found.own.lower.mean() == pytest.approx(known.evidence(found.own_points).mean(), abs=0.05)
    assert holds(found.information, known.information)
    assert found.encoder is not None
    # The mean of (x - 1)^2 + 1/4 over 4 is 4.5/4.
    rate = 0.5 * ((4.25 + 0.25) / 4 - 1) - np.log(0.25)
    assert found.encoder.rate.low <= rate / NATS_PER_BIT <= found.encoder.rate.high


def test_progress_is_told() -> None:
    told: list[tuple[float, str]] = []
    x = points(WRONG)
    measure_model(0, x, WRONG.model, points=64, simulated=64, progress=lambda share, text: told.append((share, text)))
    assert told[0][0] == 0 and told[-1][0] == 1 and any("temperatures" in text for _, text in told)


def test_it_shows_itself() -> None:
    assert "inference gap" in wrong()._repr_html_() and "corrected encoder" in wrong()._repr_html_()


def means_for_draws() -> LatentModel:
    model = WRONG.model

    def simulate(rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
        return model.simulate(np.random.default_rng(0), z) * 0 + np.asarray(model.simulate(_Still(), z))

    return replace(model, simulate=simulate)


class _Still(np.random.Generator):
    """A generator without noise."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def normal(self, *_: object, size: tuple[int, ...] = (), **__: object) -> np.ndarray:
        return np.zeros(size)


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "means for draws": (
        lambda: measure_model(0, points(WRONG), means_for_draws()),
        "Expected simulate to draw points from the density",
    ),
    "noise of another size": (
        lambda: measure_model(
            0, points(WRONG), replace(WRONG.model, simulate=linear_vae(UNITS, 12, 0.5).model.simulate)
        ),
        "Expected simulate to draw points from the density",
    ),
    "points of another shape": (
        lambda: measure_model(0, points(WRONG)[:, :5], replace(WRONG.model, encode=None)), r"shape \(5,\); got \(12,\)",
    ),
    "no number": (lambda: measure_model(0, np.full((64, 12), np.nan), WRONG.model), "finite points"),
    "one point": (lambda: measure_model(0, points(WRONG)[:1], WRONG.model), "at least 8 points"),
    "words": (lambda: measure_model(0, np.full((64, 12), "a"), WRONG.model), "real numbers; got <U1"),
    "a gap of 0": (lambda: measure_model(0, points(WRONG), WRONG.model, gap=0), "gap greater than 0"),
    "few samples": (
        lambda: measure_model(0, points(WRONG), WRONG.model, samples=LEAST_SAMPLES - 1), "samples of at least",
    ),
    "a start that is none": (lambda: measure_model(0, points(WRONG), WRONG.model, start="decoder"), "start"),
    "the encoder's where there is none": (
        lambda: measure_model(0, points(WRONG), replace(WRONG.model, encode=None), start="encoder"), "start",
    ),
    "an impossible point": (
        lambda: measure_model(
            0, np.full((64, 1), 50.0), LatentModel(1, _near, lambda rng, z: z + rng.uniform(-1, 1, z.shape)),
            max_temperatures=4,
        ),
        "points that the decoder holds possible; got 64 of 64",
    ),
    "another decoder's points": (
        lambda: measure_model(0, np.zeros((64, 1)), LatentModel(1, _near, lambda rng, z: z + 5)),
        "speak of one decoder",
    ),
}  # fmt: skip


def _near(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x - z)[:, 0] < 1, -np.log(2), -np.inf)


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case: str) -> None:
    call, words = REFUSED[case]
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.slow
def test_figures_hold_over_seeds() -> None:
    known = linear_vae(UNITS, 12, 0.4, shift=0.7, wide=1.4)
    _, x = known.model.draw(np.random.default_rng(5), 200_000)
    evidence = float(known.evidence(x).mean())
    held = np.zeros(3, int)
    for seed in range(20):
        data = known.model.draw(np.random.default_rng([seed, 99]), POINTS)[1]
        found = measure_model(jax.random.key(seed), data, known.model, points=64, simulated=64)
        assert found.encoder is not None
        held += [
            holds(found.evidence, evidence),
            holds(found.information, known.information),
            holds(found.encoder.inference_gap, known.gap),
        ]
    print(f"evidence, information, inference gap held at {held.tolist()} of 20 seeds")
    assert (held >= 19).all()


def test_evidence_of_points_that_are_all_alike_reaches_for_those_that_none_showed() -> None:
    """Binary points, one of 200 of which is 1: 64 that are all 0 have no spread, and a log likelihood too high."""
    share, count = 0.005, 64

    def log_likelihood(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.where(x[:, 0] > 0, np.log(share), np.log1p(-share)) + 0 * z[:, 0]

    def simulate(rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
        return (rng.random((len(z), 1)) < share).astype(float)

    model = LatentModel(1, log_likelihood, simulate)
    truth = (share * np.log(share) + (1 - share) * np.log1p(-share)) / NATS_PER_BIT
    found = measure_model(0, np.zeros((count, 1)), model, points=count, simulated=count, max_temperatures=4)
    assert found.data_evidence.low <= truth < found.data_evidence.bits
