"""What every figure keeps to: all that is drawn has words, no legend comes twice, nothing is cut off unsaid."""

from __future__ import annotations

import json
import re
from collections import Counter

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D

from capacity.plots.style import LEAVES

UNNAMED = re.compile(r"_(child|container|nolegend)|^None$|^$")


def faults(figure: Figure) -> list[str]:
    """What is wrong with a figure, in words; empty if nothing is."""
    figure.draw_without_rendering()
    found = [fault for axes in figure.axes for check in (_unnamed, _cropped, _below_zero) for fault in check(axes)]
    return found + _legends(figure) + _cut_off(figure)


def _unnamed(axes: Axes) -> list[str]:
    """Lines, bars, areas and points without a label; parts of a container have its own."""
    parts = {id(part) for container in axes.containers for part in _flat(container)}
    artists = [*axes.lines, *axes.collections, *axes.patches]
    named = [str(a.get_label()) for a in artists if id(a) not in parts]
    named += [str(container.get_label()) for container in axes.containers]
    bar = axes.get_label() == "<colorbar>"  # its own parts need no words
    return [f"unnamed: {label!r} in {axes.get_title()!r}" for label in named if UNNAMED.search(label) and not bar]


def _flat(container: object) -> list[object]:
    if isinstance(container, tuple):
        return [part for one in container for part in _flat(one)]
    return [container]


def _cropped(axes: Axes) -> list[str]:
    """What is drawn beyond an end of the axes, unless its label or that of its kind says so."""
    said = {str(a.get_label()) for a in (*axes.lines, *axes.collections, *axes.containers)}
    said = {label.removesuffix(LEAVES) for label in said if label.endswith(LEAVES)}
    container_of = {id(part): c for c in axes.containers for part in _flat(c)}
    found = []
    for artist in (*axes.lines, *axes.collections, *axes.patches):
        label = str(container_of.get(id(artist), artist).get_label()).removesuffix(LEAVES)
        if label in said or any(words in label for words in said) or not artist.get_clip_on():
            continue
        for x, y in _places(axes, artist):
            if np.isfinite([x, y]).all() and not (-1e-3 <= x <= 1.001 and -1e-3 <= y <= 1.001):
                found.append(f"cropped: {label!r} at {x:.3f}, {y:.3f} of {axes.get_title()!r}")
                break
    return found


def _places(axes: Axes, artist: object) -> np.ndarray:
    """Where an artist's points stand, as shares of the axes."""
    to_axes = axes.transAxes.inverted()
    if isinstance(artist, Line2D):
        points = artist.get_transform().transform(np.asarray(artist.get_xydata(), float))
    elif isinstance(artist, PathCollection):
        points = artist.get_offset_transform().transform(np.ma.getdata(artist.get_offsets()))
    elif hasattr(artist, "get_paths"):
        paths = artist.get_paths()
        points = np.concatenate(
            [artist.get_transform().transform(path.vertices) for path in paths] or [np.zeros((0, 2))]
        )
    else:
        points = artist.get_transform().transform(artist.get_path().vertices)
    return to_axes.transform(points) if len(points) else points


def _below_zero(axes: Axes) -> list[str]:
    """Negative words on an axis, or in the cells of an image, whose scale starts from 0."""
    found = []
    for axis, low in ((axes.xaxis, min(axes.get_xlim())), (axes.yaxis, min(axes.get_ylim()))):
        ticks = [t.get_text() for t in axis.get_ticklabels() if t.get_visible()]
        places = axis.get_ticklocs()
        shown = [text for text, at in zip(ticks, places, strict=False) if at >= low]
        if low >= 0:
            found += [f"negative tick {text!r} in {axes.get_title()!r}" for text in shown if _negative(text)]
    if any(isinstance(image, AxesImage) and image.norm.vmin == 0 for image in axes.images):
        found += [f"negative cell {text.get_text()!r}" for text in axes.texts if _negative(text.get_text())]
    return found


def _negative(text: str) -> bool:
    return bool(re.match(r"\$?\\?m?a?t?h?d?e?f?a?u?l?t?\{?[-−]\d", text))


def _legends(figure: Figure) -> list[str]:
    """Legends that say the same, in two panels or in one."""
    legends = [axes.get_legend() for axes in figure.axes]
    words = [[text.get_text() for text in legend.get_texts()] for legend in [*legends, *figure.legends] if legend]
    twice = [label for own in words for label, count in Counter(own).items() if count > 1]
    looks = []
    for legend in [*legends, *figure.legends]:
        if legend:
            colours = [str(getattr(h, "get_color", h.get_label)()) for h in legend.legend_handles if h is not None]
            looks.append(json.dumps([[text.get_text() for text in legend.get_texts()], colours]))
    return [f"label twice in a legend: {label}" for label in twice] + [
        f"the same legend twice: {look}" for look, count in Counter(looks).items() if count > 1
    ]


def _cut_off(figure: Figure) -> list[str]:
    """Titles, labels and legends beyond the figure's own edge."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    box, found = figure.bbox, []
    for axes in figure.axes:
        for artist in (axes.title, axes.xaxis.label, axes.yaxis.label, axes.get_legend()):
            if artist is None or (hasattr(artist, "get_text") and not artist.get_text()):
                continue
            own = artist.get_window_extent(renderer)
            if own.x0 < box.x0 - 1 or own.x1 > box.x1 + 1 or own.y0 < box.y0 - 1 or own.y1 > box.y1 + 1:
                found.append(f"cut off: {artist} at {own.extents.round()} of {box.extents}")
    return found
