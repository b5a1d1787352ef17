"""Many curves in one call: every source through every system of every network, one dataset."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal

import xarray as xr

from capacity.curves.execute import run_plans
from capacity.curves.files import load_curves
from capacity.curves.grid_dataset import combine
from capacity.curves.grid_plan import Levels, plan_grid
from capacity.curves.plan import CURVE_BUDGET
from capacity.runtime.executors import ExecutorPool
from capacity.runtime.files.parts import Parts
from capacity.runtime.keys import Seed
from capacity.runtime.progress import Progress, reporter
from capacity.training import System, Training
from capacity.training.system import Decoders

if TYPE_CHECKING:
    from synthetic.source import Source


def capacity_grid(
    key: Seed,
    sources: Source | Mapping[str, Source] | Iterable[Source],
    systems: System | Mapping[str, System] | Iterable[System],
    networks: Mapping[str, Decoders] | None = None,
    levels: Levels = None,
    seeds: int = 3,
    *,
    training: Training | Mapping[str, Training] | None = None,
    samples: int = 1024,
    measure: str = "auto",
    budget_gflop: float = CURVE_BUDGET,
    store: Parts | None = None,
    progress: Progress | Literal[True] | None = None,
    pool: ExecutorPool | None = None,
) -> xr.Dataset:
    """Bits against noise for every source, system and network, as one dataset.

    Args:
        key, sources, systems, networks, levels, seeds, training, samples, measure, budget_gflop: as in `plan_grid`.
        store: where finished lanes are kept, group by group; a grid that was broken off goes on from it.
        progress: called with the share of all lanes that are done, 0 to 1, and what was just done; True shows a bar.
        pool: where groups of lanes run, by default in this process (see `capacity.runtime.executors`).

    Returns:
        A dataset with dims `source, system, network, level, seed, unit, step, word`; figures as `capacity_curve` has
        them, `noise` (system, level) for how strong the noise is, and the seconds of each curve.

    Raises:
        TypeError, ValueError: as `plan_grid` does, before any work.
    """
    plans = plan_grid(
        key,
        sources,
        systems,
        networks,
        levels,
        seeds,
        training=training,
        samples=samples,
        measure=measure,
        budget_gflop=budget_gflop,
    )
    return combine(run_plans(plans, store, reporter(progress), pool=pool))


def load_grid(path: str | os.PathLike[str]) -> xr.Dataset:
    """The grid that `capacity grid` has saved, as `capacity_grid` gives it.

    Args:
        path: the directory given as `--out`, or its file `curve.nc`.

    Raises:
        StoreError: as `load_curves` does; and where the curves are of no grid.
    """
    return combine(load_curves(path))
