"""Where lanes run leaves no trace in their numbers: in parts, from checkpoints, on executors whose workers die."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

from capacity import VAE, Architecture, GaussianAutoencoder, Training, plan_curve
from capacity.curves import programs as lanes
from capacity.curves.execute import run_plan
from capacity.curves.files import read_curves
from capacity.curves.plan import CurvePlan
from capacity.runtime.executors import ExecutorPool, executor_pool, pool_of
from capacity.runtime.files.checkpoints import Checkpoints
from capacity.runtime.files.store import Store
from synthetic import FairBits

ARCHITECTURE = Architecture(units=2, widths=(16,))
SMALL = Training(steps=120, batch=32, receiver_steps=40, receiver_batch=32)


def plan(training: Training = SMALL) -> CurvePlan:
    source = FairBits.build(jax.random.key(7), 4, 6)
    return plan_curve(
        jax.random.key(0), source, GaussianAutoencoder(ARCHITECTURE), [0.3, 1.0], 2, training=training, samples=64
    )


@pytest.fixture(scope="module")
def serial() -> xr.Dataset:
    return run_plan(plan())


def same(found: xr.Dataset, other: xr.Dataset) -> None:
    """Equal bit for bit, NaN for NaN; the seconds in the attributes aside."""
    xr.testing.assert_equal(found, other)


@pytest.mark.slow
@pytest.mark.parametrize(
    "system",
    [GaussianAutoencoder(ARCHITECTURE), VAE(ARCHITECTURE)],
    ids=["gaussian", "vae"],
)
def test_training_in_parts_ends_in_the_same_bits(system: Any) -> None:
    source, key, level = FairBits.build(jax.random.key(7), 4, 6), jax.random.key(3), jnp.float32(0.5)
    advance = jax.jit(lambda lane, stop: SMALL.advance(lane, key, source, system, level, stop))
    begun = jax.jit(lambda: SMALL.begin(key, source, system))()
    whole, parts = advance(begun, SMALL.total), begun
    for stop in (7, 119, 120, 121, 150, 500):
        parts = advance(parts, stop)
    assert int(parts.step) == SMALL.total == 160
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(parts), strict=True):
        np.testing.assert_array_equal(a, b)


def test_checkpoints_are_whole_or_not_there(tmp_path: Path) -> None:
    state = {"a": jnp.arange(5000.0), "key": jax.random.key(3), "step": jnp.int32(4)}
    kept = Checkpoints(tmp_path, "curve")
    assert kept.load(1, state) is None
    kept.save(1, 10, state)
    kept.save(1, 200, state | {"step": jnp.int32(5)})
    found = kept.load(1, state)
    assert found is not None and int(found["step"]) == 5
    np.testing.assert_array_equal(found["a"], state["a"])
    assert jax.random.key_data(found["key"]).tolist() == jax.random.key_data(state["key"]).tolist()
    assert [p.name for p in (kept.directory / "lane-0001").iterdir()] == ["step-200"]
    largest = max((p for p in kept.directory.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(bytes(content))
    with pytest.warns(UserWarning, match="is damaged; the lane starts again"):
        assert kept.load(1, state) is None
    kept.clear(1)
    assert not kept.directory.exists()


def test_a_long_lane_goes_on_from_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serial: xr.Dataset
) -> None:
    monkeypatch.setattr(lanes, "CHECKPOINT_SECONDS", 1e-9)  # every look at the clock keeps the lane, step by step
    monkeypatch.setattr(lanes, "FIRST_STEPS", 100)
    saved: list[int] = []
    save = Checkpoints.save

    def interrupted(self: Checkpoints, lane: int, step: int, state: Any) -> None:
        save(self, lane, step, state)
        saved.append(step)
        if len(saved) == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoints, "save", interrupted)
    with Store.open(tmp_path, {}) as store, pytest.raises(KeyboardInterrupt):
        run_plan(plan(), store)
    assert saved[-1] > 100 and (tmp_path / "curve-checkpoints").exists()
    monkeypatch.setattr(lanes, "CHECKPOINT_SECONDS", 60.0)
    steps: list[int] = []
    load = Checkpoints.load
    monkeypatch.setattr(
        Checkpoints, "load", lambda self, i, like: (s := load(self, i, like)) and (steps.append(int(s.step)) or s)
    )
    with Store.open(tmp_path, {}) as store:
        same(run_plan(plan(), store), serial)
    assert steps and max(steps) == saved[-1]
    assert not (tmp_path / "curve-checkpoints").exists()


class Inline(Executor):
    """Runs what is submitted at once, but for the submissions, counted from 1, in which a worker dies."""

    def __init__(self, deaths: Callable[[int], bool]) -> None:
        self.deaths, self.submitted = deaths, 0

    def submit(self, function: Callable, /, *args: Any, **options: Any) -> Future:
        self.submitted += 1
        future: Future = Future()
        if self.deaths(self.submitted):
            future.set_exception(BrokenExecutor("a worker died"))
        else:
            future.set_result(function(*args, **options))
        return future


def test_an_executor_that_breaks_is_opened_again(serial: xr.Dataset) -> None:
    executor, opened = Inline(lambda count: count in (2, 4)), []

    @contextmanager
    def inline() -> Iterator[Executor]:
        opened.append(executor)
        yield executor

    same(run_plan(plan(), pool=ExecutorPool(inline, 2)), serial)
    assert len(opened) == 3 and executor.submitted == 6  # 4 lanes and the two that were lost


def test_breaks_are_counted_in_a_row(serial: xr.Dataset) -> None:
    often = Inline(lambda count: count % 4 != 0)
    same(run_plan(plan(), pool=pool_of(often, window=1)), serial)
    assert often.submitted == 16
    with pytest.raises(RuntimeError, match="workers that live; got 4 broken executors in a row"):
        run_plan(plan(), pool=pool_of(Inline(lambda count: True), window=2))


def test_pools_are_refused_before_any_work() -> None:
    with pytest.raises(ValueError, match="--scheduler with --executor dask"):
        executor_pool("processes", scheduler="tcp://127.0.0.1:1")
    with pytest.raises(ValueError, match="--executor dask with --scheduler ADDRESS"):
        executor_pool("dask")
    with pytest.raises(ValueError, match="--executor to be one of"):
        executor_pool("mpi")


@pytest.mark.slow
def test_processes_of_which_one_is_killed(serial: xr.Dataset) -> None:
    processes = executor_pool("processes", 2)
    pools: list[Any] = []

    @contextmanager
    def watched() -> Iterator[Executor]:
        with processes.open() as pool:
            pools.append(pool)
            yield pool

    def kill() -> None:
        while not pools or not pools[0]._processes:
            time.sleep(0.2)
        time.sleep(8)
        os.kill(next(iter(pools[0]._processes)), signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
    same(
        run_plan(
            plan(Training(steps=120, batch=32, receiver_steps=40, receiver_batch=32)), pool=ExecutorPool(watched, 4)
        ),
        serial,
    )
    assert len(pools) >= 2


@pytest.mark.slow
def test_dask_workers_of_which_one_is_killed(serial: xr.Dataset) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:
        pool = executor_pool("dask", scheduler=cluster.scheduler_address)

        def kill() -> None:
            time.sleep(10)
            os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        same(run_plan(plan(), pool=pool), serial)
        killer.join()


COMMAND = (  # of a width whose products are rounded
    "curve --system gaussian --bits 4 --dim 6 --units 2 --width 112 --products bfloat16 --steps 100"
    " --levels 0.3:1:3 --seeds 2 --quiet"
)


def started(out: Path, *more: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", "capacity", *COMMAND.split(), "--out", str(out), *more])


def test_a_coordinator_listens_at_its_address_alone() -> None:
    """127.0.0.2 is this machine too, but not the address that was given."""
    program = """
import socket
from capacity.runtime.start import join

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
join(f"127.0.0.1:{port}", 1, 0)
for address in ("127.0.0.1", "127.0.0.2", "::1"):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as caller:
        try:
            caller.connect((address, port))
            print(address, "answers")
        except OSError:
            print(address, "refuses")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == ["127.0.0.1 answers", "127.0.0.2 refuses", "::1 refuses"], done.stderr


@pytest.mark.slow
def test_any_layout_gives_the_same_bits(tmp_path: Path) -> None:
    """1, 2 and 8 host devices; two processes joined on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    joined = ("--coordinator", f"127.0.0.1:{port}", "--processes", "2", "--devices", "1", "--process")
    runs = [started(tmp_path / f"process-{i}", *joined, str(i)) for i in range(2)]
    assert [run.wait(600) for run in runs] == [0, 0]
    for devices in ("1", "2", "8"):
        assert started(tmp_path / devices, "--devices", devices).wait(600) == 0
    found = {name: read_curves(tmp_path / name / "curve.nc")["gaussian"] for name in ("process-0", "1", "2", "8")}
    for name, other in found.items():
        same(other, found["1"])
        assert (tmp_path / name / "curve.csv").read_bytes() == (tmp_path / "1" / "curve.csv").read_bytes()
