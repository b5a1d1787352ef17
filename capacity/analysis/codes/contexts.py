"""What of the positions before it a law of a symbol looks at: a number for each context, 0 where there is none.

A code in rows of a grid depends on its left and on its upper neighbour: the lag of the second is found by trying all.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from capacity.analysis.codes.counts import Counts

Contexts = Callable[[np.ndarray], np.ndarray]
"""Context numbers (n, positions) of rows of symbols (n, positions)."""
MAX_LAG = 64
MAX_PARENTS = 64  # positions, of which every two are tried
TRIED_SYMBOLS = 60_000  # among which the best lag and the best parents are sought
ROWS = 2000  # for the same, at most
MAX_NUMBER = 2**62  # of a context and a symbol together


def alone(size: int) -> Contexts:
    """The number of the position, and nothing before it."""
    del size
    return lambda symbols: np.broadcast_to(np.arange(symbols.shape[1]), symbols.shape)


def lagged(*lags: int) -> Callable[[int], Contexts]:
    """The symbols so many positions before, whichever position it is."""

    def made(size: int) -> Contexts:
        def contexts(symbols: np.ndarray) -> np.ndarray:
            found = np.zeros(symbols.shape, np.int64)
            for lag in lags:
                found = found * (size + 1) + _before(symbols, lag)
            return found

        return contexts

    return made


def by_position(parents: Int[np.ndarray, " positions"]) -> Callable[[int], Contexts]:
    """The symbol of another position before it, its own for each; -1 where there is none."""

    def made(size: int) -> Contexts:
        def contexts(symbols: np.ndarray) -> np.ndarray:
            told = np.where(parents >= 0, symbols[:, np.maximum(parents, 0)] + 1, 0)
            return np.arange(len(parents)) * (size + 1) + told

        return contexts

    return made


def contexts_of(
    symbols: Int[np.ndarray, "n positions"], size: int, base: Float[np.ndarray, "n positions"], pooled: bool
) -> list[Contexts]:
    """What the models of a code look at, beside the position alone.

    Args:
        symbols: the rows that the models are fitted to.
        size: more than any symbol's number.
        base: probabilities of the symbols by their position alone.
        pooled: whether all positions have one codebook, so that a law may be of all of them.
    """
    positions = symbols.shape[1]
    if positions == 1:
        return []
    some = slice(0, int(np.clip(TRIED_SYMBOLS // positions, 64, ROWS)))
    chosen = [by_position(np.arange(positions) - 1)]
    if positions <= MAX_PARENTS:
        chosen.append(by_position(best_parents(symbols[:ROWS], size, base[:ROWS])))
    if pooled:
        chosen.append(lagged(1))
        if positions > 2 and (size + 1) ** 3 < MAX_NUMBER:
            other = best_lag(symbols[some], size, base[some])
            chosen += [lagged(2, 1)] if other is None else [lagged(2, 1), lagged(other), lagged(other, 1)]
    return [make(size) for make in chosen]


def best_parents(
    symbols: Int[np.ndarray, "n positions"], size: int, base: Float[np.ndarray, "n positions"]
) -> Int[np.ndarray, " positions"]:
    """(positions,) the position before each that tells most of it, row by row left out; -1 where none tells any."""
    parents = np.full(symbols.shape[1], -1)
    for k in range(1, symbols.shape[1]):
        told = [_told(symbols[:, j] + 1, symbols[:, k], size, base[:, k]) for j in range(k)]
        if max(told) > 0:
            parents[k] = int(np.argmax(told))
    return parents


def best_lag(symbols: Int[np.ndarray, "n positions"], size: int, base: Float[np.ndarray, "n positions"]) -> int | None:
    """How far before, 2 or more, the symbol stands that tells most; None where none tells any."""
    lags = range(2, min(symbols.shape[1], MAX_LAG + 1))
    told = [_told(_before(symbols, lag).ravel(), symbols.ravel(), size, base.ravel()) for lag in lags]
    return lags[int(np.argmax(told))] if told and max(told) > 0 else None


def _told(contexts: np.ndarray, symbols: np.ndarray, size: int, base: np.ndarray) -> float:
    """Nats of a symbol that the contexts tell, less what the choice of a strength may pretend."""
    gain = Counts.of(contexts, symbols, size).held_out(contexts, symbols, base).max() - np.log(base).mean()
    return float(gain - np.log(len(symbols)) / len(symbols))


def _before(symbols: np.ndarray, lag: int) -> np.ndarray:
    """The symbol's number + 1 so many positions before, 0 before the first."""
    found = np.zeros(symbols.shape, np.int64)
    found[:, lag:] = symbols[:, :-lag] + 1
    return found
