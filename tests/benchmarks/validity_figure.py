"""The study of validity as a figure: widths by family, and where the truth lies in the interval; misses stand out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.benchmarks.mi_tasks import Record
from tests.families import FAMILIES

# Okabe & Ito (2008); the marks differ as well.
METHODS = {
    "enumeration": ("#0072B2", "o"),
    "bracket": ("#E69F00", "s"),
    "latent": ("#009E73", "^"),
    "layers": ("#CC79A7", "D"),
}
MISS = "#D55E00"
LEAST_WIDTH = 1e-6  # bits: narrower ones are drawn here
FURTHEST = 3.0  # half widths: what lies further is drawn here


def draw(records: list[Record], path: Path) -> None:
    """Write the figure of all records to `path`."""
    names = [name for name in FAMILIES if any(record["family"] == name for record in records)]
    figure = Figure(figsize=(13.0, 1.6 + 0.42 * len(names)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    rng = np.random.default_rng(0)
    for row, name in enumerate(names):
        for record in records:
            if record["family"] == name:
                _points(left, right, record, row, rng)
    _axes(left, right, names)
    marks = [left.plot([], [], mark, color=colour, label=name)[0] for name, (colour, mark) in METHODS.items()]
    marks += left.plot([], [], "X", color=MISS, ms=9, label="missed")
    figure.legend(handles=marks, loc="outside upper center", ncols=len(marks), frameon=False)
    figure.savefig(path, dpi=110)


def _points(left: Axes, right: Axes, record: Record, row: int, rng: np.random.Generator) -> None:
    colour, mark = METHODS[record["method"]]
    for figure in record["figures"]:
        if figure["width"] is None:
            continue
        place = row + rng.uniform(-0.3, 0.3)
        width = max(figure["width"], LEAST_WIDTH)
        middle = (figure["low"] + figure["high"]) / 2
        inside = np.clip(2 * (figure["truth"] - middle) / width, -FURTHEST, FURTHEST)
        if figure["held"] and width <= LEAST_WIDTH:
            inside = 0.0
        style = {"color": colour, "ms": 3.5, "alpha": 0.6, "mew": 0} if figure["held"] else {"color": MISS, "ms": 8.0}
        left.plot(width, place, mark if figure["held"] else "X", **style)
        right.plot(inside, place, mark if figure["held"] else "X", **style)


def _axes(left: Axes, right: Axes, names: list[str]) -> None:
    left.set(xscale="log", xlabel="width of the interval, bits", yticks=range(len(names)), yticklabels=names)
    left.set_ylim(len(names) - 0.5, -0.5)
    right.axvspan(-1, 1, color="#EEEEEE", zorder=0)
    right.set_xlim(-1.05 * FURTHEST, 1.05 * FURTHEST)
    right.set_xlabel("where the truth lies: −1 at low, 1 at high (further than 3: drawn at 3)")
    for axes in (left, right):
        axes.grid(axis="x", color="#DDDDDD")
        axes.set_axisbelow(True)
        for row in range(1, len(names)):
            axes.axhline(row - 0.5, color="#DDDDDD", lw=0.6)
