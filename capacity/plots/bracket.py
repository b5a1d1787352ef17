"""Brackets drawn: how one narrowed with the work, in matplotlib Axes.

Colours are those of Okabe & Ito (2008), told apart by colour-blind readers too.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from capacity.plots.style import BLACK, BLUE, GREY, LEAVES, RED, legend_below, quiet_grid
from capacity.results.estimate import Bracket

BELOW, ABOVE, TRUTH = BLUE, RED, BLACK
MOST_ROOM = 5.0  # times the room of the last half of the points, which all may take


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
    bottom, top = _shown(columns["low"], columns["high"], truth)

    def leaves(*names: str) -> str:
        beyond = any((columns[name] < bottom).any() or (columns[name] > top).any() for name in names)
        return LEAVES if beyond else ""

    label = "95 % interval" + leaves("low", "high")
    axes.fill_between(work, columns["low"], columns["high"], color=GREY, alpha=0.2, lw=0, label=label)
    for name, hue, marker in (("upper", ABOVE, "v"), ("lower", BELOW, "^")):
        label = f"{name} bound" + leaves(name)
        axes.plot(work, columns[name], color=hue, marker=marker, ms=4, lw=1.2, label=label)
    if truth is not None:
        axes.axhline(truth, color=TRUTH, lw=1.0, ls="--", label=f"truth: {truth:.2f} bits")
    axes.set_ylim(bottom, top)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("work (billions of operations)")
    axes.set_ylabel("I(M;Z) (bits)")
    quiet_grid(axes)
    legend_below(axes, 2, 0.17)


def _shown(low: np.ndarray, high: np.ndarray, truth: float | None) -> tuple[float, float]:
    """Ends of the axis: all intervals, unless the first ones would crush the last: then those leave it."""
    ends = [np.append(one[-(-len(low) // 2) :], [] if truth is None else truth) for one in (low, high)]
    bottom, top = float(ends[0].min()), float(ends[1].max())
    if high.max() - low.min() <= MOST_ROOM * (top - bottom):
        bottom, top = min(bottom, float(low.min())), max(top, float(high.max()))
    room = 0.1 * (top - bottom) + 1e-3
    return bottom - room, top + room
