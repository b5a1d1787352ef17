"""Brackets as a figure: left, their width against the work; right, the trained systems' bits against their level."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Record = dict[str, Any]

# Okabe & Ito (2008); the marks differ as well.  The systems have the colours that they have in every figure.
TRACED = {
    "orthogonal-1386": ("orthogonal, 1,386 bits", "#000000", "o"),
    "coupled-277": ("coupled, 277 bits", "#009E73", "s"),
    "blocks-1024-sigma-1.0": ("blocks, 1,024 bits, σ = 1.0", "#CC79A7", "P"),
    "blocks-256-sigma-0.3": ("blocks, 256 bits, σ = 0.3", "#E69F00", "D"),
    "trained-gaussian-256-sigma-0.60": ("trained gaussian, 256 bits, σ = 0.6", "#0072B2", "^"),
    "trained-gaussian-64-sigma-0.36": ("trained gaussian, 64 bits, σ = 0.36", "#56B4E9", "v"),
    "continuous-tanh": ("Gaussian source, tanh", "#D55E00", "X"),
}
SERIES = {
    "gaussian, 64 bits": ("noise standard deviation σ", "#0072B2"),
    "vae, 64 bits": ("weight of the rate β", "#D55E00"),
    "gaussian, 256 bits": ("noise standard deviation σ", "#0072B2"),
}
BAND, DECODER = 0.30, (0, (1, 1.2))


def draw(records: dict[str, Record], path: Path) -> None:
    """Write the figure of the brackets, by case, to `path`."""
    figure = Figure(figsize=(14.0, 8.5), layout="constrained")
    panels = figure.subplot_mosaic([["width", series] for series in SERIES], width_ratios=(1.1, 1.0))
    _widths(panels["width"], records)
    for series, (label, colour) in SERIES.items():
        points = sorted((r for r in records.values() if r["series"] == series), key=lambda r: r["level"])
        _levels(panels[series], points, series, label, colour)
    handles, labels = panels["width"].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, frameon=False, fontsize=9, loc="outside lower left", ncols=4)
    figure.savefig(path, dpi=110)


def _widths(axes: Axes, records: dict[str, Record]) -> None:
    """Width as a percentage of the middle, from the traces; the last point is the bracket itself."""
    for name, (label, colour, mark) in TRACED.items():
        if name not in records:
            continue
        trace = [point for point in records[name]["trace"] if point["high"] > point["low"] > 0]
        widths = [200 * (point["high"] - point["low"]) / (point["high"] + point["low"]) for point in trace]
        work = [point["work"] for point in trace]
        axes.plot(work, widths, mark + "-", color=colour, ms=5, mfc="white", lw=1.3, label=label)
        axes.plot(work[-1:], widths[-1:], mark, color=colour, ms=8)
    axes.set(xscale="log", yscale="log")
    axes.set_xlabel("work, billions of operations")
    axes.set_ylabel("width of [low, high], % of the middle")
    axes.set_title("Width against work (open: pilots; filled: the bracket)", fontsize=10)
    axes.grid(color="#EEEEEE", which="both")
    axes.set_axisbelow(True)


def _levels(axes: Axes, points: list[Record], series: str, label: str, colour: str) -> None:
    """Bits against level: source, ceiling, bracket, trained decoder."""

    def column(name: str) -> np.ndarray:
        return np.array([point[name] for point in points])

    axes.set_title(f"trained {series}", fontsize=10)
    axes.set(xscale="log", xlabel=label, ylabel="bits")
    axes.grid(color="#EEEEEE")
    axes.set_axisbelow(True)
    if not points:
        return
    level, low, high = column("level"), column("low"), column("high")
    axes.axhline(points[0]["source"], color="#777777", lw=1.2, ls=(0, (6, 3)), label="source")
    if "ceiling" in points[0]:
        axes.plot(level, column("ceiling"), color="#000000", lw=1.5, label="ceiling")
    else:
        axes.plot(level, column("maximum_entropy"), color="#000000", lw=1.5, ls="-.", label="maximum entropy")
    axes.fill_between(level, low, high, color=colour, alpha=BAND, lw=0)
    middle = (low + high) / 2
    axes.errorbar(level, middle, (high - low) / 2, color=colour, lw=1.2, capsize=4, label="bracket, 95 %")
    axes.plot(level, column("decoder"), "o", color=colour, ls=DECODER, ms=4, mfc="white", label="trained decoder")
    axes.set_ylim(0, max(1.2 * points[0]["source"], 1.05 * column("maximum_entropy").max()))
    axes.set_xticks(level, [f"{value:.2g}" for value in level], minor=False)
    axes.minorticks_off()
    axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
