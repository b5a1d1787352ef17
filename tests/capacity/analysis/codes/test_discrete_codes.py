"""Bits of discrete codes against closed forms, and codes as people have them."""

from __future__ import annotations

import numpy as np
import pytest
from known_codes import HeavyRows, Independent, Markov, Rare, Truth

import capacity
from capacity.analysis.codes import Codes, measure_codes
from capacity.results.estimate import Bracket

POINTS = 800  # of most tests, which then share their programs
Source = Markov | Independent | Rare | HeavyRows
SOURCES: dict[str, Source] = {
    "sparse Markov": Markov(6, 32, 3),
    "dense Markov": Markov(6, 32, None, 0.3),
    "FSQ": Independent((8, 5, 5, 5)),
    "one number": Independent((1000,)),
    "Zipf": Independent((64,) * 3, 1.0),
    "binary": Markov(6, 2, None, 0.5),
    "rare": Rare(6, 32),
    "heavy rows": HeavyRows(6, 16, 20, 0.7),
}


def holds(found: Bracket, truth: np.ndarray | float) -> bool:
    low, high = np.asarray(found.low), np.asarray(found.high)
    return bool(((low <= np.asarray(truth) + 1e-9) & (np.asarray(truth) <= high + 1e-9)).all())


def sizes_of(source: Source) -> list[int]:
    return list(source.sizes) if isinstance(source, Independent) else [source.size] * source.positions


def check(found: Codes, truth: Truth) -> None:
    wide = found.population
    assert holds(wide.information, truth.whole) and holds(wide.marginal, truth.positions)
    assert holds(wide.total_correlation, truth.total_correlation)
    if wide.shared is not None:
        pairs = zip(wide.shared.first.tolist(), wide.shared.second.tolist(), strict=True)
        assert holds(wide.shared.bits, np.array([truth.shared[j, k] for j, k in pairs]))


@pytest.mark.parametrize("name", SOURCES)
def test_brackets_hold(name: str) -> None:
    source = SOURCES[name]
    check(measure_codes(0, source.sample(0, POINTS), codebook=sizes_of(source)), source.truth(0))


def test_uniform_fsq_has_the_bits_of_its_levels() -> None:
    found = measure_codes(0, Independent((8, 5, 5, 5)).sample(0, POINTS), codebook=[8, 5, 5, 5])
    wide = found.population.information
    assert 9.6 < wide.low <= np.log2(1000) <= wide.high < 10.0 and found.population.information_known
    assert float(found.rate) == pytest.approx(np.log2(1000))
    assert found.population.total_correlation.low == 0 and found.population.total_correlation.high < 0.4
    assert found.use.dead == [[], [], [], []] and not found.use.shared


def test_figures_of_these_points_are_counts() -> None:
    found = measure_codes(0, [[0, 3], [0, 3], [1, 3], [2, 3]])
    assert float(found.information.bits) == pytest.approx(1.5) and found.limit == 2.0
    assert np.asarray(found.marginal.bits) == pytest.approx([1.5, 0.0])
    assert (found.use.sizes.tolist(), found.use.given, found.use.used) == ([4, 4], False, [4])
    assert found.use.constant == [1] and found.use.used_by_position.tolist() == [3, 1]


@pytest.mark.parametrize("points", [2, 63])
def test_of_few_points_counts_alone_are_said(points: int) -> None:
    found = measure_codes(0, np.arange(2 * points).reshape(points, 2))
    assert float(found.information.bits) == pytest.approx(np.log2(points)) and found.saturated
    wide = found.population
    assert (wide.information.low, wide.information.high) == (0.0, np.inf) and wide.shared is None
    assert not wide.information_known and not wide.marginal_known.any() and "fewer than" in wide.information.method


def test_dead_codes_and_dead_positions_are_named() -> None:
    codes = np.random.default_rng(0).integers(4, size=(POINTS, 3)) * 2
    codes[:, 1] = 6
    found = measure_codes(0, codes, codebook=10)
    assert found.use.dead == [[1, 3, 5, 7, 8, 9]] and found.use.used == [4] and found.use.constant == [1]
    assert found.use.perplexity[0] < 4 < found.use.sizes[0]
    assert found.population.marginal.low[1] == 0 and 0 < found.population.marginal.high[1] < 0.5


def test_independent_positions_say_nothing_more_than_once() -> None:
    found = measure_codes(0, Independent((512,) * 8).sample(1, POINTS), codebook=512)
    assert found.population.total_correlation.low == 0 and not found.population.total_correlation_known
    assert found.told_apart and found.saturated
    assert found.population.shared is not None and not found.population.shared.bits.low.any()


def test_a_copied_position_is_said_twice() -> None:
    codes = np.repeat(Independent((16, 16)).sample(2, POINTS), 2, axis=1)
    wide = measure_codes(0, codes).population
    assert holds(wide.information, 8.0) and holds(wide.total_correlation, 8.0) and wide.total_correlation.low > 7.0
    assert wide.shared is not None and wide.shared.matrix()[0, 1] > 3.5 and wide.shared.matrix()[0, 2] == 0


def test_a_rare_event_that_no_point_showed_is_reached_for() -> None:
    found = measure_codes(0, np.zeros((POINTS, 16), int), codebook=512)
    assert found.population.information.high > Rare(16, 512).truth(0).whole
    assert found.population.information.low == 0 and found.use.constant == list(range(16))


