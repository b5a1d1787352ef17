"""For all tests: strict promotion, rank promotion refused, figures drawn without a display."""

from __future__ import annotations

import os
from collections.abc import Iterator

os.environ["MPLBACKEND"] = "Agg"

import jax
import pytest


@pytest.fixture(autouse=True)
def strict() -> Iterator[None]:
    """A (n,) against (n, 1) slip, or a silent float64, fails instead of giving a wrong number."""
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield
