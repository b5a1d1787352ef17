"""The command `capacity show`: the table and the figure of a finished curve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capacity.cli.help import WRITTEN
from capacity.cli.options import TablesJsonOption, check_there
from capacity.cli.output import print_json, print_tables, warn_of_lost
from capacity.cli.refusals import refusals
from capacity.cli.say import say
from capacity.runtime.files.names import CURVE_FILE


def show_command(
    directory: Annotated[Path, typer.Argument(help="Directory of a finished curve.")],
    as_json: TablesJsonOption = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", help="Draw the figure, print nothing.", rich_help_panel=WRITTEN),
    ] = False,
) -> None:
    """Print the table of a finished curve and draw its figure again."""
    with refusals():
        check_there(directory / CURVE_FILE)
        from capacity.curves.files import load_curves
        from capacity.runtime.files.places import plain_place

        picture = plain_place(directory, "curve.png")
        datasets = load_curves(directory)
        from capacity.plots.curve import save_figure

        save_figure(picture, datasets)
    if as_json or quiet:
        warn_of_lost(datasets)
    if as_json:
        print_json(datasets, directory)
    elif not quiet:
        print_tables(datasets)
        say(f"Drew {directory / 'curve.png'}")
