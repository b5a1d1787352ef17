"""A grid of curves drawn as small multiples: a panel for each source and system, a line for each network."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from capacity.plots.style import (
    BLUE,
    CEILING_COLOUR,
    GREEN,
    LEAVES,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    SOURCE_COLOUR,
    from_zero,
    quiet_grid,
)
from capacity.runtime.files.atomic import write_atomic

NETWORK_COLOURS = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY)
LINES, MARKERS = ("-", "--", ":", "-."), ("o", "s", "^", "D")
HEADROOM = 1.08


def plot_grid_panel(grid: xr.Dataset, axes: Axes, source: str, system: str) -> None:
    """Bits against noise of one source and system: mean over seeds, with the range of their 95 % intervals as a band.

    Where messages were not listed, the band is the bracket of the best seed and the line its middle.

    Args:
        grid: by `capacity_grid` or `load_grid`.
        axes: to draw on.
        source, system: which of the grid's.
    """
    panel = grid.sel(source=source, system=system)
    noise, entropy = panel.noise.values, float(panel.source_bits)
    there = np.isfinite(noise)
    for number, network in enumerate(panel.network.values):
        hue = network_colour(number)
        turn = number // len(NETWORK_COLOURS)
        low, middle, high = _band(panel.sel(network=network))
        band: dict[str, Any] = {
            "color": hue,
            "alpha": 0.15,
            "lw": 0,
            "label": f"_{network}, 95 % intervals of its seeds",
        }
        axes.fill_between(noise[there], low[there], high[there], **band)
        style: dict[str, Any] = {"ls": LINES[turn % len(LINES)], "marker": MARKERS[turn % len(MARKERS)]}
        axes.plot(noise[there], middle[there], color=hue, lw=1.6, ms=3.5, label=str(network), **style)
    if np.isfinite(entropy):
        axes.axhline(entropy, color=SOURCE_COLOUR, lw=1.1, ls=(0, (6, 3)), label="source")
    top = _top(panel, entropy)
    for label, hue, ceiling in _ceilings(panel):
        label += LEAVES if np.nanmax(ceiling) > top else ""
        axes.plot(
            noise[there],
            ceiling[there],
            color=hue,
            lw=1.1,
            ls="-" if hue == CEILING_COLOUR else (0, (1, 1)),
            label=label,
        )
    from_zero(axes, *(_band(panel.sel(network=name))[0] for name in panel.network.values), top=top)
    axes.set_title(f"{source}, {system}", fontsize="medium")
    _log_axis(axes, noise[there])
    names, symbols = (json.loads(grid.attrs[f"noise_{kind}"]) for kind in ("names", "symbols"))
    axes.set_xlabel(f"{names[system]} {symbols[system]}".strip())
    quiet_grid(axes)


def network_colour(number: int) -> str:
    """The colour of a network by its place in the grid; networks past the sixth differ by line and marker."""
    return NETWORK_COLOURS[number % len(NETWORK_COLOURS)]


def grid_figure(grid: xr.Dataset) -> Figure:
    """All panels: a row for each source, a column for each system.

    Args:
        grid: by `capacity_grid` or `load_grid`.
    """
    sources, systems = list(grid.source.values), list(grid.system.values)
    size = (max(4.2 * len(systems), 5.0), 3.4 * len(sources) + 0.6)
    drawn = Figure(figsize=size, layout=ConstrainedLayoutEngine(h_pad=0.08, w_pad=0.08))
    panels = drawn.subplots(len(sources), len(systems), squeeze=False)
    for row, source in zip(panels, sources, strict=True):
        for axes, system in zip(row, systems, strict=True):
            plot_grid_panel(grid, axes, str(source), str(system))
        row[0].set_ylabel("information (bits)")
    handles: dict[str, Artist] = {}
    for axes in panels.ravel():
        handles |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    columns = min(len(handles), 2 + 2 * len(systems))
    drawn.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=columns, frameon=False)
    return drawn


def save_grid_figure(path: str | os.PathLike[str], grid: xr.Dataset) -> None:
    """Draw the grid as a PNG of 150 dots per inch; whole or not at all."""
    write_atomic(Path(path), lambda target: grid_figure(grid).savefig(target, dpi=150, format="png"))


def _band(curve: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Low end, line and high end of one curve, (levels,) each; NaN where no seed was measured."""
    if "bits" in curve and np.isfinite(curve.bits).any():
        return curve.bits_low.min("seed").values, curve.bits.mean("seed").values, curve.bits_high.max("seed").values
    low, high = curve.lower_low.max("seed").values, curve.upper_high.max("seed").values
    return low, 0.5 * (low + high), high


def _ceilings(panel: xr.Dataset) -> list[tuple[str, str, np.ndarray]]:
    """Label, colour and bits of each ceiling that is known: one black line where all networks have the same."""
    if "ceiling" not in panel:
        return []
    found = {str(name): panel.ceiling.sel(network=name).values for name in panel.network.values}
    known = {name: ceiling for name, ceiling in found.items() if np.isfinite(ceiling).any()}
    if len({ceiling.tobytes() for ceiling in known.values()}) == 1:
        return [("ceiling", CEILING_COLOUR, next(iter(known.values())))]
    return [(f"ceiling of {name}", network_colour(list(found).index(name)), known[name]) for name in known]


def _top(panel: xr.Dataset, entropy: float) -> float:
    highs = np.concatenate([_band(panel.sel(network=name))[2] for name in panel.network.values])
    seen = [value for value in (*highs, entropy) if np.isfinite(value)]
    return HEADROOM * max(seen, default=1.0) or 1.0


def _log_axis(axes: Axes, noise: np.ndarray) -> None:
    axes.set_xscale("log")
    wide = float(noise.max() / noise.min())
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if wide < 100 else (1.0,)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
