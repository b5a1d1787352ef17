"""For all tests: strict promotion, rank promotion refused, figures drawn without a display.

Almost all time of the tests is compilation.  So programs compiled by one process serve the others of the run, and
nobody after it; and they are compiled in haste: LLVM's optimisations would cost more than they save on small arrays.
Where XLA_FLAGS is set, as by `make test-all` to nothing, they are compiled as for use.
"""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ["MPLBACKEND"] = "Agg"
os.environ["XLA_FLAGS"] = os.environ.get(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1",
)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # there is a process for each core: read when these start
# Programs need not say where in the source each operation stands: errors say so by themselves.
os.environ.setdefault("JAX_TRACEBACK_IN_LOCATIONS_LIMIT", "0")
import jax
import pytest

from capacity.runtime.cores import cores

WORTH_KEEPING = 0.05  # seconds of compilation; to write and to read cost a few milliseconds
COMPILED = pytest.StashKey[str]()
MAPS, MOST_MAPS = Path("/proc/self/maps"), 40_000  # of memory: Linux gives a process 65,530, and then compilers crash


def pytest_configure(config: pytest.Config) -> None:
    """One directory of compiled programs for all processes of the run: those started from here inherit it."""
    gc.set_threshold(100_000, 50, 100)  # programs and traces live to the end: to look through them often is in vain
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        config.stash[COMPILED] = place = tempfile.mkdtemp(prefix="infocapacity-compiled-")
        os.environ["JAX_COMPILATION_CACHE_DIR"] = place
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = str(WORTH_KEEPING)
        jax.config.update("jax_compilation_cache_dir", place)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", WORTH_KEEPING)


@pytest.fixture(scope="module", autouse=True)
def _few_programs() -> Iterator[None]:
    """Forget compiled programs, of which each has maps of memory, before there are too many."""
    yield
    if MAPS.exists() and MAPS.read_bytes().count(b"\n") > MOST_MAPS:
        jax.clear_caches()
        gc.collect()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """As many processes for `-n auto` as there are cores for them."""
    return cores()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests come first in what every worker is given at the start, so that at the end none waits for another.

    With `--dist worksteal` worker i of those left takes the next 1/i of the list.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [item for item in items if item.get_closest_marker("long")]
    rest = [item for item in items if not item.get_closest_marker("long")]
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        share = long[worker::workers]
        size = (len(items) - len(ordered)) // (workers - worker)
        others = max(size - len(share), 0)
        ordered += share + rest[:others]
        del rest[:others]
    items[:] = ordered + rest


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave no compiled program behind."""
    if COMPILED in config.stash:
        shutil.rmtree(config.stash[COMPILED], ignore_errors=True)


@pytest.fixture(autouse=True)
def strict() -> Iterator[None]:
    """A (n,) against (n, 1) slip, or a silent float64, fails instead of giving a wrong number."""
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield
