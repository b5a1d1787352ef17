"""Long lines of a figure, kept once as numbers: the page draws them, and tells their values, from these.

matplotlib says where such a line stands and how it looks; its points go into the page as whole numbers of 16 bits,
places between the ends of what an axis shows.  Of more points than a figure has room for, every run of neighbours keeps
its lowest and its highest, so that no peak is lost, and the page says so.
"""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from capacity.report.marks import shown_label

LONG = 40  # points; a shorter line stays a path of the drawing
MOST_POINTS = 100_000  # of all long lines of a figure, 4 bytes each
STEPS, GAP = 65534, 65535  # places along an axis, and the number that says that there is no point
# An axis' numbers reach as far beyond both ends as it is long: within it, they are known to this share of its length.
ROUNDING = 3 / STEPS / 2


class AxisSpan(NamedTuple):
    """One axis: its words, its scale, and where the ends of its numbers are.

    Attributes:
        label: of the axis.
        log: whether the numbers are logarithms to base 10.
        low: what the number 0 stands for.
        high: what the number `STEPS` stands for.
        start: the place of `low`, in points from the figure's upper left corner.
        end: the place of `high`.
    """

    label: str
    log: bool
    low: float
    high: float
    start: float
    end: float


class PanelFrame(NamedTuple):
    """Both axes of a panel, and its corners in points: left, top, right, bottom."""

    x: AxisSpan
    y: AxisSpan
    box: tuple[float, float, float, float]


class LongLine(NamedTuple):
    """One line: its identifier in the drawing, the number of its frame, its words, its points (points, 2)."""

    place: str
    frame: int
    words: str
    points: np.ndarray


