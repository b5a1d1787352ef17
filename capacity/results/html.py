"""Results as small HTML tables, for notebooks: what `_repr_html_` shows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import SupportsFloat

import numpy as np

MAX_ROWS = 20


def html_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> str:
    """An HTML table with a title above and a note below; all text escaped.

    Args:
        title: above it.
        columns: their heads.
        rows: a text for each column.
        note: below it.
    """
    head = "".join(f"<th style='text-align:left'>{escape(column)}</th>" for column in columns)
    cells = ("".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in row) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    below = f"<div><small>{escape(note)}</small></div>" if note else ""
    return f"<div><b>{escape(title)}</b></div><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"


def number(value: SupportsFloat, infinite: str = "∞") -> str:
    """Four digits behind the point; what is infinite in words."""
    value = float(value)
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else infinite if value > 0 else "−∞"
    return f"{round(value, 4) + 0.0:.4f}"
