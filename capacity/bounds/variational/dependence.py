"""Which units depend on which digits, and how: flips of single digits, at messages of a sample.

A unit takes two values by the parity of some digits, or it is a function of some digits, or of too many.  What is found
is a guess, since a rare message may do otherwise: nothing that is promised rests on it, only how close bounds come.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Bool

from capacity.bounds.variational.judged import draw_messages, encode
from capacity.joint.joint import Joint
from capacity.runtime.shapes import Key

MAX_PROBED = 2**15  # codes
MIN_MESSAGES, MAX_MESSAGES = 8, 64
ROUNDING = 1e-5  # of a unit's size: a change by less is none


class Dependence(NamedTuple):
    """What flips of digits do to units.

    Attributes:
        moved: whether a flip of the digit moved the unit at any message.
        parity: whether the unit takes two values, by the parity of the digits that move it.
    """

    moved: Bool[np.ndarray, "units digits"]
    parity: Bool[np.ndarray, " units"]


def find_dependence(key: Key, joint: Joint) -> Dependence | None:
    """Flip every digit at some messages; None where the digits are too many.

    Args:
        key: of the messages.
        joint: of a discrete source and a memoryless channel.
    """
    digits = joint.source.message_dim
    count = min(MAX_PROBED // (digits + 1), MAX_MESSAGES)
    if count < MIN_MESSAGES:
        return None
    messages = draw_messages(key, joint, count)
    flipped = np.repeat(messages[:, None], digits + 1, axis=1)
    flipped[:, np.arange(digits), np.arange(digits)] ^= 1
    leaves = [
        np.asarray(leaf, np.float64).reshape(count, digits + 1, -1)
        for leaf in jax.tree.leaves(encode(joint, flipped.reshape(-1, digits)))
    ]
    units = leaves[0].shape[-1]
    changed, binary = np.zeros((count, digits, units), bool), np.ones(units, bool)
    sides = []
    for leaf in leaves:  # the last of a message's codes is its own
        rounding = ROUNDING * np.abs(leaf).max((0, 1))
        changed |= np.abs(leaf[:, :-1] - leaf[:, -1:]) > rounding
        low, high = leaf.min((0, 1)), leaf.max((0, 1))
        binary &= (np.minimum(np.abs(leaf - low), np.abs(leaf - high)) <= rounding).all((0, 1))
        sides.append(leaf[:, -1] > (low + high) / 2)
    moved = np.asarray(changed.any(0)).T
    parity = binary & (changed.all(0) == changed.any(0)).all(0)
    expected = (messages.astype(np.int64) @ moved.T.astype(np.int64)) & 1 == 1  # also far from one another
    for leaf, side in zip(leaves, sides, strict=True):
        still = np.ptp(leaf, axis=(0, 1)) <= ROUNDING * np.abs(leaf).max((0, 1))
        parity = parity & (still | (side == expected).all(0) | (side != expected).all(0))
    return Dependence(moved, parity)
