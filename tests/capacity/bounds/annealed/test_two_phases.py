"""Rare events in two phases: drawn where scores show them, counted by the cheap samples, reached for where unseen."""

from __future__ import annotations

import numpy as np
import pytest

from capacity.bounds.annealed import inclusion
from capacity.bounds.annealed.controls import Controls, clip_range
from capacity.bounds.annealed.reach import Unseen, reaching
from capacity.bounds.annealed.tightest import check_agreement
from capacity.bounds.annealed.two_phase import SecondPhase, controlled, two_phase_mean
from capacity.results.estimate import NATS_PER_BIT, Estimate

CHEAP, DEAR, LOSS = 2**13, 128, 40.0  # samples, of these with chains, and nats that an event takes


def problem(rng: np.random.Generator, probability: float) -> tuple[np.ndarray, Controls, np.ndarray, float]:
    """Values that controls explain but in an event, which takes `LOSS`; controls; scores that see it; the truth."""
    zero, learnt = rng.normal(size=(CHEAP, 1)), rng.normal([3.0, -40.0], size=(CHEAP, 2))
    event, own = rng.random(CHEAP) < probability, rng.normal(size=CHEAP)
    values = 50 + zero[:, 0] + 0.8 * (learnt[:, 0] - 3) + 0.3 * own - LOSS * event
    scores = np.stack([rng.normal(size=CHEAP), 64.0 * event], axis=1)
    return values, Controls(zero, learnt), scores, 50 - LOSS * probability


def estimated(rng: np.random.Generator, probability: float) -> tuple[Estimate, float]:
    """A bracket's figure from cheap samples of which some are dear, and the truth in bits."""
    values, controls, scores, truth = problem(rng, probability)
    drawn = inclusion.draw(rng, inclusion.odds_of(scores), DEAR)
    own = Controls(*(part[drawn.rows] for part in controls))
    found = controlled(values[drawn.rows], SecondPhase(own, drawn.weight, drawn.rows), controls, "lower")
    bits = float(found.bits)
    return reaching(found.conservative(), Unseen.of_source(bits, 50 / NATS_PER_BIT, CHEAP)), truth / NATS_PER_BIT


@pytest.mark.parametrize("expected", [0.3, 1.0, 3.0, 64.0])
def test_an_event_seen_never_or_now_and_then_is_held(expected: float) -> None:
    """Of 8,192 cheap samples so many have it; 128 have chains, which would see 64 of 8,192 once."""
    rng = np.random.default_rng(0)
    found = [estimated(rng, expected / CHEAP) for _ in range(60)]
    assert np.mean([float(e.low) <= truth <= float(e.high) for e, truth in found]) >= 0.96
    errors = np.array([float(e.bits) - truth for e, truth in found])
    assert abs(errors.mean()) < 4 * errors.std() / 60**0.5


def test_samples_that_no_score_tells_apart_are_drawn_alike() -> None:
    scores = np.random.default_rng(1).normal(size=(CHEAP, 5))
    odds = inclusion.odds_of(scores)
    assert (odds == 1).mean() > 0.999 and odds.mean() < 1.01
    assert (inclusion.odds_of(np.zeros((CHEAP, 3))) == 1).all()


def test_what_is_far_is_drawn_for_certain_and_the_rest_keep_half() -> None:
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(CHEAP, 3))
    scores[:5, 1] = 1e6
    scores[5, 2] = np.nan
    pi = inclusion.probabilities(inclusion.odds_of(scores), DEAR)
    np.testing.assert_allclose(pi.sum(), DEAR)
    assert (pi[:6] > 0.8).all() and pi[6:].min() > 0.5 * DEAR / CHEAP
    many = np.where(np.arange(CHEAP)[:, None] < CHEAP // 20, 1e6, scores)
    assert inclusion.probabilities(inclusion.odds_of(many), DEAR).min() >= 0.5 * DEAR / CHEAP


def test_draws_keep_to_their_probabilities() -> None:
    """No sample twice; each as often as was said, over 2,000 draws; weights that make any total unbiased."""
    rng, odds = np.random.default_rng(3), np.array([1.0] * 30 + [5.0] * 4 + [1000.0])
    pi, seen = inclusion.probabilities(odds, 8), np.zeros(35)
    for _ in range(2000):
        drawn = inclusion.draw(rng, odds, 8)
        assert len(set(drawn.rows)) == 8
        seen[drawn.rows] += 1
        np.testing.assert_allclose(drawn.weight, 1 / (35 * pi[drawn.rows]))
    assert pi[-1] == 1.0
    np.testing.assert_allclose(seen / 2000, pi, atol=5 * (0.25 / 2000) ** 0.5)
    with pytest.raises(ValueError, match="from 1 to 35 samples to be drawn; got 36"):
        inclusion.draw(rng, odds, 36)


def test_a_column_that_hardly_moved_is_not_extrapolated() -> None:
    """Among the dear it spread by 1e-6, next to nothing; one cheap sample in a thousand has 30 nats of it."""
    rng = np.random.default_rng(4)
    column = 1e-6 * rng.normal(size=(4096, 1))
    values = 5 + 0.1 * rng.normal(size=DEAR)
    second = SecondPhase(Controls(np.zeros((DEAR, 0)), column[:DEAR]), np.full(DEAR, 1 / DEAR))
    column[-4:] = 30.0
    found = two_phase_mean(values, second, Controls(np.zeros((4096, 0)), column))
    assert abs(found.mean - 5) < 0.05 and found.stderr < 0.05


def test_a_function_of_one_far_code_is_cut_off() -> None:
    """And the ordinary range of a function is left as it is."""
    column = np.random.default_rng(5).normal(size=(CHEAP, 1))
    column[0] = 1e10
    low, high = clip_range(column, 8 * NATS_PER_BIT)
    assert low[0] < column.min() and column[1:].max() < high[0] < 100


def test_unseen_events_are_reached_for_both_ways() -> None:
    """Without any spread: 3 in 1,000 of what passed, of 8 bits, and of what did not, wherever the limit lies."""
    sure = Estimate.from_normal(bits=6.0, stderr=0.0, kind="lower")
    found = reaching(sure, Unseen.of_source(6.0, 8.0, 1000))
    np.testing.assert_allclose((found.low, found.high), (6 - 0.018, 6 + 0.006), rtol=1e-6)
    both = reaching(sure, Unseen.of_source(6.0, 8.0, 1000), Unseen(100, 0.8, 0.0))
    np.testing.assert_allclose((both.low, both.high), (6 - 0.03, 6 + 0.006), rtol=1e-6)


def test_bounds_that_contradict_each_other_are_refused() -> None:
    below = Estimate.from_normal(bits=3.0, stderr=0.1, kind="lower")
    check_agreement(below, Estimate.from_normal(bits=2.9, stderr=0.1, kind="upper"))
    with pytest.raises(ValueError, match=r"bounds that agree; got one of at least 2.804 bits below"):
        check_agreement(below, Estimate.from_normal(bits=0.1, stderr=0.0, kind="upper"))
