"""Linear algebra of small matrices takes one thread, of large ones as many as there are."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from capacity.estimators.threads import SMALL, threads_for, threads_for_product


def threads() -> set[int]:
    return {int(pool["num_threads"]) for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.mark.parametrize(("shape", "one"), [((600, 150, 42), True), ((SMALL,), True), ((SMALL, 2), False)])
def test_small_products_take_one_thread(shape: tuple[int, ...], one: bool) -> None:
    np.ones((2, 2)) @ np.ones((2, 2))
    with threadpool_limits(2, "blas"):
        before = threads()
        with threads_for_product(*shape):
            assert threads() == ({1} if one else before)
        assert threads() == before


@pytest.mark.parametrize(("columns", "one"), [(16, True), (17, False)])
def test_few_columns_take_one_thread(columns: int, one: bool) -> None:
    side = np.ones((4, columns))
    with threadpool_limits(2, "blas"):
        before = threads()
        with threads_for(side, side):
            assert threads() == ({1} if one else before)
