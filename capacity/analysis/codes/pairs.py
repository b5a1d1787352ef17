"""What two positions of a code share, I(Z_j;Z_k) = H(Z_k) - H(Z_k|Z_j), in the population: between two bounds.

Below: the plug-in entropy of one, which is too small on average, less a code length given the other, which is too
large.  Above: code lengths of both alone less a lower bound on the entropy of the pair.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from capacity.analysis.codes.bounding import lower_bounds, stacked, upper_bounds
from capacity.analysis.codes.code_length import CodeLengths
from capacity.analysis.codes.counts import STRENGTHS, Counts
from capacity.analysis.codes.entropy_bounds import entropy_below, surprisals
from capacity.analysis.latent.pairs import SharedBracket
from capacity.results.estimate import Bracket

PAIR_POSITIONS = 16  # those with the most bits; the work grows with their square
PAIR_ROWS = 20_000


def position_pairs(
    rng: np.random.Generator,
    symbols: Int[np.ndarray, "n positions"],
    sizes: Int[np.ndarray, " positions"],
    lengths: CodeLengths,
    marginal: Bracket,
) -> SharedBracket | None:
    """Brackets of all pairs of the positions that say most; None of one position.

    Args:
        rng: cuts rows into halves.
        symbols: rows whose code lengths are known.
        sizes: of the codebooks.
        lengths: of these rows.
        marginal: entropies of the positions, leaves (positions,).
    """
    order = np.argsort(-np.asarray(marginal.upper.bits), kind="stable")[:PAIR_POSITIONS]
    positions = np.sort(order)
    first, second = (positions[i] for i in np.triu_indices(len(positions), 1))
    if not len(first):
        return None
    symbols, single, most = symbols[:PAIR_ROWS], lengths.single[:PAIR_ROWS], lengths.most_single[:PAIR_ROWS]
    alone = {j: surprisals(_numbered(symbols[:, j])) for j in positions.tolist()}
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    told = [alone[k] - conditional_lengths(rng, symbols[:, j], symbols[:, k], int(sizes[k])) for j, k in pairs]
    lower = lower_bounds(np.stack(told), loss=most.T[second])
    both = [_numbered(symbols[:, j] * (int(symbols[:, k].max()) + 1) + symbols[:, k]) for j, k in pairs]
    paired = single.T[first] + single.T[second] - np.stack([surprisals(pair) for pair in both])
    upper = upper_bounds(paired, most.T[first] + most.T[second])
    together = stacked([entropy_below(rng, pair) for pair in both])
    high = np.asarray(marginal.high)
    apart = np.minimum(high[first] + high[second] - together.low, np.minimum(high[first], high[second]))
    above = np.maximum(np.minimum(upper.high, apart), lower.low)
    bits = np.minimum(upper.bits, above)
    end = upper.__class__(bits, upper.stderr, np.minimum(upper.low, bits), above, upper.limit, upper.n, "upper")
    return SharedBracket(positions, first, second, Bracket(lower, end, "plug-in and code lengths of other rows"))


def conditional_lengths(
    rng: np.random.Generator, given: Int[np.ndarray, " n"], told: Int[np.ndarray, " n"], size: int
) -> Float[np.ndarray, " n"]:
    """(n,) nats of each symbol given another, by counts of the other half of the rows.

    Args:
        rng: cuts the rows into halves.
        given, told: symbols of the same rows.
        size: of the codebook of what is told.
    """
    half, out = rng.permutation(len(given)) < len(given) // 2, np.empty(len(given))
    for here in (half, ~half):
        there = ~here
        counts = Counts.of(given[there], told[there], size)
        shares = (np.bincount(told[there], minlength=size) + 0.5) / (there.sum() + 0.5 * size)
        best = STRENGTHS[int(counts.held_out(given[there], told[there], shares[told[there]]).argmax())]
        out[here] = -counts.law(given[here], told[here], shares[told[here]], best)
    return out


def _numbered(symbols: np.ndarray) -> np.ndarray:
    """The same symbols numbered from 0 without gaps."""
    return np.unique(symbols, return_inverse=True)[1].ravel()
