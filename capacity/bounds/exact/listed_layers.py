"""Layers whose noise takes finitely many ways, all of them listed: exact bits of each layer, any noise in the last.

The law of a layer's noisy units given each message is a table, P(m, v), of the values v that they take.  A further
layer makes of each value others, T(v, v'), so that P' = P T (Chapman & Kolmogorov), equal values being one.  Then

    I(M;Z) = sum_m p(m) sum_v P(m, v) log P(m, v) / q(v)        where the layer's noise has atoms, and listed they are,
    I(M;Z) = E D( p(m|z) || p(m) ),   p(m|z) ~ p(m) sum_v P(m, v) p(z|v)      of any other noise,

the mean being over sampled z: its values lie between 0 and the most that a message says.  Values that differ in their
last digits alone may be one or two: merged they bound the bits from below, apart from above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from scipy.sparse import csr_array
from scipy.special import xlogy

from capacity.bounds.exact.densities import pair_log_probs
from capacity.bounds.exact.enumeration import in_default_precision
from capacity.bounds.exact.listing import draw_listed, listed_of
from capacity.bounds.exact.proposal import PER_STRATUM
from capacity.channels.channel import Channel, Code
from capacity.joint.joint import ENCODED_TOGETHER
from capacity.joint.stack import Layer, Stack, unrolled
from capacity.results.estimate import NATS_PER_BIT, Bracket, Estimate
from capacity.results.intervals import rule_of_three_bits
from capacity.runtime.shapes import Key

MAX_VALUES = 2**20  # of a layer, before equal ones are merged, and as many entries of its table
MIN_SAMPLES, MAX_SAMPLES = 2**9, 2**12
SAME_VALUE = 1e-6  # of a unit's size: what single precision may tell apart or not
ROUNDING = 1e-6  # of a figure, and bits: single precision of the masses
TILE = 32  # samples at once
OPERATIONS = 15.0  # that the density of one unit takes as long as
ODD = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)


class ValueTable(NamedTuple):
    """What the noisy units of a layer may be, and how likely given each message.

    Attributes:
        values: (V, units).
        law: (messages, V), P(m, v).
    """

    values: Float[np.ndarray, "values units"]
    law: csr_array


def measure_listed(key: Key, stack: Stack, number: int, budget_gflop: float) -> Bracket | None:
    """I(M;Z) of a layer by listing messages and ways; None where there are too many, or a noise inside is a continuum.

    Without noise inside, atoms alone are listed: `Enumeration` is as good for any other noise.

    Args:
        key: of samples, where the last noise is not listed.
        stack: a discrete source and its layers.
        number: of the layer, from 1.
        budget_gflop: billions of operations, about, which decide how many samples.
    """
    inner = unrolled(stack.layers[: number - 1])
    last = stack.layers[number - 1]
    if not stack.source.listable or not all(layer.channel.atomic for layer in inner):
        return None
    if not inner and not last.channel.atomic:
        return None
    vectors, log_probs = (np.asarray(part, np.float64) for part in stack.source.codebook())
    with jax.enable_x64(True):
        inner, last = in_default_precision((inner, last))
        probs = np.exp(log_probs - np.logaddexp.reduce(log_probs))
        table = _sent_through(ValueTable(vectors, _identity(len(probs))), inner)
        if table is None:
            return None
        listed = _sent_through(table, unrolled([last])) if last.channel.atomic else None
        if listed is not None:
            found = _of_atoms(listed, probs)
        elif not inner:
            return None
        else:
            found = _of_samples(key, table, probs, last, budget_gflop)
    lower, upper = in_default_precision(found)
    return Bracket(lower, upper, "enumeration")


def _identity(count: int) -> csr_array:
    return csr_array((np.ones(count), (np.arange(count), np.arange(count))), shape=(count, count))


def _sent_through(table: ValueTable, layers: Sequence[Layer]) -> ValueTable | None:
    found: ValueTable | None = table
    for layer in layers:
        found = None if found is None else _sent_on(found, layer)
    return found


def _sent_on(table: ValueTable, layer: Layer) -> ValueTable | None:
    """The table of a layer, by that of the layer before; None where values are too many."""
    codes = encoded(layer, table.values)
    values, log_weights = _atoms(layer.channel, codes)
    weights = np.exp(log_weights)
    ways = _ways_together(values, weights) if weights.ndim == 3 else _ways_shared(weights)
    if ways is None:
        return None
    row, way, weight = ways
    units = values.shape[2]
    found = values[row[:, None], way, np.arange(units)[None]] if way.ndim == 2 else values[row, way]
    first, entry = distinct_rows(found)
    step = csr_array((weight, (row, entry)), shape=(len(table.values), len(first)))
    if _entries(table.law, step) > MAX_VALUES:
        return None
    law = csr_array(table.law @ step)
    law.data /= np.repeat(np.asarray(law.sum(axis=1)).ravel(), np.diff(law.indptr))
    return ValueTable(found[first], law)


def _entries(law: csr_array, step: csr_array) -> int:
    """The most entries that their product may have."""
    return int(min(np.diff(step.indptr)[law.indices].sum(), law.shape[0] * step.shape[1]))


def encoded(layer: Layer, values: Float[np.ndarray, "values units"]) -> Code:
    """A layer's codes of many vectors, leaves (values, ...)."""
    padded = np.concatenate([values, np.repeat(values[:1], _padding(len(values)), axis=0)])
    codes = _encoded(layer, jnp.asarray(padded))
    return jax.tree.map(lambda leaf: np.asarray(leaf)[: len(values)], codes)


