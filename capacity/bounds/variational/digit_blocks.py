"""A code whose units fall into groups, each with digits, or parities of digits, of its own: the law of each group.

Y = A M over GF(2), its bits in blocks; the units of a block are a function of its bits, of which all states are listed:

    r_b(z_b) = sum_s p(s) p(z_b | u_b(s)),        q(s | z_b) = p(s) p(z_b | u_b(s)) / r_b(z_b),

p(z|u) being the channel's own.  Their product, with densities of single units for those in no block, is a density of z:
E log p(z|m) / r(z) >= I(M;Z).  And I(M;Z) >= I(Y;Z) >= H(Y) + E log q(Y|Z) for any Y (data processing; Barber & Agakov
2003), where H(Y) is known: the rank of A if all digits are fair, the source's bits if Y is the message.  Both are the
information itself where the groups are what they were taken for; where they are not, both still hold.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from capacity.bounds.variational.dependence import Dependence
from capacity.bounds.variational.judged import Judged, encode
from capacity.bounds.variational.parities import basis_of, components, parities, right_inverse
from capacity.channels.channel import Channel, Code
from capacity.joint.joint import Joint, log_probs
from capacity.results.estimate import NATS_PER_BIT

TILE_NUMBERS = 2**21  # in memory at once


class Block(NamedTuple):
    """Bits of Y and the units that depend on them alone."""

    bits: Int[np.ndarray, " bits"]
    units: Int[np.ndarray, " units"]


class Layout(NamedTuple):
    """Y = `matrix` M, and its blocks; bits of Y in no block are not told, and units in none told by others."""

    matrix: Bool[np.ndarray, "rank digits"]
    blocks: list[Block]


class Tabled(NamedTuple):
    """Blocks of one number of bits: units (blocks, width), -1 where there are fewer; codes, leaves (blocks, states,
    width); log p(s), nats, (blocks, states)."""

    bits: Int[np.ndarray, "blocks bits"]
    units: Int[np.ndarray, "blocks width"]
    codes: Code
    log_prior: Float[np.ndarray, "blocks states"]


def lay_out(found: Dependence, fair: bool, max_bits: int) -> Layout:
    """Blocks of at most so many bits.

    Args:
        found: which units depend on which digits.
        fair: whether all digits are fair and independent: parities of them are bits as good as any then.
        max_bits: groups of more are left out.
    """
    parity = found.parity if fair else np.zeros_like(found.parity)
    sizes = found.moved.sum(1)
    some = ~parity & (sizes > 0) & (sizes <= max_bits)
    digits = found.moved.shape[1]
    single = np.eye(digits, dtype=bool)[found.moved[some].any(0) if fair else slice(None)]
    by_parity = np.flatnonzero(parity & (sizes > 0))
    basis = basis_of(np.concatenate([single, found.moved[by_parity]]))
    matrix = np.concatenate([single, found.moved[by_parity]])[basis.rows]
    uses = np.zeros((len(parity), len(matrix)), bool)
    uses[by_parity] = basis.coordinates[len(single) :]
    place = {int(row.argmax()): bit for bit, row in enumerate(single)}
    for unit in np.flatnonzero(some):
        uses[unit, [place[int(digit)] for digit in np.flatnonzero(found.moved[unit])]] = True
    blocks = []
    for bits in components(uses):
        units = np.flatnonzero(uses[:, bits].any(1))
        if len(bits) > max_bits:
            blocks += [] if fair else [Block(bits[i : i + 1], units[:0]) for i in range(len(bits))]
        elif len(units) or not fair:  # where digits are not fair, the decoder must tell all of the message
            blocks.append(Block(bits, units))
    return Layout(matrix, blocks)


def table_blocks(layout: Layout, joint: Joint, messages: Int[np.ndarray, "n digits"]) -> list[Tabled]:
    """The codes of all states of all blocks, encoded, and how likely the states are.

    Args:
        layout: the blocks.
        joint: source, encoder and channel.
        messages: a sample, whose shares of states are the prior where digits are not fair.
    """
    inverse = right_inverse(layout.matrix)
    fair = is_fair(joint)
    tabled = []
    for size in sorted({len(block.bits) for block in layout.blocks}):
        blocks = [block for block in layout.blocks if len(block.bits) == size]
        width = max(1, max(len(block.units) for block in blocks))
        states = (np.arange(2**size)[:, None] >> np.arange(size)) & 1  # the first bit counts one
        units = np.full((len(blocks), width), -1)
        codes, priors = [], []
        for row, block in zip(units, blocks, strict=True):
            row[: len(block.units)] = block.units
            sent = parities(inverse[:, block.bits], states).astype(messages.dtype)
            codes.append(jax.tree.map(lambda leaf, row=row: leaf[:, row], encode(joint, sent)))
            priors.append(np.full(2**size, -size * NATS_PER_BIT) if fair else _prior(joint, block, messages, sent))
        stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *codes)
        tabled.append(Tabled(np.stack([block.bits for block in blocks]), units, stacked, np.stack(priors)))
    return tabled


def is_fair(joint: Joint) -> bool:
    """Whether all digits are fair and independent: only then is the entropy of so many digits their number."""
    return bool(joint.source.bits == joint.source.message_dim)


def _prior(joint: Joint, block: Block, messages: np.ndarray, sent: np.ndarray) -> np.ndarray:
    """Log masses of a block's states: the source's own where the block is all of the message, else from a sample."""
    if len(block.bits) == messages.shape[1]:
        exact = np.asarray(log_probs(joint.source, jnp.asarray(sent)), np.float64)
        normalised: np.ndarray = exact - np.logaddexp.reduce(exact)
        return normalised
    states = (messages[:, block.bits].astype(np.int64) << np.arange(len(block.bits))).sum(1)
    counts = np.bincount(states, minlength=2 ** len(block.bits)) + 0.5
    logs: np.ndarray = np.log(counts / counts.sum())
    return logs


def block_values(
    layout: Layout, tabled: list[Tabled], joint: Joint, judged: Judged, log_units: Float[np.ndarray, "n units"]
) -> tuple[np.ndarray, np.ndarray]:
    """Values of the lower and of the upper bound, (n,) nats each.

    With probability 1/n the decoder gives the prior instead, and the density that of single units: so neither can lose
    more than log n on a sample, and what losses that no sample shows may take is bounded.

    Args:
        layout: the blocks.
        tabled: their codes.
        joint: source, encoder and channel.
        judged: samples that fitted nothing.
        log_units: log r_j(z_j), for units in no block.
    """
    y = parities(layout.matrix, judged.message.astype(np.int64))
    alone = np.ones(log_units.shape[1], bool)
    log_r, log_q, told = np.zeros(len(y)), np.zeros(len(y)), 0
    for part in tabled:
        states = (y[:, part.bits] << np.arange(part.bits.shape[1])).sum(-1)  # (n, blocks)
        whole, own = _block_densities(joint.channel, part, judged.z, states)
        with np.errstate(invalid="ignore"):
            posterior = np.where(own == -np.inf, -np.inf, own - whole)
        log_r, log_q = log_r + whole.sum(1), log_q + posterior.sum(1)
        alone[part.units[part.units >= 0]] = False
        told += part.bits.size
    n = len(y)
    log_r = np.logaddexp(log_r + log_units[:, alone].sum(1) + np.log1p(-1 / n), log_units.sum(1) - np.log(n))
    ratio = log_q + (told * NATS_PER_BIT if is_fair(joint) else -judged.log_mass)
    return np.logaddexp(ratio + np.log1p(-1 / n), -np.log(n)), judged.conditional - log_r


def _block_densities(channel: Channel, part: Tabled, z: np.ndarray, states: np.ndarray) -> tuple[np.ndarray, ...]:
    """log r_b(z_b) and log p(s) p(z_b|u_b(s)) of each sample's own state s, two arrays (n, blocks), nats."""
    blocks, count = part.log_prior.shape
    tile = max(1, min(1024, TILE_NUMBERS // (blocks * count * part.units.shape[1])))
    missing = -len(z) % tile
    padded = [np.pad(one, ((0, missing), (0, 0))).reshape(-1, tile, one.shape[1]) for one in (z, states)]
    table = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.int32 if leaf.dtype.kind == "i" else jnp.float32), part)
    found = _tiled(channel, table, jnp.asarray(padded[0]), jnp.asarray(padded[1], jnp.int32))
    return tuple(np.asarray(one, np.float64).reshape(-1, blocks)[: len(z)] for one in found)


@jax.jit
def _tiled(channel: Channel, part: Tabled, z: jax.Array, states: jax.Array) -> tuple[jax.Array, jax.Array]:
    present = (part.units >= 0)[:, None]

    def of_one(z_one: jax.Array, own: jax.Array) -> tuple[jax.Array, jax.Array]:
        received = z_one[part.units][:, None]  # (blocks, 1, width)
        log_prob = jax.vmap(jax.vmap(channel.log_prob, (None, 0)), (0, 0))(received[:, 0], part.codes)
        terms = jnp.where(present, log_prob, 0.0).sum(-1) + part.log_prior
        return jax.nn.logsumexp(terms, axis=1), jnp.take_along_axis(terms, own[:, None], 1)[:, 0]

    both: tuple[jax.Array, jax.Array] = jax.lax.map(lambda pair: jax.vmap(of_one)(*pair), (z, states))
    return both
