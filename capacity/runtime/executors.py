"""Where groups of lanes run: processes of this machine, Dask, or any `concurrent.futures.Executor`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing.context import SpawnContext, SpawnProcess

from capacity.runtime.cores import cores
from capacity.runtime.devices import set_devices
from capacity.runtime.names import check_name

__all__ = ["ExecutorPool", "executor_pool", "pool_of"]

EXECUTORS = ("processes", "dask")


@dataclass(frozen=True)
class ExecutorPool:
    """How an executor is opened, again if it breaks, and how many groups it is given at a time."""

    open: Callable[[], AbstractContextManager[Executor]]
    window: int


def executor_pool(name: str, workers: int | None = None, scheduler: str | None = None) -> ExecutorPool:
    """The pool that the command line names.

    Args:
        name: "processes" or "dask".
        workers: processes; by default one for each core.
        scheduler: address of Dask's, "tcp://HOST:PORT".

    Raises:
        ValueError: for another name, options that do not fit it, or an extra that is not installed.
    """
    check_name(name, EXECUTORS, "--executor")
    if name == "processes":
        if scheduler is not None:
            raise ValueError("Expected --scheduler with --executor dask; got processes.")
        count = workers or cores()
        return ExecutorPool(lambda: _processes(count), 2 * count)
    if scheduler is None or workers is not None:
        raise ValueError("Expected --executor dask with --scheduler ADDRESS, which has the workers; got other options.")
    try:
        import distributed
    except ImportError:
        raise ValueError("Expected the extra for --executor dask: pip install 'infocapacity[distributed]'.") from None
    try:
        with distributed.Client(scheduler, timeout="10s") as client:
            window = 4 * max(sum(client.nthreads().values()), 1)
    except (OSError, TimeoutError) as error:
        raise ValueError(f"Expected a Dask scheduler at {scheduler}; got {error}.") from None
    return ExecutorPool(lambda: _dask(scheduler), window)


def pool_of(executor: Executor, window: int = 64) -> ExecutorPool:
    """The caller's own executor, which stays open; if it breaks, so does the run."""
    return ExecutorPool(lambda: nullcontext(executor), window)


class _Worker(SpawnProcess):
    """Deaf to Ctrl-C, which a terminal sends to all processes: the one that started it says what happens."""

    def start(self) -> None:
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


class _Workers(SpawnContext):
    Process = _Worker


def _start_worker() -> None:
    set_devices(1)  # a device each, as the processes share the cores
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever, or write into what another run has taken over."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _processes(count: int) -> Iterator[Executor]:
    # Spawned, since a forked JAX hangs.
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(count, mp_context=_Workers(), initializer=_start_worker)
    try:
        yield pool
    except BaseException:
        for worker in set(multiprocessing.active_children()) - before:
            worker.terminate()  # what they are at would be waited for
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


@contextmanager
def _dask(scheduler: str) -> Iterator[Executor]:
    import distributed

    with distributed.Client(scheduler) as client:
        yield client.get_executor(pure=False, retries=3)
