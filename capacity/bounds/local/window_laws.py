"""The law of every unit given what lies in the slots: its code for all 2^slots patterns, or mean and variance.

One message lists them for all units at once, each digit as its slot says: no two digits of a unit's window lie in the
same slot.  Where windows leave digits out, messages in which digits are flipped at random besides give every pattern
with others outside of it: the mean and variance over these are those of the unit given its window.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from capacity.bounds.local.coded import CodedMessages
from capacity.bounds.local.frontier import Frontier
from capacity.channels.channel import Code

FILLS = 4  # messages outside of a window, where it leaves digits out
LISTED = 2**10  # patterns encoded in one call


class WindowLaws(NamedTuple):
    """Of each step's unit, for all patterns; one of both.

    Attributes:
        codes: leaves (steps, patterns): where windows leave no digit out.
        moments: mean and variance of the noisy unit, each (steps, patterns): where they do.
    """

    codes: Code | None
    moments: tuple[Float[np.ndarray, "steps patterns"], Float[np.ndarray, "steps patterns"]] | None


def list_windows(key: jax.Array, encoded: CodedMessages, frontier: Frontier) -> WindowLaws:
    """The laws by what the encoder gives.

    Args:
        key: of what lies outside of windows.
        encoded: the code.
        frontier: where digits lie.
    """
    if frontier.exact:
        codes = _listed(encoded, frontier, np.zeros(len(frontier.slot), np.int8))
        return WindowLaws(codes, None)
    first = second = np.zeros(())
    variance = np.zeros(())
    for fill in range(FILLS):
        flips = encoded.messages(jax.random.fold_in(key, fill), 1)[0].astype(np.int8)
        means, noise = _moments(encoded, _listed(encoded, frontier, flips))
        means = _aligned(means, frontier, flips)
        first, second = first + means / FILLS, second + np.square(means) / FILLS
        variance = variance + _aligned(noise, frontier, flips) / FILLS
    # Patterns in slots that the unit does not depend on are one: others' digits lie there.
    first, second, variance = (_over_others(part, frontier) for part in (first, second, variance))
    spread = np.maximum(second - np.square(first), 0.0) * (1 + 1 / FILLS)
    return WindowLaws(None, (first.astype(np.float32), (variance + spread).astype(np.float32)))


def _listed(encoded: CodedMessages, frontier: Frontier, flips: np.ndarray) -> Code:
    """Codes, leaves (steps, patterns), of messages with each digit as its slot says, and some flipped."""
    count = 2**frontier.slots
    tables: list[np.ndarray] = []
    structure = None
    for at in range(0, count, LISTED):
        patterns = np.arange(at, min(at + LISTED, count))
        digits = (patterns[:, None] >> np.maximum(frontier.slot, 0)) & (frontier.slot >= 0)
        leaves, structure = jax.tree.flatten(encoded.codes(digits.astype(np.int8) ^ flips))
        tables = tables or [np.empty((len(frontier.units), count), leaf.dtype) for leaf in leaves]
        for table, leaf in zip(tables, leaves, strict=True):
            table[:, at : at + len(patterns)] = leaf[:, frontier.units].T
    code: Code = jax.tree.unflatten(structure, tables)
    return code


def _moments(encoded: CodedMessages, codes: Code) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of noisy units by their codes, of any shape."""
    shape = jax.tree.leaves(codes)[0].shape
    flat = jax.tree.map(lambda leaf: jnp.asarray(leaf.reshape(-1)), codes)
    mean, variance = (np.asarray(part).reshape(shape) for part in encoded.joint.channel.moments(flat))
    return mean, variance


def _aligned(table: np.ndarray, frontier: Frontier, flips: np.ndarray) -> np.ndarray:
    """A table by what the digits of each window are, given that by what they were before some were flipped."""
    window = np.where(frontier.near, flips[np.maximum(frontier.digits, 0)], 0).astype(np.int64)
    moved = (window << np.arange(frontier.slots)).sum(1)
    found: np.ndarray = np.take_along_axis(table, np.arange(table.shape[1])[None] ^ moved[:, None], axis=1)
    return found


def _over_others(table: np.ndarray, frontier: Frontier) -> np.ndarray:
    """The mean over all slots that a unit does not depend on."""
    steps = len(table)
    for slot in range(frontier.slots):
        pair = table.reshape(steps, -1, 2, 2**slot)
        mean = pair.mean(2, keepdims=True)
        table = np.where(frontier.near[:, slot, None, None, None], pair, mean).reshape(steps, -1)
    return table
