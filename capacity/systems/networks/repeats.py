"""Whether a module's code of an item is that item's alone: the same at each call, and whatever stands beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

REPEAT_TOLERANCE = 1e-3  # of the spread of what comes out: rounding stays below, noise and batch statistics do not
ROUNDING = 1e-6
TWICE = 2  # items that are asked for again


def check_repeats(
    name: str, alone: Callable[..., jax.Array], together: Callable[..., jax.Array] | None, items: tuple[jax.Array, ...]
) -> None:
    """Hold a module in evaluation mode against itself.

    Args:
        name: of the network.
        alone: what it makes of one item.
        together: what it makes of a batch; None of a module that takes none.
        items: a batch of arrays, not traced.

    Raises:
        ValueError: for what is not finite, differs from call to call, or depends on the other items.
    """
    first = np.asarray(jax.lax.map(lambda item: alone(*item), items))
    again = np.asarray(jnp.stack([alone(*(array[row] for array in items)) for row in range(TWICE)]))
    if not np.isfinite(first).all():
        raise ValueError(f"Expected finite numbers from {name} with fresh parameters; got {_some(first)}.")
    if _differ(first[:TWICE], again):
        raise ValueError(
            f"Expected {name} to give the same for the same input in evaluation mode; got another at the second call. "
            "Let `eval()` switch its noise off; noise that should stay belongs to the channel."
        )
    if together is not None and _differ(first, np.asarray(together(*items))):
        raise ValueError(
            f"Expected {name} in evaluation mode to make of an item what it makes of it in a batch; got otherwise. "
            "Statistics of the batch (x.mean(0), BatchNorm without running averages) and noise of a fixed key make a "
            "code depend on its neighbours: use nnx.BatchNorm, or normalise over the entries of one vector."
        )


def _differ(one: np.ndarray, other: np.ndarray) -> bool:
    scale = max(float(np.std(one)), ROUNDING * float(np.abs(one).max(initial=0)), ROUNDING)
    return bool(np.abs(one.astype(np.float64) - other.astype(np.float64)).max(initial=0) > REPEAT_TOLERANCE * scale)


def _some(array: np.ndarray) -> Any:
    return array[~np.isfinite(array)].flat[0]
