"""How many threads linear algebra takes: matrices of few columns lose more by waiting for each other than they save."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import numpy as np
from threadpoolctl import threadpool_limits

NARROW = 32  # columns of both sides together


def threads_for(x: np.ndarray, y: np.ndarray) -> AbstractContextManager[object]:
    """One thread for sides (n, dx) and (n, dy) of few columns, as many as there are for wide ones."""
    narrow = x.shape[1] + y.shape[1] <= NARROW
    return threadpool_limits(1, "blas") if narrow else nullcontext()
