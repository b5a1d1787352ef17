"""The neighbour search against all pairs in float64, on data that upset float32, trees and sorted edges."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from capacity.estimators.neighbours import boxes
from capacity.estimators.neighbours import search as neighbours
from capacity.estimators.neighbours.all_pairs import count_by_pairs, nearest_by_pairs
from capacity.estimators.neighbours.search import count_within, distances_to, fastest, nearest

K = 5
SHAPES = [(7, 1), (400, 1), (300, 2), (700, 4), (130, 12), (1500, 20)]
DATA: dict[str, Callable[[np.random.Generator, tuple[int, int]], np.ndarray]] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "Cauchy": lambda rng, shape: rng.standard_cauchy(shape),
    "far clusters": lambda rng, shape: 1e6 * rng.integers(0, 3, (shape[0], 1)) + rng.normal(size=shape),
    "far from 0": lambda rng, shape: 1e12 + rng.normal(size=shape),
    "tiny": lambda rng, shape: 1e-300 * rng.normal(size=shape),
    "grid": lambda rng, shape: rng.integers(0, 4, shape).astype(float),
    "tenths": lambda rng, shape: rng.integers(0, 30, shape) / 10,
}


def all_pairs(points: np.ndarray) -> np.ndarray:
    distances = np.zeros((len(points), len(points)))
    for column in points.T:
        np.maximum(distances, np.abs(column[:, None] - column[None, :]), out=distances)
    np.fill_diagonal(distances, np.inf)
    return distances


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_it_finds_what_all_pairs_find(name: str, shape: tuple[int, int]) -> None:
    points = DATA[name](np.random.default_rng(0), shape)
    pairs = all_pairs(points)
    distances, indices = nearest(points, K)
    np.testing.assert_array_equal(distances, np.sort(pairs, axis=1)[:, :K])
    np.testing.assert_array_equal(distances_to(points, indices), distances)
    assert (indices != np.arange(len(points))[:, None]).all()
    assert all(len(set(row)) == K for row in indices.tolist())
    for radii in (distances[:, -1], np.nextafter(distances[:, -1], np.inf), distances[:, 0]):
        np.testing.assert_array_equal(count_within(points, radii), (pairs < radii[:, None]).sum(axis=1))


@pytest.mark.parametrize("n, dimensions", [(2000, 3), (2000, 12), (333, 40)])
@pytest.mark.parametrize("way", ["pairs", "boxes"])
def test_all_ways_find_the_same(n: int, dimensions: int, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(1).normal(size=(n, dimensions))
    found = {}
    for name in ("tree", way):
        monkeypatch.setattr(neighbours, "fastest", lambda *_, name=name: name)
        found[name] = nearest(points, K)
    for one, other in zip(*found.values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_rule_asks_for_a_tree_in_few_dimensions_and_of_few_points() -> None:
    assert fastest(50_000, 6, K) == fastest(50_000, 10, K) == fastest(100, 50, K) == "tree"
    assert fastest(2000, 10, K) == fastest(10_000, 20, K) == fastest(50_000, 20, 500) == "pairs"
    assert fastest(50_000, 20, K) == "boxes"


@pytest.mark.parametrize("n", [1, 120, 1024, 2001])
@pytest.mark.parametrize("dimensions", [1, 7])
def test_all_pairs_count_what_boxes_count(n: int, dimensions: int) -> None:
    points = np.random.default_rng(5).integers(0, 40, (n, dimensions)) / 10
    radii = np.random.default_rng(6).integers(1, 20, n) / 10
    np.testing.assert_array_equal(count_by_pairs(points, radii), boxes.Boxes.of(points).count(radii))


@pytest.mark.parametrize("k", [1, 40, 330])
def test_all_pairs_name_as_many_neighbours_as_asked_for(k: int) -> None:
    points = np.random.default_rng(7).normal(size=(331, 9))
    distances, indices = nearest_by_pairs(points, k)
    np.testing.assert_array_equal(distances, np.sort(all_pairs(points), axis=1)[:, :k])
    np.testing.assert_array_equal(distances_to(points, indices), distances)


@pytest.mark.parametrize("stored", [1 << 14, 1 << 27])
def test_counts_do_not_depend_on_how_many_beginnings_are_stored(stored: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boxes, "MAX_STORED", stored)
    points = np.random.default_rng(2).normal(size=(1000, 3))
    radii = np.random.default_rng(3).exponential(size=1000)
    pairs = all_pairs(points)
    np.testing.assert_array_equal(count_within(points, radii), (pairs < radii[:, None]).sum(axis=1))


def test_memory_is_bounded_at_a_hundred_thousand_points() -> None:
    """No table of bits is larger than what is allowed, and no block than what a cache holds."""
    points = np.random.default_rng(4).normal(size=(100_000, 2)).astype(np.float64)
    found = boxes.Boxes.of(points)
    assert sum(column.beginnings.nbytes for column in found.columns) <= 1.1 * boxes.MAX_STORED
    rows = slice(0, boxes.BLOCK_WORDS * 64 // len(points))
    assert found.bits(rows, np.full(rows.stop, 9.0))[0].nbytes <= 8 * boxes.BLOCK_WORDS
