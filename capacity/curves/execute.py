"""A planned curve, worked off: lanes run in groups of one per device, and each finished group can be kept in a store,
from which the same plan goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import jax
import xarray as xr

from capacity.curves.dataset import label
from capacity.curves.parts import count_lanes, load_lanes, save_lanes
from capacity.curves.plan import CurvePlan
from capacity.curves.schedule import CheckpointPlace, broadcast_lanes, run_distributed, run_local, run_on_executor
from capacity.runtime.executors import ExecutorPool
from capacity.runtime.files.checkpoints import Checkpoints
from capacity.runtime.files.parts import Parts
from capacity.runtime.files.seals import digest_of
from capacity.runtime.files.store import Store
from capacity.runtime.progress import Progress


def run_plan(
    plan: CurvePlan,
    store: Parts | None = None,
    name: str = "curve",
    progress: Progress | None = None,
    *,
    pool: ExecutorPool | None = None,
    together: int | None = None,
) -> xr.Dataset:
    """Train and measure all lanes that the store does not hold yet.

    Where several processes are joined by `jax.distributed`, all of them call this with the same arguments, but
    only process 0 with a store; all of them return the dataset.

    Args:
        plan: by `plan_curve`.
        store: where lanes are kept, group by group as they finish, and with a `Store` also those that train for
            more than a minute.
        name: their common name.
        progress: called with the share of lanes that are done, 0 to 1, and what was just done.
        pool: where groups of lanes run, by default in this process (see `capacity.runtime.executors`).
        together: lanes that a device runs as one batched program; by default 1 on a CPU.

    Raises:
        RuntimeError: if an executor's workers die time and again.
    """
    made_for = digest_of(plan.configuration)
    done = load_lanes(store, name, made_for) if store is not None else {}
    joined = jax.process_count() > 1
    if joined:
        done = broadcast_lanes(done)
    if progress and done:
        progress(len(done) / plan.total, f"{len(done)} of {plan.total} lanes found in the store")
    missing = [i for i in range(plan.total) if i not in done]
    seconds = {"compile": 0.0, "train": 0.0, "measure": 0.0}
    place = CheckpointPlace(store.directory, name, made_for) if isinstance(store, Store) else None
    if pool is not None:
        groups = run_on_executor(plan, missing, together, place, pool)
    else:
        groups = (run_distributed if joined else run_local)(plan, missing, together, place)
    for group in groups if missing else ():
        if store is not None:
            save_lanes(store, name, group.lanes, group.arrays, made_for)
        for i, arrays in zip(group.lanes, group.arrays, strict=True):
            if place is not None:
                Checkpoints(*place).clear(i)
            done[i] = arrays
        for kind, spent in group.seconds.items():
            seconds[kind] += spent
        if progress:
            level = plan.levels[group.lanes[-1] // plan.seeds]
            progress(len(done) / plan.total, f"{name} {plan.system.level_symbol}={level:g}")
    return label(plan, [done[i] for i in range(plan.total)], seconds)


def run_plans(
    plans: Mapping[str, CurvePlan],
    store: Parts | None = None,
    progress: Progress | None = None,
    *,
    pool: ExecutorPool | None = None,
    together: int | None = None,
) -> dict[str, xr.Dataset]:
    """Several planned curves, one after another, as one piece of work.

    Args:
        plans: by the names that their lanes have in the store.
        store, pool, together: as in `run_plan`.
        progress: called with the share of the lanes of all plans that are done, and what was just done.
    """
    total = sum(plan.total for plan in plans.values())
    kept = {name: 0 if store is None else min(count_lanes(store, name), plan.total) for name, plan in plans.items()}
    done = sum(kept.values())
    if progress and done:
        progress(done / total, f"{done} of {total} lanes found in the store")

    def report(before: int, name: str, share: float, message: str) -> None:
        made = max(round(share * plans[name].total) - kept[name], 0)
        if progress and made:
            progress((before + made) / total, message)

    curves = {}
    for name, plan in plans.items():
        curves[name] = run_plan(plan, store, name, partial(report, done, name), pool=pool, together=together)
        done += plan.total - kept[name]
    return curves
