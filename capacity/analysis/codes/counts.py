"""How often each symbol came after each context, and laws of the symbol made of that.

With n_cs times symbol s after context c, n_c in all, k_c different symbols among them, and a law q0 that knows less:

    q(s|c) = (n_cs + a q0(s)) / (n_c + a)                    a Dirichlet prior around q0 (MacKay & Peto 1995)
    q(s|c) = (max(n_cs - d, 0) + d k_c q0(s)) / n_c          absolute discounting (Ney, Essen & Kneser 1994)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

STRENGTHS = (1.0, 16.0, 256.0, 4096.0)
DISCOUNTS = (0.5, 0.9)


class Counts(NamedTuple):
    """Counts of pairs of context and symbol.

    Attributes:
        size: more than any symbol's number.
        keys, times: (pairs,), context * size + symbol in order, and how often each came.
        contexts, totals, kinds: (contexts,), in order; how often each came, and with how many different symbols.
    """

    size: int
    keys: Int[np.ndarray, " pairs"]
    times: Float[np.ndarray, " pairs"]
    contexts: Int[np.ndarray, " contexts"]
    totals: Float[np.ndarray, " contexts"]
    kinds: Float[np.ndarray, " contexts"]

    @classmethod
    def of(cls, contexts: Int[np.ndarray, " n"], symbols: Int[np.ndarray, " n"], size: int) -> Counts:
        """From pairs; contexts are not negative, and times `size` below 2^63."""
        keys, times = np.unique(contexts * size + symbols, return_counts=True)
        seen, owner = np.unique(keys // size, return_inverse=True)
        return cls(size, keys, times.astype(float), seen, np.bincount(owner, times), np.bincount(owner).astype(float))

    def look_up(self, contexts: Int[np.ndarray, " n"], symbols: Int[np.ndarray, " n"]) -> Float[np.ndarray, "3 n"]:
        """How often each pair, and its context, came, and with how many symbols; 0 where never."""
        pair = _found(self.keys, contexts * self.size + symbols)
        place = _found(self.contexts, contexts)
        parts = (self.times, pair), (self.totals, place), (self.kinds, place)
        return np.stack([np.where(where < 0, 0.0, values[where]) for values, where in parts])

    def laws(
        self, contexts: Int[np.ndarray, " n"], symbols: Int[np.ndarray, " n"], base: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "laws n"]:
        """log q(s|c) of every law, nats, around the probabilities q0(s) that are given."""
        times, totals, kinds = self.look_up(contexts, symbols)
        smoothed = [(times + a * base) / (totals + a) for a in STRENGTHS]
        some = np.maximum(totals, 1.0)
        cut = [np.where(totals > 0, (np.maximum(times - d, 0) + d * kinds * base) / some, base) for d in DISCOUNTS]
        return np.asarray(np.log(smoothed + cut))

    def law(
        self, contexts: Int[np.ndarray, " n"], symbols: Int[np.ndarray, " n"], base: Float[np.ndarray, " n"], a: float
    ) -> Float[np.ndarray, " n"]:
        """log q(s|c), nats, of the Dirichlet prior of one strength."""
        times, totals, _ = self.look_up(contexts, symbols)
        return np.asarray(np.log((times + a * base) / (totals + a)))

    def held_out(
        self, contexts: Int[np.ndarray, " n"], symbols: Int[np.ndarray, " n"], base: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " strengths"]:
        """Mean log q(s|c) of the counted pairs themselves, each left out of its own counts, by each strength."""
        times, totals, _ = self.look_up(contexts, symbols)
        return np.array([np.log((times - 1 + a * base) / (totals - 1 + a)).mean() for a in STRENGTHS])


def _found(keys: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Where each stands among the keys in order; -1 where it does not."""
    place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[place] == asked, place, -1)
