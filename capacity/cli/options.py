"""Options that several commands have, and what is asked of files that they name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from capacity.cli.catalogue import names_of
from capacity.cli.help import ASKED, READ, WRITTEN

SeedOption: TypeAlias = Annotated[
    int,
    typer.Option("--seed", help="Decides every random number.", min=0, max=2**32 - 1, rich_help_panel=ASKED),
]
MethodOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--method",
        help="An estimator from `capacity list`, or auto.",
        autocompletion=names_of("estimator"),
        rich_help_panel=ASKED,
    ),
]
ContinuousOption: TypeAlias = Annotated[
    bool,
    typer.Option("--continuous", help="Integers are measurements on a scale.", rich_help_panel=READ),
]
MissingOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--missing", help="Rows with missing values: refuse, or drop them and say how many.", rich_help_panel=READ
    ),
]
LabelsOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--labels",
        help="Columns of a table that hold labels, whatever they look like; may be repeated.",
        rich_help_panel=READ,
    ),
]
HeaderOption: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        help="The first line of a CSV holds names. [default: yes, if no numbers]",
        rich_help_panel=READ,
    ),
]
SilentOption: TypeAlias = Annotated[
    bool,
    typer.Option("--quiet", help="Print nothing; write what was asked for.", rich_help_panel=WRITTEN),
]
QuietOption: TypeAlias = Annotated[
    bool,
    typer.Option("--quiet", help="No progress bar, no table.", rich_help_panel=WRITTEN),
]
TableJsonOption: TypeAlias = Annotated[
    bool,
    typer.Option("--json", help="One JSON object instead of a table.", rich_help_panel=WRITTEN),
]
TablesJsonOption: TypeAlias = Annotated[
    bool,
    typer.Option("--json", help="One JSON object instead of tables.", rich_help_panel=WRITTEN),
]


def check_plot(path: Path | None, *inputs: Path) -> None:
    """Refuse a file that no figure can be drawn into, before any work.

    Args:
        path: of --plot.
        inputs: files that are read.

    Raises:
        ValueError: unless it ends in .png, .pdf or .svg; and as `check_output` does.
    """
    if path is not None and path.suffix not in (".png", ".pdf", ".svg"):
        raise ValueError(f"Expected --plot to end in .png, .pdf or .svg; got {path}.")
    check_output(path, "--plot", *inputs)


def check_output(path: Path | None, option: str, *inputs: Path) -> None:
    """Refuse a file that cannot be written, or that is read, before any work.

    Args:
        path: of the option; None where it is not given.
        option: its name.
        inputs: files that are read.

    Raises:
        ValueError: for a folder, a folder that is missing or may not be written to, and one of the inputs.
    """
    if path is None:
        return
    if path.exists() and not path.is_file() and not path.is_dir():  # a device or a pipe, which is written to
        return
    folder = Path(os.path.realpath(path)).parent
    if path.is_dir():
        raise ValueError(f"Expected {option} to be a file; got the folder {path}.")
    if not folder.is_dir():
        raise ValueError(f"Expected {option} in a folder that is there; got {path}, and no folder {folder}.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise ValueError(f"Expected {option} where it may be written; got {path}, which is read-only.")
    for file in inputs:
        if path.exists() and file.exists() and path.samefile(file):
            raise ValueError(f"Expected {option} to be another file than what is read; got {path} for both.")


def check_folder(path: Path, option: str) -> None:
    """Refuse a folder that cannot be made or written to, before any work.

    Args:
        path: of the option; made later where it is not there.
        option: its name.

    Raises:
        ValueError: where a file stands in its place or on the way there, and where nothing may be written.
    """
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise ValueError(f"Expected {option} to be a folder; got {path}, and a file at {there}.")
    if not os.access(there, os.W_OK):
        raise ValueError(f"Expected {option} where it may be written; got {path}, and {there} is read-only.")


def check_run_folder(path: Path, option: str) -> None:
    """As `check_folder`, of a folder for a run alone: one that holds something else is refused too.

    Raises:
        ValueError: as `check_folder` does, and naming what is in it.
    """
    from capacity.runtime.files.places import check_run_directory

    check_folder(path, option)
    try:
        check_run_directory(path)
    except OSError as error:
        raise ValueError(f"Expected {option} where it may be read; got {path} ({error.strerror}).") from error


def check_inputs(*files: Path) -> None:
    """Refuse files that are not there, before what reads them is loaded.

    Raises:
        ValueError: naming the first.
    """
    for file in files:
        if not file.is_file():
            raise ValueError(f"Expected a file at {file}; got {'a folder' if file.is_dir() else 'no such file'}.")


def check_there(file: Path) -> None:
    """Refuse a sealed file that is missing or cut off, without loading what reads it.

    Raises:
        ValueError: saying what is there.
    """
    from capacity.runtime.files.atomic import unseal

    unseal(file)