class Series(NamedTuple):
    """All long lines of a figure.

    Attributes:
        frames: of the panels that have some.
        lines: in the order in which they are drawn.
        whole: how many points the longest had.
        kept: how many points of it are kept at most; `whole` if all are.
    """

    frames: list[PanelFrame]
    lines: list[LongLine]
    whole: int
    kept: int

    def note(self) -> str:
        """What was left out, for the reader; empty where nothing was."""
        if self.kept >= self.whole:
            return ""
        run = -(-2 * self.whole // self.kept)
        return (
            f"{len(self.lines):,} lines of up to {self.whole:,} points: of every {run} in a row, "
            "the lowest and the highest are drawn."
        )

    def record(self) -> dict[str, Any]:
        """As JSON: frames, lines as identifier, frame, words and length, and the points of all in base64."""
        points = [line.points.astype("<u2").tobytes() for line in self.lines]
        return {
            "frames": [frame._asdict() | {"x": frame.x._asdict(), "y": frame.y._asdict()} for frame in self.frames],
            "lines": [[line.place, line.frame, line.words, len(line.points)] for line in self.lines],
            "data": base64.b64encode(b"".join(points)).decode(),
        }


NO_SERIES = Series([], [], 0, 0)


def long_lines(figure: Figure) -> list[tuple[Axes, Line2D]]:
    """Lines of many points, without markers, on plain axes, each drawn as one path."""
    return [
        (axes, line)
        for axes in figure.axes
        if axes.get_visible()
        and axes.name == "rectilinear"
        and {axes.get_xscale(), axes.get_yscale()} <= {"linear", "log"}
        for line in axes.lines
        if len(np.asarray(line.get_xdata())) > LONG
        and str(line.get_marker()) in ("None", "", " ")
        and line.get_transform() == axes.transData
        and line.get_drawstyle() == "default"
        and line.get_visible()
        and line.get_linestyle() != "None"
        and not (line.get_path_effects() or line.get_sketch_params() or line.get_rasterized())
    ]


def take_series(figure: Figure, most: int = MOST_POINTS) -> Series:
    """Take the long lines out of a figure that has been drawn: each is left as a stub with an identifier.

    Args:
        figure: drawn, its layout fixed.
        most: points of all of them together, about.
    """
    found = long_lines(figure)
    if not found:
        return NO_SERIES
    panels = list(dict.fromkeys(axes for axes, _ in found))
    data = [np.asarray(line.get_xydata(), np.float64) for _, line in found]
    whole = max(map(len, data))
    kept = whole if sum(map(len, data)) <= most else max(most // len(data), 8)
    data = [one[extremes(one, kept)] for one in data]
    frames, lines = [], []
    for number, panel in enumerate(panels):
        own = [i for i, (axes, _) in enumerate(found) if axes is panel]
        frame, points = _framed(panel, [data[i] for i in own], figure)
        frames.append(frame)
        for i, numbers in zip(own, points, strict=True):
            line = found[i][1]
            line.set_gid(f"long{i}")
            lines.append(LongLine(f"long{i}", number, shown_label(line.get_label()), numbers))
            line.set_data(panel.get_xlim(), panel.get_ylim())
    return Series(frames, lines, whole, min(kept, whole))


def extremes(points: np.ndarray, most: int) -> np.ndarray:
    """Which points of a line to keep, in order: of each of some runs of neighbours the lowest and the highest.

    Both ends stay, and so does a gap; where the line turns back, so do the runs' outermost points.

    Args:
        points: (n, 2), NaN for a gap.
        most: about how many to keep.
    """
    if len(points) <= most:
        return np.arange(len(points))
    xs = points[:, 0]
    turns = not (np.all(np.diff(xs) >= 0) or np.all(np.diff(xs) <= 0))
    sides = (0, 1) if turns else (1,)
    chosen = {0, len(points) - 1}
    for run in np.array_split(np.arange(len(points)), max(most // (2 * len(sides)), 1)):
        known = np.isfinite(points[run]).all(axis=1)
        if not known.all():
            chosen.add(int(run[np.argmin(known)]))
        if known.any():
            chosen |= {int(at) for side in sides for at in _ends(points[:, side], run[known])}
    return np.array(sorted(chosen))


def _ends(values: np.ndarray, run: np.ndarray) -> tuple[int, int]:
    return run[np.argmin(values[run])], run[np.argmax(values[run])]


def _framed(axes: Axes, data: list[np.ndarray], figure: Figure) -> tuple[PanelFrame, list[np.ndarray]]:
    """The panel's frame, and the points of its lines in whole numbers."""
    scale, height, box = 72 / figure.dpi, figure.bbox.height, axes.bbox
    together = np.concatenate(data)
    places = axes.transData.transform([(x, y) for x, y in zip(axes.get_xlim(), axes.get_ylim(), strict=True)]) * scale
    x, xs = _sided(axes.xaxis, axes.get_xlabel(), together[:, 0], places[:, 0])
    y, ys = _sided(axes.yaxis, axes.get_ylabel(), together[:, 1], height * scale - places[:, 1])
    numbers = np.where(np.isfinite(xs + ys)[:, None], np.stack([xs, ys], 1), GAP).astype(np.uint16)
    corners = [round(float(v) * scale, 2) for v in (box.x0, height - box.y1, box.x1, height - box.y0)]
    frame = PanelFrame(x, y, (corners[0], corners[1], corners[2], corners[3]))
    return frame, np.split(numbers, np.cumsum([len(one) for one in data])[:-1])


def _sided(axis: Axis, label: str, values: np.ndarray, places: np.ndarray) -> tuple[AxisSpan, np.ndarray]:
    """One side of a frame, and values as whole numbers between its ends; NaN where there is none."""
    log = axis.get_scale() == "log"
    first, last = (float(v) for v in (np.log10(axis.get_view_interval()) if log else axis.get_view_interval()))
    span = abs(last - first)
    outer = min(first, last) - span, max(first, last) + span
    known = np.isfinite(values)
    if log:  # what has no logarithm lies below the axis, where matplotlib has it too
        positive = known & (values > 0)
        values = np.where(positive, np.log10(np.where(positive, values, 1.0)), outer[0])
    values = np.where(known, values, np.nan)  # matplotlib draws no infinity
    low = float(np.clip(values[known].min(initial=np.inf), *outer))
    high = float(np.clip(values[known].max(initial=-np.inf), *outer))
    if not low < high:
        low, high = outer  # a constant, nothing at all, or all beyond the axis, where it stays
    steps = np.round((np.clip(values, low, high) - low) / (high - low) * STEPS)
    slope = (places[1] - places[0]) / (last - first)
    start, end = (round(float(places[0] + (at - first) * slope), 3) for at in (low, high))
    return AxisSpan(label, log, low, high, start, end), steps
