"""Half precision is told by the numbers, whatever type holds them, and said where it is felt."""

from __future__ import annotations

import warnings

import ml_dtypes
import numpy as np
import pytest

from capacity.runtime.tables.posterior import checked_posterior
from capacity.runtime.tables.resolution import half_precision

NUMBERS = np.random.default_rng(0).normal(size=(400, 3))


@pytest.mark.parametrize("kind", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("held", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_it_is_told_by_the_numbers(kind: str, held: type, scale: float) -> None:
    rounded = (scale * NUMBERS).astype(getattr(ml_dtypes, kind, None) or kind).astype(held)
    assert half_precision(rounded) == (kind if kind in ("float16", "bfloat16") else None)


@pytest.mark.parametrize(
    "short", [np.zeros((50, 2)), np.tile([[1.0, -1.0]], (50, 1)), np.arange(60.0)[:, None] / 4], ids=str
)
def test_short_numbers_are_no_sign_of_it(short: np.ndarray) -> None:
    assert half_precision(short) is None


@pytest.mark.parametrize(
    ("std", "felt"), [(1.0, False), (0.1, False), (1e-2, True), (1e-3, True)], ids=["1", "0.1", "0.01", "0.001"]
)
def test_it_is_said_where_it_is_felt(std: float, felt: bool) -> None:
    """A step of bfloat16 at 1 is 2^-7: an error of 0.0023, more than a tenth of the noise below 0.023."""
    means = NUMBERS.astype(ml_dtypes.bfloat16).astype(np.float32)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        mean, _ = checked_posterior(means, np.full(means.shape, std), "std")
    assert (mean == means).all()
    assert [("resolution of bfloat16" in str(one.message)) for one in said] == [True] * felt


def test_the_share_is_that_of_the_rounding() -> None:
    """Against the errors that rounding made."""
    means = NUMBERS.astype(np.float16).astype(np.float64)
    share = ((means - NUMBERS) ** 2).mean(0) / 1e-4**2
    with pytest.warns(UserWarning, match="resolution of float16") as said:
        checked_posterior(means, np.full(means.shape, 1e-4), "std")
    words = str(said[0].message)
    assert float(words.split("rounding is ")[1].split(" %")[0]) == pytest.approx(100 * share.max(), rel=0.2)
