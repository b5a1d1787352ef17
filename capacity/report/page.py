"""From a directory of results to the page: what it holds is told by its files."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from capacity.report.drawing import Drawing
from capacity.runtime.files.atomic import write_atomic
from capacity.runtime.files.names import CURVE_FILE, VERDICT_FILE
from capacity.runtime.files.places import plain_place

PAGE_FILE = "report.html"


def report(directory: Path) -> str:
    """The page of a directory of `capacity curve` or `capacity claims`, as HTML that needs nothing beside it.

    Raises:
        ValueError: if there is neither a finished curve nor a finished claim.
    """
    if (directory / CURVE_FILE).exists():
        from capacity.report.curve_page import curve_contents as contents
    elif any(directory.glob(f"*/{VERDICT_FILE}")):
        from capacity.report.claims_page import claims_contents as contents
    else:
        raise ValueError(
            f"Expected a directory of a finished `capacity curve` or `capacity claims`; got {directory}, "
            f"without {CURVE_FILE} and without NAME/{VERDICT_FILE}."
        )
    return render(contents(directory))


def write_report(directory: Path, out: Path | None = None) -> Path:
    """Write the page into the directory, or to `out`; whole or not at all.

    Raises:
        ValueError: as `report` does, and for a link out of the directory where the page would be.
    """
    path = out or plain_place(directory, PAGE_FILE)
    page = report(directory)

    def write(target: Path) -> None:
        target.write_text(page, encoding="utf-8")

    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, write)
    return path


def render(contents: dict[str, Any]) -> str:
    """The template filled; text is escaped, drawings are not."""
    folder = files("capacity.report")
    parts = {name: (folder / file).read_text() for name, file in (("style", "page.css"), ("script", "page.js"))}
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["marks"] = _marks
    environment.filters["series"] = _series
    environment.filters["box"] = lambda box: " ".join(f"{number:g}" for number in box)
    template = environment.from_string((folder / "page.html.j2").read_text())
    return template.render(**parts, **contents)


def _marks(drawings: list[Drawing]) -> str:
    """Values of all drawings, as JSON."""
    return _json({drawing.name: [list(mark) for mark in drawing.marks] for drawing in drawings})


def _series(drawings: list[Drawing]) -> str:
    """Long lines of all drawings that have some, as JSON."""
    return _json({drawing.name: drawing.series.record() for drawing in drawings if drawing.series.lines})


def _json(values: object) -> str:
    """JSON that cannot end the script element that holds it."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
