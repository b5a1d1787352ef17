"""Every test here runs under strict promotion of types and with rank promotion refused."""

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(autouse=True)
def strict() -> Iterator[None]:
    """A (n,) against (n, 1) slip, or a silent float64, fails instead of giving a wrong number."""
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield
