"""`capacity report`: one HTML page of a directory of results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capacity.cli.help import WRITTEN
from capacity.cli.options import check_folder, check_there
from capacity.cli.refusals import refusals
from capacity.cli.say import say, say_json
from capacity.runtime.files.names import CURVE_FILE, VERDICT_FILE
from capacity.runtime.files.seals import CONFIGURATION_FILE, DIGEST, read_configuration, read_record


def report_command(
    directory: Annotated[Path, typer.Argument(help="Directory of a finished `capacity curve` or `capacity claims`.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write it. [default: report.html in the directory]", rich_help_panel=WRITTEN),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print where it is as JSON.", rich_help_panel=WRITTEN),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", help="Print nothing.", rich_help_panel=WRITTEN),
    ] = False,
) -> None:
    """Write one self-contained page: verdicts first, figures that zoom and tell values, how to make it again.

    It needs no network and nothing beside it: send it as it is.
    """
    with refusals():
        if out is not None and out.suffix not in (".html", ".htm"):
            raise ValueError(f"Expected --out to end in .html; got {out}.")
        if out is not None:
            check_folder(out.parent, "the folder of --out")
        _check_results(directory)
        from capacity.report import write_report

        path = write_report(directory, out)
    if as_json:
        say_json({"report": str(path), "bytes": path.stat().st_size})
    elif not quiet:
        say(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB, self-contained)")


def _check_results(directory: Path) -> None:
    """Refuse a directory without results that can be read, before what draws them is loaded.

    Raises:
        ValueError: saying what was found instead.
    """
    if (directory / CURVE_FILE).exists():
        check_there(directory / CURVE_FILE)
        from capacity.curves.files import load_curves

        load_curves(directory / CURVE_FILE)
        return
    folders = sorted(path.parent for path in directory.glob(f"*/{VERDICT_FILE}"))
    if not folders:
        raise ValueError(
            f"Expected a directory of a finished `capacity curve` or `capacity claims`; got {directory}, without "
            f"{CURVE_FILE} and without NAME/{VERDICT_FILE}."
        )
    faults = [fault for folder in folders if (fault := _fault_of(folder))]
    if len(faults) == len(folders):
        raise ValueError(f"Expected a claim that can be read in {directory}; got {folders[0].name}: {faults[0]}")


def _fault_of(folder: Path) -> str:
    """What is wrong with a claim's record; nothing where it is as it was written."""
    try:
        read_record(folder / VERDICT_FILE, read_configuration(folder / CONFIGURATION_FILE)[DIGEST])
    except ValueError as error:
        return str(error)
    return ""
