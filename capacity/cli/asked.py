"""What `capacity estimate` can be asked beside bits: a p-value, rows in time, lags, bits beyond a third side's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import jax

    from capacity.estimators import Choice, PermutationTest, RowOrder
    from capacity.results.estimate import Estimate
    from capacity.runtime.tables.sides import TableSide

MIN_ROWS_IN_ORDER = 20


@dataclass(frozen=True)
class AskedOptions:
    """What is asked.

    Of two sides, beside how many bits they share.
    """

    given: Annotated[
        list[str] | None,
        typer.Option(help="Bits beyond what these columns tell; beside two files, beyond a third file's array."),
    ] = None
    test: Annotated[bool, typer.Option("--test", help="A p-value for independence.")] = False
    order: Annotated[str | None, typer.Option(help="'time': rows in time; 'any': independent draws.")] = None
    block: Annotated[
        int | None, typer.Option(help="With --order time: rows that are long against the memory. [default: found]")
    ] = None
    lags: Annotated[
        str | None, typer.Option(help="Bits of x and y so many rows later: '0:20', '-5:5' or '0,7,14'; rows in time.")
    ] = None


@dataclass(frozen=True)
class Answered:
    """A figure, its method, and what was asked beside it.

    Attributes:
        found: the figure.
        method: what it is from.
        choice: where the method was chosen.
        test: where a p-value was asked for.
        rows: whether neighbouring rows resemble each other, where nothing was said of their order.
    """

    found: Estimate
    method: str
    choice: Choice | None = None
    test: PermutationTest | None = None
    rows: RowOrder | None = None

    @property
    def in_time(self) -> bool:
        """Whether `auto` took the rows for rows in time."""
        return self.choice is not None and self.rows is not None and self.rows.in_time


def check_asked(asked: AskedOptions) -> None:
    """Refuse questions that contradict each other, before any work.

    Raises:
        ValueError: saying which.
    """
    if asked.order not in (None, "time", "any"):
        raise ValueError(f"Expected --order to be time or any; got {asked.order!r}.")
    if asked.given and (asked.order == "time" or asked.lags):
        raise ValueError("Expected --given, or --order and --lags; got both.")
    if asked.lags and asked.test:
        raise ValueError("Expected --lags or --test; got both. Test one lag by moving a column.")
    if asked.block is not None and not (asked.order == "time" or asked.lags):
        raise ValueError("Expected --block with --order time or --lags; got it alone.")
    if asked.lags:
        lags_of(asked.lags)


def lags_of(text: str) -> list[int]:
    """Whole numbers from "0:20", both ends among them, or "0,7,14".

    Raises:
        ValueError: for anything else.
    """
    try:
        if ":" in text:
            first, last = map(int, text.split(":"))
            if first <= last:
                return list(range(first, last + 1))
        else:
            return [int(part) for part in text.split(",")]
    except ValueError:
        pass
    raise ValueError(f"Expected --lags as in '0:20', '-5:5' or '0,7,14'; got {text!r}.")


def answer(key: jax.Array, sides: Sequence[TableSide], method: str, asked: AskedOptions) -> Answered:
    """What was asked of x and y, and of a third side where there is one.

    Args:
        key: decides every random number.
        sides: x, y, and with --given the third.
        method: the name of an estimator, or auto.
        asked: checked already; no lags.

    Raises:
        ValueError: for what a method refuses.
    """
    import jax

    from capacity.estimators import conditional_permutation_test, permutation_test

    x, y, *given = sides
    key, key_test = jax.random.split(key) if asked.test else (key, key)
    if given:
        test = conditional_permutation_test(key_test, x, y, given[0]) if asked.test else None
        return replace(_conditional(key, x, y, given[0], method), test=test)
    in_time = asked.order == "time"
    found = _in_time(key, x, y, method, asked.block) if in_time else _as_seen(key, x, y, method, asked.order)
    if not asked.test:
        return found
    test = permutation_test(key_test, x, y, order="time" if in_time or found.in_time else None, block=asked.block)
    return replace(found, test=test)


def _as_seen(key: jax.Array, x: TableSide, y: TableSide, method: str, order: str | None) -> Answered:
    """Rows that are not said to be in time; `auto` sees by itself whether they look so, others ask."""
    from capacity.estimators import choose, rows_resemble_neighbours
    from capacity.estimators.by_name import by_name

    rows = rows_resemble_neighbours(x, y) if order is None and len(x) >= MIN_ROWS_IN_ORDER else None
    if method == "auto":
        choice = choose(key, x, y, "any" if order == "any" else None)
        return Answered(choice.estimate, choice.method, choice, rows=rows)
    return Answered(by_name(method)(key, x, y), method, rows=rows)


def _in_time(key: jax.Array, x: TableSide, y: TableSide, method: str, block: int | None) -> Answered:
    """By the method, or by neighbours that suit the types, which `auto` stands for here."""
    from capacity.estimators import lagged_information, time_interval
    from capacity.estimators.by_name import by_name
    from capacity.results.estimate import Estimate
    from capacity.results.intervals import Z95

    if method != "auto":
        return Answered(time_interval(key, x, y, by_name(method), block), method)
    lag = lagged_information(key, x, y, [0], None, block)
    bits, low, high = (float(lag[name].values[0]) for name in ("bits", "low", "high"))
    stderr = max(high - bits, bits - low) / Z95
    return Answered(Estimate(bits, stderr, low, high, float("inf"), len(x), kind="point"), str(lag.attrs["method"]))


def _conditional(key: jax.Array, x: TableSide, y: TableSide, given: TableSide, method: str) -> Answered:
    from capacity.estimators import conditional_information

    return Answered(conditional_information(key, x, y, given, method), method)
