"""How finished curves are shown: each by itself, or all cells of a grid side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from capacity.cli.output import print_grid_tables, print_tables

if TYPE_CHECKING:
    import xarray as xr


class Presentation(NamedTuple):
    """What is printed and drawn of curves by name.

    Attributes:
        picture: the file's name.
        print_tables: on standard output.
        save_figure: into a file.
    """

    picture: str
    print_tables: Callable[[dict[str, xr.Dataset]], None]
    save_figure: Callable[[Path, Mapping[str, xr.Dataset]], None]


def presentation_of(names: Iterable[str]) -> Presentation:
    """How curves of these names are shown: as a grid, if all of them are its cells."""
    from capacity.curves.grid_plan import Cell

    if all(map(Cell.of, names)):
        return Presentation("grid.png", print_grid_tables, _save_grid)
    return Presentation("curve.png", print_tables, _save_curves)


def _save_curves(path: Path, curves: Mapping[str, xr.Dataset]) -> None:
    from capacity.plots.curve import save_figure

    save_figure(path, curves)


def _save_grid(path: Path, curves: Mapping[str, xr.Dataset]) -> None:
    from capacity.curves.grid_dataset import combine
    from capacity.plots.grid import save_grid_figure

    save_grid_figure(path, combine(curves))
