"""How many threads linear algebra takes: small matrices lose more by waiting for each other than they save."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from threadpoolctl import threadpool_limits

NARROW = 32  # columns of both sides together
SMALL = 2**26  # multiplications of one product, some milliseconds of one core


def threads_for(x: np.ndarray, y: np.ndarray) -> AbstractContextManager[object]:
    """One thread for sides (n, dx) and (n, dy) of few columns, as many as there are for wide ones."""
    narrow = x.shape[1] + y.shape[1] <= NARROW
    return threadpool_limits(1, "blas") if narrow else nullcontext()


def threads_for_product(*shape: int) -> AbstractContextManager[object]:
    """One thread where products of matrices take few multiplications, as many as there are where they take more.

    Args:
        shape: rows, inner and columns of a product.
    """
    return threadpool_limits(1, "blas") if math.prod(shape) <= SMALL else nullcontext()
