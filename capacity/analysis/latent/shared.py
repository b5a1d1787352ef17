"""What pairs of units share: I(Z_j;Z_k) = E log q(z_j, z_k) - log q(z_j) - log q(z_k), q the mixture over all points.

Units are independent given the data point, so this is I(i;Z_j) + I(i;Z_k) - I(i;Z_j,Z_k): bits that both of them say.
The work grows with the square of the units; the units that say most are taken, and the result names them.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from capacity.bounds.exact.listing import list_codes
from capacity.bounds.exact.sample import sampled
from capacity.bounds.exact.units import unit_information_of
from capacity.channels import LearntGaussian, Posterior
from capacity.joint.table import Rows, tabled
from capacity.results.estimate import Estimate
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.once import ran

MAX_UNITS = 24
MIN_SAMPLES = 128
FEW_PAIRS = 6  # are computed in turn: one pair takes less to trace
MAX_TOGETHER = (
    2**27
)  # densities of pairs that are computed at once; for more, one pair after the other, a program is compiled
MAX_DENSITIES = 1e9  # densities of one unit that may be computed for all pairs together


class SharedBits(NamedTuple):
    """Information between pairs of units.

    Attributes:
        units: (k,), the numbers of the units looked at: those with the most marginal bits, in their order.
        first, second: (pairs,), their numbers pair by pair.
        bits: an estimate with leaves (pairs,), exact by enumeration.
    """

    units: np.ndarray
    first: np.ndarray
    second: np.ndarray
    bits: Estimate

    def matrix(self) -> np.ndarray:
        """(k, k) bits, symmetric, NaN on the diagonal."""
        row = {unit: i for i, unit in enumerate(self.units.tolist())}
        out = np.full((len(row), len(row)), np.nan)
        for j, k, bits in zip(self.first.tolist(), self.second.tolist(), np.asarray(self.bits.bits), strict=True):
            out[row[j], row[k]] = out[row[k], row[j]] = bits
        return out


def shared_bits(
    key: Seed, rows: Rows, table: Posterior, marginal: Float[np.ndarray, " units"], samples: int
) -> SharedBits:
    """Bits that every two of the units with the most marginal bits share.

    Args:
        key: decides the samples.
        rows: N rows.
        table: posteriors (N, units).
        marginal: (units,), bits of each unit alone: decides which units are looked at.
        samples: at most; fewer where there are many points and pairs, but at least 128.
    """
    key = as_key(key)
    units = np.sort(np.argsort(-marginal, kind="stable")[:MAX_UNITS])
    first, second = (units[i] for i in np.triu_indices(len(units), 1))
    count = int(np.clip(MAX_DENSITIES / (2 * max(len(first), 1) * len(rows.log_probs)), MIN_SAMPLES, samples))
    if not len(first):
        nothing = jnp.zeros(0)
        return SharedBits(units, first, second, Estimate(nothing, nothing, nothing, nothing, nothing, nothing, "exact"))
    pairs = jnp.asarray(first), jnp.asarray(second)
    keys = ran(_keys, key, static=(len(first),), numbers=len(first))
    if len(first) <= FEW_PAIRS and count * len(rows.log_probs) <= MAX_TOGETHER:
        each = [ran(_of_pair, rows, table, one, static=(count,), numbers=0) for one in zip(keys, *pairs, strict=True)]
        bits = jax.tree.map(lambda *leaves: np.stack(leaves), *each)
    elif len(first) * count * len(rows.log_probs) <= MAX_TOGETHER:
        bits = ran(_together, keys, rows, table, *pairs, static=(count,), numbers=0)
    else:
        bits = _in_turn(keys, rows, table, *pairs, count)
    return SharedBits(units, first, second, bits)


@partial(jax.jit, static_argnums=1)
def _keys(key: jax.Array, count: int) -> jax.Array:
    return jax.random.split(key, count)


@partial(jax.jit, static_argnums=(3, 4))
def _of_pair(
    rows: Rows, table: Posterior, one: tuple[jax.Array, jax.Array, jax.Array], samples: int, mapped: bool = False
) -> Estimate:
    pair = jax.tree.map(lambda leaf: leaf[:, jnp.stack(one[1:])], table)
    joint = tabled(rows, pair, LearntGaussian())
    listed = list_codes(joint)
    sample = sampled(one[0], joint, listed, samples, per_unit=True, in_turn=mapped)
    redundancy: Estimate = unit_information_of(joint, listed, sample).redundancy
    return redundancy


@partial(jax.jit, static_argnums=5)
def _together(
    keys: jax.Array, rows: Rows, table: Posterior, first: jax.Array, second: jax.Array, samples: int
) -> Estimate:
    bits: Estimate = jax.vmap(lambda *one: _of_pair(rows, table, one, samples, True))(keys, first, second)
    return bits


@partial(jax.jit, static_argnums=5)
def _in_turn(
    keys: jax.Array, rows: Rows, table: Posterior, first: jax.Array, second: jax.Array, samples: int
) -> Estimate:
    bits: Estimate = jax.lax.map(lambda one: _of_pair(rows, table, one, samples), (keys, first, second))
    return bits
