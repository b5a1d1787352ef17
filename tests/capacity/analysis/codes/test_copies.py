"""Copies of points among codes: seen where they are many, and no draws taken for them."""

from __future__ import annotations

import numpy as np
import pytest
from known_codes import HeavyRows, Independent, Markov, Rare

from capacity.analysis.codes import measure_codes, measure_probs
from capacity.analysis.codes.copies import repeated, some_are_copies, without_copies
from capacity.analysis.codes.population import row_numbers

DRAWN = (Markov(6, 32, 3), Independent((512,) * 4), Independent((1000,)), Independent((64,), 1.0), Rare(6, 32),
         HeavyRows(6, 16, 20, 0.7), Markov(6, 2, None, 0.5))  # fmt: skip


@pytest.mark.parametrize("points", [64, 1000, 5000])
def test_draws_are_not_taken_for_copies(points: int) -> None:
    for source in DRAWN:
        for seed in range(5):
            assert not some_are_copies(row_numbers(source.sample(seed, points)))


def test_draws_of_any_law_are_not_taken_for_copies() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        law = rng.dirichlet(np.full(int(10 ** rng.uniform(0, 4)), 10 ** rng.uniform(-2, 2)))
        drawn = rng.choice(len(law), int(10 ** rng.uniform(1.8, 4)), p=law)
        assert not some_are_copies(np.unique(drawn, return_inverse=True)[1])


@pytest.mark.parametrize("share", [0.25, 0.5, 0.95])
@pytest.mark.parametrize("times", [2, 3, 5])
def test_points_of_which_some_are_there_more_than_once_are_seen(share: float, times: int) -> None:
    codes = Independent((512,) * 4).sample(0, 600)
    several = np.vstack([codes, *[codes[: int(600 * share)]] * (times - 1)])
    rows = row_numbers(several)
    assert some_are_copies(rows) and repeated(rows) == int(600 * share) * (times - 1)
    assert len(without_copies(rows)) == len(rows)
    wide = measure_codes(0, several, codebook=512).population
    assert wide.information.high == np.inf and "Give each once" in wide.information.method
    assert not wide.information_known and wide.repeated == repeated(rows)


def test_copies_among_posteriors_are_seen() -> None:
    probs = np.random.default_rng(1).dirichlet(np.ones(4), (120, 2))
    wide = measure_probs(0, np.vstack([probs, probs[:80]]), samples=256).population
    assert wide.information.high == np.inf and "Give each once" in wide.information.method and wide.repeated == 80
