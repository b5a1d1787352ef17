"""The command `capacity pairwise`: bits between every two columns of a user's own table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from capacity.cli.options import ContinuousOption, MethodOption, SeedOption, SilentOption, TableJsonOption, column_names
from capacity.cli.output import finite_or_none
from capacity.cli.refusals import refusals


def pairwise_command(
    file: Annotated[Path, typer.Argument(help="A CSV table with a header.")],
    columns: Annotated[str | None, typer.Option(help="'a,b,c'. [default: all]")] = None,
    method: MethodOption = "auto",
    continuous: ContinuousOption = False,
    out: Annotated[Path | None, typer.Option(help="Write the figures to this CSV.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw a heat map into this file.")] = None,
    as_json: TableJsonOption = False,
    quiet: SilentOption = False,
    seed: SeedOption = 0,
) -> None:
    """Bits between every two columns of a table."""
    with refusals():
        import jax

        from capacity.estimators import pairwise
        from capacity.runtime.files.arrays import read_table
        from capacity.runtime.names import check_name

        table = read_table(file)
        asked = column_names(columns) or [str(c) for c in table.columns]
        for name in asked:
            check_name(name, table.columns, "--columns")
        table = table[asked]
        if continuous:
            table = table.astype({c: float for c in table if table[c].dtype.kind in "iub"})
        found = pairwise(jax.random.key(seed), table, method)
    if out is not None:
        from capacity.runtime.files.atomic import write_atomic

        write_atomic(out, lambda target: found.to_dataframe().to_csv(target))
    if plot is not None:
        from capacity.plots.samples import save_heat_map

        save_heat_map(plot, found)
    if as_json:
        figures = {n: [[finite_or_none(v) for v in row] for row in found[n].values] for n in ("bits", "low", "high")}
        print(json.dumps({"columns": asked, "method": str(found.attrs["method"])} | figures, indent=1))
    if as_json or quiet:
        return
    from rich.table import Table

    from capacity.cli.console import output

    shown = Table("bits", *asked, box=None, pad_edge=False)
    for i, name in enumerate(asked):
        shown.add_row(
            name, *(f"{round(float(v), 3) + 0.0:.3f}" if np.isfinite(v) else "-" for v in found.bits.values[i])
        )
    output().print(shown)
    for path in (out, plot):
        if path is not None:
            print(f"Wrote {path}")
