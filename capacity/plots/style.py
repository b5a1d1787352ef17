"""Colours of Okabe & Ito (2008), told apart by colour-blind readers too, and what all figures have in common.

A system has the same colour in every figure; what a theory says is black, grey or green in all of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np
from matplotlib.artist import Artist
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


LEAVES = " (leaves the axis)"


def from_zero(axes: Axes, *figures: np.typing.ArrayLike, top: float | None = None) -> None:
    """A vertical axis that starts at 0; lower, by just as much as is needed, where one of the figures is below.

    Args:
        axes: drawn already.
        figures: all ends of what is drawn and may be below 0.
        top: of the axis; as it is, if not given.
    """
    low = min((float(np.nanmin(f)) for f in map(np.asarray, figures) if np.isfinite(f).any()), default=0.0)
    high = axes.get_ylim()[1] if top is None else top
    axes.set_ylim(low - 0.02 * (high - low) if low < 0 else 0.0, high)


def at_least_zero(bits: float) -> str:
    """Bits to two places, for where a negative estimate has no place: an area, or a colour of a scale from 0."""
    return f"{max(round(float(bits), 2), 0.0) + 0.0:.2f}"


def legend_below(axes: Axes, columns: int = 2, gap: float = 0.13) -> None:
    """The legend below the axes, off the data; none where another panel of the figure has the very same.

    Args:
        axes: drawn already, every artist with its label.
        columns: of the legend.
        gap: between the axes and it, as a share of their height.
    """
    if any(
        _legend_of(other) == _legend_of(axes) for other in axes.figure.axes if other is not axes and other.get_legend()
    ):
        return
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -gap), ncols=columns, fontsize="small", frameon=False)


def _legend_of(axes: Axes) -> list[tuple[str, str]]:
    """What a legend would say: each label with its look."""
    handles, labels = axes.get_legend_handles_labels()
    return [(label, _look(handle)) for handle, label in zip(handles, labels, strict=True)]


def _look(handle: object) -> str:
    """Kind, colour, line and marker of what a legend shows."""
    part = next(iter(handle), None) if isinstance(handle, tuple) else handle
    known = part.properties() if isinstance(part, Artist) else {}
    names = ("color", "facecolor", "edgecolor", "linestyle", "marker", "alpha")
    return f"{type(handle).__name__} {[str(known.get(name)) for name in names]}"
