"""All columns of a table: bits between every two of them, or between each and one of them, the target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Literal, TypeAlias

import jax
import numpy as np

from capacity.estimators.by_name import by_name
from capacity.estimators.checks import checked
from capacity.estimators.counts.entropy import plug_in
from capacity.estimators.estimator import Estimator
from capacity.estimators.pair_figures import PairFigures, matrix_of, ranking_of, with_q_values
from capacity.estimators.testing.permutation import permutation_test
from capacity.results.estimate import NATS_PER_BIT
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.progress import Progress, reporter
from capacity.runtime.tables.foreign import Tabular
from capacity.runtime.tables.named_columns import NamedColumn, check_pairs, named_columns, target_of
from capacity.runtime.tables.sides import Missing, TableSide
from capacity.runtime.threefry import parts_of

if TYPE_CHECKING:
    import xarray as xr

PairTest: TypeAlias = Callable[[jax.Array, np.ndarray, np.ndarray], float]
"""A p-value of "x and y are independent", from a key and checked arrays x (n, 1) and y (n, 1)."""


def pairwise(
    key: Seed,
    table: Tabular,
    method: str | Estimator = "auto",
    names: Sequence[str] | None = None,
    *,
    target: str | int | None = None,
    missing: Missing = "refuse",
    test: PairTest | Literal[True] | None = None,
    progress: Progress | Literal[True] | None = None,
) -> xr.Dataset:
    """Information between every two columns of a table, in bits, or between each column and a target.

    A column that no method can take (constant, without values, of dates) has NaN and a note, as has a pair that the
    method refuses: the other pairs go on.

    Args:
        key: a key or a seed; every pair of columns gets a key of its own from it.
        table: shape (n, columns), or a data frame, or a mapping of names to columns.
        method: as in `estimate`.
        names: of the columns; by default a frame's own, else their numbers.
        target: the name of a column (of an array, its number); then the others are ranked by what they say about it.
        missing: "refuse" columns with missing values, before any work, or "drop", for each pair of columns, the rows
            in which one of them has none.
        test: a test of independence, for `p_value` and, for their number, `q_value`; True is `permutation_test`.
        progress: called with the share done and the pair; True shows a bar.

    Returns:
        `bits`, `low`, `high`, `normalised` (NaN between real columns), `n`, `bound` (what the figure is to the
        truth), `saturated`, `note` and with a test `p_value` and `q_value` over dims `column, other`, symmetric, NaN on
        the diagonal (a real column holds infinitely many bits about itself); with a target over `column`, the most bits
        first.  `kind` says what each column was taken as.

    Raises:
        ValueError: for fewer than two columns, an unknown or unfit target, missing values, and where the method
            refuses every pair.
    """
    estimator, key, test = by_name(method), as_key(key), _permutations if test is True else test
    columns = named_columns(table, names, missing)
    labels = [column.name for column in columns]
    if target is None:
        check_pairs(len(columns))
        pairs = list(combinations(range(len(columns)), 2))
    else:
        j = target_of(columns, str(target))
        pairs = [(i, j) for i in range(len(columns)) if i != j]
    report = reporter(progress)
    found: dict[tuple[int, int], PairFigures] = {}
    for done, (pair_key, (i, j)) in enumerate(zip(parts_of(key, len(pairs)), pairs, strict=True), 1):
        found[i, j] = _figures(pair_key, estimator, columns[i], columns[j], test)
        if report is not None:
            report(done / len(pairs), f"{labels[i]} and {labels[j]}")
    _refuse_if_nothing_was_found(found, columns)
    if target is None:
        dataset = matrix_of(columns, found)
    else:
        dataset = ranking_of(columns, found).assign_attrs(target=str(target), target_kind=columns[j].kind)
    dataset = dataset.assign_attrs(method=estimator.name)
    return dataset.drop_vars("p_value") if test is None else with_q_values(dataset)


def _figures(
    key: jax.Array, estimator: Estimator, first: NamedColumn, second: NamedColumn, test: PairTest | None
) -> PairFigures:
    """Of two columns; a refusal becomes a note."""
    for unfit in (first, second):
        if unfit.note or unfit.column is None:
            return PairFigures(note=unfit.note)
    one, other = first.column, second.column
    assert one is not None and other is not None, "columns that are none have a note"
    kept = np.ones(len(one.values), bool)
    for column in (one, other):
        if column.missing is not None:
            kept &= ~column.missing
    x, y = (TableSide(c.column.values[kept, None], (c.name,)) for c in (first, second) if c.column is not None)
    n = int(kept.sum())
    try:
        found = estimator(key, x, y)
        p_value = np.nan if test is None else test(jax.random.fold_in(key, 1), *checked(x, y, "any"))
    except ValueError as refusal:
        return PairFigures(n=n, note=f"Columns {first.name!r} (x) and {second.name!r} (y): {refusal}")
    sides = [side.values for side, c in ((x, one), (y, other)) if c.kind != "real"]
    entropy = min((plug_in(np.unique(side, return_counts=True)[1]) / NATS_PER_BIT for side in sides), default=np.nan)
    bits, low, high = float(found.bits), float(found.low), float(found.high)
    share = bits / entropy if entropy else np.nan
    return PairFigures(bits, low, high, share, p_value, n, found.kind, bool(found.saturated))


def _refuse_if_nothing_was_found(found: dict[tuple[int, int], PairFigures], columns: Sequence[NamedColumn]) -> None:
    """A method that takes no pair of the table is refused in its own words."""
    fit = {pair: figures for pair, figures in found.items() if all(columns[i].kind != "unfit" for i in pair)}
    if fit and all(figures.note for figures in fit.values()):
        raise ValueError(next(iter(fit.values())).note)


def _permutations(key: jax.Array, x: np.ndarray, y: np.ndarray) -> float:
    return permutation_test(key, x, y).p_value
