"""Lower bounds on entropies from counts and collisions: never above the truth, and near it where rows suffice."""

from __future__ import annotations

import numpy as np
import pytest
from known_codes import entropy, zipf

from capacity.analysis.codes.entropy_bounds import by_collisions, entropy_below, most_collisions, surprisals

LAWS = {
    "two alike": np.full(2, 0.5),
    "two unlike": np.array([0.6, 0.4]),
    "rare": np.r_[0.999, np.full(1000, 1e-6)],
    "uniform": np.full(512, 1 / 512),
    "Zipf": zipf(512, 1.0),
    "long tail": zipf(100_000, 1.0),
    "one heavy": np.r_[0.3, np.full(200_000, 0.7 / 200_000)],
    "hardly heavy": np.r_[0.01, np.full(200_000, 0.99 / 200_000)],
}


def drawn(law: np.ndarray, seed: int, n: int) -> np.ndarray:
    symbols = np.random.default_rng(seed).choice(len(law), n, p=law)
    return np.unique(symbols, return_inverse=True)[1]


@pytest.mark.parametrize("name", LAWS)
def test_the_bound_holds(name: str) -> None:
    law = LAWS[name]
    for n in (64, 1000):
        low = [float(entropy_below(np.random.default_rng(s), drawn(law, s, n)).low) for s in range(12)]
        assert max(low) <= entropy(law)
        assert min(low) >= min(0.5 * entropy(law), np.log2(n)) - 3.2


def test_where_rows_suffice_the_bound_is_near() -> None:
    for name, lost in {"two alike": 0.02, "uniform": 0.25, "Zipf": 0.8}.items():
        low = float(entropy_below(np.random.default_rng(0), drawn(LAWS[name], 1, 1000)).low)
        assert low > entropy(LAWS[name]) - lost


def test_rows_that_are_all_different_vouch_for_twice_the_logarithm_of_their_number() -> None:
    found = entropy_below(np.random.default_rng(0), np.arange(1000))
    assert 2 * np.log2(1000) - 6 < float(found.low) < 2 * np.log2(1000) - 5


def test_one_heavy_symbol_hides_behind_few_pairs() -> None:
    """One symbol that comes 6.5 times in the mean is seen at most once in 1 of 90 samples: the end reaches it."""
    assert most_collisions(np.ones(100)) > 6.5**2
    times = np.random.default_rng(3).poisson(6.5, 20_000)
    most = {n: most_collisions(np.r_[n, np.ones(100)]) for n in range(40)}
    assert np.mean([most[n] >= 6.5**2 for n in times.tolist()]) > 0.99


def test_collisions_of_a_uniform_law_are_its_entropy() -> None:
    found = by_collisions(drawn(np.full(4096, 1 / 4096), 5, 5000))
    assert found.low < 12 and abs(found.bits - 12) < 0.1


def test_surprisals_have_the_entropy_of_the_rows_for_a_mean() -> None:
    assert surprisals(np.array([0, 0, 1, 2])).mean() == pytest.approx(1.5 * np.log(2))
