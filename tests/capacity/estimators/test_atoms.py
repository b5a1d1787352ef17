"""Atoms are spread without loss: nothing is tied, the order and what the column was can be read off."""

from __future__ import annotations

import numpy as np
import pytest

from capacity.estimators.atoms import atoms_of, spread_atoms


@pytest.mark.parametrize("scale, offset", [(1.0, 0.0), (1e6, 3.0), (1e-5, -7.0)])
def test_what_is_spread_can_be_read_off(scale: float, offset: float) -> None:
    rng = np.random.default_rng(0)
    column = np.clip(rng.normal(size=2000), -0.5, 1.0) * scale + offset  # an atom at either end
    spread, found = spread_atoms(rng, column[:, None])
    assert found == 1 and len(np.unique(spread)) == 2000
    values, counts = atoms_of(column)
    assert len(values) == 2 and counts.sum() == np.isin(column, values).sum()
    # Rows in the order of what they became are in the order of what they were: each value an interval of its own.
    assert np.all(np.diff(column[np.argsort(spread[:, 0])]) >= 0)


def test_an_atom_within_has_a_gap_of_its_own() -> None:
    rng = np.random.default_rng(1)
    column = rng.normal(size=1000) * rng.integers(0, 2, 1000)  # half of them 0, others on both sides
    spread = spread_atoms(rng, column[:, None])[0][:, 0]
    zeros = spread[column == 0]
    assert spread[column < 0].max() < zeros.min() and zeros.max() < spread[column > 0].min()
    assert np.array_equal(spread[column < 0], column[column < 0])


def test_a_column_of_labels_becomes_intervals_and_others_are_left_alone() -> None:
    rng = np.random.default_rng(2)
    side = np.column_stack([rng.normal(size=500), rng.integers(0, 2, 500)])
    spread, found = spread_atoms(rng, side)
    assert found == 1 and np.array_equal(spread[:, 0], side[:, 0])
    assert spread[side[:, 1] == 0, 1].max() < spread[side[:, 1] == 1, 1].min()
    assert len(np.unique(spread[:, 1])) == 500
