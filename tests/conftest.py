"""For all tests: strict promotion, rank promotion refused, figures drawn without a display.

Programs compiled by one test process serve the others of the run, and nobody after it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator

os.environ["MPLBACKEND"] = "Agg"
import jax
import pytest

COMPILED = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """One directory of compiled programs for all processes of the run: those started from here inherit it."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        config.stash[COMPILED] = place = tempfile.mkdtemp(prefix="infocapacity-compiled-")
        os.environ["JAX_COMPILATION_CACHE_DIR"] = place
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.3"
        jax.config.update("jax_compilation_cache_dir", place)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave no compiled program behind."""
    if COMPILED in config.stash:
        shutil.rmtree(config.stash[COMPILED], ignore_errors=True)


@pytest.fixture(autouse=True)
def strict() -> Iterator[None]:
    """A (n,) against (n, 1) slip, or a silent float64, fails instead of giving a wrong number."""
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield
