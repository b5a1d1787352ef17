"""What the page of a capacity curve holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from capacity.curves.files import load_curves
from capacity.curves.summary import curve_table, note, with_interval
from capacity.plots.curve import plot_bits, plot_loss, plot_unit_bits
from capacity.report.command import read_command
from capacity.report.drawing import Drawing, drawing_of
from capacity.report.series import MOST_POINTS

POINTS = 2 * MOST_POINTS  # of all long lines on the page, in each of the two figures of a curve


def curve_contents(directory: Path) -> dict[str, Any]:
    """Verdicts, figures, tables, configuration, versions and the command of a curve's directory.

    Raises:
        StoreError: if the curve is damaged.
    """
    curves = load_curves(directory)
    first = next(iter(curves.values()))
    command = read_command(directory)
    most = min(POINTS // len(curves), MOST_POINTS)
    return {
        "title": "Capacity curve",
        "lead": "; ".join(str(curve.attrs["title"]) for curve in curves.values()),
        "verdict_columns": ["system", "what must hold", "verdict", "found"],
        "verdicts": [row for name, curve in curves.items() for row in _verdicts(name, curve)],
        "drawings": [drawing for name, curve in curves.items() for drawing in _drawings(name, curve, most)],
        "tables": [_table(curve) for curve in curves.values()],
        "configuration": {name: json.loads(curve.attrs["configuration"]) for name, curve in curves.items()},
        "versions": json.loads(first.attrs["versions"]),
        "command": command,
        "command_note": "The same command on this directory ends in the same numbers; the key is in the configuration."
        if command
        else "The command was not kept whole here; the configuration below decides every figure.",
    }


def _verdicts(name: str, curve: xr.Dataset) -> list[list[Any]]:
    figure = "bits" if "bits" in curve else "lower"
    rows: list[list[Any]] = []
    if "inside" in curve:
        inside = np.asarray(curve.inside.values, bool)
        top = "the least of source and ceiling" if "ceiling" in curve else "the source"
        rows.append(
            [name, f"every lane lies in [0, {top}]", _mark(inside.all()), f"{inside.sum()} of {inside.size} lanes"]
        )
    if "trend_p_value" in curve:
        p_value, share = float(curve.trend_p_value), float(curve.trend_share)
        verb = "fall" if curve.attrs["trend"] == "falls" else "rise"
        found = f"{100 * share:.0f} % of pairs of lanes, p = {p_value:.2g}"
        verdict = "holds" if p_value < 0.05 else "open"
        rows.append([name, f"bits {verb} with the level", verdict, found])
    if "diverged" in curve:
        lost = int(curve.diverged.sum())
        rows.append(
            [name, "no lane diverged", _mark(lost == 0), f"{curve.diverged.size - lost} of {curve.diverged.size}"]
        )
    values = curve[figure].values
    if np.isfinite(values).any():
        level, seed = np.unravel_index(np.nanargmax(values), values.shape)
        symbol = curve.level.attrs.get("symbol", "level")
        words = "most bits measured" if figure == "bits" else "highest lower bound"
        best = with_interval(curve.isel(level=int(level), seed=int(seed)), figure)
        found = f"{best} of {float(curve.source_bits):.4g} bits at {symbol} = {curve.level.values[level]:.4g}"
        rows.append([name, words, "figure", found])
    return rows


def _mark(holds: bool | np.bool_) -> str:
    return "holds" if holds else "fails"


def _drawings(name: str, curve: xr.Dataset, most: int) -> list[Drawing]:
    """Its figures, each of at most so many points in long lines."""

    def draw(figure: Figure) -> None:
        first, second = figure.subplots(1, 2)
        plot_bits(curve, first)
        plot_unit_bits(curve, second)

    def draw_loss(figure: Figure) -> None:
        plot_loss(curve, figure.subplots())

    drawings = [drawing_of(f"bits{_letters(name)}", f"{name}: bits against noise", draw, most)]
    if "loss" in curve:
        drawings.append(drawing_of(f"loss{_letters(name)}", f"{name}: training", draw_loss, most))
    return drawings


def _letters(name: str) -> str:
    return "".join(c for c in name if c.isascii() and c.isalnum())


def _table(curve: xr.Dataset) -> dict[str, Any]:
    shown = curve_table(curve)
    columns = [str(column.header) for column in shown.columns]
    rows = [list(row) for row in zip(*(column.cells for column in shown.columns), strict=True)]
    return {"title": str(shown.title), "columns": columns, "rows": rows, "note": note(curve)}
