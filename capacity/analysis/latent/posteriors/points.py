"""A posterior of each of N points: the noise as a channel, and the code that each point sends through it.

All that is asked of a posterior is that it draws a noisy code and tells the log density of any code under any point's
parameters: `Channel.__call__` and `Channel.log_prob`.  Where entropy and moments are known too, less is left to chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import jax
import numpy as np
from numpy.typing import ArrayLike

from capacity.channels import Channel, Code
from capacity.joint.checks import check_channel
from capacity.joint.table import MAX_LISTED
from capacity.runtime.tables.posterior import check_magnitude

Space: TypeAlias = Literal["real", "sphere", "atoms"]
"""Where codes lie, and so what densities are with respect to: Lebesgue's measure, that of the sphere, or counting."""


TableLeaf: TypeAlias = Any
"""An array of NumPy in float64, which stands as a leaf where JAX's are told: those would round it to float32."""


@dataclass(frozen=True)
class Posteriors:
    """q(z|i) of points i = 1..N.

    Attributes:
        channel: its noise, for one point.
        codes: what `channel` takes, leaves (N, ...), the last axis of each being units unless the channel has memory.
        space: where codes lie.
        levels: how many units each level has, in order; empty where there is one.
        sliced: whether the last axis of every leaf of the codes is units, so that some of them are a code too.

    Raises:
        ValueError: for fewer than two points, leaves of different lengths, or parameters that are not finite.
    """

    channel: Channel
    codes: Code
    space: Space = "real"
    levels: tuple[int, ...] = ()
    sliced: bool = True

    def __post_init__(self) -> None:
        check_channel(self.channel)
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(self.codes)]
        lengths = sorted({leaf.shape[0] if leaf.ndim else 0 for leaf in leaves})
        if len(lengths) != 1 or not 2 <= lengths[0] <= MAX_LISTED:
            raise ValueError(f"Expected parameters of 2 to {MAX_LISTED:,} points, a row for each; got {lengths} rows.")
        for leaf in leaves:
            if leaf.dtype.kind == "f" and not np.isfinite(leaf).all():
                row = int(np.argwhere(~np.isfinite(leaf))[0][0])
                raise ValueError(f"Expected finite parameters of posteriors; got some that are not in row {row}.")
        if self.levels and sum(self.levels) != self.units:
            raise ValueError(f"Expected levels of {self.units} units in all; got {list(self.levels)}.")

    @property
    def count(self) -> int:
        """N, how many points there are."""
        return len(jax.tree.leaves(self.codes)[0])

    @property
    def units(self) -> int:
        """How many numbers a noisy code has."""
        one = jax.tree.map(lambda leaf: np.asarray(leaf)[0], self.codes)
        shape = jax.eval_shape(self.channel, jax.random.key(0), one)
        return int(shape.shape[0])


def real_table(array: ArrayLike, name: str, axes: int = 2) -> TableLeaf:
    """An array of so many axes, N first, as float64.

    Raises:
        ValueError: for other shapes, and numbers that are not real, not finite or too large.
    """
    table = np.asarray(array)
    if table.dtype.kind not in "fiu" or table.ndim != axes or 0 in table.shape:
        raise ValueError(f"Expected {name} as real numbers of {axes} axes, N first; got {table.dtype} {table.shape}.")
    table = table.astype(np.float64)
    if not np.isfinite(table).all():
        raise ValueError(f"Expected finite {name}; got {table[~np.isfinite(table)][0]}.")
    check_magnitude(table, name)
    return table


def same_shape(one: TableLeaf, other: TableLeaf, names: str) -> None:
    """Refuse two tables of different shapes.

    Raises:
        ValueError: naming both.
    """
    if one.shape != other.shape:
        raise ValueError(f"Expected {names} of one shape; got {one.shape} and {other.shape}.")


def positive(table: TableLeaf, name: str) -> TableLeaf:
    """The table, all of it above 0.

    Raises:
        ValueError: saying what was found.
    """
    if not (table > 0).all():
        raise ValueError(f"Expected {name} above 0; got {table.min():.4g}.")
    return table
