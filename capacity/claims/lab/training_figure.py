"""The figure of the claims on noise in training: bits against strength, and how far steps point downhill."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from capacity.plots.style import BLUE, CEILING_COLOUR, GREEN, RED, SOURCE_COLOUR, legend_below, quiet_grid


def draw_bits(data: xr.Dataset, axes: Axes, ticks: list[str]) -> None:
    """Training and held-out bits per label at each strength, in order, the first being none."""
    at = np.arange(data.sizes["strength"])
    for name, hue, words in (("training", BLUE, "trained on"), ("held_out", RED, "held out")):
        value = data[f"{name}_value"].values
        reach = np.stack([value - data[f"{name}_low"], data[f"{name}_high"] - value])
        axes.errorbar(at, value, reach, fmt="o-", color=hue, capsize=3, mfc="white", label=f"{words}, mean and 95 %")
    axes.axhline(1, color=SOURCE_COLOUR, ls=(0, (6, 3)), lw=1.2, label="truth: 1 bit per label")
    axes.axhline(0, color=CEILING_COLOUR, lw=0.8, label="as good as guessing")
    axes.set_xticks(at, ticks)
    axes.set_xlabel(_words(data.strength))
    axes.set_ylabel("bits per label")
    axes.set_title("Parity of 4 of 8 inputs, four hidden units")
    grid_and_legend(axes)


def draw_cosine(data: xr.Dataset, axes: Axes, ticks: list[str]) -> None:
    """Cosine of steps with the descent of the whole training loss along training."""
    shades = np.linspace(0.25, 1.0, data.sizes["strength"])
    along = (np.arange(data.sizes["probe"]) + 1) / data.sizes["probe"]
    for i, tick in enumerate(ticks):
        axes.plot(along, data.cosine[i], "o-", ms=3, color=BLUE, alpha=shades[i], label=tick.replace("\n", " "))
    axes.set_ylim(-0.15, 1.05)
    axes.set_xlabel("part of the training done")
    axes.set_ylabel("cosine of a step with the full-batch descent")
    axes.set_title("How far downhill steps point, mean")
    grid_and_legend(axes, 3)


def draw_ratio(x: xr.DataArray, measured: xr.DataArray, stderr: xr.DataArray, axes: Axes, label: str) -> None:
    """Measured over predicted, with 95 % intervals around 1.

    Args:
        x: along the axis.
        measured, stderr: the ratio and its standard error there.
        axes: drawn on.
        label: of the points.
    """
    axes.axhline(1, color=CEILING_COLOUR, lw=1.2, label="closed form")
    axes.errorbar(x, measured, 1.96 * stderr, fmt="o", ms=4, color=GREEN, capsize=2, mfc="white", label=label)
    axes.set_ylabel("measured / closed form")
    grid_and_legend(axes)


def grid_and_legend(axes: Axes, columns: int = 2) -> None:
    """A quiet grid, and the legend below with so many columns."""
    quiet_grid(axes)
    legend_below(axes, columns, 0.15)


def _words(coordinate: xr.DataArray) -> str:
    units = coordinate.attrs["units"]
    return str(coordinate.attrs["long_name"]) + ("" if units == "1" else f" ({units})")
