"""`capacity estimate` and `capacity pairwise`: bits between a user's own arrays, from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from capacity.cli.listing import names_of
from capacity.cli.refusals import refusals

if TYPE_CHECKING:
    from capacity.estimators import Choice
    from capacity.results.estimate import Estimate

Files = Annotated[
    list[Path], typer.Argument(help="X.npy Y.npy; or one .npz with x and y; or one .csv with --x and --y.")
]
Method = Annotated[
    str, typer.Option(help="An estimator from `capacity list`, or auto.", autocompletion=names_of("estimator"))
]
Seed = Annotated[int, typer.Option(help="Decides every random number.", min=0, max=2**32 - 1)]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing; write what was asked for.")]
Continuous = Annotated[bool, typer.Option("--continuous", help="Integers are measurements on a scale.")]


def estimate(
    files: Files,
    x: Annotated[str | None, typer.Option(help="Columns of a CSV on one side, 'a,b'; or an array of the .npz.")] = None,
    y: Annotated[str | None, typer.Option(help="The other side.")] = None,
    method: Method = "auto",
    continuous: Continuous = False,
    discrete: Annotated[bool, typer.Option("--discrete", help="Whole real numbers are labels.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the estimate against subsample size and neighbours into this file.")
    ] = None,
    quiet: Quiet = False,
    seed: Seed = 0,
) -> None:
    """How many bits do two arrays share?

    Prints mutual information with its 95 % interval, what kind of figure it is, and the most that the method
    could have said.
    """
    with refusals():
        import jax

        from capacity.estimators import choose
        from capacity.estimators.arrays import named
        from capacity.runtime.files.arrays import read_pair

        named(method)
        if plot is not None and plot.suffix not in (".png", ".pdf", ".svg"):
            raise ValueError(f"Expected --plot to end in .png, .pdf or .svg; got {plot}.")
        sides = read_pair(files, _names(x), _names(y))
        first, second = (_meant(side, continuous, discrete) for side in sides)
        key = jax.random.key(seed)
        choice = choose(key, first, second) if method == "auto" else None
        found = choice.estimate if choice else named(method)(key, first, second)
        if plot is not None:
            _draw(plot, key, first, second, found, choice.method if choice else method)
    if as_json:
        print(json.dumps(_record(found, method, choice), indent=1))
    if as_json or quiet:
        return
    _print(found, method, choice)
    if plot is not None:
        print(f"Drew {plot}")


def pairwise(
    file: Annotated[Path, typer.Argument(help="A CSV table with a header.")],
    columns: Annotated[str | None, typer.Option(help="'a,b,c'. [default: all]")] = None,
    method: Method = "auto",
    continuous: Continuous = False,
    out: Annotated[Path | None, typer.Option(help="Write the figures to this CSV.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw a heat map into this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    quiet: Quiet = False,
    seed: Seed = 0,
) -> None:
    """Bits between every two columns of a table."""
    with refusals():
        import jax

        from capacity.estimators import pairwise as all_pairs
        from capacity.runtime.files.arrays import read_table
        from capacity.runtime.names import check_name

        table = read_table(file)
        asked = _names(columns) or [str(c) for c in table.columns]
        for name in asked:
            check_name(name, table.columns, "--columns")
        table = table[asked]
        if continuous:
            table = table.astype({c: float for c in table if table[c].dtype.kind in "iub"})
        found = all_pairs(jax.random.key(seed), table, method)
    if out is not None:
        from capacity.runtime.files.atomic import write_atomic

        write_atomic(out, lambda target: found.to_dataframe().to_csv(target))
    if plot is not None:
        from capacity.plots.samples import save_heat_map

        save_heat_map(plot, found)
    if as_json:
        figures = {n: [[_plain(v) for v in row] for row in found[n].values] for n in ("bits", "low", "high")}
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


def _draw(path: Path, key: Any, x: np.ndarray, y: np.ndarray, found: Estimate, method: str) -> None:
    from capacity.estimators.checks import checked
    from capacity.estimators.neighbours.ksg import KSG, refuse_ties, scaled_margins
    from capacity.estimators.neighbours.profile import profile
    from capacity.plots.samples import save_profile

    x, y = checked(x, y, "continuous", least=320)
    refuse_ties(x, y)
    ks = tuple(k for k in (3, 5, 10, 20) if k < len(x) // 16)
    save_profile(
        path, profile(key, KSG().terms, scaled_margins(x, "standard"), scaled_margins(y, "standard"), ks), found, method
    )


def _names(text: str | None) -> list[str] | None:
    return [part.strip() for part in text.split(",") if part.strip()] if text else None


def _meant(array: np.ndarray, continuous: bool, discrete: bool) -> np.ndarray:
    """The array as the user says that it is meant."""
    if continuous and discrete:
        raise ValueError("Expected one of --continuous and --discrete; got both.")
    if continuous and array.dtype.kind in "iub":
        return array.astype(np.float64)
    if discrete and array.dtype.kind == "f":
        if not (np.isfinite(array).all() and (array == np.round(array)).all()):
            raise ValueError("Expected whole numbers with --discrete; got others.")
        return array.astype(np.int64)
    return array


def _record(found: Estimate, method: str, choice: Choice | None) -> dict[str, Any]:
    """The figure as JSON; what is infinite as null."""
    record: dict[str, Any] = {"method": choice.method if choice else method}
    record |= {name: _plain(getattr(found, name)) for name in ("bits", "stderr", "low", "high", "limit")}
    record |= {"kind": found.kind, "saturated": bool(found.saturated), "n": int(found.n)}
    if choice:
        record["why"] = choice.why
        record["candidates"] = [
            {"method": c.name, "held_out_bits": _plain(c.held_out_bound), "held_out_stderr": _plain(c.held_out_stderr)}
            | {name: c.estimate and _plain(getattr(c.estimate, name)) for name in ("bits", "low", "high")}
            for c in choice.candidates
        ]
    return record


def _plain(value: Any) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None


def _print(found: Estimate, method: str, choice: Choice | None) -> None:
    from rich.table import Table

    from capacity.cli.console import output

    shown = Table("method", "bits", "95 % interval", "kind", "most it could say", "n", box=None, pad_edge=False)
    shown.add_row(choice.method if choice else method, *_cells(found), found.kind, _limit(found), str(int(found.n)))
    output().print(shown)
    if bool(found.saturated):
        print("Saturated: the figure has reached the most that this method can say; the truth may be larger.")
    if choice:
        print(f"\n{choice.why}\n")
        table = Table("candidate", "bits", "95 % interval", "held-out lower bound", box=None, pad_edge=False)
        for c in choice.candidates:
            held_out = (
                "-" if c.held_out_bound is None else f"{c.held_out_bound:.3f} ± {1.96 * (c.held_out_stderr or 0):.3f}"
            )
            table.add_row(c.name, *(_cells(c.estimate) if c.estimate else ("-", "-")), held_out)
        output().print(table)


def _cells(found: Estimate) -> tuple[str, str]:
    return f"{float(found.bits):.3f}", f"{float(found.low):.3f} to {float(found.high):.3f}"


def _limit(found: Estimate) -> str:
    return f"{float(found.limit):.2f}" if np.isfinite(found.limit) else "no limit"
