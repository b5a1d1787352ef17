"""The command `capacity estimate`: bits between a user's own two arrays, from files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from capacity.cli.asked import Answered, AskedOptions, answer, check_asked, lags_of
from capacity.cli.catalogue import check_member, declared_attribute
from capacity.cli.help import READ, WRITTEN
from capacity.cli.options import (
    ContinuousOption,
    HeaderOption,
    LabelsOption,
    MethodOption,
    MissingOption,
    SeedOption,
    SilentOption,
    TableJsonOption,
    check_inputs,
    check_plot,
)
from capacity.cli.records import with_records
from capacity.cli.refusals import refusals
from capacity.cli.say import say, say_json
from capacity.runtime.names import check_name
from capacity.runtime.start import start_jax

if TYPE_CHECKING:
    import jax

    from capacity.runtime.tables.sides import Missing, TableSide


@with_records()
def estimate_command(
    files: Annotated[
        list[Path], typer.Argument(help="X.npy Y.npy; or one .npz with x and y; or one .csv with --x and --y.")
    ],
    x: Annotated[
        list[str] | None,
        typer.Option(
            help="Columns of a table on one side, 'a,b', may be repeated; or an array of the .npz.",
            rich_help_panel=READ,
        ),
    ] = None,
    y: Annotated[
        list[str] | None,
        typer.Option(help="The other side.", rich_help_panel=READ),
    ] = None,
    method: MethodOption = "auto",
    continuous: ContinuousOption = False,
    discrete: Annotated[
        bool,
        typer.Option("--discrete", help="Whole real numbers are labels.", rich_help_panel=READ),
    ] = False,
    labels: LabelsOption = None,
    missing: MissingOption = "refuse",
    header: HeaderOption = None,
    as_json: TableJsonOption = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            help="Draw the estimate against subsample size and neighbours into this file.", rich_help_panel=WRITTEN
        ),
    ] = None,
    quiet: SilentOption = False,
    seed: SeedOption = 0,
    *,
    asked: AskedOptions,
) -> None:
    """How many bits do two arrays share?

    Prints mutual information with its 95 % interval, what kind of figure it is, and the most that the method
    could have said.
    """
    with refusals():
        check_inputs(*files)
        check_plot(plot, *files)
        check_asked(asked)
        if method != "auto":
            check_member(method, "estimator", "the method")
        check_name(missing, ("refuse", "drop"), "--missing")
        if plot is not None and asked.lags:
            raise ValueError("Expected --plot or --lags; got both.")
        if continuous and discrete:
            raise ValueError("Expected one of --continuous and --discrete; got both.")
        from capacity.cli.meant import as_meant
        from capacity.runtime.files.arrays import read_given, read_pair
        from capacity.runtime.tables.checked import checked
        from capacity.runtime.tables.sides import complete_sides

        read = dict(zip("xy", read_pair(files, x, y, header=header, labels=labels or ()), strict=True))
        if asked.given:
            read["given"] = read_given(files, asked.given, header=header, labels=labels or ())
        meant = {name: as_meant(side, continuous=continuous, discrete=discrete) for name, side in read.items()}
        sides, dropped = complete_sides(meant, cast("Missing", missing))
        takes = declared_attribute("estimator", method, "takes", "any")
        checked(sides[0], sides[1], takes, declared_attribute("estimator", method, "min_pairs", 2))

        start_jax()  # loads JAX, which takes seconds: data that cannot be taken need not wait for it

        import jax

        from capacity.cli.show_estimate import answer_record, show_answer, show_lags
        from capacity.estimators import lagged_information

        key = jax.random.key(seed)
        if asked.lags:
            lags = lagged_information(
                key, sides[0], sides[1], lags_of(asked.lags), None if method == "auto" else method, asked.block
            )
        else:
            answered = answer(key, sides, method, asked)
            answered = replace(answered, found=replace(answered.found, dropped=dropped))
        if plot is not None:
            _draw(plot, key, sides[0], sides[1], answered)
    if asked.lags:
        show_lags(lags, dropped, as_json=as_json, quiet=quiet)
        return
    if as_json:
        say_json(answer_record(answered))
    if as_json or quiet:
        return
    show_answer(answered)
    if plot is not None:
        say(f"Drew {plot}")


def _draw(path: Path, key: jax.Array, x: TableSide, y: TableSide, answered: Answered) -> None:
    from capacity.estimators.checks import checked
    from capacity.estimators.neighbours.ksg import KSG, refuse_ties, scaled_margins
    from capacity.estimators.neighbours.profile import profile
    from capacity.plots.samples import save_profile

    one, other = checked(x, y, "continuous", least=320)
    refuse_ties(one, other)
    ks = tuple(k for k in (3, 5, 10, 20) if k < len(one) // 16)
    drawn = profile(key, KSG().terms, scaled_margins(one, "standard"), scaled_margins(other, "standard"), ks)
    save_profile(path, drawn, answered.found, answered.method)
