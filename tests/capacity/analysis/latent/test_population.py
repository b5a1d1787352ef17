"""The population's bits against closed forms: brackets, units, total correlation, and tables as people have them."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from linear_gaussian import linear_gaussian, unit_bits

from capacity.analysis.latent.population import MIN_POINTS, Population, measure_population
from capacity.analysis.latent.unseen import unseen_kind_bits

POINTS, UNITS = 512, 4  # of most tests, which then share their programs


def population(seed: int, means: np.ndarray, log_std: np.ndarray | None = None, pairs: bool = False) -> Population:
    log_std = np.zeros_like(means) if log_std is None else log_std
    return measure_population(jax.random.key(seed), means, log_std, 4096, pairs)


def holds(found: Population, bits: float) -> bool:
    return bool(found.information.low <= bits <= found.information.high)


@pytest.mark.parametrize("bits", [1e-4, 0.5, 3.0, 8.0, 24.0])
def test_the_bracket_holds_a_linear_gaussian_population(bits: float) -> None:
    for seed in range(2):
        found = population(seed, linear_gaussian(seed, bits, UNITS, POINTS))
        assert holds(found, bits)
        assert found.information.high <= 1.15 * bits + 0.5
        assert found.information.low >= min(0.75 * bits, np.log2(POINTS) - 1) - 0.2


def test_few_points_of_many_units_do_not_promise_too_little() -> None:
    """What is fitted is fitted to other points: with 16 units of 96 points it would else explain them by heart."""
    held = [holds(population(seed, linear_gaussian(seed, 3.0, 16, 96)), 3.0) for seed in range(4)]
    assert all(held)


def test_both_bounds_are_bounds_in_expectation() -> None:
    found = [population(seed, linear_gaussian(seed, 6.0, UNITS, 128)).information for seed in range(8)]
    lower, upper = (
        np.array([float(end.bits) for end in ends]) for ends in zip(*((f.lower, f.upper) for f in found), strict=True)
    )
    assert lower.mean() <= 6.0 + 3 * lower.std() / 8**0.5
    assert upper.mean() >= 6.0 - 3 * upper.std() / 8**0.5


def test_no_figure_of_independent_units_means_the_number_of_points() -> None:
    """24 units of 2.5 bits: 60 bits, of which 512 points show 9 by enumeration; total correlation is 0."""
    means = np.random.default_rng(1).normal(size=(POINTS, 24)) * (2**5 - 1) ** 0.5
    found = population(2, means)
    assert holds(found, 60.0) and not found.information_known
    assert found.information.low > np.log2(POINTS) - 1
    assert (found.marginal.low <= 2.5).all() and (found.marginal.high >= 2.5).all() and found.marginal_known.all()
    assert found.total_correlation.low == 0 and not found.total_correlation_known
    assert (found.increment.low <= 2.5).all() and (found.increment.high >= 2.5).all()
    assert found.increment_known[0] and not found.increment_known[8:].any()


def test_total_correlation_of_a_dependent_pair_and_of_its_turned_axes() -> None:
    copied = np.repeat(linear_gaussian(4, 4.0, 1, 2048), 2, axis=1)
    both = 0.5 * np.log2(1 + 2 * (2**8 - 1))
    turned, alone = linear_gaussian(4, 4.0, 4, 2048, 2), unit_bits(4.0, 4, 2)
    for means, whole, each in ((copied, both, np.full(2, 4.0)), (turned, 4.0, alone)):
        found, truth = population(3, means), each.sum() - whole
        assert holds(found, whole)
        assert found.total_correlation.low <= truth <= found.total_correlation.high
        assert found.total_correlation_known and found.total_correlation.low > 0.5 * truth
        assert (found.marginal.low <= each).all() and (each <= found.marginal.high).all()


def test_what_two_units_share_is_bracketed() -> None:
    first = np.random.default_rng(23).normal(size=(1024, 1)) * 3
    other = np.random.default_rng(24).normal(size=(1024, 2)) * 3
    shared = population(24, np.hstack([first, first, other]), pairs=True).shared
    assert shared is not None and shared.units.tolist() == [0, 1, 2, 3]
    truth = np.array([2 * 0.5 * np.log2(10) - 0.5 * np.log2(19), 0, 0, 0, 0, 0])
    assert (shared.bits.low <= truth).all() and (truth <= shared.bits.high).all()
    assert shared.bits.low[0] > 0.7 * truth[0] and not shared.bits.low[1:].any()
    assert shared.matrix()[0, 1] == shared.matrix()[1, 0] == shared.bits.low[0]


def test_increments_add_up_to_the_whole() -> None:
    found = population(5, linear_gaussian(6, 3.0, UNITS, 2048, 2))
    turned = linear_gaussian_increments(3.0, UNITS, 2)
    assert (found.increment.low <= turned).all() and (turned <= found.increment.high).all()


def linear_gaussian_increments(bits: float, units: int, rank: int) -> np.ndarray:
    turned, _ = np.linalg.qr(np.random.default_rng(7).normal(size=(units, units)))
    covariance = np.eye(units) + (2 ** (2 * bits / rank) - 1) * turned[:rank].T @ turned[:rank]
    whole = [0.5 * np.log2(np.linalg.det(covariance[:j, :j])) for j in range(1, units + 1)]
    return np.diff(whole, prepend=0.0)


@pytest.mark.parametrize("moved", [1e3, 1e8])
def test_where_units_have_their_zero_changes_nothing(moved: float) -> None:
    means = linear_gaussian(8, 3.0, UNITS, POINTS)
    first, second = population(9, means), population(9, means + moved)
    assert float(second.information.low) == pytest.approx(float(first.information.low), abs=1e-3)
    assert float(second.information.high) == pytest.approx(float(first.information.high), abs=0.05)


def test_one_far_point_leaves_a_bracket_that_says_something() -> None:
    means = linear_gaussian(10, 3.0, UNITS, POINTS)
    means[0] += 1e6
    found = population(11, means)
    assert holds(found, 3.0) and found.information.low > 2.0 and found.information.high < 20.0


@pytest.mark.parametrize("log_std", [0.0, -14.0])
def test_a_constant_unit_and_the_scale_of_units_change_nothing(log_std: float) -> None:
    means = linear_gaussian(12, 3.0, UNITS, POINTS)
    scales = np.array([0.0, log_std, 0.0, 1.0])
    found = population(13, means * np.exp(scales), np.tile(scales, (POINTS, 1)))
    wider = population(13, np.hstack([means, np.full((POINTS, 1), 7.0)]))
    assert holds(found, 3.0) and holds(wider, 3.0)
    assert found.information.width < 0.6 and wider.information.width < 0.6
    assert wider.marginal.high[-1] < 0.01 + unseen_kind_bits(POINTS, POINTS)


def test_copies_count_as_one_draw() -> None:
    means = linear_gaussian(14, 3.0, UNITS, 128)
    once, tenfold = population(15, means), population(15, np.repeat(means, 10, axis=0))
    assert tenfold.distinct == 128 and holds(tenfold, 3.0)
    assert tenfold.information.width == pytest.approx(once.information.width, rel=0.3)


@pytest.mark.parametrize("points", [2, MIN_POINTS - 1])
def test_of_few_points_nothing_is_said(points: int) -> None:
    found = population(16, linear_gaussian(17, 3.0, UNITS, points))
    assert (found.information.low, found.information.high) == (0.0, np.inf)
    assert not found.information_known and not found.marginal_known.any()
    assert "fewer than" in found.information.method


def test_clusters_are_no_normal_law_and_are_told() -> None:
    rng = np.random.default_rng(18)
    centres = 50.0 * rng.integers(0, 4, size=(2048, 1))
    found = population(19, np.hstack([centres, linear_gaussian(20, 2.0, 3, 2048)]))
    assert holds(found, 4.0) and found.information.width < 0.6


@pytest.mark.slow
@pytest.mark.parametrize("points", [1000, 10_000])
@pytest.mark.parametrize(("units", "rank"), [(8, 8), (64, 64), (64, 8)])
@pytest.mark.parametrize("bits", [3.0, 12.0, 40.0])
def test_study(points: int, units: int, rank: int, bits: float) -> None:
    seeds = 20 if points == 1000 else 5
    found = [population(seed, linear_gaussian(100 + seed, bits, units, points, rank)) for seed in range(seeds)]
    assert sum(holds(one, bits) for one in found) >= 0.95 * seeds
    for one in found:
        assert one.information.low >= min(0.8 * bits, np.log2(points) - 1)
        assert one.information.high <= 1.15 * bits
        if bits == 12.0 and points == 10_000:
            assert one.information.width <= 0.15 * bits


@pytest.mark.slow
def test_ten_thousand_points_of_64_independent_units() -> None:
    means = np.random.default_rng(21).normal(size=(10_000, 64)) * (2**5 - 1) ** 0.5
    found = population(22, means, pairs=True)
    assert found.shared is not None and not found.shared.bits.low.any()
    assert holds(found, 160.0) and found.total_correlation.low == 0 and not found.total_correlation_known
    assert (found.marginal.low <= 2.5).all() and (found.increment.low <= 2.5).all()
    assert found.information.high <= 1.05 * 160.0
