"""Which digits move which units, found by flipping them: many at once wherever no unit can be moved by two of them.

Some digits of a block are flipped first, one block at a time (not all of them: a parity of two would not move), then
single digits, all those together whose blocks move no unit in common: a code of k digits with short windows takes some
hundred flips, not k.  What is found is a guess: a rare message may do otherwise.  Nothing that is promised rests on it,
only how close bounds come.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float, Int

from capacity.bounds.local.coded import CodedMessages

PROBES = 8  # messages
BLOCK_PROBES = 24  # messages, and halves of each block: a parity is missed with probability 2^-24
BLOCKS = 64  # of digits
DENSE = 0.25  # a unit moved by more of the blocks than this on average has no window
MAX_FLIPS = 2**11  # together, of single digits
TOGETHER = 32  # flips encoded in one call
ROUNDING = 1e-5  # of a unit's size: a change by less is none


class ReceptiveFields(NamedTuple):
    """Pairs of a unit and a digit that moves it, in order of units.

    Attributes:
        unit, digit: (pairs,).
        power: (pairs,), mean square of what the flip changes in the unit's mean.
        digits, units: how many there are.
    """

    unit: Int[np.ndarray, " pairs"]
    digit: Int[np.ndarray, " pairs"]
    power: Float[np.ndarray, " pairs"]
    digits: int
    units: int

    @property
    def pairs(self) -> int:
        """How many pairs of a unit and a digit there are."""
        return len(self.unit)

    def chosen(self, which: Bool[np.ndarray, " pairs"]) -> ReceptiveFields:
        """What is left where only these pairs are kept."""
        return self._replace(unit=self.unit[which], digit=self.digit[which], power=self.power[which])


def find_fields(key: jax.Array, encoded: CodedMessages) -> ReceptiveFields | None:
    """The pairs found at some messages; None where units depend on digits all over, or are no numbers.

    Args:
        key: of the messages.
        encoded: the code.
    """
    key_blocks, key_digits, key_halves = jax.random.split(key, 3)
    messages = encoded.messages(key_blocks, BLOCK_PROBES)
    means = encoded.means(messages)
    if not np.isfinite(means).all():
        return None
    rounding = ROUNDING * np.abs(means).max(0)
    digits, units = messages.shape[1], means.shape[1]
    block_of = np.arange(digits) * BLOCKS // digits if digits > BLOCKS else np.arange(digits)
    halves = np.asarray(jax.random.bernoulli(key_halves, 0.5, messages.shape)) if digits > BLOCKS else True
    flips = np.stack([(block_of == block)[None] & halves for block in np.unique(block_of)])
    coarse = np.concatenate([moved.max(1) for moved in _moved(encoded, messages, means, flips)]) > rounding
    if digits > BLOCKS and coarse.mean() > DENSE:
        return None
    messages = encoded.messages(key_digits, PROBES)
    means = encoded.means(messages)
    flips, owners = _single_flips(block_of, coarse, _colours(coarse))
    if len(flips) > MAX_FLIPS:
        return None
    found, at = [], 0
    for changed in _moved(encoded, messages, means, flips):
        for moved, digit_of in zip(changed, owners[at : at + len(changed)], strict=True):
            units_moved = np.flatnonzero((moved.max(0) > rounding) & (digit_of >= 0))
            found.append((units_moved, digit_of[units_moved], np.square(moved[:, units_moved]).mean(0)))
        at += len(changed)
    unit, digit, power = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((digit, unit))
    return ReceptiveFields(unit[order], digit[order], power[order], digits, units)


def _single_flips(
    block_of: Int[np.ndarray, " digits"], coarse: Bool[np.ndarray, "blocks units"], colours: Int[np.ndarray, " blocks"]
) -> tuple[Bool[np.ndarray, "flips one digits"], Int[np.ndarray, "flips units"]]:
    """Digits that are flipped together, and the one of them that may move each unit; -1 where none may."""
    flips, owners = [], []
    for colour in np.unique(colours):
        blocks = np.flatnonzero(colours == colour)
        owner = np.where(coarse[blocks].any(0), coarse[blocks].argmax(0), len(blocks))
        members = [np.flatnonzero(block_of == block) for block in blocks]
        for place in range(max(map(len, members))):
            flipped = np.array([*(part[place] if place < len(part) else -1 for part in members), -1])
            flips.append(np.isin(np.arange(len(block_of)), flipped)[None])
            owners.append(flipped[owner])
    return np.stack(flips), np.stack(owners)


def _moved(
    encoded: CodedMessages, messages: np.ndarray, means: np.ndarray, flips: Bool[np.ndarray, "flips any digits"]
) -> Iterator[Float[np.ndarray, "some messages units"]]:
    """By how much each of the flips moves each unit at each message, some flips at a time."""
    for at in range(0, len(flips), TOGETHER):
        flipped = messages[None] ^ flips[at : at + TOGETHER].astype(messages.dtype)
        moved = encoded.means(flipped.reshape(-1, messages.shape[1])).reshape(*flipped.shape[:2], -1)
        yield np.abs(moved - means[None])


def _colours(coarse: Bool[np.ndarray, "blocks units"]) -> Int[np.ndarray, " blocks"]:
    """A number for each block, the same only where no unit is moved by both; the first that is free."""
    common = coarse.astype(np.float32) @ coarse.T.astype(np.float32) > 0
    colours = np.full(len(coarse), -1)
    for block in range(len(coarse)):
        taken = set(colours[common[block]])
        colours[block] = next(colour for colour in range(len(coarse)) if colour not in taken)
    return colours
