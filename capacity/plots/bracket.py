"""Brackets drawn: how one narrowed with the work, in matplotlib Axes.

Colours are those of Okabe & Ito (2008), told apart by colour-blind readers too.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from capacity.plots.style import BLACK, BLUE, GREY, RED, quiet_grid
from capacity.results.estimate import Bracket

BELOW, ABOVE, TRUTH = BLUE, RED, BLACK


def plot_trace(bracket: Bracket, axes: Axes, truth: float | None = None) -> None:
    """Both bounds and their joint 95 % interval against the work, each point from samples of its own.

    Args:
        bracket: as `capacity.measure` returns it.
        axes: drawn on.
        truth: where known, in bits.

    Raises:
        ValueError: if the bracket has no trace, as one by enumeration.
    """
    if not bracket.trace:
        raise ValueError(f"Expected a bracket with a trace; got one by {bracket.method}.")
    work = np.array([point.work for point in bracket.trace])
    columns = {name: np.array([getattr(p, name) for p in bracket.trace]) for name in ("low", "lower", "upper", "high")}
    axes.fill_between(work, columns["low"], columns["high"], color=GREY, alpha=0.2, lw=0, label="95 % interval")
    axes.plot(work, columns["upper"], color=ABOVE, marker="v", ms=4, lw=1.2, label="upper bound")
    axes.plot(work, columns["lower"], color=BELOW, marker="^", ms=4, lw=1.2, label="lower bound")
    if truth is not None:
        axes.axhline(truth, color=TRUTH, lw=1.0, ls="--", label=f"truth: {truth:.2f} bits")
    # The first pilots are far off: the axis shows the last half of them, and lets the others leave it.
    shown = slice(len(work) // 2, None)
    bottom, top = columns["low"][shown].min(), columns["high"][shown].max()
    room = 0.1 * (top - bottom) + 1e-3
    axes.set_ylim(bottom - room, top + room)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("work (billions of operations)")
    axes.set_ylabel("I(M;Z) (bits)")
    quiet_grid(axes)
    axes.legend(fontsize="small", frameon=False)
