"""How a codebook is used: symbols that came, dead ones, and the perplexity, 2 to the entropy of the symbols."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from capacity.results.estimate import NATS_PER_BIT

USED = 0.5  # expected uses from which a symbol that is drawn by chance counts as used


@dataclass(frozen=True)
class CodebookUse:
    """What of a codebook is used.

    Attributes:
        sizes: (positions,), how many symbols each position may take.
        given: whether the sizes were given; else the largest symbol + 1 stands for all.
        shares: a row of symbols' shares for the codebook that all positions have; for each position where sizes differ.
        uses: how many draws each row is made of.
        used_by_position: (positions,), how many symbols came there.
        perplexity_by_position: (positions,), 2 to the entropy of the symbols there, of these points.
    """

    sizes: Int[np.ndarray, " positions"]
    given: bool
    shares: tuple[Float[np.ndarray, " symbols"], ...]
    uses: int
    used_by_position: Int[np.ndarray, " positions"]
    perplexity_by_position: Float[np.ndarray, " positions"]

    @property
    def shared(self) -> bool:
        """Whether all positions have one codebook."""
        return len(self.shares) == 1

    @property
    def used(self) -> list[int]:
        """How many symbols of each codebook were used."""
        return [int(self._came(share).sum()) for share in self.shares]

    @property
    def dead(self) -> list[list[int]]:
        """Symbols of each codebook that were never used."""
        return [np.flatnonzero(~self._came(share)).tolist() for share in self.shares]

    @property
    def perplexity(self) -> list[float]:
        """2 to the entropy of each codebook's shares: how many symbols it amounts to."""
        return [float(np.exp(entropy_of_shares(share))) for share in self.shares]

    @property
    def constant(self) -> list[int]:
        """Positions at which one symbol alone came: they carry nothing."""
        return np.flatnonzero(self.used_by_position <= 1).tolist()

    @property
    def limit(self) -> float:
        """Bits that a row has room for: the sum of log2 of the sizes."""
        return float(np.log2(self.sizes).sum())

    def _came(self, share: np.ndarray) -> Bool[np.ndarray, " symbols"]:
        return np.asarray(share * self.uses >= USED)


def use_of_symbols(
    symbols: Int[np.ndarray, "points positions"], sizes: Int[np.ndarray, " positions"], given: bool
) -> CodebookUse:
    """From symbols' numbers and how many each position may take."""
    rows = [np.bincount(column, minlength=size) for column, size in zip(symbols.T, sizes, strict=True)]
    return _use(sizes, given, [row / len(symbols) for row in rows], len(symbols))


def use_of_probs(log_probs: Float[np.ndarray, "points positions symbols"]) -> CodebookUse:
    """From log probabilities: shares are means over the points."""
    points, positions, size = log_probs.shape
    return _use(np.full(positions, size), True, list(np.exp(log_probs).mean(0)), points)


def entropy_of_shares(shares: np.ndarray) -> float:
    """Entropy of shares that sum to one, nats."""
    seen = shares[shares > 0]
    return float(-(seen * np.log(seen)).sum()) + 0.0


def _use(sizes: np.ndarray, given: bool, rows: list[np.ndarray], points: int) -> CodebookUse:
    one = len(np.unique(sizes)) == 1
    shares = (np.mean(rows, axis=0),) if one else tuple(rows)
    used = np.array([int((row * points >= USED).sum()) for row in rows])
    perplexity = np.exp([entropy_of_shares(row) for row in rows])
    return CodebookUse(sizes, given, shares, points * (len(rows) if one else 1), used, perplexity)


def bits_of_positions(use: CodebookUse) -> Float[np.ndarray, " positions"]:
    """(positions,) entropy of the symbols of these points, bits."""
    return np.asarray(np.log(use.perplexity_by_position) / NATS_PER_BIT)
