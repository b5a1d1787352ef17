"""Code lengths of held-out rows: at least the entropy, near it where a law is simple, never more than they say."""

from __future__ import annotations

import numpy as np
import pytest
from known_codes import Independent, Markov

from capacity.analysis.codes.code_length import FOLDS, CodeLengths, cross_fitted, folds_of
from capacity.analysis.codes.contexts import best_lag, best_parents, lagged
from capacity.analysis.codes.counts import STRENGTHS, Counts
from capacity.analysis.codes.population import row_numbers


def lengths(symbols: np.ndarray, sizes: list[int], seed: int = 0) -> CodeLengths:
    fold = folds_of(np.random.default_rng(seed), len(symbols))
    return cross_fitted(symbols, row_numbers(symbols), np.array(sizes), fold, np.arange(len(symbols)))


def bits(nats: np.ndarray) -> float:
    return float(nats.mean() / np.log(2))


def test_laws_of_counts_are_laws() -> None:
    rng = np.random.default_rng(0)
    contexts, symbols = rng.integers(3, size=50), rng.integers(4, size=50)
    counts = Counts.of(contexts, symbols, 5)
    for context in range(4):  # the last never came
        every = counts.laws(np.full(5, context), np.arange(5), np.full(5, 0.2))
        assert np.exp(every).sum(1) == pytest.approx(1.0)
    alone = counts.law(contexts, symbols, np.full(50, 0.2), STRENGTHS[1])
    assert alone == pytest.approx(counts.laws(contexts, symbols, np.full(50, 0.2))[1])
    assert counts.look_up(np.array([9]), np.array([0])).tolist() == [[0], [0], [0]]


def test_a_position_that_tells_another_is_found() -> None:
    rng = np.random.default_rng(1)
    symbols = rng.integers(8, size=(500, 6))
    symbols[:, 5] = (symbols[:, 1] + (rng.random(500) < 0.1)) % 8
    base = np.full(symbols.shape, 1 / 8)
    assert best_parents(symbols, 9, base).tolist() == [-1, -1, -1, -1, -1, 1]
    grid = rng.integers(8, size=(500, 12))
    for j in range(4, 12):
        grid[:, j] = np.where(rng.random(500) < 0.8, grid[:, j - 4], grid[:, j])
    assert best_lag(grid, 9, np.full(grid.shape, 1 / 8)) == 4
    assert best_lag(rng.integers(8, size=(500, 12)), 9, np.full((500, 12), 1 / 8)) is None
    assert lagged(1)(9)(np.array([[3, 0, 8]])).tolist() == [[0, 4, 1]]


@pytest.mark.parametrize(("sizes", "over"), [((8, 5, 5, 5), 0.05), ((64,) * 4, 0.5), ((2,) * 10, 0.02)])
def test_independent_symbols_cost_their_entropy(sizes: tuple[int, ...], over: float) -> None:
    source = Independent(sizes)
    found = lengths(source.sample(0, 1200), list(sizes))
    assert source.truth(0).whole - 1e-6 <= bits(found.whole) <= source.truth(0).whole + over
    assert (found.whole <= found.most).all() and (found.single <= found.most_single).all()


def test_a_markov_source_is_told_by_the_symbol_before() -> None:
    source = Markov(8, 64, 3)
    truth, found = source.truth(2), lengths(source.sample(2, 1500), [64] * 8)
    assert truth.whole - 0.2 < bits(found.whole) < truth.whole + 1.0
    assert bits(found.single.sum(1)) > truth.positions.sum() - 0.5


def test_a_parity_of_binary_symbols_is_told_by_products() -> None:
    symbols = np.random.default_rng(4).integers(2, size=(1200, 4))
    symbols[:, 3] = symbols[:, 0] ^ symbols[:, 1] ^ symbols[:, 2]
    assert bits(lengths(symbols, [2] * 4).whole) < 3.2


def test_rows_that_come_again_are_told_as_a_whole() -> None:
    rows = np.random.default_rng(5).integers(512, size=(8, 16))
    symbols = rows[np.random.default_rng(6).integers(8, size=600)]
    assert 3.0 <= bits(lengths(symbols, [512] * 16).whole) < 3.2


def test_what_is_held_against_a_law_had_no_part_in_it() -> None:
    """A row that is changed alone changes its own length as any other row would: rows are no more alike for it."""
    symbols = np.random.default_rng(7).integers(512, size=(300, 4))
    found = lengths(symbols, [512] * 4)
    assert bits(found.whole) > 36.0
    assert np.bincount(folds_of(np.random.default_rng(0), 301)).tolist() == [51] + [50] * (FOLDS - 1)
