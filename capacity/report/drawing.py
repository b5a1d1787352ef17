"""A matplotlib figure as a drawing for a page: SVG that follows the page's light or dark, its panels, its values.

The page shows the whole figure where there is room and its panels one below another on a phone, both from the one
drawing.  SVG of the figures themselves, and some ten kilobytes of script, stay as sharp at any zoom as a plotting
library of five megabytes would, and any figure that matplotlib draws can be shown.
"""

from __future__ import annotations

import base64
import io
import re
import struct
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.transforms import Bbox

from capacity.report.marks import Mark, marks_of
from capacity.report.series import MOST_POINTS, NO_SERIES, Series, take_series

Box = tuple[float, float, float, float]  # x, y, width, height in points, from the upper left corner
STYLE: Any = {"font.size": 11, "svg.fonttype": "path", "path.simplify": True}
ROOM = 6.0  # points around a panel
PANEL, HEIGHT = 5.6, 5.2  # inches of one panel: at a phone's width its letters are still 9 pixels high
PAGE_COLOURS = {
    "#000000": "currentColor",
    "#ffffff": "var(--paper)",
    "#dddddd": "var(--grid)",
    "#b0b0b0": "var(--grid)",
    "#0072b2": "var(--blue)",  # as it is, too dark for a dark page
}


class Drawing(NamedTuple):
    """What the page needs of one figure.

    Attributes:
        name: unique on the page.
        title: for the heading and for who cannot see it.
        svg: the content of an SVG element.
        whole: the figure's own box.
        panels: a box for each panel; empty where there is only one.
        marks: values and where they stand.
        series: lines of many points, which the page draws.
    """

    name: str
    title: str
    svg: str
    whole: Box
    panels: list[Box]
    marks: list[Mark]
    series: Series = NO_SERIES


def drawing_of(name: str, title: str, draw: Callable[[Figure], None], most: int = MOST_POINTS) -> Drawing:
    """Draw a figure for the page.

    Args:
        name: unique on the page, letters and digits.
        title: in words.
        draw: draws on an empty figure; called twice, since the first time tells how many panels it has.
        most: points of all long lines together, about.
    """
    with mpl.rc_context(STYLE | {"svg.hashsalt": name}):
        trial = Figure(figsize=(10, 5.5))
        draw(trial)
        rows, columns = _grid(trial)
        figure = _laid_out(draw, PANEL * columns, HEIGHT * rows)
        figure.set_layout_engine("none")  # everything stays where it is
        series = take_series(figure, most)
        file = io.BytesIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
        _draw(figure)  # again: a legend's parts stand where the last drawing, of other dots, put them
        width, height = (72 * side for side in figure.get_size_inches())
        panels = [_box(panel, figure) for panel in _panels(figure)]
        return Drawing(
            name, title, _content(file.getvalue().decode(), name), (0.0, 0.0, width, height),
            panels if len(panels) > 1 else [], marks_of(figure), series,
        )  # fmt: skip


def picture_drawing(name: str, title: str, content: bytes) -> Drawing:
    """A PNG as it is, inside the page; without values."""
    width, height = struct.unpack(">II", content[16:24])  # of the header, in pixels
    data = base64.b64encode(content).decode()
    svg = f'<image width="{width}" height="{height}" href="data:image/png;base64,{data}"/>'
    return Drawing(name, title, svg, (0.0, 0.0, float(width), float(height)), [], [])


def _laid_out(draw: Callable[[Figure], None], width: float, height: float) -> Figure:
    """The figure at a size in inches; wider where a legend or label would be cut off."""
    for _ in range(2):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure)
        with warnings.catch_warnings():  # that there is no room is what we want to know
            warnings.filterwarnings("ignore", message="constrained_layout not applied")
            _draw(figure)
        needed = figure.get_tightbbox().width
        if needed <= 1.02 * width:
            break
        width = needed + 0.2
    return figure


def _draw(figure: Figure) -> None:
    """So that every artist knows its place."""
    figure.draw_without_rendering()


def _grid(figure: Figure) -> tuple[int, int]:
    """Rows and columns of panels, at least one each."""
    specs = [axes.get_subplotspec() for axes in figure.axes]
    grids = [spec.get_topmost_subplotspec().get_gridspec().get_geometry() for spec in specs if spec is not None]
    return max((rows for rows, _ in grids), default=1), max((columns for _, columns in grids), default=1)


