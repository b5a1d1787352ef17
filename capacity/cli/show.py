"""The command `capacity show`: the tables and the figure of a finished curve or grid."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capacity.cli.help import WRITTEN
from capacity.cli.options import TablesJsonOption, check_there
from capacity.cli.output import print_json, warn_of_lost
from capacity.cli.presentation import presentation_of
from capacity.cli.refusals import refusals
from capacity.cli.say import say
from capacity.runtime.files.names import CURVE_FILE


def show_command(
    directory: Annotated[Path, typer.Argument(help="Directory of a finished `capacity curve` or `capacity grid`.")],
    as_json: TablesJsonOption = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", help="Draw the figure, print nothing.", rich_help_panel=WRITTEN),
    ] = False,
) -> None:
    """Print the tables of a finished curve or grid and draw its figure again."""
    with refusals():
        check_there(directory / CURVE_FILE)
        from capacity.curves.files import load_curves
        from capacity.runtime.files.places import plain_place

        datasets = load_curves(directory)
        how = presentation_of(datasets)
        how.save_figure(plain_place(directory, how.picture), datasets)
    if as_json or quiet:
        warn_of_lost(datasets)
    if as_json:
        print_json(datasets, directory, how.picture)
    elif not quiet:
        how.print_tables(datasets)
        say(f"Drew {directory / how.picture}")
