"""Laws of a code's symbols given those before them, many at once: whatever a code is like, some of them tells it.

uniform; the position alone; the symbol before, two before, at the best lag; the best earlier position of each;
for few symbols a chain of softmaxes (`estimators.codes.logistic`)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from capacity.analysis.codes.contexts import Contexts, alone, contexts_of
from capacity.analysis.codes.counts import Counts
from capacity.estimators.codes.logistic import Logistic, fit_linear, fit_products

CHAINED = 64  # outputs of a chain of softmaxes, at most
WITH_PRODUCTS = 24  # outputs of one with products
CHAIN_ROWS = 2000
POOLED_LAW = -2  # which of the laws of all positions stands behind those of each

Logs = Float[np.ndarray, "experts n positions"]


@dataclass(frozen=True)
class Experts:
    """Fitted laws; the first is uniform, the next look at the position alone.

    Attributes:
        sizes: (positions,), of the codebooks.
        pooled: symbols of all positions; None where the codebooks differ.
        single: symbols of each position.
        before: contexts of symbols before, with the counts of each.
        chains: chains of softmaxes.
    """

    sizes: Int[np.ndarray, " positions"]
    pooled: Counts | None
    single: Counts
    before: tuple[tuple[Contexts, Counts], ...]
    chains: tuple[Logistic, ...]

    @classmethod
    def fit(cls, symbols: Int[np.ndarray, "n positions"], sizes: Int[np.ndarray, " positions"]) -> Experts:
        """To rows of symbols below `sizes`."""
        size, one = int(sizes.max()) + 1, len(np.unique(sizes)) == 1 and len(sizes) > 1
        flat = symbols.ravel()
        pooled = Counts.of(np.zeros_like(flat), flat, size) if one else None
        first = cls(sizes, pooled, Counts.of(alone(size)(symbols).ravel(), flat, size), (), ())
        base = np.exp(first.of_positions(symbols)).mean(0)
        found = contexts_of(symbols, size, base, one)
        before = tuple((context, Counts.of(context(symbols).ravel(), flat, size)) for context in found)
        return cls(sizes, pooled, first.single, before, _chains(symbols[:CHAIN_ROWS], sizes))

    def of_positions(self, symbols: Int[np.ndarray, "n positions"]) -> Logs:
        """log q of the laws that look at the position alone, nats."""
        uniform = np.broadcast_to(1 / self.sizes, symbols.shape).astype(float)
        flat, bases = symbols.ravel(), [uniform.ravel()]
        if self.pooled is not None:
            bases.append(np.exp(self.pooled.laws(np.zeros_like(flat), flat, bases[0])[POOLED_LAW]))
        contexts = alone(self.single.size)(symbols).ravel()
        laws = [self.single.laws(contexts, flat, base) for base in bases]
        return np.concatenate([np.log(uniform)[None], *(law.reshape(-1, *symbols.shape) for law in laws)])

    def __call__(self, symbols: Int[np.ndarray, "n positions"]) -> tuple[Logs, int]:
        """log q of all laws, nats, and how many of them look at the position alone."""
        single = self.of_positions(symbols)
        base, flat = np.exp(single).mean(0).ravel(), symbols.ravel()
        told = [
            counts.laws(context(symbols).ravel(), flat, base).reshape(-1, *symbols.shape)
            for context, counts in self.before
        ]
        chains = [chain(np.zeros((len(symbols), 0)), symbols)[None] for chain in self.chains]
        return np.concatenate([single, *told, *chains]), len(single)


def _chains(symbols: Int[np.ndarray, "n positions"], sizes: Int[np.ndarray, " positions"]) -> tuple[Logistic, ...]:
    outputs = int((sizes - 1).sum())
    if len(sizes) == 1 or outputs > CHAINED:
        return ()
    none = np.zeros((len(symbols), 0))
    linear = fit_linear(none, symbols, tuple(sizes.tolist()))
    products = fit_products(linear, none, symbols) if outputs <= WITH_PRODUCTS else None
    return (linear,) if products is None else (linear, products)
