"""The command `capacity pairwise`: bits between every two columns of a user's own table, or of all with one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Never, cast

import typer

from capacity.cli.catalogue import check_member
from capacity.cli.found import seen_bar
from capacity.cli.help import ASKED, READ, WRITTEN
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
    check_output,
    check_plot,
)
from capacity.cli.refusals import refusals
from capacity.cli.say import say, say_json
from capacity.runtime.names import check_name, typed_names
from capacity.runtime.start import start_jax

if TYPE_CHECKING:
    from capacity.runtime.tables.sides import Missing


def pairwise_command(
    file: Annotated[Path, typer.Argument(help="A table: .csv with a header, or .parquet.")],
    columns: Annotated[
        list[str] | None,
        typer.Option(help="'a,b,c', may be repeated. [default: all]", rich_help_panel=READ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(help="Rank the other columns by their bits about this one.", rich_help_panel=ASKED),
    ] = None,
    method: MethodOption = "auto",
    continuous: ContinuousOption = False,
    labels: LabelsOption = None,
    missing: MissingOption = "refuse",
    header: HeaderOption = None,
    test: Annotated[
        bool,
        typer.Option("--test", help="p-values for independence, and for their number.", rich_help_panel=ASKED),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the figures to this CSV.", rich_help_panel=WRITTEN),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw a heat map, or the ranking, into this file.", rich_help_panel=WRITTEN),
    ] = None,
    as_json: TableJsonOption = False,
    quiet: SilentOption = False,
    seed: SeedOption = 0,
) -> None:
    """Bits between every two columns of a table, or between each and a target."""
    with refusals():
        check_inputs(file)
        check_plot(plot, file)
        check_output(out, "--out", file)
        if out is not None and out == plot:
            raise ValueError(f"Expected --out and --plot to be two files; got {out} for both.")
        if method != "auto":
            check_member(method, "estimator", "the method")
        check_name(missing, ("refuse", "drop"), "--missing")
        from capacity.cli.meant import as_meant
        from capacity.runtime.files.arrays import read_table
        from capacity.runtime.tables.named_columns import named_columns, target_of

        table = read_table(file, header, labels or ())
        goal = None if target is None else typed_names([target], table, "--target")
        if goal is not None and len(goal) != 1:
            raise ValueError(f"Expected one column in --target; got {len(goal)}.")
        if columns:
            asked = typed_names(columns, table, "--columns")
            table = table.only([*asked, *(name for name in goal or () if name not in asked)])
        meant = as_meant(table, continuous=continuous)
        known = named_columns(meant, missing=cast("Missing", missing))
        if goal is not None:
            target_of(known, goal[0])
        if sum(column.kind != "unfit" for column in known) < 2:
            refuse_without_pairs([column.note for column in known if column.note])
        start_jax()  # loads JAX, which takes seconds: a file that cannot be read need not wait for it

        import jax
        import numpy as np

        from capacity.cli.show_pairwise import notes, pairwise_frame, pairwise_record, print_pairwise
        from capacity.estimators import pairwise

        found = pairwise(
            jax.random.key(seed),
            meant,
            method,
            target=goal[0] if goal else None,
            missing=cast("Missing", missing),
            test=True if test else None,
            progress=seen_bar(quiet),
        )
        if not np.isfinite(found.bits.values).any():
            refuse_without_pairs(notes(found))
        if out is not None:
            from capacity.runtime.files.atomic import write_atomic

            write_atomic(out, lambda path: pairwise_frame(found).to_csv(path))
        if plot is not None:
            from capacity.plots.samples import save_heat_map, save_ranking

            (save_heat_map if target is None else save_ranking)(plot, found)
    if as_json:
        say_json(pairwise_record(found))
    if as_json or quiet:
        return
    print_pairwise(found)
    for path in (out, plot):
        if path is not None:
            say(f"Wrote {path}")


def refuse_without_pairs(reasons: Sequence[str]) -> Never:
    """Say why no two columns have a figure.

    Raises:
        ValueError: always.
    """
    first, *more = reasons
    raise ValueError(f"{first} No pair of columns has a figure{f'; {len(more)} more reasons' if more else ''}.")
