"""The dimension of sets that rows of many columns lie on."""

from __future__ import annotations

import numpy as np
import pytest

from capacity.estimators.neighbours.intrinsic_dimension import intrinsic_dimension


@pytest.mark.parametrize("dimension", [1, 2, 4])
def test_a_smooth_surface_has_the_dimension_of_its_parameters(dimension: int) -> None:
    rng = np.random.default_rng(dimension)
    rows = np.tanh(rng.normal(size=(3000, dimension)) @ rng.normal(size=(dimension, 40)))
    assert intrinsic_dimension(rng, rows) == pytest.approx(dimension, rel=0.15)


def test_noise_in_all_columns_fills_them() -> None:
    rng = np.random.default_rng(0)
    assert intrinsic_dimension(rng, rng.normal(size=(3000, 3))) == pytest.approx(3, rel=0.1)
    assert intrinsic_dimension(rng, rng.normal(size=(3000, 30))) > 12  # too low, but far from a surface


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 20 rows; got 20"):
        intrinsic_dimension(np.random.default_rng(0), np.zeros((20, 2)))
