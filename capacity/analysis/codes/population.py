"""Bits of the population that a deterministic code's points were drawn from: I(X;Z) = H(Z), between two bounds.

Below: `entropy_bounds`.  Above: `code_length`.  The total correlation sum_j H(Z_j) - H(Z), what positions say more than
once, has plug-in entropies less a code length below, and code lengths of symbols less a lower bound above.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from capacity.analysis.codes.bounding import cut_at, lower_bounds, one_of, stacked, upper_bounds
from capacity.analysis.codes.code_length import CodeLengths, cross_fitted, folds_of
from capacity.analysis.codes.copies import repeated, some_are_copies, without_copies
from capacity.analysis.codes.entropy_bounds import entropy_below, surprisals
from capacity.analysis.codes.pairs import position_pairs
from capacity.analysis.latent.limited import NEAR_LIMIT
from capacity.analysis.latent.pairs import SharedBracket
from capacity.analysis.latent.population import MIN_POINTS, bracket_known
from capacity.results.estimate import Bracket, Estimate

TOLD = 50_000  # rows whose code length is asked
COPIED = "some codes came as often as draws do not: are points there more than once? Give each once"


@dataclass(frozen=True)
class CodesPopulation:
    """Brackets on the bits of the distribution that the points were drawn from.

    Attributes:
        draws: how many of the points are draws of their own; fewer than the points where all came equally often again.
        limit: log2 of the draws.
        enumerated: the information of these points, bits.
        marginal_enumerated: (positions,), the same of each position.
        information: I(X;Z); of a deterministic code H(Z).
        marginal: I(X;Z_j), leaves (positions,).
        total_correlation: sum_j H(Z_j) - H(Z), what positions say more than once.
        shared: what pairs of positions share, I(Z_j;Z_k); None of one position, or where nothing is said.
        repeated: how many of the draws are equal to one before them.
    """

    draws: int
    limit: float
    enumerated: float
    marginal_enumerated: Float[np.ndarray, " positions"]
    information: Bracket
    marginal: Bracket
    total_correlation: Bracket
    shared: SharedBracket | None = None
    repeated: int = 0

    @property
    def information_known(self) -> bool:
        """Whether the bracket says more than that the points are told apart: it is narrow, or they are not."""
        return bool(bracket_known(self.information, np.asarray(self._told_apart)))

    @property
    def total_correlation_known(self) -> bool:
        """The same of the total correlation."""
        return bool(bracket_known(self.total_correlation, np.asarray(self._told_apart)))

    @property
    def marginal_known(self) -> np.ndarray:
        """(positions,) the same of each position alone."""
        return bracket_known(self.marginal, self.marginal_enumerated >= self.limit - NEAR_LIMIT)

    @property
    def _told_apart(self) -> bool:
        return self.enumerated >= self.limit - NEAR_LIMIT


@dataclass(frozen=True)
class SymbolBrackets:
    """What follows from symbols that are drawn independently, row by row.

    Attributes:
        lengths: code lengths of the rows that were told.
        entropy: H(Z).
        by_position: H(Z_j), leaves (positions,).
        total_correlation: sum_j H(Z_j) - H(Z).
        shared: of pairs.
    """

    lengths: CodeLengths
    entropy: Bracket
    by_position: Bracket
    total_correlation: Bracket
    shared: SharedBracket | None


def measure_codes_population(
    rng: np.random.Generator,
    symbols: Int[np.ndarray, "points positions"],
    sizes: Int[np.ndarray, " positions"],
    report: Callable[[float], None] = lambda share: None,
) -> CodesPopulation:
    """Brackets from the codes of points that were drawn independently.

    Args:
        rng: decides the folds.
        symbols: codes.
        sizes: of the codebooks.
        report: called with the share that is done.
    """
    rows = row_numbers(symbols)
    kept = without_copies(rows)
    symbols, rows = symbols[kept], rows[kept]
    order = rng.permutation(len(rows))
    symbols, rows = symbols[order], rows[order]
    count, limit = len(rows), float(np.log2(len(rows)))
    whole = float(surprisals(rows).mean() / np.log(2))
    each = np.array([surprisals(column).mean() for column in symbols.T]) / np.log(2)
    if count < MIN_POINTS or some_are_copies(rows):
        return nothing_of(count, whole, each, repeated(rows))
    found = symbol_brackets(rng, symbols, rows, sizes, report=report)
    return CodesPopulation(
        count, limit, whole, each, found.entropy, found.by_position, found.total_correlation, found.shared,
        repeated(rows),
    )  # fmt: skip


def symbol_brackets(
    rng: np.random.Generator,
    symbols: Int[np.ndarray, "n positions"],
    rows: Int[np.ndarray, " n"],
    sizes: Int[np.ndarray, " positions"],
    report: Callable[[float], None] = lambda share: None,
) -> SymbolBrackets:
    """Brackets of entropies of rows in random order.

    Args:
        rng: decides the folds.
        symbols: codes.
        rows: a number for each, the same for equal rows.
        sizes: of the codebooks.
        report: called with the share that is done.
    """
    told = np.arange(min(len(rows), TOLD))
    lengths = cross_fitted(symbols, rows, sizes, folds_of(rng, len(rows)), told, report=lambda s: report(0.8 * s))
    log_sizes = np.log2(sizes)
    below = entropy_below(rng, rows)
    above = cut_at(one_of(upper_bounds(lengths.whole[None], lengths.most[None])), log_sizes.sum())
    entropy = _bracket(below, above, "counts and collisions below, code lengths of other rows above")
    each = stacked([entropy_below(rng, column) for column in symbols.T])
    each_above = cut_at(upper_bounds(lengths.single.T, lengths.most_single.T), log_sizes)
    by_position = _bracket(each, each_above, "counts and collisions below, code lengths of other rows above")
    report(0.85)
    plug_in = np.stack([surprisals(column) for column in symbols[told].T])
    least = one_of(lower_bounds((plug_in.sum(0) - lengths.whole)[None], loss=lengths.most[None]))
    sums = one_of(upper_bounds(lengths.single.sum(1)[None], lengths.most_single.sum(1)[None]))
    highs = np.asarray(by_position.high)
    high = min(float(sums.high), float(highs.sum())) - float(entropy.low)
    high = min(high, float(highs.sum() - highs.max()))  # the whole says no less than any position
    correlation = _bracket(least, end_at(max(high, 0.0), "upper", len(rows)), "sums of positions less the whole")
    shared = position_pairs(rng, symbols[told], sizes, lengths, by_position)
    report(1.0)
    return SymbolBrackets(lengths, entropy, by_position, correlation, shared)


def row_numbers(symbols: Int[np.ndarray, "n positions"]) -> Int[np.ndarray, " n"]:
    """(n,) a number for each row, from 0, the same for equal rows."""
    return np.unique(symbols, axis=0, return_inverse=True)[1].ravel()


def nothing_of(
    count: int, enumerated: float, marginal: Float[np.ndarray, " positions"], repeated: int
) -> CodesPopulation:
    """Of too few points nothing is said, nor of points some of which are copies.

    Args:
        count: how many, that are draws of their own where they are few.
        enumerated, marginal: information of these points, whole and of each position, bits.
        repeated: how many are equal to one before them.
    """
    words = COPIED if count >= MIN_POINTS else f"fewer than {MIN_POINTS} points that are draws of their own"
    one = Bracket(end_at(0.0, "lower", count), end_at(np.inf, "upper", count), words)
    positions = len(marginal)
    each = Bracket(stacked([one.lower] * positions), stacked([one.upper] * positions), words)
    limit = float(np.log2(count))
    return CodesPopulation(count, limit, enumerated, marginal, one, each, one, repeated=repeated)


def end_at(bits: float, kind: str, count: int) -> Estimate:
    """An end of a bracket that stands where it stands, of so many rows."""
    return Estimate(bits, 0.0, bits, bits, np.inf, count, "lower" if kind == "lower" else "upper")


def _bracket(lower: Estimate, upper: Estimate, method: str) -> Bracket:
    """Both, the upper bound's interval reaching at least to the lower bound's."""
    return Bracket(lower, replace(upper, high=np.maximum(upper.high, lower.low)), method)
