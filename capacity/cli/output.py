"""What `capacity curve` and `capacity show` print of finished curves, and figures as JSON can say them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, SupportsFloat

from capacity.cli.say import say, say_aside, say_json

if TYPE_CHECKING:
    import xarray as xr


def print_tables(datasets: dict[str, xr.Dataset]) -> None:
    """A table of each curve, and what its columns stand on."""
    from capacity.cli.console import output
    from capacity.curves.summary import curve_table, note

    for dataset in datasets.values():
        output().print(curve_table(dataset))
        say(f"{note(dataset)}\n")


def print_grid_tables(datasets: dict[str, xr.Dataset]) -> None:
    """A table for each source and system of a grid, a column for each network."""
    from capacity.cli.console import output
    from capacity.curves.grid_summary import GRID_NOTE, grid_tables
    from capacity.curves.summary import diverged

    for table in grid_tables(datasets):
        output().print(table)
        say("")
    say(GRID_NOTE)
    for name, dataset in datasets.items():
        if told := diverged(dataset):
            say(f"{name}: {told}")


def print_json(datasets: dict[str, xr.Dataset], directory: Path, picture: str = "curve.png") -> None:
    """All curves and where their files are, as one JSON object."""
    from capacity.curves.summary import curve_record

    files = {Path(name).suffix[1:]: str(directory / name) for name in ("curve.nc", "curve.csv", picture)}
    curves = {name: curve_record(dataset) for name, dataset in datasets.items()}
    say_json({"files": files, "curves": curves})


def warn_of_lost(datasets: dict[str, xr.Dataset]) -> None:
    """On stderr: lanes that diverged, where no table says so."""
    from capacity.curves.summary import diverged

    for name, dataset in datasets.items():
        if told := diverged(dataset):
            say_aside(f"Warning: {name}: {told}.")


def print_seconds(datasets: dict[str, xr.Dataset], total: float) -> None:
    """How the time divides; parts that an earlier run finished cost nothing in this one."""
    spent = {
        kind: sum(float(dataset.attrs.get(f"seconds_{kind}", 0.0)) for dataset in datasets.values())
        for kind in ("compile", "train", "measure")
    }
    spent["other"] = max(total - sum(spent.values()), 0.0)
    say(f"{total:.0f} s: " + ", ".join(f"{kind} {seconds:.1f} s" for kind, seconds in spent.items()))


def finite_or_none(value: SupportsFloat | None) -> float | None:
    """A figure as JSON can say it: what is infinite, NaN or missing is null."""
    return float(value) if value is not None and math.isfinite(value) else None
