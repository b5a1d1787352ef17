"""Rows from a loader through an encoder, batch by batch, and what must hold of them; knows no framework.

Of the first batch three passes are had: two must agree, or the encoder is random; and its second half alone must say
the same, or rows decide about each other (batch statistics), or their places do (noise of a fixed seed).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np

from capacity.frameworks.batches import Call, Inputs, batches_of, call_of
from capacity.runtime.progress import Progress
from capacity.runtime.tables.posterior_arrays import CODES, PosteriorArrays

Read: TypeAlias = Callable[[Call], PosteriorArrays]
"""From what the encoder is called with to the posteriors of a batch."""
Blame: TypeAlias = Callable[[Call], list[str]]
"""Which parts of the encoder are random, seen on a batch."""
TOLERANCE = 1e-2  # of an array's spread over rows: other kernels may round otherwise, dropout moves more
FLIPPED = 0.01  # of codes: near ties


def collect_rows(
    loader: Iterable[object],
    read: Read,
    blame: Blame,
    inputs: Inputs | None = None,
    points: int | None = None,
    report: Progress | None = None,
) -> PosteriorArrays:
    """The posteriors of all rows of a loader, one after another.

    Args:
        loader: batches, in whatever order.
        read: from the inputs of a batch to its posteriors.
        blame: names of what is random in the encoder.
        inputs: which part of a batch the encoder takes.
        points: how many rows suffice; None for all.
        report: called with the share that is done.

    Raises:
        ValueError: for a loader without batches, rows that are lost, shapes or laws that change, numbers that are not
            finite (saying in which batch), and encoders that are random or mix rows.
    """
    found: list[PosteriorArrays] = []
    batches, count = batches_of(loader)
    rows = 0
    for number, batch in enumerate(batches):
        try:
            call = call_of(batch, inputs)
            one = read(call)
        except Exception as error:
            error.add_note(f"In batch {number} of the loader (counted from 0).")
            raise
        _check_batch(one, call, number)
        if not found:
            _check_encoder(one, call, read, blame)
        else:
            _check_like(one, found[0], number)
        found.append(one)
        rows += one.points
        if report is not None and count:
            report(min((number + 1) / count, 1.0), f"{rows:,} points encoded")
        if points is not None and rows >= points:
            break
    if not found:
        raise ValueError(
            "Expected at least one batch; got none. Is it a generator or an iterator that was used up? Give the loader."
        )
    arrays = {name: np.concatenate([one.arrays[name] for one in found])[:points] for name in found[0].arrays}
    return PosteriorArrays(found[0].law, arrays, found[0].given)


def _check_batch(one: PosteriorArrays, call: Call, number: int) -> None:
    """A finite row for each input."""
    for name, array in one.arrays.items():
        if call.rows is not None and len(array) != call.rows:
            raise ValueError(
                f"Expected a row of {name} for each of the {call.rows} inputs of batch {number}; got {array.shape}."
            )
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            row, *place = np.argwhere(~np.isfinite(array))[0].tolist()
            raise ValueError(
                f"Expected finite {name}; got {array[(row, *place)]} in batch {number}, row {row}, unit "
                f"{', '.join(map(str, place))}."
            )


def _check_like(one: PosteriorArrays, first: PosteriorArrays, number: int) -> None:
    """The same law and units as in the first batch."""
    if one.arrays.keys() != first.arrays.keys():
        raise ValueError(
            f"Expected {', '.join(first.arrays)} of every batch, as of the first; got {', '.join(one.arrays)} of batch "
            f"{number}."
        )
    for name, array in one.arrays.items():
        if array.shape[1:] != first.arrays[name].shape[1:]:
            raise ValueError(
                f"Expected {name} of one shape in every batch; got {first.arrays[name].shape} of batch 0 and "
                f"{array.shape} of batch {number}. Codes of sequences need one length: pad or cut them."
            )


def _check_encoder(one: PosteriorArrays, call: Call, read: Read, blame: Blame) -> None:
    again = read(call)
    name = differing(one, again)
    if name:
        parts = ", ".join(blame(call)) or "no submodule: it draws by itself"
        raise ValueError(
            f"Expected the same {name} from two passes in evaluation mode; got others. Random is {parts}. Switch "
            "it off, or take what comes before it: the posterior's noise is not to be drawn here."
        )
    rows = one.points // 2
    half = call.last(rows)
    if half is None or one.points < 4:
        return
    alone = read(half)
    cut = PosteriorArrays(one.law, {n: a[one.points - rows :] for n, a in one.arrays.items()}, one.given)
    name = differing(cut, alone)
    if name:
        raise ValueError(
            f"Expected {name} of a row to depend on that row; got others for the second half of a batch alone. Batch "
            "statistics in evaluation mode (BatchNorm without running ones) make the code of a point depend on others, "
            "and noise of a fixed seed or key on its place: the posterior's noise is not to be drawn here."
        )


def differing(first: PosteriorArrays, second: PosteriorArrays) -> str | None:
    """The name of an array that is another one, beyond what rounding does; None if there is none.

    Args:
        first, second: of the same rows.
    """
    for name, array in first.arrays.items():
        other = second.arrays.get(name)
        if other is None or other.shape != array.shape:
            return name
        if first.law == CODES:
            if (array != other).mean() > FLIPPED:
                return name
            continue
        scale = max(float(np.std(array)), 1e-3 * float(np.abs(array).max(initial=0)), 1e-12)
        if np.abs(array - other).max(initial=0) > TOLERANCE * scale:
            return name
    return None
