"""Error by task and estimator as a figure: a row a task, a mark an estimator, a grey bar for 10 % of the truth."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

# Okabe & Ito (2008), told apart by colour-blind readers too; the marks differ as well.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKS = "osD^vP*X<>ph"
LINEAR = 0.01
ROW = 0.26

Errors = dict[str, dict[str, tuple[float, float, str]]]
"""By estimator and task: estimate less truth and truth, both in nats, and the task's group."""


def draw(errors: Errors, path: Path) -> None:
    """Write the figure of all the errors (nats, signed; linear up to 0.01 and logarithmic past it) to `path`."""
    truths: dict[str, tuple[float, str]] = {}
    for column in errors.values():
        truths |= {task: (truth, group) for task, (_, truth, group) in column.items()}
    groups = list(dict.fromkeys(group for _, group in truths.values()))
    tasks = sorted(truths, key=lambda task: groups.index(truths[task][1]))
    rows = {task: row for row, task in enumerate(tasks)}

    figure = Figure(figsize=(10.0, 2.0 + ROW * len(tasks)), layout="constrained")
    axes = figure.subplots()
    tenth = 0.1 * np.array([truths[task][0] for task in tasks])
    axes.barh(range(len(tasks)), 2 * tenth, left=-tenth, height=0.9, color="#DDDDDD", label="within 10 % of the truth")
    axes.axvline(0.0, color="#000000", lw=0.8)
    for place, (name, column) in enumerate(errors.items()):
        # Beside one another within the row, so that no mark hides another.
        shift = 0.7 * ((place + 0.5) / len(errors) - 0.5)
        axes.plot(
            [error for error, _, _ in column.values()],
            [rows[task] + shift for task in column],
            MARKS[place % len(MARKS)],
            color=COLOURS[place % len(COLOURS)],
            ms=5.5,
            mew=0.4,
            mec="white",
            label=name,
        )
    for row, (above, below) in enumerate(itertools.pairwise(tasks)):
        if truths[above][1] != truths[below][1]:
            axes.axhline(row + 0.5, color="#777777", lw=0.6)
    for group in groups:
        first = next(rows[task] for task in tasks if truths[task][1] == group)
        axes.annotate(
            group, (1.0, first), (4, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center"
        )
    axes.set_xscale("symlog", linthresh=LINEAR)
    axes.set_yticks(range(len(tasks)), tasks, fontsize=8)
    axes.set_ylim(len(tasks) - 0.5, -0.5)
    axes.set_xlabel("estimate − truth, nats (linear within ±0.01, logarithmic past it)")
    axes.grid(axis="x", color="#EEEEEE")
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=min(5, len(errors) + 1), frameon=False)
    figure.savefig(path, dpi=120)
