"""Results as small HTML tables, for notebooks: what `_repr_html_` shows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from capacity.results.estimate import Bracket, Estimate

MOST_ROWS = 20


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> str:
    """An HTML table with a title above and a note below; all text escaped."""
    head = "".join(f"<th style='text-align:left'>{escape(column)}</th>" for column in columns)
    cells = ("".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in row) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    below = f"<div><small>{escape(note)}</small></div>" if note else ""
    return f"<div><b>{escape(title)}</b></div><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"


def of_estimate(estimate: Estimate) -> str:
    """One figure as a row; a stack of them as a row each, the first twenty."""
    columns = ["bits", "95 % interval", "kind", "most it could say", "n"]
    parts = [np.atleast_1d(np.asarray(getattr(estimate, name))) for name in ("bits", "low", "high", "limit", "n")]
    flat = [part.ravel() for part in np.broadcast_arrays(*parts)]
    rows = [
        [number(bits), f"{number(low)} to {number(high)}", estimate.kind, number(limit, "no limit"), f"{int(n):,}"]
        for bits, low, high, limit, n in list(zip(*flat, strict=True))[:MOST_ROWS]
    ]
    notes = []
    if len(flat[0]) > MOST_ROWS:
        notes.append(f"the first {MOST_ROWS} of {len(flat[0])}")
    if bool(np.any(np.asarray(estimate.saturated))):
        notes.append("saturated: the truth may be larger")
    return table("Estimate, bits", columns, rows, "; ".join(notes))


def of_bracket(bracket: Bracket) -> str:
    """Both bounds, and how they were found."""
    rows = [
        [name, number(bound.bits), f"{number(bound.low)} to {number(bound.high)}", bound.kind]
        for name, bound in (("below", bracket.lower), ("above", bracket.upper))
    ]
    title = f"{number(bracket.low)} to {number(bracket.high)} bits at 95 %"
    return table(title, ["bound", "bits", "95 % interval", "kind"], rows, bracket.method)


def number(value: Any, infinite: str = "∞") -> str:
    """Four digits behind the point; what is infinite in words."""
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else infinite if value > 0 else "−∞"
    return f"{round(float(value), 4) + 0.0:.4f}"
