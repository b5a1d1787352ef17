"""Intervals hold the truth: some problems of the study of validity, and the truths of its families themselves."""

from __future__ import annotations

import numpy as np
import pytest

from capacity.channels import CHANNELS
from tests.benchmarks.validity import held, record_of, said
from tests.benchmarks.validity_report import binomial, markdown, rows_of
from tests.families import FAMILIES, problem_of
from tests.families.channel_settings import SETTINGS
from tests.families.events import event_truth
from tests.families.layers import chain_truth
from tests.families.truths import all_signs, even, full_sum, one_unit, sign_bits


@pytest.mark.parametrize(
    ("family", "numbers"),
    [
        ("far codes", (0, 5, 10, 15)),
        pytest.param("copies and dead units", (0, 2, 4, 6), marks=pytest.mark.slow),
        pytest.param("scales and offsets", (0, 3, 6, 9), marks=pytest.mark.slow),
    ],
)
def test_some_problems_hold(family: str, numbers: tuple[int, ...]) -> None:
    """Of one shape, which compiles once; `python -m tests.benchmarks.validity` has all."""
    records = [record_of((family, number)) for number in numbers]
    assert [said(record) for record in records if not held(record)] == []
    assert f"{len(numbers)} of {len(numbers)} runs are held" in markdown(records)


def test_problems_follow_from_their_number() -> None:
    for family in ("far codes", "skewed sources", "layers"):
        one, two, other = problem_of(family, 1), problem_of(family, 1), problem_of(family, 3)
        assert one.truths == two.truths and one.words == two.words
        assert one.truths != other.truths
    assert sum(family.count for family in FAMILIES.values()) >= 1000
    assert min(family.count for family in FAMILIES.values()) >= 40


def test_truths_agree_with_one_another() -> None:
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(60, 1))
    codes[0] = 1e5
    exact, _ = one_unit(codes[:, 0], 0.3, even(60))
    summed, error = full_sum(rng, codes, np.full(codes.shape, 0.3), even(60), work=1e7)
    assert abs(summed - exact) < 4 * error < 0.02
    two, error = full_sum(rng, np.array([[a, b] for a in (-1.0, 1.0) for b in (-2.0, 2.0)]), 1.5, even(4), work=1e7)
    assert two == pytest.approx(sign_bits(1 / 1.5) + sign_bits(2 / 1.5), abs=4 * error)
    assert sign_bits(1.0) == pytest.approx(0.485944, abs=1e-6)  # binary-input Gaussian channel at 0 dB


def test_truths_of_events_and_layers_agree_with_plain_sums() -> None:
    rng, scales = np.random.default_rng(1), np.array([1.0, 3.0])
    x = all_signs(6)
    gate = (all_signs(4) > 0).sum(1) >= 2
    codes = x * np.where((x[:, :4] > 0).sum(1) >= 2, scales[1], scales[0])[:, None]
    by_event, error = event_truth(rng, 6, gate, scales, 0.7)
    summed, other = full_sum(rng, codes, 0.7, even(64), work=3e7)
    assert abs(by_event - summed) < 4 * np.hypot(error, other) < 0.05
    chain = chain_truth(x @ np.arange(1.0, 7.0), [(lambda u: u, 2.0)], [3.0, 4.0])
    assert chain == pytest.approx([one_unit(x @ np.arange(1.0, 7.0), s, even(64))[0] for s in (3.0, 13**0.5)], abs=1e-6)


def test_every_channel_has_a_setting() -> None:
    assert set(SETTINGS) == set(CHANNELS)


def test_shares_have_their_binomial_interval() -> None:
    assert binomial(48, 50) == pytest.approx((0.8629, 0.9951), abs=1e-4)
    assert binomial(0, 10)[0] == 0 and binomial(10, 10)[1] == 1


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_families_hold_at_their_rate(family: str) -> None:
    """All problems of the study: hours."""
    records = [record_of((family, number)) for number in range(FAMILIES[family].count)]
    print("\n".join(said(record) for record in records if not held(record)))
    runs = [run.held for row in rows_of(records) for run in row.runs]
    assert sum(runs) >= 0.95 * len(runs)
