"""What `capacity estimate` prints, as tables or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from capacity.cli.output import finite_or_none
from capacity.cli.say import say, say_json
from capacity.results.intervals import Z95

if TYPE_CHECKING:
    import xarray as xr

    from capacity.cli.asked import Answered
    from capacity.estimators import Choice, PermutationTest, RowOrder
    from capacity.results.estimate import Estimate


def answer_record(answered: Answered) -> dict[str, Any]:
    """The figure as JSON; what is infinite as null."""
    found = answered.found
    made: dict[str, Any] = {"method": answered.method}
    made |= {name: finite_or_none(getattr(found, name)) for name in ("bits", "stderr", "low", "high", "limit")}
    made |= {"kind": found.kind, "saturated": bool(found.saturated), "n": int(found.n), "dropped": int(found.dropped)}
    if answered.test:
        made["test"] = vars(answered.test)
    if answered.rows:
        made["rows"] = vars(answered.rows)
    if answered.choice:
        made["why"] = answered.choice.why
        made["candidates"] = [
            {
                "method": c.name,
                "held_out_bits": finite_or_none(c.held_out_bound),
                "held_out_stderr": finite_or_none(c.held_out_stderr),
            }
            | {name: c.estimate and finite_or_none(getattr(c.estimate, name)) for name in ("bits", "low", "high")}
            for c in answered.choice.candidates
        ]
    return made


def show_answer(answered: Answered) -> None:
    """The figure as a table, and sentences on what was asked beside it."""
    from rich.table import Table

    from capacity.cli.console import output

    found = answered.found
    table = Table("method", "bits", "95 % interval", "kind", "most it could say", "n", box=None, pad_edge=False)
    table.add_row(answered.method, *_cells(found), found.kind, _limit(found), str(int(found.n)))
    output().print(table)
    if answered.test:
        say(_said(answered.test))
    if found.dropped:
        say(_left_out(int(found.dropped)))
    if bool(found.saturated):
        say("Saturated: the figure has reached the most that this method can say; the truth may be larger.")
    if answered.rows and answered.rows.resemble and not answered.choice:
        say(question(answered.rows))
    if answered.choice:
        _show_choice(answered.choice)


def question(rows: RowOrder) -> str:
    """What is asked where neighbouring rows resemble each other, which independent draws do not."""
    what = (
        "They are sorted, or have a trend: shuffle them if their order means nothing, take differences if it does."
        if rows.sorted
        else "If they follow each other in time, say --order time; if their order means nothing, shuffle them."
    )
    return (
        f"Neighbouring rows resemble each other, as if there were about {rows.effective_rows:,.0f}: the interval may "
        f"be too narrow, since it takes all for independent draws. {what}"
    )


def show_lags(lags: xr.Dataset, dropped: int, *, as_json: bool, quiet: bool) -> None:
    """Bits by lag, as a table or as JSON.

    Args:
        lags: as `capacity.lagged_information` makes it.
        dropped: rows left out for missing values.
        as_json: one object instead of a table.
        quiet: print no table.
    """
    columns = {name: [finite_or_none(value) for value in lags[name].values] for name in ("bits", "low", "high")}
    if as_json:
        about = {"method": str(lags.attrs["method"]), "lags": lags.lag.values.tolist(), "dropped": dropped}
        say_json(about | columns)
    if as_json or quiet:
        return
    from rich.table import Table

    from capacity.cli.console import output

    table = Table("rows later", "bits", "95 % interval", box=None, pad_edge=False)
    for i, lag in enumerate(lags.lag.values):
        bits, low, high = (float(lags[name].values[i]) for name in ("bits", "low", "high"))
        table.add_row(str(lag), f"{bits:.3f}", f"{low:.3f} to {high:.3f}")
    output().print(table)
    if dropped:
        say(_left_out(dropped))


def _show_choice(choice: Choice) -> None:
    from rich.table import Table

    from capacity.cli.console import output

    say(f"\n{choice.why}\n")
    table = Table("candidate", "bits", "95 % interval", "held-out lower bound", box=None, pad_edge=False)
    for c in choice.candidates:
        bound, reach = c.held_out_bound, Z95 * (c.held_out_stderr or 0)
        held_out = "-" if bound is None else f"{bound:.3f} ± {reach:.3f}"
        table.add_row(c.name, *(_cells(c.estimate) if c.estimate else ("-", "-")), held_out)
    output().print(table)


def _said(test: PermutationTest) -> str:
    return f"p = {test.p_value:.3g} that as much is seen of independent sides: {test.how}."


def _left_out(rows: int) -> str:
    return f"Left out {rows:,} rows in which a value is missing."


def _cells(found: Estimate) -> tuple[str, str]:
    return f"{float(found.bits):.3f}", f"{float(found.low):.3f} to {float(found.high):.3f}"


def _limit(found: Estimate) -> str:
    return f"{float(found.limit):.2f}" if np.isfinite(found.limit) else "no limit"
