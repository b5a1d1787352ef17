"""Traps by family and method: three columns of marks, for what held, what was honest, and the median error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from tests.benchmarks.mi_figure import COLOURS, MARKS, ROW
from tests.benchmarks.traps_verdicts import Tally, tally
from tests.traps import FAMILIES, HALVES

Record = dict[str, Any]
LEAST_ERROR = 1e-3


def panels(found: Tally) -> tuple[float, float, float]:
    """Share that held, share that was honest, median relative error; NaN where there is none."""
    held = found.held / found.intervals if found.intervals else float("nan")
    honest = found.honest / found.judged if found.judged else float("nan")
    return held, honest, max(found.relative, LEAST_ERROR) if found.relative == found.relative else float("nan")


def draw(records: list[Record], path: Path) -> None:
    """Write the figure: a row a family, reported ones first, a mark a method."""
    methods = list(dict.fromkeys(record["method"] for record in records))
    present = {record["family"] for record in records}
    rows = [f for half in ("reported", "choosing") for f in FAMILIES if HALVES[f] == half and f in present]
    figure = Figure(figsize=(10.0, 2.0 + ROW * len(rows)), layout="constrained")
    axes = figure.subplots(1, 3, sharey=True)
    for place, method in enumerate(methods):
        shift = 0.6 * ((place + 0.5) / len(methods) - 0.5)
        runs = [[r for r in records if r["method"] == method and r["family"] == family] for family in rows]
        points = [(row + shift, panels(tally(one))) for row, one in enumerate(runs) if one]
        for panel, axis in enumerate(axes):
            axis.plot(
                [values[panel] for _, values in points],
                [height for height, _ in points],
                MARKS[place % len(MARKS)],
                color=COLOURS[place % len(COLOURS)],
                ms=5.5,
                mew=0.4,
                mec="white",
                label=method if panel == 0 else None,
            )
    titles = ("holds, share of intervals", "close, or a true bound, share", "median relative error")
    for axis, title, wanted in zip(axes, titles, (0.92, 0.85, 0.03), strict=True):
        axis.set_xlabel(title)
        axis.axvline(wanted, color="#777777", lw=0.8, ls="--")
        axis.grid(axis="x", color="#EEEEEE")
        axis.set_axisbelow(True)
    border = sum(HALVES[family] == "reported" for family in rows) - 0.5
    for axis in axes:
        axis.axhline(border, color="#777777", lw=0.6)
    axes[2].set_xscale("log")
    axes[0].set_yticks(range(len(rows)), rows, fontsize=8)
    axes[0].set_ylim(len(rows) - 0.5, -0.5)
    for half, height in (("reported", 0), ("choosing", border + 0.5)):
        if 0 <= height < len(rows):
            where = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center"}
            axes[2].annotate(half, (1.0, height), (4, 0), **where)
    figure.legend(loc="outside upper center", ncols=min(6, len(methods)), frameon=False)
    figure.savefig(path, dpi=120)
