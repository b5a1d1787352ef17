"""The command `capacity estimate`: bits between a user's own two arrays, from files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import numpy as np
import typer

from capacity.cli.meant import as_meant
from capacity.cli.options import (
    ContinuousOption,
    HeaderOption,
    LabelsOption,
    MethodOption,
    MissingOption,
    SeedOption,
    SilentOption,
    TableJsonOption,
    check_plot,
)
from capacity.cli.output import finite_or_none
from capacity.cli.refusals import refusals

if TYPE_CHECKING:
    import jax

    from capacity.estimators import Choice
    from capacity.results.estimate import Estimate
    from capacity.runtime.tables.sides import Missing, TableSide


def estimate_command(
    files: Annotated[
        list[Path], typer.Argument(help="X.npy Y.npy; or one .npz with x and y; or one .csv with --x and --y.")
    ],
    x: Annotated[
        list[str] | None,
        typer.Option(help="Columns of a table on one side, 'a,b', may be repeated; or an array of the .npz."),
    ] = None,
    y: Annotated[list[str] | None, typer.Option(help="The other side.")] = None,
    method: MethodOption = "auto",
    continuous: ContinuousOption = False,
    discrete: Annotated[bool, typer.Option("--discrete", help="Whole real numbers are labels.")] = False,
    labels: LabelsOption = None,
    missing: MissingOption = "refuse",
    header: HeaderOption = None,
    as_json: TableJsonOption = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the estimate against subsample size and neighbours into this file.")
    ] = None,
    quiet: SilentOption = False,
    seed: SeedOption = 0,
) -> None:
    """How many bits do two arrays share?

    Prints mutual information with its 95 % interval, what kind of figure it is, and the most that the method
    could have said.
    """
    with refusals():
        from capacity.runtime.files.arrays import read_pair
        from capacity.runtime.tables.sides import pair_of

        check_plot(plot)
        if continuous and discrete:
            raise ValueError("Expected one of --continuous and --discrete; got both.")
        sides = read_pair(files, x, y, header=header, labels=labels or ())
        one, other = (as_meant(side, continuous=continuous, discrete=discrete) for side in sides)
        first, second, dropped = pair_of(one, other, cast("Missing", missing))

        import jax  # takes seconds, which data that cannot be taken need not wait for

        from capacity.estimators import choose
        from capacity.estimators.arrays import named

        named(method)
        key = jax.random.key(seed)
        choice = choose(key, first, second) if method == "auto" else None
        found = replace(choice.estimate if choice else named(method)(key, first, second), dropped=dropped)
        if plot is not None:
            _draw(plot, key, first, second, found, choice.method if choice else method)
    if as_json:
        print(json.dumps(_record(found, method, choice), indent=1))
    if as_json or quiet:
        return
    _print(found, method, choice)
    if plot is not None:
        print(f"Drew {plot}")


def _draw(path: Path, key: jax.Array, x: TableSide, y: TableSide, found: Estimate, method: str) -> None:
    from capacity.estimators.checks import checked
    from capacity.estimators.neighbours.ksg import KSG, refuse_ties, scaled_margins
    from capacity.estimators.neighbours.profile import profile
    from capacity.plots.samples import save_profile

    one, other = checked(x, y, "continuous", least=320)
    refuse_ties(one, other)
    ks = tuple(k for k in (3, 5, 10, 20) if k < len(one) // 16)
    drawn = profile(key, KSG().terms, scaled_margins(one, "standard"), scaled_margins(other, "standard"), ks)
    save_profile(path, drawn, found, method)


def _record(found: Estimate, method: str, choice: Choice | None) -> dict[str, Any]:
    """The figure as JSON; what is infinite as null."""
    record: dict[str, Any] = {"method": choice.method if choice else method}
    record |= {name: finite_or_none(getattr(found, name)) for name in ("bits", "stderr", "low", "high", "limit")}
    record |= {"kind": found.kind, "saturated": bool(found.saturated), "n": int(found.n), "dropped": found.dropped}
    if choice:
        record["why"] = choice.why
        record["candidates"] = [
            {
                "method": c.name,
                "held_out_bits": finite_or_none(c.held_out_bound),
                "held_out_stderr": finite_or_none(c.held_out_stderr),
            }
            | {name: c.estimate and finite_or_none(getattr(c.estimate, name)) for name in ("bits", "low", "high")}
            for c in choice.candidates
        ]
    return record


def _print(found: Estimate, method: str, choice: Choice | None) -> None:
    from rich.table import Table

    from capacity.cli.console import output

    shown = Table("method", "bits", "95 % interval", "kind", "most it could say", "n", box=None, pad_edge=False)
    shown.add_row(choice.method if choice else method, *_cells(found), found.kind, _limit(found), str(int(found.n)))
    output().print(shown)
    if found.dropped:
        print(f"Left out {found.dropped:,} rows in which a value is missing.")
    if bool(found.saturated):
        print("Saturated: the figure has reached the most that this method can say; the truth may be larger.")
    if choice:
        print(f"\n{choice.why}\n")
        table = Table("candidate", "bits", "95 % interval", "held-out lower bound", box=None, pad_edge=False)
        for c in choice.candidates:
            bound, reach = c.held_out_bound, 1.96 * (c.held_out_stderr or 0)
            held_out = "-" if bound is None else f"{bound:.3f} ± {reach:.3f}"
            table.add_row(c.name, *(_cells(c.estimate) if c.estimate else ("-", "-")), held_out)
        output().print(table)


def _cells(found: Estimate) -> tuple[str, str]:
    return f"{float(found.bits):.3f}", f"{float(found.low):.3f} to {float(found.high):.3f}"


def _limit(found: Estimate) -> str:
    return f"{float(found.limit):.2f}" if np.isfinite(found.limit) else "no limit"
