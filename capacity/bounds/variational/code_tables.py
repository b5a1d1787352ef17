"""Both bounds from a table of sampled codes, for any encoder and any channel with a density: no gradient, no chains.

r(z) = sum_k w_k p(z|u_k) over sampled codes, mixed with a density of the units alone so that nothing is impossible, is
a density fixed before: E log p(z|m) / r(z) >= I(M;Z).  With the sample's own code among K + 1,

    E log p(z|m) / ((K r(z) + p(z|m)) / (K + 1)) <= I(M;Z)

over tables and samples: the multi-sample bound of a known density (Burda, Grosse & Salakhutdinov 2016; Poole et al.
2019, section 2.3), which ends at log2(K + 1).  Several tables, each with samples of its own, say how far it may err.
Equal codes are merged: of a code with D distinct values the tables cost D, and both gaps are about (D - 1) / 2K nats.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from capacity.bounds.variational.judged import (
    Judged,
    draw_messages,
    encode,
    lower_bound,
    upper_bound,
    without_surprise,
)
from capacity.bounds.variational.unit_mixtures import fitted_weights
from capacity.channels.channel import Channel, Code, sliced
from capacity.joint.joint import Joint
from capacity.results.estimate import Estimate
from capacity.results.intervals import rule_of_three_bits
from capacity.runtime.shapes import Key

TABLES = 64  # means over tables are then normal enough, and Student's quantile at three errors is 3.13
STUDENT = 1.045  # that quantile by the normal one
TILE = 32  # samples at once
SEPARATE_UNITS = 32  # summed one at a time where they are few: six times faster on a CPU than along an axis


class Tables(NamedTuple):
    """Codes, each drawn with its count, and what a table of so many draws says.

    Attributes:
        codes: leaves (tables, entries, ...), or (1, entries, ...) where all tables have the same entries.
        log_weights: (tables, entries), nats; -inf of entries that a table does not have.
        drawn: K, codes drawn for each table.
    """

    codes: Code
    log_weights: Float[np.ndarray, "tables entries"]
    drawn: int

    @property
    def entries(self) -> int:
        """Codes that each noisy code is held against."""
        return int(self.log_weights.shape[1])


def merged_tables(key: Key, joint: Joint, codes: Code, most: int, drawn: int) -> Tables | None:
    """Tables of which equal codes are one entry; None where more than so many differ.

    Args:
        key: of the tables.
        joint: source and encoder.
        codes: a sample, leaves (n, ...), that shows whether they are few.
        most: entries.
        drawn: codes drawn for each table.
    """
    if len(_distinct(codes)[0]) > min(most, len(jax.tree.leaves(codes)[0]) // 4):
        return None
    codes = encode(joint, draw_messages(key, joint, TABLES * drawn))
    first, entry = _distinct(codes)
    if len(first) > most:
        return None
    counts = np.zeros((TABLES, 1 << max(len(first) - 1, 1).bit_length()))
    np.add.at(counts, (np.repeat(np.arange(TABLES), drawn), entry), 1)
    padded = np.r_[first, np.repeat(first[:1], counts.shape[1] - len(first))]
    with np.errstate(divide="ignore"):
        log_weights = np.log(counts / drawn)
    return Tables(jax.tree.map(lambda leaf: leaf[padded][None], codes), log_weights, drawn)


def drawn_tables(key: Key, joint: Joint, entries: int) -> Tables:
    """Tables of so many sampled codes each."""
    codes = encode(joint, draw_messages(key, joint, TABLES * entries))
    codes = jax.tree.map(lambda leaf: leaf.reshape(TABLES, entries, *leaf.shape[1:]), codes)
    return Tables(codes, np.full((TABLES, entries), -np.log(entries)), entries)


def _distinct(codes: Code) -> tuple[np.ndarray, np.ndarray]:
    """Rows at which each distinct code stands first, and of every row the number of its code."""
    leaves = [np.ascontiguousarray(leaf.reshape(len(leaf), -1)) + 0 for leaf in jax.tree.leaves(codes)]
    rows = np.concatenate([leaf.view(np.uint8).reshape(len(leaf), -1) for leaf in leaves], axis=1)
    whole = np.ascontiguousarray(rows).view(f"V{rows.shape[1]}").ravel()
    _, first, entry = np.unique(whole, return_index=True, return_inverse=True)
    return first, entry.ravel()


def table_bounds(
    tables: Tables, joint: Joint, pilot: tuple[Judged, np.ndarray], judged: tuple[Judged, np.ndarray]
) -> tuple[Estimate, Estimate]:
    """The lower and the upper bound, in bits.

    Args:
        tables: drawn apart from all samples.
        joint: source, encoder and channel.
        pilot: samples that fit how much of r is the table, and log densities of their noisy codes, (n,) nats, by the
            other part of r.
        judged: the same of the samples that count, a multiple of `TABLES`.
    """
    sample, log_rest = judged
    log_table = table_log_densities(tables, joint.channel, sample.z)
    of_pilot = np.stack([table_log_densities(tables, joint.channel, pilot[0].z), pilot[1]], 1)
    log_weights = fitted_weights(of_pilot)
    upper = upper_bound(
        sample.conditional - np.logaddexp(log_table + log_weights[0], log_rest + log_weights[1]), sample, joint
    )
    every = np.logaddexp(np.log(tables.drawn) + log_table, sample.conditional) - np.log(tables.drawn + 1)
    values = sample.conditional - every
    lower = lower_bound(values, sample, joint)
    # All samples of a table share what it lacks: their means are independent, the samples are not.
    means = without_surprise(values, sample).reshape(TABLES, -1).mean(1)
    between = Estimate.from_samples(nats=jnp.asarray(means, jnp.float32), kind="lower").conservative()
    down = STUDENT * (between.bits - between.low) + rule_of_three_bits(np.log2(len(every)), len(every))
    return lower.widened_to(down=down), upper


def table_log_densities(tables: Tables, channel: Channel, z: Float[np.ndarray, "n units"]) -> np.ndarray:
    """log r(z), (n,) nats, of noisy codes by their tables: the first n / tables by the first, and so on."""
    groups = z.reshape(len(tables.log_weights), -1, z.shape[1])
    shared = len(jax.tree.leaves(tables.codes)[0]) == 1
    found = []
    for t, group in enumerate(groups):
        code = jax.tree.map(lambda leaf, t=t: jnp.asarray(leaf[0 if shared else t]), tables.codes)
        found.append(_log_mixture(channel, code, jnp.asarray(tables.log_weights[t], jnp.float32), jnp.asarray(group)))
    return np.concatenate([np.asarray(part, np.float64) for part in found])


@jax.jit
def _log_mixture(channel: Channel, codes: Code, log_weights: jax.Array, z: jax.Array) -> jax.Array:
    """log sum_k w_k p(z|u_k), (n,), of n noisy codes."""
    n, units = z.shape
    apart = channel.memoryless and units <= SEPARATE_UNITS
    parts = [slice(j, j + 1) for j in range(units)] if apart else [slice(units)]

    def of_tile(tile: jax.Array) -> jax.Array:
        rows = jnp.broadcast_to(log_weights[:, None], (len(log_weights), len(tile)))
        for part in parts:
            rows = rows + _pairs(channel.part(part), tile[:, part], sliced(codes, part))
        return jax.nn.logsumexp(rows, axis=0)

    tiles = jnp.pad(z, ((0, -n % TILE), (0, 0))).reshape(-1, TILE, units)
    mixture: jax.Array = jax.lax.map(of_tile, tiles).ravel()[:n]
    return mixture


def _pairs(channel: Channel, z: jax.Array, codes: Code) -> jax.Array:
    """log p(z|u) of all pairs, (codes, n)."""

    def density(one: jax.Array, code: Code) -> jax.Array:
        return channel.log_prob(one, code).sum()

    return jax.vmap(jax.vmap(density, (0, None)), (None, 0))(z, codes)