def test_copies_of_all_points_count_as_one_draw() -> None:
    codes = Markov(6, 32, 3).sample(3, POINTS)
    once, threefold = measure_codes(0, codes).population, measure_codes(0, np.repeat(codes, 3, axis=0)).population
    assert threefold.draws == POINTS and holds(threefold.information, Markov(6, 32, 3).truth(3).whole)
    assert float(threefold.information.high) == pytest.approx(float(once.information.high), rel=0.1)
    assert measure_codes(0, np.repeat([[0], [1]], POINTS // 2, axis=0)).population.draws == POINTS


def test_names_of_symbols_and_the_order_of_points_change_little() -> None:
    source = Markov(5, 32, 3)
    codes, rng = source.sample(4, POINTS), np.random.default_rng(0)
    first = measure_codes(0, codes, codebook=32).population
    for other in (rng.permutation(32)[codes], codes[rng.permutation(POINTS)]):
        found = measure_codes(0, other, codebook=32).population
        for name in ("information", "total_correlation"):
            one, two = getattr(first, name), getattr(found, name)
            assert float(two.low) == pytest.approx(float(one.low), abs=0.2)
            assert float(two.high) == pytest.approx(float(one.high), abs=0.2)


def test_one_position_says_nothing_more_than_once() -> None:
    wide = measure_codes(0, Independent((1000,)).sample(1, POINTS)).population
    assert (wide.total_correlation.low, wide.total_correlation.high) == (0.0, 0.0) and wide.shared is None


def test_a_constant_position_adds_nothing() -> None:
    codes = Markov(4, 32, 3).sample(5, POINTS)
    found = measure_codes(0, np.hstack([codes, np.full((POINTS, 1), 7)]), codebook=32)
    check(found, Truth(Markov(4, 32, 3).truth(5).whole, np.r_[Markov(4, 32, 3).truth(5).positions, 0], _AnyPair()))


class _AnyPair(dict):  # type: ignore[type-arg]
    def __missing__(self, pair: tuple[int, int]) -> float:
        j, k = pair
        return 0.0 if k == 4 else Markov(4, 32, 3).truth(5).shared[j, k]


def test_types_of_whole_numbers_are_alike() -> None:
    codes = Markov(4, 32, 3).sample(4, POINTS)
    found = [measure_codes(0, codes.astype(kind)).population.information for kind in (int, float, np.int8)]
    assert len({(float(one.low), float(one.high)) for one in found}) == 1


def test_the_same_key_gives_the_same_figures() -> None:
    codes = Markov(4, 32, 3).sample(6, POINTS)
    one, other = (measure_codes(7, codes).population.information for _ in range(2))
    assert (one.low, one.high) == (other.low, other.high)


def test_progress_is_told_and_html_is_made() -> None:
    shares: list[float] = []
    found = capacity.measure_codes(0, np.zeros((POINTS, 2), int), progress=lambda share, _: shares.append(share))
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1 and len(shares) > 4
    assert "information of the population" in found._repr_html_()


@pytest.mark.parametrize(
    ("codes", "codebook", "words"),
    [
        (np.zeros((1, 3), int), None, "at least two data points"),
        (np.zeros(5, int), None, "a column of its own"),
        (np.zeros((5, 2, 2), int), None, "reshape"),
        (np.zeros((0, 2), int), None, "shape"),
        (np.array([["a", "b"]] * 3), None, "whole numbers; got <U1"),
        (np.array([[0, -1], [1, 0]]), None, "codes from 0; got -1 in row 0, position 1"),
        (np.array([[0, 0.5], [1, 0]]), None, "whole numbers; got 0.5 in row 0, position 1. Are these the vectors"),
        (np.array([[0, np.nan], [1, 0]]), None, "finite codes; got nan in row 0, position 1"),
        (np.array([[0, 2**30], [1, 0]]), None, "below 16777216"),
        (np.array([[0, 8], [1, 0]]), 8, "below 8, the codebook's size; got 8 in row 0, position 1"),
        (np.zeros((5, 3), int), [8, 5], "one for each of 3 positions"),
        (np.zeros((5, 3), int), 1, "codebook of at least 2"),
    ],
)
def test_refusals(codes: np.ndarray, codebook: int | list[int] | None, words: str) -> None:
    with pytest.raises(ValueError, match="Expected .*" + words.replace("[", r"\[")):
        measure_codes(0, codes, codebook=codebook)


@pytest.mark.slow
@pytest.mark.parametrize("source", [Markov(16, 512, 4), Markov(16, 512, None, 0.1)])
@pytest.mark.parametrize("points", [1000, 4000])
def test_study(source: Markov, points: int) -> None:
    """16 positions of 512 symbols: `python -m tests.benchmarks.codes` has more sources, all pairs, and counts."""
    held = 0
    for seed in range(20):
        truth, wide = source.truth(seed, every_pair=False), measure_codes(seed, source.sample(seed, points)).population
        held += holds(wide.information, truth.whole) and holds(wide.marginal, truth.positions)
        assert wide.information.low > 2 * np.log2(points) - 7
    assert held >= 19
