"""Rows that differ: as NumPy tells them, in whatever order they come, also where all hashes are alike."""

from __future__ import annotations

import numpy as np
import pytest

from capacity.analysis.latent import distinct
from capacity.analysis.latent.distinct import distinct_rows

RNG = np.random.default_rng(0)
TABLES = {
    "numbers": RNG.normal(size=(500, 3)),
    "few values": RNG.integers(0, 3, (500, 4)).astype(float),
    "of single precision": RNG.normal(size=(500, 2)).astype(np.float32).astype(float),
    "one row": np.ones((1, 2)),
    "copies": np.repeat(RNG.normal(size=(7, 2)), 30, axis=0),
    "zeros of both signs": np.where(RNG.random((40, 2)) < 0.5, 0.0, -0.0),
    "large and small": 10.0 ** RNG.integers(-300, 300, (300, 2)),
}


def as_numpy(*tables: np.ndarray) -> dict[tuple[float, ...], int]:
    rows, counts = np.unique(np.hstack(tables), axis=0, return_counts=True)
    return {tuple(row): int(count) for row, count in zip(rows, counts, strict=True)}


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("alike", [False, True])
def test_rows_and_copies_are_those_of_numpy(kind: str, alike: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if alike:
        monkeypatch.setattr(distinct, "_mixed", lambda words: words * np.uint64(0))
    one, other = TABLES[kind], TABLES[kind][:, :1] * 2
    kept, copies = distinct_rows(one, other)
    rows = np.hstack([one, other])[kept]
    found = {tuple(row): int(count) for row, count in zip(rows, copies, strict=True)}
    assert found == as_numpy(one, other) and len(found) == len(kept)


@pytest.mark.parametrize("kind", TABLES)
def test_the_order_of_rows_changes_nothing(kind: str) -> None:
    table = TABLES[kind]
    mixed = table[RNG.permutation(len(table))]
    (kept, copies), (again, counted) = distinct_rows(table), distinct_rows(mixed)
    np.testing.assert_array_equal(table[kept], mixed[again])
    np.testing.assert_array_equal(copies, counted)
