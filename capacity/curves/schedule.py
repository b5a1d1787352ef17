"""Groups of lanes, worked off in this process, in several that `jax.distributed` joins, or on any executor.

A group is handed back as soon as it is done, so that the caller can keep it; where and in which order groups ran leaves
no trace in their numbers.
"""

from __future__ import annotations

import io
import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import jax
import numpy as np

from capacity.curves.programs import LanePrograms
from capacity.runtime.files.checkpoints import Checkpoints
from capacity.runtime.files.parts import Arrays
from capacity.training import lanes_together, places_here

if TYPE_CHECKING:
    from capacity.curves.plan import CurvePlan
    from capacity.runtime.executors import ExecutorPool

Item = TypeVar("Item")
MAX_BREAKS = 3


class CheckpointPlace(NamedTuple):
    """Where lanes that are still training are kept, the name of their curve, and the digest of the run."""

    directory: Path
    name: str
    made_for: str = ""


class Done(NamedTuple):
    """A finished group: the lanes' numbers, their figures, and the seconds that it took, by kind."""

    lanes: list[int]
    arrays: list[Arrays]
    seconds: Mapping[str, float]


def in_groups(items: list[Item], size: int) -> list[list[Item]]:
    """The items in their order, `size` at a time."""
    return [items[i : i + size] for i in range(0, len(items), size)]


def run_local(
    plan: CurvePlan, missing: list[int], together: int | None, place: CheckpointPlace | None
) -> Iterator[Done]:
    """One group after another on this process's devices.

    Args:
        plan: by `plan_curve`.
        missing: numbers of the lanes to train and measure.
        together: lanes that a device runs as one batched program; None for `lanes_together`.
        place: where they are kept while they train; None for nowhere.
    """
    each = lanes_together(together)
    programs = LanePrograms(plan, min(places_here(), -(-len(missing) // each)), each)
    for group in in_groups(missing, programs.size):
        yield _timed(programs, group, place)


def run_distributed(
    plan: CurvePlan, missing: list[int], together: int | None, place: CheckpointPlace | None
) -> Iterator[Done]:
    """The same in every process of `jax.distributed`: each does a group of a round, then all exchange their figures.

    Args:
        plan, missing, together, place: as in `run_local`, and the same in every process.
    """
    from jax.experimental import multihost_utils

    programs = LanePrograms(plan, places_here(), lanes_together(together))
    processes, own = jax.process_count(), jax.process_index()
    for first in in_groups(in_groups(missing, programs.size), processes):
        group = first[min(own, len(first) - 1)]  # who has no share in the last round does what another does
        done = _timed(programs, group, place if own < len(first) else None)
        whole = [*done.arrays, *[done.arrays[-1]] * (programs.size - len(group))]
        stacked = {name: np.stack([arrays[name] for arrays in whole]) for name in whole[0]}
        shared = multihost_utils.process_allgather(stacked)
        for process, lanes in enumerate(first):
            arrays = [{name: leaf[process, i] for name, leaf in shared.items()} for i in range(len(lanes))]
            yield Done(lanes, arrays, done.seconds if process == own else {})


def run_on_executor(
    plan: CurvePlan, missing: list[int], together: int | None, place: CheckpointPlace | None, pool: ExecutorPool
) -> Iterator[Done]:
    """On an executor, at most `pool.window` groups at a time; if it breaks, what was under way is sent to a new one.

    Args:
        plan, missing, together, place: as in `run_local`.
        pool: opens executors.

    Raises:
        RuntimeError: if it breaks time and again with nothing done in between.
    """
    waiting, breaks = deque(in_groups(missing, lanes_together(together))), 0
    while waiting:
        flying: dict[Future[Done], list[int]] = {}
        try:
            with pool.open() as executor:
                while waiting or flying:
                    while waiting and len(flying) < pool.window:
                        future = executor.submit(run_group, plan, waiting[0], together, place)
                        flying[future] = waiting.popleft()
                    ended = wait(flying, return_when=FIRST_COMPLETED).done
                    for future in sorted(ended, key=lambda future: future.exception() is not None):
                        done = future.result()
                        del flying[future]
                        breaks = 0
                        yield done
        except BrokenExecutor as error:
            waiting.extendleft(flying.values())
            breaks += 1
            if breaks > MAX_BREAKS:
                raise RuntimeError(
                    f"Expected workers that live; got {breaks} broken executors in a row ({error}). "
                    "What has finished is kept."
                ) from error


def run_group(plan: CurvePlan, group: list[int], together: int | None, place: CheckpointPlace | None) -> Done:
    """A group in a worker, whose programs are compiled once and kept while it is asked for the same plan.

    Args:
        plan, together, place: as in `run_local`.
        group: numbers of its lanes.
    """
    identity = json.dumps(plan.configuration, sort_keys=True)
    with _LOCK:
        if identity not in _PROGRAMS:
            _PROGRAMS.clear()
            _PROGRAMS[identity] = LanePrograms(plan, 1, lanes_together(together))
        return _timed(_PROGRAMS[identity], group, place)


_PROGRAMS: dict[str, LanePrograms] = {}
_LOCK = threading.Lock()


def _timed(programs: LanePrograms, group: list[int], place: CheckpointPlace | None) -> Done:
    before = dict(programs.seconds) if any(programs.seconds[k] for k in ("train", "measure")) else {}
    arrays = programs(group, Checkpoints(*place) if place else None)
    return Done(group, arrays, {kind: spent - before.get(kind, 0.0) for kind, spent in programs.seconds.items()})


def broadcast_lanes(finished: dict[int, Arrays]) -> dict[int, Arrays]:
    """The lanes that process 0 has read, in every process of `jax.distributed`."""
    from jax.experimental import multihost_utils

    buffer = io.BytesIO()
    named: dict[str, Any] = {f"{lane}/{name}": array for lane, part in finished.items() for name, array in part.items()}
    np.savez(buffer, **named)
    packed = np.frombuffer(buffer.getvalue(), np.uint8)
    size = int(multihost_utils.broadcast_one_to_all(np.asarray(packed.size)))
    content = packed if jax.process_index() == 0 else np.zeros(size, np.uint8)
    content = np.asarray(multihost_utils.broadcast_one_to_all(content))
    unpacked: dict[int, Arrays] = {}
    with np.load(io.BytesIO(content.tobytes()), allow_pickle=False) as file:
        for path in file.files:
            lane, name = path.split("/")
            unpacked.setdefault(int(lane), {})[name] = file[path]
    return unpacked
