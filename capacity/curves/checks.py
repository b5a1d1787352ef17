"""What a curve must obey, tested and kept with it: lanes inside [0, min(source, ceiling)], bits falling with noise.

A lane is inside if its interval comes within a thousandth of a bit of [0, limit], the intervals widened so that those
of all lanes hold at once with 95 % (Bonferroni): of forty lanes at the limit, one would else be expected outside.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

from capacity.curves.trends import falling, largest_rise
from capacity.results.intervals import Z95

RESOLUTION = 1e-3  # bits: what single precision, and losses rarer than one in the samples drawn, leave open
TREND = ("trend_share", "trend_p_value", "reversal", "reversal_p_value")


def with_checks(dataset: xr.Dataset) -> xr.Dataset:
    """The curve with `limit`, `inside`, and the tests of its trend.

    Args:
        dataset: with `bits` or `lower` and `upper`, `source_bits` and, where there is one, `ceiling`;
            `attrs["trend"]` says what the level does: "falls" or "rises".
    """
    lower, upper = ("bits", "bits") if "bits" in dataset else ("lower", "upper")
    limit = np.full(dataset.sizes["level"], float(dataset.source_bits))
    if "ceiling" in dataset:
        limit = np.minimum(limit, dataset.ceiling.values)
    stretch = stats.norm.isf(0.025 / dataset[lower].size) / Z95
    low = dataset[lower] - stretch * (dataset[lower] - dataset[f"{lower}_low"])
    high = dataset[upper] + stretch * (dataset[f"{upper}_high"] - dataset[upper])
    inside = (low.values <= limit[:, None] + RESOLUTION) & (high.values >= -RESOLUTION)
    found: dict[str, Any] = {
        "limit": ("level", limit, "most that can pass: the least of source and ceiling", "bits"),
        "inside": (("level", "seed"), inside, "interval, all lanes' at once 95 %, meets [0, limit]", "1"),
    }
    found |= _trend(dataset, lower)
    return dataset.assign({n: (dims, value, {"long_name": w, "units": u}) for n, (dims, value, w, u) in found.items()})


def sentence(dataset: xr.Dataset) -> str:
    """Both checks in words, for under a table or figure; empty where the curve has none."""
    if "inside" not in dataset:
        return ""
    inside = dataset.inside.values
    top = "min(source, ceiling)" if "ceiling" in dataset else "source"
    text = f"{int(inside.sum())} of {inside.size} lanes inside [0, {top}]"
    lost = int(dataset.diverged.sum()) if "diverged" in dataset else 0
    if lost:
        text += f"; {lost} diverged: in no mean, no trend and not inside"
    if "trend_p_value" not in dataset:
        return text
    share, p_value, reversal, p_reversal = (float(dataset[name]) for name in TREND)
    verb = {"falls": "falling", "rises": "rising"}[dataset.attrs["trend"]]
    text += f"; {verb} with the level: {100 * share:.0f} % of pairs, p = {_shown(p_value)}"
    if reversal > 0:
        text += f"; clearest step against it: {reversal:.2g} bits, p = {_shown(p_reversal)}"
    return text


def _trend(dataset: xr.Dataset, name: str) -> dict[str, Any]:
    # Rounded, so that equal figures on a plateau are equal.
    figures = RESOLUTION * np.round(dataset[name].sortby("level").values.astype(np.float64) / RESOLUTION)
    figures = -figures if dataset.attrs["trend"] == "rises" else figures
    if (~np.isnan(figures)).any(1).sum() < 2:
        return {}
    trend, rise = falling(figures), largest_rise(figures)
    words = (
        f"share of pairs of lanes at two levels of which the bits of the higher {dataset.attrs['trend'][:-1]}",
        "Jonckheere-Terpstra test of that trend, one-sided; exact without ties",
        "clearest step of the mean bits against the trend",
        "Welch's test of that step, Bonferroni over all pairs of levels",
    )
    values, units = (*trend, rise.rise, rise.p_value), ("1", "1", "bits", "1")
    return {n: ((), *about) for n, *about in zip(TREND, values, words, units, strict=True)}


def _shown(p_value: float) -> str:
    return f"{p_value:.1g}" if p_value < 0.01 else f"{p_value:.2f}"
