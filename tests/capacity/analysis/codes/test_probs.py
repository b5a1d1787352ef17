"""Stochastic discrete codes: closed forms, one-hot probabilities beside counts, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from known_codes import Markov, NoisySymbols

from capacity.analysis.codes import measure_codes, measure_probs
from capacity.results.estimate import Bracket

POINTS, SAMPLES = 400, 1024


def holds(found: Bracket, truth: np.ndarray | float) -> bool:
    return bool(((np.asarray(found.low) <= truth) & (truth <= np.asarray(found.high))).all())


@pytest.mark.parametrize("source", [NoisySymbols(2, 4, 0.15), NoisySymbols(6, 4, 0.3), NoisySymbols(1, 64, 0.02)])
def test_brackets_hold(source: NoisySymbols) -> None:
    truth, found = source.truth(0), measure_probs(0, source.sample(0, POINTS), samples=SAMPLES)
    wide = found.population
    assert holds(wide.information, truth.whole) and holds(wide.marginal, truth.positions)
    assert wide.total_correlation.low == 0
    assert float(wide.information.high) < 1.2 * truth.whole + 0.4
    assert float(found.rate) == pytest.approx(truth.whole)


def test_where_there_is_little_noise_collisions_see_beyond_the_points() -> None:
    source = NoisySymbols(3, 64, 0.001)
    wide = measure_probs(0, source.sample(0, POINTS), samples=SAMPLES).population
    assert np.log2(POINTS) + 1 < wide.information.low <= source.truth(0).whole <= wide.information.high


def test_these_points_are_enumerated() -> None:
    """All codes of four positions of two symbols can be listed: the definition, term by term."""
    probs = np.random.default_rng(0).dirichlet([0.3, 0.3], (40, 4))
    codes = np.stack(np.meshgrid(*[[0, 1]] * 4, indexing="ij"), -1).reshape(-1, 4)
    each = np.prod([probs[:, j][:, codes[:, j]] for j in range(4)], axis=0)
    mixture = each.mean(0)
    truth = float((each * np.log2(each / mixture)).sum(1).mean())
    found = measure_probs(1, probs, samples=SAMPLES)
    assert found.information.low <= truth <= found.information.high
    assert float(found.information.high - found.information.low) < 0.3
    single = [float((p * np.log2(p / p.mean(0))).sum(1).mean()) for p in probs.transpose(1, 0, 2)]
    assert np.asarray(found.marginal.bits) == pytest.approx(single)
    assert float(found.rate) == pytest.approx(float((1 + probs * np.log2(probs)).sum(2).mean(0).sum()) - 4, abs=1e-9)


def test_one_hot_probabilities_are_a_deterministic_code() -> None:
    codes = Markov(3, 8, 2).sample(0, POINTS)
    counted, drawn = measure_codes(0, codes, codebook=8), measure_probs(0, np.eye(8)[codes], samples=SAMPLES)
    assert drawn.information.low <= counted.information.bits <= drawn.information.high
    assert np.asarray(drawn.marginal.bits) == pytest.approx(np.asarray(counted.marginal.bits))
    assert float(drawn.rate) == pytest.approx(float(counted.rate)) and drawn.stochastic and not counted.stochastic
    truth = Markov(3, 8, 2).truth(0)
    assert holds(drawn.population.information, truth.whole) and holds(drawn.population.marginal, truth.positions)


def test_logits_are_probabilities() -> None:
    logits = np.random.default_rng(2).normal(size=(POINTS, 2, 3))
    probs = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    one, other = (
        measure_probs(3, table, given=given, samples=SAMPLES) for table, given in ((logits, "logits"), (probs, None))
    )
    assert float(one.information.bits) == pytest.approx(float(other.information.bits), abs=1e-6)
    assert one.population.information.low == pytest.approx(other.population.information.low, abs=1e-6)


def test_a_code_that_says_nothing_and_two_points() -> None:
    found = measure_probs(0, np.full((POINTS, 2, 4), 0.25), samples=SAMPLES)
    assert abs(float(found.information.bits)) < 1e-9 and found.information.high < 0.1 and abs(float(found.rate)) < 1e-9
    found = measure_probs(0, np.eye(2)[:, None, :], samples=SAMPLES)
    assert float(found.information.bits) == pytest.approx(1.0) and found.population.information.high == np.inf


def test_a_symbol_that_hardly_may_come_is_dead() -> None:
    probs = np.tile([0.5, 0.4999, 0.0001, 0.0], (POINTS, 2, 1))
    assert measure_probs(0, probs, samples=SAMPLES).use.dead == [[2, 3]]


@pytest.mark.parametrize(
    ("probs", "given", "words"),
    [
        (np.full((1, 2, 2), 0.5), None, "at least two data points"),
        (np.full((3, 2), 0.5), None, "an axis of its own"),
        (np.full((3, 2, 1), 1.0), None, "two symbols or more"),
        (np.full((3, 2, 4), 0.3), None, "sum to one; got a sum of 1.2 in row 0, position 0. Are these logits"),
        (np.tile([1.5, -0.5], (3, 2, 1)), None, "probabilities from 0; got -0.5 in row 0, position 0, symbol 1"),
        (np.tile([np.nan, 1], (3, 2, 1)), None, "finite probabilities; got nan in row 0, position 0, symbol 0"),
        (np.full((3, 2, 2), np.inf), "logits", "finite logits"),
        (np.full((3, 2, 2), -np.inf), "logits", "a symbol that may come"),
        (np.full((3, 2, 2), 0.5), "logit", "one of logits, probs"),
        (np.array([[["a", "b"]]] * 3), None, "real numbers; got <U1"),
    ],
)
def test_refusals(probs: np.ndarray, given: str | None, words: str) -> None:
    with pytest.raises(ValueError, match="Expected .*" + words):
        measure_probs(0, probs, given=given)
    with pytest.raises(ValueError, match="samples of at least 256"):
        measure_probs(0, np.full((3, 2, 2), 0.5), samples=10)
