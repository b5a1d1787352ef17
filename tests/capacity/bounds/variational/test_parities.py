"""Linear algebra over GF(2) against what it must undo."""

from __future__ import annotations

import numpy as np
import pytest

from capacity.bounds.variational.parities import basis_of, components, parities, right_inverse


@pytest.mark.parametrize("seed", range(5))
def test_a_basis_gives_back_every_row(seed: int) -> None:
    rng = np.random.default_rng(seed)
    few = rng.random((4, 9)) < 0.5
    rows = ((rng.random((12, 4)) < 0.5).astype(int) @ few) % 2 == 1
    basis = basis_of(rows)
    assert len(basis.rows) <= 4
    again = (basis.coordinates.astype(int) @ rows[basis.rows].astype(int)) % 2 == 1
    np.testing.assert_array_equal(again, rows)
    inverse = right_inverse(rows[basis.rows])
    np.testing.assert_array_equal(
        (rows[basis.rows].astype(int) @ inverse.astype(int)) % 2, np.eye(len(basis.rows), dtype=int)
    )


def test_dependent_rows_have_no_right_inverse() -> None:
    with pytest.raises(ValueError, match="Expected independent rows; got row 1"):
        right_inverse(np.ones((2, 3), bool))


def test_parities_are_sums_modulo_two() -> None:
    matrix = np.array([[True, True, False], [False, False, True]])
    np.testing.assert_array_equal(parities(matrix, np.array([[1, 1, 1], [1, 0, 0]])), [[0, 1], [1, 0]])


def test_things_that_share_bits_are_one_component() -> None:
    joined = np.zeros((3, 5), bool)
    joined[0, [0, 3]] = joined[1, [3, 4]] = joined[2, 1] = True
    assert [list(group) for group in components(joined)] == [[0, 3, 4], [1], [2]]
