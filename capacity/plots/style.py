"""Colours of Okabe & Ito (2008), told apart by colour-blind readers too, and what all figures have in common.

A system has the same colour in every figure; what a theory says is black, grey or green in all of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from matplotlib.axes import Axes

BLUE, RED, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, PURPLE, BLACK, GREY = "#56B4E9", "#CC79A7", "#000000", "#777777"
GRID_COLOUR = "#dddddd"

SYSTEM_COLOURS = {"gaussian": BLUE, "vae": RED}
OTHER_COLOURS = (PURPLE, SKY, ORANGE)
CEILING_COLOUR, SOURCE_COLOUR, PAM_COLOUR = BLACK, GREY, GREEN
LOST_COLOUR = "#333333"


def colour(system: str) -> str:
    """The colour of a system, the same in every figure."""
    if system in SYSTEM_COLOURS:
        return SYSTEM_COLOURS[system]
    return OTHER_COLOURS[zlib.crc32(system.encode()) % len(OTHER_COLOURS)]


def quiet_grid(axes: Axes) -> None:
    """A light grid behind the data."""
    axes.grid(color=GRID_COLOUR, lw=0.6)
    axes.set_axisbelow(True)


def log_ticks(axes: Axes, values: Iterable[float], fontsize: str = "medium") -> None:
    """A logarithmic horizontal axis with a tick at each of the values and nowhere else."""
    ticks = list(values)
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{value:g}" for value in ticks], fontsize=fontsize)
    axes.minorticks_off()


def legend_below(axes: Axes, columns: int = 2, gap: float = 0.13) -> None:
    """The legend below the axes, off the data.

    Args:
        axes: drawn already, every artist with its label.
        columns: of the legend.
        gap: between the axes and it, as a share of their height.
    """
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -gap), ncols=columns, fontsize="small", frameon=False)
