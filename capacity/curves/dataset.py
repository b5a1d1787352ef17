"""From the arrays of finished lanes to a labelled dataset: bits, truth and ceiling on the same coordinates.

A lane that diverged has its key and its loss history there, and NaN for every figure, also for those that came out
finite: no mean, table, test or drawing can take it for one that trained.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import xarray as xr

from capacity.curves.checks import with_checks

if TYPE_CHECKING:
    from capacity.curves.plan import CurvePlan
    from capacity.runtime.files.parts import Arrays

LONG_NAMES = {
    "bits": "information I(M;Z), exact by enumeration",
    "lower": "lower bound on I(M;Z), by annealing or the decoder",
    "upper": "upper bound on I(M;Z)",
    "decoder_bits": "decoder lower bound on I(M;Z)",
    "rate": "rate E KL(p(z|m) || r(z)), upper bound on I(M;Z)",
    "excess": "KL(q(z) || r(z)), what the rate counts beyond I(M;Z)",
    "marginal_bits": "information in one unit alone, I(M;Z_j)",
    "increment_bits": "information that a unit adds to those before, I(M;Z_j|Z_<j)",
    "pam_bits": "hand-made PAM code of the same bits, units and power",
    "random_coding_bits": "random Gaussian codes of the same bits, units and power, on average at least",
}


def label(plan: CurvePlan, lanes: list[Arrays], seconds: dict[str, float]) -> xr.Dataset:
    """The dataset of a plan from the arrays of all its lanes, in their order; dims `level, seed, unit, step, word`."""
    shape = (len(plan.levels), plan.seeds)
    variables: dict[str, Any] = {}
    for name, stacked in stack_lanes(lanes).items():
        stacked = stacked.reshape(*shape, *stacked.shape[1:])
        last = ("step",) if name == "loss" else ("unit",) * (stacked.ndim - 2)
        variables[name] = (
            ("level", "seed", *last),
            stacked,
            {"long_name": _long_name(name), "units": _units(name, plan)},
        )
    words = {"long_name": "random key of the lane, from which it alone can be trained again", "units": "1"}
    variables["key"] = (("level", "seed", "word"), np.asarray(jax.random.key_data(plan.keys)), words)
    entropy = {"long_name": "entropy of the source", "units": "bits"}
    variables["source_bits"] = ((), float(plan.source.bits), entropy)
    configuration = plan.configuration
    source, units = configuration["source"], plan.system.architecture.units
    attributes = {
        "title": f"{plan.system.name}: {source['bits']:g} bits in {source['dim']} dimensions, {units} units",
        "system": plan.system.name,
        "source": source["name"],
        "trend": "rises" if plan.system.rises else "falls",
        "statement": plan.system.statement,
        "configuration": json.dumps(configuration),
        "versions": json.dumps(configuration["versions"]),
    } | {f"seconds_{k}": v for k, v in seconds.items()}
    variables |= _ceiling(plan) | _references(plan) | _closed_form(plan)
    return with_checks(xr.Dataset(variables, _coordinates(plan), attributes))


def stack_lanes(lanes: list[Arrays]) -> Arrays:
    """The figures of lanes by name, (lanes, ...) each; NaN where a lane diverged."""
    lost = np.flatnonzero([lane["diverged"] for lane in lanes])
    figures = {}
    for name in sorted(lanes[0], key=_column_order):
        figures[name] = np.stack([lane[name] for lane in lanes])
        if name not in ("loss", "diverged"):
            figures[name][lost] = np.nan
    return figures


def _coordinates(plan: CurvePlan) -> dict[str, Any]:
    level = {"long_name": plan.system.level_name, "symbol": plan.system.level_symbol, "units": "1"}
    counted = {
        "seed": (plan.seeds, "seed of the lane"),
        "unit": (plan.units, "unit of the code"),
        "step": (plan.training.steps, "step of the optimiser"),
    }
    return {"level": ("level", np.array(plan.levels), level)} | {
        name: (name, np.arange(count), {"long_name": words, "units": "1"}) for name, (count, words) in counted.items()
    }


def _ceiling(plan: CurvePlan) -> dict[str, Any]:
    ceilings = [plan.system.ceiling(plan.source, level) for level in plan.levels]
    if None in ceilings:
        return {}
    attributes = {"long_name": "capacity of the channel over all units", "units": "bits"}
    return {"ceiling": (("level",), np.array(ceilings, np.float64), attributes)}


def _references(plan: CurvePlan) -> dict[str, Any]:
    """Every name that the system gives at any level, in the order in which they come; NaN where a level lacks one."""
    references = [plan.system.reference(plan.source, level) for level in plan.levels]
    return {
        name: (
            ("level",),
            np.array([bits.get(name, np.nan) for bits in references], np.float64),
            {"long_name": LONG_NAMES.get(name, name), "units": "bits"},
        )
        for name in dict.fromkeys(name for bits in references for name in bits)
    }


def _closed_form(plan: CurvePlan) -> dict[str, Any]:
    known = [plan.system.closed_form(plan.source, level) for level in plan.levels]
    if any(bits is None or not np.isfinite(bits) for bits in known):
        return {}
    attributes = {"long_name": "closed form, for a code that is injective in every unit", "units": "bits"}
    return {"closed_form": (("level",), np.array(known, np.float64), attributes)}


def _column_order(name: str) -> tuple[bool, str, int]:
    """Where a variable stands: a figure before its error and ends, in one order whatever way the lanes came."""
    ends = ("_stderr", "_low", "_high")
    of = next((i for i, end in enumerate(ends) if name.endswith(end)), -1)
    return name == "diverged", name.removesuffix(ends[of]) if of >= 0 else name, of


def _long_name(name: str) -> str:
    plain = {
        "power": "mean power E[u^2] of a unit",
        "unit_power": "power E[u^2] of each unit",
        "snr": "mean power over mean noise variance",
        "distortion": "expected reconstruction loss",
        "joint_bits_per_unit": "information I(M;Z) divided by the number of units",
        "loss": "training loss",
        "diverged": "whether training or a figure left the finite numbers",
    }
    for suffix, words in (
        ("_stderr", ", standard error"),
        ("_low", ", 95 % interval, low end"),
        ("_high", ", high end"),
    ):
        if name.endswith(suffix) and name.removesuffix(suffix) in LONG_NAMES:
            return LONG_NAMES[name.removesuffix(suffix)] + words
    return LONG_NAMES.get(name) or plain[name]


def _units(name: str, plan: CurvePlan) -> str:
    if name == "distortion":
        return "bits" if plan.system.architecture.decode == "bits" else "squared error per vector"
    return "1" if name in ("power", "unit_power", "snr", "diverged") else "bits"
