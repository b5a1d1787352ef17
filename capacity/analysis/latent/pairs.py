"""What two units share in the population: I(Z_j;Z_k) = I(X;Z_j) + I(X;Z_k) - I(X;Z_j,Z_k), between two bounds.

Each of the three lies between its enumerated figure, below, and a law of other points, above.  The bounds are taken at
the same points and codes, so that most of what single points say goes away in the difference.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from capacity.analysis.latent.bounding import bounds_of, noise_controls, not_below_zero, own_mixture
from capacity.analysis.latent.folds import Folded, fold_sums
from capacity.analysis.latent.laws import rates
from capacity.analysis.latent.unseen import entropy_of_unseen, reaching_for_unseen
from capacity.results.estimate import Bracket
from capacity.results.intervals import rule_of_three_bits

PAIR_UNITS = 8  # those with the most bits; the work grows with their square
PAIR_POINTS, PAIR_CODES = 4096, 512


class SharedBracket(NamedTuple):
    """Brackets on what pairs of units share.

    Attributes:
        units: (k,), the units looked at, those with the most bits, in their order.
        first, second: (pairs,), their numbers pair by pair.
        bits: leaves (pairs,).
    """

    units: Int[np.ndarray, " k"]
    first: Int[np.ndarray, " pairs"]
    second: Int[np.ndarray, " pairs"]
    bits: Bracket

    def matrix(self) -> Float[np.ndarray, "k k"]:
        """(k, k) lower ends, symmetric, NaN on the diagonal."""
        row = {unit: i for i, unit in enumerate(self.units.tolist())}
        out = np.full((len(row), len(row)), np.nan)
        for j, k, low in zip(self.first.tolist(), self.second.tolist(), np.asarray(self.bits.low), strict=True):
            out[row[j], row[k]] = out[row[k], row[j]] = low
        return out


def pair_brackets(
    data: Folded, centre: Float[np.ndarray, " units"], alone: Float[np.ndarray, " units"]
) -> SharedBracket | None:
    """Brackets of all pairs of the units that say most; None of one unit.

    Args:
        data: points in folds; some of them are used.
        centre: what was taken from the means.
        alone: (units,), what each says, by which they are chosen.
    """
    units = np.sort(np.argsort(-alone, kind="stable")[:PAIR_UNITS])
    first, second = (units[i] for i in np.triu_indices(len(units), 1))
    if not len(first):
        return None
    data = data.part(PAIR_POINTS).fewer(PAIR_CODES)
    sides: dict[tuple[int, ...], tuple[np.ndarray, np.ndarray]] = {
        (j,): _sides(data, centre, [j]) for j in units.tolist()
    }
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    sides |= {pair: _sides(data, centre, list(pair)) for pair in pairs}
    below = np.stack([sides[j,][0] + sides[k,][0] - sides[j, k][1] for j, k in pairs])
    above = np.stack([sides[j,][1] + sides[k,][1] - sides[j, k][0] for j, k in pairs])
    noise = np.stack([np.hstack([noise_controls(data.units([j])), noise_controls(data.units([k]))]) for j, k in pairs])
    lower, upper = bounds_of(data, below, "lower", noise, np.inf), bounds_of(data, above, "upper", noise, np.inf)
    together = np.log2(np.e) * np.array([sides[pair][0].mean() for pair in pairs])
    n = len(data.drawn)
    upper = replace(upper, high=upper.high + rule_of_three_bits(np.maximum(together, 0.0), n))
    upper = reaching_for_unseen(upper, n, len(data.mean))
    # Whether a point is of a kind that none showed may be what both together say and neither does alone.
    lower = replace(lower, low=lower.low - entropy_of_unseen(n))
    bits = Bracket(not_below_zero(lower), not_below_zero(upper), "enumeration and laws of other points")
    return SharedBracket(units, first, second, bits)


def _sides(data: Folded, centre: np.ndarray, units: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Nats (n,) below and above the information of some units together."""
    part = data.units(units)
    sums, own = fold_sums(part), part.own().sum(1)
    return own - own_mixture(part, sums, own), rates(part, sums, centre[units], mixtures=False)[0]
