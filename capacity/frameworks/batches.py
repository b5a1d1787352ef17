"""Batches of a data loader: which part of one is the encoder's input, and how many rows it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import TypeAlias, TypeGuard

import numpy as np

from capacity.runtime.names import check_name, listed
from capacity.runtime.tables.foreign import is_of

BATCH = 256

Inputs: TypeAlias = str | int | Sequence[str]
"""Which part of a batch goes into the encoder: a name, a place, or several names, which are then keywords."""


@dataclass(frozen=True)
class Call:
    """What an encoder is called with for one batch."""

    args: tuple[object, ...]
    keywords: dict[str, object]

    @property
    def rows(self) -> int | None:
        """How many data points there are; None where no input says it."""
        return next((count for count in map(_rows, self._parts()) if count is not None), None)

    def placed(self, place: Callable[[object], object]) -> Call:
        """The same on the module's device, as `place` puts each array."""
        args = tuple(_each(part, place) for part in self.args)
        return Call(args, {name: _each(part, place) for name, part in self.keywords.items()})

    def last(self, rows: int) -> Call | None:
        """The last rows alone; None where an input is no array of as many rows as all others."""
        parts = self._parts()
        if not all(is_array(part) and _rows(part) == self.rows for part in parts) or self.rows is None:
            return None
        return self.placed(lambda part: part[len(part) - rows :] if is_array(part) else part)

    def _parts(self) -> list[object]:
        return [*self.args, *self.keywords.values()]


def is_array(given: object) -> TypeGuard[np.ndarray]:
    """Whether it is an array of NumPy, PyTorch or JAX, to be asked for its rows; nothing is imported to tell."""
    tensor = any((kind.__module__, kind.__name__) == ("torch", "Tensor") for kind in type(given).__mro__)
    return tensor or isinstance(given, np.ndarray) or is_of(given, "jax") or is_of(given, "jaxlib")


def _each(part: object, place: Callable[[object], object]) -> object:
    """`place` of each array, also in parts of parts."""
    if type(part) is tuple:
        return tuple(_each(one, place) for one in part)
    if type(part) is list:
        return [_each(one, place) for one in part]
    if type(part) is dict:
        return {name: _each(one, place) for name, one in part.items()}
    return place(part)


def _rows(part: object) -> int | None:
    """How many there are; None of what has no length, or keeps it to itself, as a loader of a stream does.

    Parts by their names have as many as the first; several arrays may be parts or rows, which is left open.
    """
    if isinstance(part, Mapping):
        return next(map(_rows, part.values()), None)
    if isinstance(part, tuple | list) and any(map(is_array, part)):
        return None
    try:
        return len(part) if isinstance(part, Sized) else None
    except TypeError:
        return None


def batches_of(loader: Iterable[object]) -> tuple[Iterator[object], int | None]:
    """The batches of a loader, and how many if it says so; an array of all data points is cut into some.

    Raises:
        TypeError: for what is no iterable.
    """
    count = len(loader) if isinstance(loader, tuple | list) else _rows(loader)
    if is_array(loader) and count is not None:
        starts = range(0, count, BATCH)
        return (loader[start : start + BATCH] for start in starts), len(starts)
    if is_array(loader) or not isinstance(loader, Iterable):
        raise TypeError(f"Expected a data loader, or any iterable of batches; got {type(loader).__name__}.")
    return iter(loader), count


def call_of(batch: object, inputs: Inputs | None) -> Call:
    """What the encoder is called with: an array as it is, of a tuple the first, of a mapping what `inputs` names.

    Args:
        batch: as the loader gives it.
        inputs: a name or place in the batch; several names are handed over as keywords.

    Raises:
        TypeError, ValueError: for a mapping of several parts without a name, and for a name or place that is not there.
    """
    if inputs is not None and not isinstance(inputs, str | int | Sequence):
        raise TypeError(f"Expected inputs as a name, a place, or several names; got {type(inputs).__name__}.")
    if isinstance(batch, Mapping):
        if inputs is None and len(batch) == 1:
            return Call(tuple(batch.values()), {})
        if inputs is None:
            raise ValueError(
                f"Expected inputs=NAME, which of the batch's parts the encoder takes; it has {listed(batch)}."
            )
        names = [inputs] if isinstance(inputs, str | int) else inputs
        for name in names:
            if name not in batch:
                check_name(name, list(map(str, batch)), "inputs")
        if isinstance(inputs, str | int):
            return Call((batch[inputs],), {})
        return Call((), {name: batch[name] for name in inputs})
    if isinstance(batch, tuple | list):
        place = 0 if inputs is None else inputs
        if not isinstance(place, int) or not -len(batch) <= place < len(batch):
            raise ValueError(f"Expected inputs as a place in a batch of {len(batch)} parts; got {inputs!r}.")
        return Call((batch[place],), {})
    if inputs is not None:
        raise ValueError(f"Expected batches with parts for inputs={inputs!r}; got {type(batch).__name__}.")
    return Call((batch,), {})
