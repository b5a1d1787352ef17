"""Which digits of a message act on the code together: blocks, so that the code is nearly a sum over blocks.

Digits i and j do not interact where flipping i leaves the effect of j as it was.  One gradient of a random projection
of the code, taken again after each flip, shows every interaction at the price of one gradient a digit; where the
embedding has no gradient, second differences show them.  Nothing that is promised rests on what is found here: blocks
decide how close an approximation is, and bounds hold for any.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import jax
import numpy as np
from jaxtyping import Int

from capacity.bounds.posterior.overlaps import CODE_BATCH, each_flipped
from capacity.joint.joint import as_tree, drawn
from capacity.runtime.shapes import Key

if TYPE_CHECKING:
    from synthetic.source import Source

MeanCode: TypeAlias = Callable[[jax.Array], jax.Array]
"""From digits (k,) as float32 to the mean of the noisy units (units,)."""
PROBES = 4  # messages at which interactions are looked for
INTERACTION_TOLERANCE = 0.02  # an interaction counts where it changes an effect's energy by this part
MAX_BLOCK_BITS = 8  # the most digits of a block whose states are listed
FILLED_BITS = 4  # digits that do not interact share blocks of this many, which mix faster than one by one
MAX_DIFFERENCED = 256  # digits for which second differences, one code a pair, are affordable


def find_blocks(
    key: Key, source: Source, code: MeanCode, block_bits: int = MAX_BLOCK_BITS
) -> Int[np.ndarray, "blocks size"]:
    """Positions of the digits in blocks, shape (blocks, size) int32; a place that no digit fills holds k.

    Args:
        key: of the messages at which interactions are looked for.
        source: a discrete source.
        code: mean of the noisy units from the digits.
        block_bits: the most digits in a block.
    """
    code = as_tree(code)
    messages = np.asarray(drawn(source, key, PROBES).message, np.float32)
    interaction, effects = _interactions(jax.random.split(key, 2)[1], code, messages)
    power = np.square(effects).sum(-1).mean(0)
    relative = interaction / np.maximum(np.minimum.outer(power, power), 1e-12 * power.max() + 1e-30)
    merged = _merge([[i] for i in range(len(power))], relative, INTERACTION_TOLERANCE, block_bits)
    size = max(FILLED_BITS, max(map(len, merged)))
    overlap = sum(np.abs(effect @ effect.T) for effect in effects) / len(effects)  # signs go with the probe's digits
    full = _merge(merged, overlap, float(1e-6 * overlap.max()), min(size, block_bits))
    blocks = _pack(full, min(size, block_bits))
    places = np.full((len(blocks), max(map(len, blocks))), len(power), np.int32)
    for row, block in zip(places, blocks, strict=True):
        row[: len(block)] = block
    return places


def _interactions(key: jax.Array, code: MeanCode, messages: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean squared interaction of each pair (k, k), and the effect of each flip on the units (probes, k, units)."""
    digits = messages.shape[1]
    flipped = np.abs(messages[:, None] - np.eye(digits, dtype=np.float32))
    moved = np.asarray(_moved(code, messages))
    projections = jax.random.normal(key, (len(messages), moved.shape[-1]))
    here = np.asarray(_slopes(code, messages[:, None], projections))
    if np.isfinite(here).all() and (np.square(here).max((0, 1)) > 0).all():
        there = np.asarray(_slopes(code, flipped, projections))
        change = np.square(there - here).mean(0)
        return np.maximum(change, change.T) * (1 - np.eye(digits)), moved
    if digits > MAX_DIFFERENCED:
        return np.zeros((digits, digits)), moved
    second = np.asarray(_moved_twice(code, messages)) - moved[:, :, None] - moved[:, None, :]
    return np.square(second).sum(-1).mean(0) * (1 - np.eye(digits)), moved


@jax.jit
def _moved(code: MeanCode, messages: jax.Array) -> jax.Array:
    """What each flip of a digit of each message does to the units, (messages, k, units)."""

    def of_message(message: jax.Array) -> jax.Array:
        moved: jax.Array = jax.lax.map(code, each_flipped(message), batch_size=CODE_BATCH) - code(message)[None]
        return moved

    effects: jax.Array = jax.lax.map(of_message, messages)
    return effects


@jax.jit
def _slopes(code: MeanCode, points: jax.Array, projections: jax.Array) -> jax.Array:
    """Gradients (messages, n, k) of a projection of the code for each message, at n points each."""

    def of_message(pair: tuple[jax.Array, jax.Array]) -> jax.Array:
        slopes: jax.Array = jax.lax.map(jax.grad(lambda m: code(m) @ pair[1]), pair[0], batch_size=CODE_BATCH)
        return slopes

    gradients: jax.Array = jax.lax.map(of_message, (points, projections))
    return gradients


@jax.jit
def _moved_twice(code: MeanCode, messages: jax.Array) -> jax.Array:
    """What a flip and one more of each message do to the units, (messages, k, k, units)."""

    def of_message(message: jax.Array) -> jax.Array:
        flipped = each_flipped(message)
        codes: jax.Array = jax.lax.map(lambda m: jax.vmap(code)(each_flipped(m)), flipped)
        return codes - code(message)[None, None]

    effects: jax.Array = jax.lax.map(of_message, messages)
    return effects


def _merge(blocks: list[list[int]], strength: np.ndarray, least: float, size: int) -> list[list[int]]:
    """Blocks joined, strongest pair of digits first, while they stay within the size."""
    blocks, owner = [list(b) for b in blocks], {digit: n for n, b in enumerate(blocks) for digit in b}
    first, second = np.nonzero(np.triu(strength, 1) > least)
    for pair in np.argsort(-strength[first, second], kind="stable"):
        a, b = owner[int(first[pair])], owner[int(second[pair])]
        if a != b and len(blocks[a]) + len(blocks[b]) <= size:
            blocks[a] += blocks[b]
            owner |= dict.fromkeys(blocks[b], a)
            blocks[b] = []
    return [block for block in blocks if block]


def _pack(blocks: list[list[int]], size: int) -> list[list[int]]:
    """Small blocks put together, largest first, so that few are left part empty."""
    packed: list[list[int]] = []
    for block in sorted(blocks, key=len, reverse=True):
        room = [p for p in packed if len(p) + len(block) <= size]
        if room:
            max(room, key=len).extend(block)
        else:
            packed.append(list(block))
    return packed
