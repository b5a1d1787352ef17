"""`capacity report`: one HTML page of a directory of results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from capacity.cli.refusals import refusals


def report_command(
    directory: Annotated[Path, typer.Argument(help="Directory of a finished `capacity curve` or `capacity claims`.")],
    out: Annotated[Path | None, typer.Option(help="Where to write it. [default: report.html in the directory]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print where it is as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Write one self-contained page: verdicts first, figures that zoom and tell values, how to make it again.

    It needs no network and nothing beside it: send it as it is.
    """
    with refusals():
        if out is not None and out.suffix not in (".html", ".htm"):
            raise ValueError(f"Expected --out to end in .html; got {out}.")
        from capacity.report import write_report

        path = write_report(directory, out)
    if as_json:
        print(json.dumps({"report": str(path), "bytes": path.stat().st_size}))
    elif not quiet:
        print(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB, self-contained)")
