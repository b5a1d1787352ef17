"""Trends of curves: the exact distribution, its size under no trend, and what counts as a step against it."""

from __future__ import annotations

from itertools import permutations
from math import factorial

import numpy as np
import pytest
from scipy import stats

from capacity.curves import trends
from capacity.curves.trends import falling, largest_rise


def test_p_values_are_those_of_all_arrangements() -> None:
    """Three levels of 2, 2 and 1 lanes: every one of the 5! arrangements of five figures, counted."""
    shares, p_values = [], []
    for order in permutations(range(5)):
        figures = np.array([[order[0], order[1]], [order[2], order[3]], [order[4], np.nan]], float)
        trend = falling(figures)
        shares.append(trend.share)
        p_values.append(trend.p_value)
    for share, p_value in set(zip(shares, p_values, strict=True)):
        assert p_value == pytest.approx(np.mean(np.array(shares) >= share - 1e-9))


def test_two_levels_are_the_mann_whitney_test() -> None:
    rng = np.random.default_rng(0)
    figures = rng.normal(size=(2, 9)) - np.array([[0.0], [0.7]])
    known = stats.mannwhitneyu(figures[0], figures[1], alternative="greater", method="exact").pvalue
    assert falling(figures).p_value == pytest.approx(known, rel=1e-9)


def test_a_curve_that_falls_everywhere_has_the_least_p_value() -> None:
    figures = -np.arange(12.0)[:, None] - np.array([[0.0, 0.1, 0.2]])
    trend = falling(figures)
    assert trend.share == 1
    assert trend.p_value == pytest.approx(factorial(3) ** 12 / factorial(36), rel=1e-6)
    assert falling(-figures) == (0.0, pytest.approx(1.0))


def test_large_curves_stay_a_distribution() -> None:
    rng = np.random.default_rng(1)
    assert 0.02 < falling(rng.normal(size=(25, 15))).p_value < 0.98


def test_pairs_are_counted_without_making_them() -> None:
    rng = np.random.default_rng(5)
    figures = np.round(rng.normal(size=(9, 60)) - 0.02 * np.arange(9.0)[:, None], 1)
    pairs = [np.sign(a[:, None] - b[None]) for i, a in enumerate(figures) for b in figures[i + 1 :]]
    assert falling(figures).share == pytest.approx(np.mean([0.5 * (pair + 1) for pair in pairs]), abs=1e-12)


def test_many_lanes_have_nearly_the_exact_p_value(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    curves = [rng.normal(size=(12, 8)) - slope * np.arange(12.0)[:, None] for slope in (0, 0.03, 0.06)]
    exact = [falling(curve).p_value for curve in curves]
    monkeypatch.setattr(trends, "EXACT_PAIRS", 0)
    np.testing.assert_allclose([falling(curve).p_value for curve in curves], exact, atol=1e-3)


def test_both_tests_keep_their_size() -> None:
    """Without a trend 5 % of curves are called falling, and at most 5 % rising; standard error 1 %."""
    rng = np.random.default_rng(2)
    curves = rng.normal(size=(500, 8, 3))
    assert abs(np.mean([falling(c).p_value < 0.05 for c in curves]) - 0.05) < 0.03
    assert np.mean([largest_rise(c).p_value < 0.05 for c in curves]) < 0.07


def test_ties_count_one_half() -> None:
    assert falling(np.full((8, 3), 16.0)) == (0.5, 1.0)
    assert largest_rise(np.full((8, 3), 16.0)) == (0.0, 1.0, (0, 1))


def test_a_plateau_is_tested_as_all_arrangements_of_its_ties_are() -> None:
    """The p-value against 2,000 random arrangements; and its size without a trend."""
    figures = np.array([[8, 8, 8], [8, 8, 8], [8, 8, 8], [8, 8, 7.5], [6, 7, 5], [4, 4.5, 3]])
    found, rng = falling(figures), np.random.default_rng(4)
    assert found.p_value < 1e-4 and found.share > 0.75
    noise = np.round(rng.normal(size=(6, 3)))
    share = falling(noise).share
    shares = [falling(rng.permutation(noise.ravel()).reshape(6, 3)) for _ in range(2000)]
    assert abs(np.mean([s.share >= share for s in shares]) - falling(noise).p_value) < 0.03
    assert abs(np.mean([s.p_value < 0.05 for s in shares]) - 0.05) < 0.02


def test_a_rise_is_found_where_it_is() -> None:
    rng = np.random.default_rng(3)
    figures = -np.arange(8.0)[:, None] + 0.01 * rng.normal(size=(8, 4))
    assert largest_rise(figures).rise == 0
    figures[5] += 3
    found = largest_rise(figures)
    assert found.levels == (4, 5) and found.rise == pytest.approx(2, abs=0.05) and found.p_value < 1e-3
    assert np.isnan(largest_rise(figures[:, :1]).p_value)


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((1, 3)), np.full((3, 2), np.nan)])
def test_refusals(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Expected figures"):
        falling(bad)


@pytest.mark.parametrize(
    ("figures", "share", "p_value"),
    [
        ([[1.0], [0.5]], 1.0, 0.5),
        ([[0.5], [1.0]], 0.0, 1.0),
        ([[1.0], [1.0]], 0.5, 1.0),
        ([[1.0], [np.nan], [0.5]], 1.0, 0.5),
        ([[1.0, np.nan, np.nan], [np.nan, 0.5, np.nan]], 1.0, 0.5),
        ([[3.0], [2.0], [1.0]], 1.0, 1 / 6),
    ],
)
def test_few_lanes_have_a_trend(figures: list[list[float]], share: float, p_value: float) -> None:
    assert falling(figures) == (share, pytest.approx(p_value))
    assert np.isnan(largest_rise(figures).rise)


def test_pairs_are_counted_alike_one_by_one_and_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    curves = [np.round(rng.normal(size=(3, 4)), 1) for _ in range(20)]
    counted = [falling(curve) for curve in curves]
    monkeypatch.setattr(trends, "COUNTED_PAIRS", 0)
    assert [falling(curve) for curve in curves] == counted


@pytest.mark.parametrize("figures", [[[1.0]], [[1.0, 2.0, 3.0]], [[np.nan], [np.nan], [np.nan]], [[1.0], [np.nan]]])
def test_a_single_level_has_no_trend(figures: list[list[float]]) -> None:
    for test in (falling, largest_rise):
        with pytest.raises(ValueError, match="Expected figures at two levels at least"):
            test(figures)
