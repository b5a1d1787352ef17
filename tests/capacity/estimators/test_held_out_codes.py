"""Labels and codes against enumerated truths: bounds that stay below, and not far."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from scipy import stats

from capacity.estimators import AutoregressiveCode, ClassifierBound
from capacity.estimators.codes.columns import ClassColumns, spelled
from capacity.estimators.codes.conditional import fit_conditional
from capacity.estimators.codes.evidence import by_coincidences, by_contrast, by_counts
from capacity.estimators.codes.reading import read_columns, read_whole_rows


def binary_entropy(p: float) -> float:
    return float(-p * np.log2(p) - (1 - p) * np.log2(1 - p))


def flipped(n: int, columns: int, p: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Fair bits +-1, and the same with a share p flipped."""
    random = np.random.default_rng(seed)
    x = random.integers(0, 2, (n, columns)) * 2.0 - 1
    return x, x * np.where(random.random((n, columns)) < p, -1, 1)


def test_labels_of_normal_classes_are_met() -> None:
    grid = np.linspace(-12, 14, 20001)
    laws = 0.5 * np.stack([stats.norm.pdf(grid), stats.norm.pdf(grid, 2)]) * (grid[1] - grid[0])
    truth = float((laws * np.log2(laws / (0.5 * laws.sum(0)))).sum())
    random = np.random.default_rng(1)
    label = random.integers(0, 2, 4000)
    found = ClassifierBound()(0, label, random.normal(size=4000) + 2 * label)
    assert found.kind == "lower" and found.low <= truth and found.bits == pytest.approx(truth, rel=0.06)
    assert found.limit == pytest.approx(1.0, abs=1e-3)


def test_numbers_of_few_values_are_labels_too() -> None:
    random = np.random.default_rng(1)
    label = random.integers(0, 3, 600)
    x = random.normal(size=(600, 2)) + label[:, None]
    whole, real = (ClassifierBound()(0, x, y) for y in (label, 0.5 * label - 7))
    assert float(whole.bits) == pytest.approx(float(real.bits), abs=1e-9)


def test_exclusive_or_is_found() -> None:
    random = np.random.default_rng(2)
    x = random.normal(size=(2000, 2))
    label = (x[:, 0] > 0) ^ (x[:, 1] > 0) ^ (random.random(2000) < 0.1)
    truth = 1 - binary_entropy(0.1)
    found = ClassifierBound()(0, x, label)
    assert found.low <= truth and found.bits > 0.8 * truth


def test_independent_labels_share_nothing() -> None:
    random = np.random.default_rng(3)
    for seed in range(4):
        x, y = random.normal(size=(300, 2)), random.integers(0, 3, 300)
        found = ClassifierBound()(seed, x, y)
        assert found.low <= 0.0 <= found.high and abs(found.bits) < 0.05


@pytest.mark.parametrize("columns", [6, 12])
def test_flipped_bits_are_met_by_counts_and_by_coincidences(columns: int) -> None:
    x, y = flipped(6000, columns, 0.1)
    truth = columns * (1 - binary_entropy(0.1))
    found = AutoregressiveCode()(0, x, y)
    assert found.kind == "lower" and found.low <= truth and found.bits > 0.9 * truth
    assert found.high - found.low < 0.5 * truth


def test_many_columns_are_bounded_by_contrast() -> None:
    n = 1000
    x, y = flipped(n, 28, 0.1)
    found = AutoregressiveCode()(0, x, y)
    assert found.low <= found.bits <= found.limit < np.log2(n) < 28 * (1 - binary_entropy(0.1))
    assert found.saturated or found.bits > 0.75 * np.log2(n)


def test_a_parity_is_found_in_the_products() -> None:
    random = np.random.default_rng(4)
    x = random.integers(0, 2, (3000, 6))
    y = np.column_stack([x[:, 0] ^ x[:, 1] ^ x[:, 2], x[:, 3]]) ^ (random.random((3000, 2)) < 0.1)
    truth = 2 * (1 - binary_entropy(0.1))
    found = AutoregressiveCode()(0, x * 2.0 - 1, y * 2.0 - 1)
    assert found.low <= truth and found.bits > 0.9 * truth


def test_symbols_numbers_are_spelled() -> None:
    assert spelled(np.arange(40)[:, None])[37].tolist() == [1, 0, 0, 1, 0, 1]
    few = np.arange(40)[:, None] % 5
    assert spelled(few) is few
    code = np.random.default_rng(0).integers(0, 64, (4000, 1))
    heard = np.where(np.random.default_rng(1).random((4000, 1)) < 0.7, code, (code * 7) % 64)
    found = AutoregressiveCode()(0, code, heard)
    assert found.bits > 4.0


def test_a_wrong_model_of_one_side_does_not_raise_the_bound() -> None:
    """Of y alone the model says 8 fair bits, where y has 4: the difference of code lengths would be 8 bits."""
    random = np.random.default_rng(5)
    half = random.integers(0, 2, (3000, 4))
    symbols = np.unique(np.hstack([half, half]), axis=0, return_inverse=True)[1].ravel()
    given, alone = np.zeros(3000), np.full(3000, -8 * np.log(2))
    known, equal = by_counts(given, symbols), by_coincidences(given, alone, symbols, 3)
    assert known is not None and equal is not None
    assert float(known.bits) == pytest.approx(4.0, abs=0.02)
    assert float(equal.bits) == pytest.approx(4.0, abs=0.1) and equal.low <= 4.0
    assert by_coincidences(given, alone, np.arange(3000), 3) is None and by_counts(given, np.arange(3000)) is None


def test_contrast_of_perfect_scores_is_the_size_of_a_block() -> None:
    rows = [np.arange(64), np.arange(64, 128)]
    found = by_contrast(lambda x, y, _: np.where(x == y, 0.0, -50.0), rows)
    assert float(found.bits) == pytest.approx(6.0, abs=1e-3) and found.saturated


def test_a_conditional_law_sums_to_one() -> None:
    random = np.random.default_rng(6)
    inputs, targets = random.normal(size=(800, 2)), random.integers(0, 3, (800, 2))
    for law in fit_conditional(_key(), inputs, targets, (3, 3), (0, 0)):
        cases = np.stack(np.meshgrid(range(3), range(3)), -1).reshape(-1, 2)
        total = sum(np.exp(law(inputs[:5], np.tile(case, (5, 1))).sum(1)) for case in cases)
        np.testing.assert_allclose(total, 1.0, atol=1e-9)


def test_new_classes_add_nothing() -> None:
    x, y = flipped(400, 3, 0.1)
    log_ratio = AutoregressiveCode().fit(_key(), x, y)
    assert log_ratio(x[:4], np.full((4, 3), 9.0)).tolist() == [0.0] * 4
    assert log_ratio(x, y).mean() > 0.5


def test_which_side_is_told() -> None:
    random = np.random.default_rng(7)
    real, label, many = random.normal(size=(200, 2)), random.integers(0, 2, (200, 1)), random.integers(0, 90, (200, 1))
    assert not read_columns(real, label).swapped and read_columns(label, real).swapped
    assert read_whole_rows(label, many).counts == (2,) and read_whole_rows(many, label).counts == (2,)
    assert ClassColumns.of(real).counts == (8, 8) and not ClassColumns.of(real).discrete
    with pytest.raises(ValueError, match="at most 32 different rows"):
        read_whole_rows(many, many)


def _key() -> Any:
    return jax.random.key(0)
