"""The values that a matplotlib figure shows, with their places on the page: what a reader sees on hover.

Read from the drawn artists (lines, error bars, points, bars, images), so that any figure has them, also one that
somebody else's claim draws.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

MAX_VALUES = 120  # values of one series; of a longer one, equally spaced ones and its ends
MAX_CELLS = 1600
NUMBERED = re.compile(r"_(child|container|nolegend)")
LONG_PLACE = re.compile(r"long\d+")  # the identifier of a line that the page draws


class Mark(NamedTuple):
    """A value: its place in points from the figure's upper left corner, and the words for it."""

    x: float
    y: float
    words: str


def marks_of(figure: Figure) -> list[Mark]:
    """All values of a figure that has been drawn."""
    height, scale = figure.bbox.height, 72 / figure.dpi
    found = []
    for axes in figure.axes:
        box = axes.bbox
        for at, words in _values(axes):
            if np.isfinite(at).all() and box.x0 - 1 <= at[0] <= box.x1 + 1 and box.y0 - 1 <= at[1] <= box.y1 + 1:
                found.append(Mark(round(at[0] * scale, 1), round((height - at[1]) * scale, 1), words))
    return found


def _values(axes: Axes) -> Iterator[tuple[np.ndarray, str]]:
    labels, ends = _of_containers(axes)
    for line in axes.lines:
        if LONG_PLACE.fullmatch(str(line.get_gid())):  # long, and the page knows its points
            continue
        data = np.asarray(line.get_xydata(), np.float64)
        flat = len(data) == 2 and line.get_transform() != axes.transData  # a line across, as by axhline
        places = line.get_transform().transform(data)
        chosen = [0, 1] if flat else _spread(data)
        for i in chosen:
            if line.get_marker() in ("|", "_", 2, 3):  # the caps of an error bar
                continue
            value = _across(axes, line, data[i]) if flat else _pair(axes, data[i], ends.get(id(line), {}).get(i))
            yield places[i], _named(labels.get(id(line), line.get_label()), value)
    for points in axes.collections:
        if isinstance(points, PathCollection):
            offsets = np.asarray(np.ma.getdata(points.get_offsets()), np.float64)
            places = points.get_offset_transform().transform(offsets)
            for i in _spread(offsets):
                yield places[i], _named(points.get_label(), _pair(axes, offsets[i]))
    for bars in axes.containers:
        if isinstance(bars, BarContainer):
            for bar in bars.patches[:MAX_VALUES]:
                yield from _bar(axes, bar, str(bars.get_label()))
    for image in axes.images:
        yield from _cells(axes, image)


def _of_containers(axes: Axes) -> tuple[dict[int, object], dict[int, dict[int, str]]]:
    """The label of each error bar's line, and the ends of its intervals, by the line's identity."""
    labels: dict[int, object] = {}
    ends: dict[int, dict[int, str]] = {}
    for container in axes.containers:
        if isinstance(container, ErrorbarContainer) and container.lines[0] is not None:
            line, _, bars = container.lines
            labels[id(line)] = container.get_label()
            if container.has_yerr and bars:
                collection = bars[-1]
                if isinstance(collection, LineCollection):
                    segments = [np.asarray(s)[:, 1] for s in collection.get_segments()]
                    ends[id(line)] = {i: f"[{_number(s.min())}, {_number(s.max())}]" for i, s in enumerate(segments)}
    return labels, ends


def _bar(axes: Axes, bar: Rectangle, label: str) -> Iterator[tuple[np.ndarray, str]]:
    box, sideways = bar.get_bbox(), _sideways(axes, bar)
    at = (box.x0 + box.width / 2, (box.y0 + box.y1) / 2) if sideways else (box.x0 + box.width / 2, box.y1)
    value = f"{_unit(axes.get_xlabel(), box.width)}" if sideways else _pair(axes, np.array([at[0], box.height]))
    yield axes.transData.transform(at), _named(label, value)


def _sideways(axes: Axes, bar: Rectangle) -> bool:
    return bool(bar.get_bbox().width > 0 and getattr(bar, "_orientation", None) == "horizontal") or (
        not axes.get_yticks().size and bool(axes.get_xlabel())
    )


def _cells(axes: Axes, image: AxesImage) -> Iterator[tuple[np.ndarray, str]]:
    array = image.get_array()
    if array is None or array.ndim != 2 or array.size > MAX_CELLS:
        return
    left, right, bottom, top = image.get_extent()
    rows, columns = array.shape
    xs = left + (right - left) * (np.arange(columns) + 0.5) / columns
    first, last = (top, bottom) if image.origin == "upper" else (bottom, top)
    ys = first + (last - first) * (np.arange(rows) + 0.5) / rows
    for (i, j), value in np.ndenumerate(np.ma.filled(array.astype(np.float64), np.nan)):
        if np.isfinite(value):
            names = _tick(axes.yaxis, ys[i]), _tick(axes.xaxis, xs[j])
            yield axes.transData.transform((xs[j], ys[i])), f"{names[0]}, {names[1]}: {_number(value)}"


def _tick(axis: Axis, at: float) -> str:
    """The word that stands there as a tick's label, or the number."""
    for place, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=False):
        if abs(place - at) < 1e-9 and any(c.isalpha() for c in label.get_text()):
            return str(label.get_text())
    return _number(at)


def _pair(axes: Axes, at: np.ndarray, ends: str | None = None) -> str:
    x, y = _unit(axes.get_xlabel(), at[0]), _unit(axes.get_ylabel(), at[1])
    return f"{x}; {y}" + (f" {ends}" if ends else "")


def _across(axes: Axes, line: Line2D, at: np.ndarray) -> str:
    level = line.get_transform() == axes.get_yaxis_transform(which="grid")
    return _unit(axes.get_ylabel(), at[1]) if level else _unit(axes.get_xlabel(), at[0])


def _unit(label: str, value: float) -> str:
    return f"{label} {_number(value)}" if label else _number(value)


def _named(label: object, value: str) -> str:
    words = shown_label(label)
    return f"{words}: {value}" if words else value


def shown_label(label: object) -> str:
    """An artist's words: also those that an underscore keeps out of the legend, but not matplotlib's own numbers."""
    text = str(label)
    return "" if text == "None" or NUMBERED.match(text) else text.removeprefix("_")


def _number(value: float) -> str:
    return f"{float(value) + 0.0:.4g}"


def _spread(points: np.ndarray) -> list[int]:
    """Which of the points (n, 2) have values: all, or equally spaced ones and the lowest and highest."""
    count, known = len(points), np.isfinite(points).all(axis=1)
    if not known.any():
        return []
    ends = [
        int(np.argmin(np.where(known, points[:, 1], np.inf))),
        int(np.argmax(np.where(known, points[:, 1], -np.inf))),
    ]
    return sorted({*np.linspace(0, count - 1, min(count, MAX_VALUES)).astype(int).tolist(), *ends})
