"""Sweep a system over its noise levels, measure every lane, and label the figures: bits against level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import xarray as xr

from capacity.curves.execute import run_plan
from capacity.curves.plan import CURVE_BUDGET, plan_curve
from capacity.runtime.contracts import check_instance
from capacity.runtime.deprecated import renamed_keywords
from capacity.runtime.files.parts import Parts
from capacity.runtime.keys import Seed
from capacity.runtime.progress import Progress, reporter
from capacity.training import System, Training

if TYPE_CHECKING:
    from synthetic.source import Source


@renamed_keywords(budget="budget_gflop")
def capacity_curve(
    key: Seed,
    source: Source,
    system: System,
    levels: Sequence[float] | None = None,
    seeds: int = 3,
    *,
    training: Training | None = None,
    samples: int = 1024,
    measure: str = "auto",
    budget_gflop: float = CURVE_BUDGET,
    store: Parts | None = None,
    progress: Progress | Literal[True] | None = None,
) -> xr.Dataset:
    """Bits through a noisy network against the noise, with source, ceiling and bounds on the same coordinates.

    Args:
        key, source, system, seeds, training, samples, measure, budget_gflop: as in `plan_curve`.
        levels: noise levels, by default the system's own.
        store: where finished lanes are kept, group by group; a curve that was broken off goes on from it.
        progress: called with the share of lanes that are done, 0 to 1, and what was just done; True shows a bar, in a
            notebook too.

    Returns:
        A dataset with dims `level, seed, unit, step, word` (of a lane's random key), every variable with `units` and
        `long_name`.

    Raises:
        TypeError, ValueError: as `plan_curve` does, before any work.
    """
    check_instance(system, System)
    chosen = system.default_levels if levels is None else levels
    plan = plan_curve(
        key,
        source,
        system,
        chosen,
        seeds,
        training=training,
        samples=samples,
        measure=measure,
        budget_gflop=budget_gflop,
    )
    return run_plan(plan, store, system.name, reporter(progress))
