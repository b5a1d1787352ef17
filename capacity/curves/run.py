"""Sweep a system over its noise levels, measure every lane, and label the figures: bits against level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import jax
import xarray as xr

from capacity.curves.execute import run_plan
from capacity.curves.plan import CURVE_BUDGET, Progress, plan_curve
from capacity.runtime.files.parts import Parts
from capacity.runtime.progress import reporter
from capacity.training import Training


def capacity_curve(
    key: jax.Array,
    source: Any,
    system: Any,
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

    Arguments and errors as in `plan_curve`; `levels` default to the system's own; `progress=True` shows a bar, in a
    notebook too.  Returns a dataset with dims
    `level, seed, unit, step`, every variable with `units` and `long_name`.
    """
    chosen = system.default_levels if levels is None else levels
    options: dict[str, Any] = {
        "training": training,
        "samples": samples,
        "measure": measure,
        "budget_gflop": budget_gflop,
    }
    plan = plan_curve(key, source, system, chosen, seeds, **options)
    return run_plan(plan, store, system.name, reporter(progress, plan.total))