def _padding(count: int) -> int:
    """Rows that make a power of two of so many: few sizes, few programs."""
    return int((1 << max(count - 1, 1).bit_length()) - count)


@jax.jit
def _encoded(layer: Layer, values: jax.Array) -> Code:
    return jax.lax.map(layer.encoder, values, batch_size=min(ENCODED_TOGETHER, len(values)))


def _atoms(channel: Channel, codes: Code) -> tuple[np.ndarray, np.ndarray]:
    """Atoms (values, ways, units) and log weights (values, ways, units) or (values, ways)."""
    count = len(jax.tree.leaves(codes)[0])
    padded = jax.tree.map(lambda a: jnp.asarray(np.concatenate([a, np.repeat(a[:1], _padding(count), axis=0)])), codes)
    values, log_weights = _atoms_of(channel, padded)
    return np.asarray(values)[:count], np.asarray(log_weights, np.float64)[:count]


@jax.jit
def _atoms_of(channel: Channel, codes: Code) -> tuple[jax.Array, jax.Array]:
    found: tuple[jax.Array, jax.Array] = jax.vmap(channel.atoms)(codes)
    return found


def _ways_together(
    values: Float[np.ndarray, "values ways units"], weights: Float[np.ndarray, "values ways units"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Every unit by its own way: rows (n,) of the values, ways (n, units), weights (n,); None for too many.

    Ways of the same value count as one, and those that cannot be as none.
    """
    weights = weights.copy()
    for one in range(values.shape[1]):
        for other in range(one + 1, values.shape[1]):
            same = values[:, one] == values[:, other]
            weights[:, one] += np.where(same, weights[:, other], 0.0)
            weights[:, other] = np.where(same, 0.0, weights[:, other])
    with np.errstate(over="ignore"):
        if (weights > 0).sum(1).astype(np.float64).prod(1).sum() > MAX_VALUES:
            return None
    count, _, units = weights.shape
    row, way, weight = np.arange(count), np.zeros((count, 0), np.int8), np.ones(count)
    for unit in range(units):
        every = weight[:, None] * weights[row, :, unit]
        at, chosen = np.nonzero(every > 0)
        row, weight = row[at], every[at, chosen]
        way = np.concatenate([way[at], chosen[:, None].astype(np.int8)], axis=1)
    return row, way, weight


def _ways_shared(weights: Float[np.ndarray, "values ways"]) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """One way for all units: rows (n,), ways (n,) and weights (n,); None for too many."""
    row, way = np.nonzero(weights > 0)
    return (row, way, weights[row, way]) if len(row) <= MAX_VALUES else None


def distinct_rows(values: Float[np.ndarray, "n units"]) -> tuple[Int[np.ndarray, " distinct"], Int[np.ndarray, " n"]]:
    """Rows at which each distinct row stands first, and of every row the number of its kind."""
    words = np.ascontiguousarray(values.astype(np.float64) + 0.0).view(np.uint64).reshape(len(values), -1)
    hashed = np.zeros((len(values), 2), np.uint64)
    with np.errstate(over="ignore"):
        for column in words.T:
            hashed = (hashed ^ column[:, None]) * ODD
            hashed ^= hashed >> np.uint64(29)
    kinds = hashed[:, 0] ^ (hashed[:, 1] * ODD[0])
    _, first, entry = np.unique(kinds, return_index=True, return_inverse=True)
    return first, entry.ravel()


def merged(table: ValueTable) -> csr_array:
    """The law of values that are told apart by more than their last digits, (messages, kinds)."""
    labels = np.zeros(table.values.shape)
    for unit, column in enumerate(table.values.T):
        order = np.argsort(column, kind="stable")
        apart = np.diff(column[order]) > SAME_VALUE * max(np.abs(column).max(), np.finfo(np.float32).tiny)
        labels[order, unit] = np.concatenate([[0], np.cumsum(apart)])
    _, entry = distinct_rows(labels)
    kinds = csr_array((np.ones(len(entry)), (np.arange(len(entry)), entry)))
    return csr_array(table.law @ kinds)


def information_of_law(law: csr_array, probs: Float[np.ndarray, " messages"]) -> float:
    """I(M;V) in bits of a table P(m, v)."""
    together = probs @ law
    rows = np.repeat(np.arange(law.shape[0]), np.diff(law.indptr))
    ratio = np.log(law.data) - np.log(together[law.indices])
    return float(max((probs[rows] * law.data * ratio).sum(), 0.0) / NATS_PER_BIT)


def _of_atoms(table: ValueTable, probs: Float[np.ndarray, " messages"]) -> tuple[Estimate, Estimate]:
    most = float(-xlogy(probs, probs).sum() / NATS_PER_BIT)

    def exact(law: csr_array) -> Estimate:
        bits = min(information_of_law(law, probs), most)
        found = Estimate.from_normal(bits=bits, stderr=0.0, kind="exact", limit=most, n=len(table.values))
        return found.widened_to(ROUNDING * (1 + bits), ROUNDING * (1 + bits))

    return exact(merged(table)), exact(table.law)


def _of_samples(
    key: Key, table: ValueTable, probs: Float[np.ndarray, " messages"], last: Layer, budget_gflop: float
) -> tuple[Estimate, Estimate]:
    """The mean over sampled z of what each says of the message."""
    codes = jax.tree.map(jnp.asarray, encoded(last, table.values))
    with np.errstate(divide="ignore"):
        log_masses = np.log(probs @ table.law)
    listed = _listed_of(codes, jnp.asarray(log_masses), last.channel)
    units = jax.eval_shape(last.channel.moments, jax.tree.map(lambda leaf: leaf[0], codes))[0].shape[0]
    each = OPERATIONS * len(log_masses) * (units + 2) + 8.0 * table.law.nnz
    n = int(np.clip(1e9 * budget_gflop / each, MIN_SAMPLES, MAX_SAMPLES)) // TILE * TILE
    drawn = _drawn(key, last.channel, listed, n)
    said = np.concatenate(
        [_said(table.law, probs, last.channel, codes, drawn.z[at : at + TILE]) for at in range(0, n, TILE)]
    )
    weight = np.asarray(listed.proposal.weight)[np.asarray(drawn.rows)]
    level = float((weight * said).mean())
    nats = jnp.asarray(weight * (said - level) + level)
    entropy = float(-xlogy(probs, probs).sum() / NATS_PER_BIT)
    most = float(-np.log(probs[probs > 0].min()) / NATS_PER_BIT)
    found = Estimate.from_samples(nats=nats, kind="exact", limit=entropy, per_stratum=PER_STRATUM)
    bits, heaviest = float(found.bits), float(np.asarray(listed.proposal.weight).max())
    down, up = (float(rule_of_three_bits(heaviest * max(room, 0.0), n)) for room in (bits, most - bits))
    found = found.widened_to(down + ROUNDING * (1 + bits), up + ROUNDING * (1 + bits))
    found = replace(found, low=jnp.clip(found.low, 0.0, entropy), high=jnp.clip(found.high, 0.0, entropy))
    return found, found


def _said(
    law: csr_array, probs: np.ndarray, channel: Channel, codes: Code, z: Float[Array, "n units"]
) -> Float[np.ndarray, " n"]:
    """D( p(m|z) || p(m) ) of each z, nats."""
    log_densities = np.asarray(_densities(channel, codes, z))  # (values, n)
    top = log_densities.max(0)
    given = law @ np.exp(log_densities - np.where(np.isfinite(top), top, 0.0)[None])  # (messages, n)
    together = probs @ given
    ratio = given / np.where(together > 0, together, 1.0)[None]
    said: np.ndarray = probs @ xlogy(ratio, ratio)
    return said


@jax.jit
def _densities(channel: Channel, codes: Code, z: Float[Array, "n units"]) -> Float[Array, "values n"]:
    count = len(jax.tree.leaves(codes)[0])
    return jnp.broadcast_to(pair_log_probs(jnp.zeros((count, 1)), channel, z, codes), (count, len(z)))


_listed_of = jax.jit(listed_of)
_drawn = jax.jit(draw_listed, static_argnames="n")
