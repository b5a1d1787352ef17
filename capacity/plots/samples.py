"""Estimates from samples drawn: a dataset in, matplotlib Axes out.

Colours are those of Okabe & Ito (2008), told apart by colour-blind readers too.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from capacity.estimators.neighbours.profile import Profile
from capacity.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    at_least_zero,
    legend_below,
    quiet_grid,
)
from capacity.results.estimate import Estimate
from capacity.results.intervals import Z95
from capacity.runtime.files.atomic import write_atomic
from capacity.runtime.names import shown

MOST_INCHES = 30.0
KINDS = {"symbols": "[ ] symbols", "unfit": "( ) no method takes it"}
TITLES = {"bits": "Mutual information", "normalised": "Share of the smaller entropy", "p_value": "p-values"}
COLOURS = (BLUE, RED, GREEN, PURPLE, ORANGE, SKY)


def plot_profile(
    profile: Profile, axes: Axes, found: Estimate | None = None, method: str = "", truth: float | None = None
) -> None:
    """Bits against the size of subsamples, a line for each number of neighbours: where lines still move, there is bias.

    Args:
        profile: as `capacity.estimators.neighbours.profile.profile` makes it.
        axes: drawn on.
        found: an estimate from all pairs to draw beside it, as a band.
        method: its name.
        truth: where known, in bits.
    """
    for i, (k, bits, stderr) in enumerate(zip(profile.ks, profile.bits, profile.stderr, strict=True)):
        place = profile.sizes * 1.02 ** (i - (len(profile.ks) - 1) / 2)
        hue = COLOURS[i % len(COLOURS)]
        reach = Z95 * np.nan_to_num(stderr)
        axes.errorbar(place, bits, reach, color=hue, marker="o", ms=4, lw=1.2, capsize=2, label=f"neighbours, k = {k}")
    sizes = profile.sizes
    if found is not None:
        axes.axhspan(
            float(found.low), float(found.high), color=GREY, alpha=0.2, lw=0, label=f"{method}, 95 %".lstrip(", ")
        )
        axes.axhline(float(found.bits), color=GREY, lw=1.2, ls="--", label=f"{method}, all pairs".lstrip(", "))
    if truth is not None:
        axes.axhline(truth, color=BLACK, lw=1.0, ls=":", label=f"truth: {truth:.2f} bits")
    axes.set_xscale("log")
    axes.set_xticks(sizes)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel("pairs in a subsample")
    axes.set_ylabel("mutual information (bits)")
    axes.set_title("Estimate against subsample size and neighbours")
    quiet_grid(axes)
    legend_below(axes, 3, 0.15)


def plot_heat_map(dataset: xr.Dataset, axes: Axes, figure: str = "bits") -> None:
    """A figure of every two columns, written into the cells; the diagonal, and what is not known, is left out.

    An estimate below 0 is shown as the 0 that colours start from.

    Columns that are symbols stand in brackets, columns that no method can take in parentheses.

    Args:
        dataset: as `capacity.pairwise` makes it.
        axes: drawn on.
        figure: "bits", "normalised" or "p_value".
    """
    names, values = _marked(dataset), dataset[figure].values
    seen = values[np.isfinite(values)]
    top = 1.0 if figure == "p_value" else max(float(seen.max(initial=0.0)), 1e-9)
    image = axes.imshow(np.ma.masked_invalid(np.maximum(values, 0.0)), cmap="viridis", vmin=0.0, vmax=top)
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value) and len(names) <= 16:
            shade = "white" if value < 0.6 * top else "black"
            axes.text(j, i, at_least_zero(value), ha="center", va="center", color=shade, fontsize="small")
    size = "medium" if len(names) <= 40 else "xx-small"
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", parse_math=False, fontsize=size)
    axes.set_yticks(range(len(names)), names, parse_math=False, fontsize=size)
    axes.set_title(TITLES[figure] + ("" if figure == "p_value" else f" by {dataset.attrs['method']}"))
    axes.set_xlabel(", ".join(KINDS[kind] for kind in KINDS if kind in dataset.kind.values), fontsize="small")
    axes.figure.colorbar(image, ax=axes, label=dataset[figure].attrs["units"].replace("1", figure))


def plot_ranking(dataset: xr.Dataset, axes: Axes) -> None:
    """Bits of each column about the target, the most on top, with their 95 % intervals.

    Args:
        dataset: as `capacity.pairwise` makes it with a target.
        axes: drawn on.
    """
    known = np.flatnonzero(np.isfinite(dataset.bits.values))
    names, place = [_marked(dataset)[i] for i in known], np.arange(len(known))
    bits, low, high = (dataset[name].values[known] for name in ("bits", "low", "high"))
    axes.barh(place, np.maximum(bits, 0.0), color=SKY, label="estimate")
    axes.hlines(place, np.maximum(low, 0.0), np.maximum(high, 0.0), color=BLUE, lw=1.5, label="95 %")
    axes.set_yticks(place, names, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(left=0.0)
    axes.set_xlabel("bits")
    axes.set_title(f"About {shown(str(dataset.attrs['target']))}, by {dataset.attrs['method']}", parse_math=False)
    quiet_grid(axes)
    legend_below(axes, 2, 0.55 / max(len(known), 1) + 0.1)


def _marked(dataset: xr.Dataset) -> list[str]:
    """Names of columns, marked by what they are taken as."""
    marks = {"real": "{}", "symbols": "[{}]", "unfit": "({})"}
    pairs = zip(dataset.column.values, dataset.kind.values, strict=True)
    return [marks[str(kind)].format(shown(str(name))) for name, kind in pairs]


def save_profile(path: Path, profile: Profile, found: Estimate, method: str) -> None:
    """Draw a profile into a file, whole or not at all.

    Args:
        path: ends in .png, .pdf or .svg.
        profile: as `capacity.estimators.neighbours.profile.profile` makes it.
        found: an estimate from all pairs, drawn beside it.
        method: its name.
    """
    figure = Figure(figsize=(7.0, 4.8), layout="constrained")
    plot_profile(profile, figure.subplots(), found, method)
    write_atomic(path, lambda target: figure.savefig(target, dpi=150))


def save_heat_map(path: Path, dataset: xr.Dataset) -> None:
    """Draw a heat map of bits, and one of p-values if there are, into a file (.png, .pdf or .svg), whole or not."""
    figures = [name for name in ("bits", "p_value") if name in dataset]
    side = min(2.5 + 0.6 * dataset.sizes["column"], MOST_INCHES)
    drawing = Figure(figsize=(len(figures) * (side + 1.0), side), layout="constrained")
    for name, axes in zip(figures, drawing.subplots(1, len(figures), squeeze=False)[0], strict=True):
        plot_heat_map(dataset, axes, name)
    write_atomic(path, lambda target: drawing.savefig(target, dpi=150))


def save_ranking(path: Path, dataset: xr.Dataset) -> None:
    """Draw a ranking into a file (.png, .pdf or .svg), whole or not at all."""
    height = min(1.5 + 0.3 * dataset.sizes["column"], MOST_INCHES)
    drawing = Figure(figsize=(7.0, height), layout="constrained")
    plot_ranking(dataset, drawing.subplots())
    write_atomic(path, lambda target: drawing.savefig(target, dpi=150))