def _panels(figure: Figure) -> list[Bbox]:
    """What each panel takes up, its labels and legend too; axes that overlap, as a colour bar's, are one panel."""
    renderer: RendererAgg = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    boxes: list[Bbox] = []
    for axes in figure.axes:
        own = axes.get_tightbbox(renderer)
        if own is None:
            continue
        bar = axes.get_label() == "<colorbar>"
        if bar and boxes:
            nearest = min(range(len(boxes)), key=lambda i: abs(boxes[i].x1 - own.x0) + abs(boxes[i].y0 - own.y0))
            boxes[nearest] = Bbox.union([boxes[nearest], own])
        elif any(_same(other, own) for other in boxes):
            place = next(i for i, other in enumerate(boxes) if _same(other, own))
            boxes[place] = Bbox.union([boxes[place], own])
        else:
            boxes.append(own)
    if len(boxes) < 2:
        return boxes
    title = getattr(figure, "_suptitle", None)
    extras = [title.get_window_extent(renderer)] if title else []
    most = PANEL * figure.dpi
    return [*extras, *(part for legend in figure.legends for part in _columns(legend, renderer, most)), *boxes]


def _columns(legend: Legend, renderer: RendererAgg, most: float) -> list[Bbox]:
    """A legend of the whole figure in parts no wider than a panel, each of whole columns."""
    whole = legend.get_window_extent(renderer)
    if whole.width <= most or not legend.get_texts():
        return [whole]
    columns: dict[int, Bbox] = {}
    for sign, words in zip(legend.legend_handles, legend.get_texts(), strict=True):
        label = words.get_window_extent(renderer)
        own = label if sign is None else Bbox.union([label, sign.get_window_extent(renderer)])
        columns[round(label.x0)] = Bbox.union([columns.get(round(label.x0), own), own])
    parts: list[Bbox] = []
    for _, column in sorted(columns.items()):
        if parts and column.x1 - parts[-1].x0 <= most:
            parts[-1] = Bbox.union([parts[-1], column])
        else:
            parts.append(column)
    last = parts[-1]  # as wide as a panel, or its letters would be larger than the others'
    return [*parts[:-1], Bbox.from_extents(last.x0, last.y0, max(last.x1, last.x0 + 0.98 * most), last.y1)]


def _same(one: Bbox, other: Bbox) -> bool:
    """Whether two boxes share most of the smaller one: twin axes."""
    shared = Bbox.intersection(one, other)
    if shared is None:
        return False
    return shared.width * shared.height > 0.6 * min(one.width * one.height, other.width * other.height)


def _box(box: Bbox, figure: Figure, room: float = ROOM) -> Box:
    scale, height = 72 / figure.dpi, figure.bbox.height
    x, y = box.x0 * scale - room, (height - box.y1) * scale - room
    return round(x, 1), round(y, 1), round(box.width * scale + 2 * room, 1), round(box.height * scale + 2 * room, 1)


def _content(svg: str, name: str) -> str:
    """The inside of the SVG element: no headers, identifiers of its own, black and white left to the page."""
    body = svg[svg.index("<svg") :]
    body = body[body.index(">") + 1 : body.rindex("</svg>")]
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<title>.*?</title>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'xlink:href="#', f'href="#{name}-', body)
    body = body.replace("url(#", f"url(#{name}-")
    for colour, own in PAGE_COLOURS.items():
        body = re.sub(rf"(fill|stroke): {colour}", rf"\1: {own}", body)
    # Rules of matplotlib's own style element would reach beyond the figure.
    body = re.sub(r"<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(rf'(<g id="{name}-long\d+">\s*<path d=")[^"]*', r"\1", body)  # the page fills it in
    body = re.sub(r'\b(d|x|y)="[^"]*"', lambda found: _short(found[0]), body)
    return re.sub(r"\n\s*", "\n", body).strip()


def _short(numbers: str) -> str:
    """Coordinates to a hundredth of a point, no blanks where none are needed."""
    return re.sub(r"\s*([A-Za-z])\s+(?=[-\d])", r"\1", re.sub(r"(\.\d\d)\d+", r"\1", numbers)).replace("\n", "")
