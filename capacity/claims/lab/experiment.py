"""What the experiments of claims share: lanes of one compiled program, in parts that are kept, and labelled data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from capacity.claims import answers as statistics
from capacity.claims.claim import Context
from capacity.claims.prediction import Answer
from capacity.training import sweep
from capacity.training.lanes import CompiledProgram

Lane: TypeAlias = Mapping[str, jax.Array]
"""What one training of many is given: a key, a level and the like, by name."""
LaneFigures: TypeAlias = dict[str, jax.Array]
"""What one training gives: named arrays."""
Figures: TypeAlias = Mapping[str, np.ndarray]
"""Named arrays of all trainings."""
LanesT = TypeVar("LanesT")
SharedT = TypeVar("SharedT")


def run_lanes(
    context: Context,
    name: str,
    lane: Callable[[LanesT, SharedT], LaneFigures],
    lanes: LanesT,
    shared: SharedT = (),  # type: ignore[assignment]  # nothing
    *,
    group: int = 16,
    span: tuple[float, float] = (0.0, 1.0),
) -> dict[str, np.ndarray]:
    """All lanes through one program, compiled once; each group of them is a part that an interrupted run finds again.

    Args:
        context: of the claim's run; says where parts are kept, and is told of progress.
        name: common name of the parts.
        lane: `lane(one, shared) -> named arrays`, traceable.
        lanes: a pytree whose leaves have a leading axis of lanes.
        shared: what every lane is given as it is.
        group: lanes of a part.
        span: from where to where the progress of these lanes runs.

    Returns:
        Every named array with a leading axis of lanes.
    """
    count = jax.tree.leaves(lanes)[0].shape[0]
    found = []

    @cache
    def program() -> CompiledProgram:  # not compiled where all parts are found
        return sweep(lane).lower(lanes, shared).compile()

    for start in range(0, count, group):
        here = jax.tree.map(lambda leaf, start=start: leaf[start : start + group], lanes)

        def make(here: LanesT = here) -> LaneFigures:
            arrays: LaneFigures = program()(here, shared)
            return arrays

        context.progress(span[0] + (span[1] - span[0]) * start / count, f"{name}, {start} of {count} lanes")
        found.append(context.part(f"{name}-{start:04d}", make))
    return {key: np.concatenate([part[key] for part in found]) for key in found[0]}


def grid(**axes: Sequence[float]) -> dict[str, np.ndarray]:
    """Every combination of the axes' values as lanes, the last axis fastest: arrays of one length, by name."""
    meshes = np.meshgrid(*[np.asarray(values) for values in axes.values()], indexing="ij")
    return {name: mesh.ravel() for name, mesh in zip(axes, meshes, strict=True)}


def keys_of(key: jax.Array, numbers: np.ndarray) -> jax.Array:
    """A key for every lane from its number; lanes of one number share it, and with it their data."""
    return jax.vmap(lambda n: jax.random.fold_in(key, n))(jnp.asarray(numbers, jnp.uint32))


def labelled(
    dims: str | tuple[str, ...], values: ArrayLike, long_name: str, units: str = "bits"
) -> tuple[str | tuple[str, ...], np.ndarray, dict[str, str]]:
    """A variable of a dataset, as xarray takes it.

    Args:
        dims: names of its axes.
        values: of as many axes.
        long_name: what it is, in words.
        units: "1" for a plain number.
    """
    return dims, np.asarray(values), {"long_name": long_name, "units": units}


def intervals(runs: ArrayLike, miss_rate: float = 0.05) -> dict[str, np.ndarray]:
    """Means over the last axis, of independent runs, and the ends of their intervals: `value`, `low`, `high`."""
    values = np.asarray(runs)
    each = [statistics.mean(row, miss_rate) for row in values.reshape(-1, values.shape[-1])]
    return {
        end: np.array([getattr(answer, end) for answer in each]).reshape(values.shape[:-1])
        for end in ("value", "low", "high")
    }


def exact(value: float, n: int = 1) -> Answer:
    """A figure without uncertainty: a closed form, or a quadrature."""
    return Answer(value, value, value, n)


def shifted(answer: Answer, by: float) -> Answer:
    """The answer with a constant added."""
    return answer._replace(value=answer.value + by, low=answer.low + by, high=answer.high + by)


def rescaled(answer: Answer, factor: float) -> Answer:
    """The answer in another unit, `factor` > 0 of them in one."""
    return answer._replace(value=answer.value * factor, low=answer.low * factor, high=answer.high * factor)
