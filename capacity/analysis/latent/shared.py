"""What pairs of units share: I(Z_j;Z_k) = E log q(z_j, z_k) - log q(z_j) - log q(z_k), q the mixture over all points.

Units are independent given the data point, so this is I(i;Z_j) + I(i;Z_k) - I(i;Z_j,Z_k): bits that both of them say.
The work grows with the square of the units; the units that say most are taken, and the result names them.
"""

from __future__ import annotations

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
from capacity.runtime.once import MAX_NUMBERS, ran

MAX_UNITS = 24
MIN_SAMPLES = 128
FEW_PAIRS = 10  # of more, one compiled program takes less time wherever it has been kept
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
    few = len(first) <= FEW_PAIRS and 2 * len(rows.log_probs) <= MAX_NUMBERS
    numbers = 0 if few else MAX_NUMBERS + 1
    return SharedBits(units, first, second, ran(_pairs, key, rows, table, *pairs, static=(count,), numbers=numbers))


def _bits_of_pairs(
    key: jax.Array, rows: Rows, table: Posterior, first: jax.Array, second: jax.Array, samples: int
) -> Estimate:
    def of_pair(one: tuple[jax.Array, jax.Array, jax.Array]) -> Estimate:
        pair = jax.tree.map(lambda leaf: leaf[:, jnp.stack(one[1:])], table)
        joint = tabled(rows, pair, LearntGaussian())
        listed = list_codes(joint)
        sample = sampled(one[0], joint, listed, samples, per_unit=True)
        redundancy: Estimate = unit_information_of(joint, listed, sample).redundancy
        return redundancy

    bits: Estimate = jax.lax.map(of_pair, (jax.random.split(key, len(first)), first, second))
    return bits


_pairs = jax.jit(_bits_of_pairs, static_argnums=5)
