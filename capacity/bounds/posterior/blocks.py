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
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from capacity.bounds.posterior.overlaps import CODE_BATCH, each_flipped
from capacity.joint.joint import as_tree
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
    messages = source.sample(key, PROBES).message.astype(jnp.float32)
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


def _interactions(key: jax.Array, code: MeanCode, messages: jax.Array) -> tuple[np.ndarray, np.ndarray]:
    """Mean squared interaction of each pair (k, k), and the effect of each flip on the units (probes, k, units)."""
    digits = messages.shape[1]
    flipped = jnp.abs(messages[:, None] - jnp.eye(digits, dtype=jnp.float32)[None])
    moved = np.stack([np.asarray(_moved(code, m, f)) for m, f in zip(messages, flipped, strict=True)])
    projections = jax.random.normal(key, (len(messages), moved.shape[-1]))
    here = np.stack([np.asarray(_slopes(code, m[None], v)) for m, v in zip(messages, projections, strict=True)])
    if np.isfinite(here).all() and (np.square(here).max((0, 1)) > 0).all():
        there = np.stack([np.asarray(_slopes(code, f, v)) for f, v in zip(flipped, projections, strict=True)])
        change = np.square(there - here).mean(0)
        return np.maximum(change, change.T) * (1 - np.eye(digits)), moved
    if digits > MAX_DIFFERENCED:
        return np.zeros((digits, digits)), moved
    base = np.stack([np.asarray(code(m)) for m in messages])
    twice = np.stack([np.asarray(_flipped_again(code, f)) for f in flipped]) - base[:, None, None]
    second = twice - moved[:, :, None] - moved[:, None, :]
    return np.square(second).sum(-1).mean(0) * (1 - np.eye(digits)), moved


@jax.jit
def _moved(code: MeanCode, message: jax.Array, flipped: jax.Array) -> jax.Array:
    """What each flip does to the units, (k, units)."""
    moved: jax.Array = jax.lax.map(code, flipped, batch_size=CODE_BATCH) - code(message)[None]
    return moved


@jax.jit
def _slopes(code: MeanCode, points: jax.Array, projection: jax.Array) -> jax.Array:
    """Gradients (n, k) of a projection of the code."""
    slopes: jax.Array = jax.lax.map(jax.grad(lambda m: code(m) @ projection), points, batch_size=CODE_BATCH)
    return slopes


@jax.jit
def _flipped_again(code: MeanCode, flipped: jax.Array) -> jax.Array:
    """Codes (k, k, units) of messages (k, k) with one digit more flipped."""
    codes: jax.Array = jax.lax.map(lambda m: jax.vmap(code)(each_flipped(m)), flipped)
    return codes


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
