"""Code lengths of rows of symbols under laws that saw other rows: E -log q(Z) is at least H(Z), whatever q is.

    E -log q(Z) = H(Z) + KL(p || q)                                 (Shannon 1948; Cover & Thomas 2006, theorem 5.4.3)

Rows are cut into folds.  For each fold four others fit the laws, one more weighs them, and the mixture is held against
the fold, which had part in neither: nothing is left to be corrected for the choice.  A whole row is told by the product
of its symbols' laws, by how often that very row came, and, a little, by the uniform law, so that no row costs
more than `most`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from jaxtyping import Float, Int

from capacity.analysis.codes.experts import Experts
from capacity.estimators.codes.conditional import mixed_log_prob, stacking_weights

FOLDS = 6
WEIGHED_SYMBOLS = 20_000  # by which the laws are weighed, at most
MIN_WEIGHED = 64  # rows
AT_ONCE = 100_000  # symbols
COPY_DISCOUNT = 0.5

Lengths = Float[np.ndarray, " n"]


class OtherLaws(Protocol):
    """Further laws of whole rows."""

    def __call__(self, rows: np.ndarray, folds: list[int]) -> np.ndarray:
        """log q (laws, n), nats, of rows by their numbers, under laws made of the folds that are named."""
        ...


@dataclass(frozen=True)
class CodeLengths:
    """Lengths in nats of every row under laws of other rows.

    Attributes:
        whole: (n,), of the row.
        single: (n, positions), of each symbol by its position alone.
        most: (n,), the most that any row could have cost under the same law.
        most_single: (n, positions), the same of a symbol.
    """

    whole: Lengths
    single: Float[np.ndarray, "n positions"]
    most: Lengths
    most_single: Float[np.ndarray, "n positions"]


def folds_of(rng: np.random.Generator, count: int) -> Int[np.ndarray, " count"]:
    """(count,) the fold of each row, sizes as equal as can be."""
    return rng.permutation(np.arange(count) % FOLDS)


def cross_fitted(
    symbols: Int[np.ndarray, "N positions"],
    rows: Int[np.ndarray, " N"],
    sizes: Int[np.ndarray, " positions"],
    fold: Int[np.ndarray, " N"],
    told: Int[np.ndarray, " n"],
    others: OtherLaws | None = None,
    report: Callable[[float], None] = lambda share: None,
) -> CodeLengths:
    """Code lengths of some rows under laws of the rows of other folds.

    Args:
        symbols: codes.
        rows: a number for each, the same for equal rows.
        sizes: of the codebooks.
        fold: of each, from `folds_of`.
        told: numbers of the rows whose length is asked.
        others: further laws of whole rows, of those that are asked.
        report: called with the share that is done.
    """
    positions, count = symbols.shape[1], len(told)
    whole, single, fitted = np.empty(count), np.empty((count, positions)), np.empty(count)
    fold_told = fold[told]
    for f in range(FOLDS):
        weighing = (f + 1) % FOLDS
        fitting = [g for g in range(FOLDS) if g not in (f, weighing)]
        fit, weigh = np.flatnonzero(np.isin(fold, fitting)), told[fold_told == weighing]
        weigh = weigh[: max(WEIGHED_SYMBOLS // positions, MIN_WEIGHED)]
        law = _Law(symbols, rows, sizes, fit, weigh, None if others is None else partial(others, folds=fitting))
        here = np.flatnonzero(fold_told == f)
        for part in _chunks(here, positions):
            whole[part], single[part] = law.lengths(told[part])
        fitted[here] = len(fit) + 1
        report((f + 1) / FOLDS)
    log_sizes = np.log(sizes)
    return CodeLengths(whole, single, np.log(fitted) + log_sizes.sum(), np.log(fitted)[:, None] + log_sizes)


class _Law:
    """Laws fitted to some rows and weighed by others."""

    def __init__(
        self,
        symbols: np.ndarray,
        rows: np.ndarray,
        sizes: np.ndarray,
        fit: np.ndarray,
        weigh: np.ndarray,
        others: Callable[[np.ndarray], np.ndarray] | None,
    ):
        self.symbols, self.rows, self.others = symbols, rows, others
        self.log_uniform = -np.log(sizes)
        self.floor = 1 / (len(fit) + 1)
        self.times = np.bincount(rows[fit], minlength=int(rows.max()) + 1)
        self.experts = Experts.fit(symbols[fit], sizes)
        logs, alone = self.experts(symbols[weigh])
        self.single = stacking_weights(logs[:alone])
        self.chain = stacking_weights(logs)
        self.whole = stacking_weights(self._whole(weigh, logs)[:, :, None])

    def lengths(self, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Nats of whole rows and of their symbols alone."""
        logs, alone = self.experts(self.symbols[which])
        single = mixed_log_prob(logs[:alone], self.single[:, None])
        whole = mixed_log_prob(self._whole(which, logs), self.whole)
        return -self._floored(whole, self.log_uniform.sum()), -self._floored(single, self.log_uniform)

    def _whole(self, which: np.ndarray, logs: np.ndarray) -> np.ndarray:
        chain = mixed_log_prob(logs, self.chain[:, None]).sum(1)
        with np.errstate(divide="ignore"):
            copy = np.log(np.maximum(self.times[self.rows[which]] - COPY_DISCOUNT, 0) / self.times.sum())
        laws = [np.full(len(which), self.log_uniform.sum()), chain, copy]
        return np.stack(laws if self.others is None else [*laws, *self.others(which)])

    def _floored(self, log_q: np.ndarray, log_uniform: np.ndarray | float) -> np.ndarray:
        return np.asarray(np.logaddexp(np.log1p(-self.floor) + log_q, np.log(self.floor) + log_uniform))


def _chunks(rows: np.ndarray, positions: int) -> Iterator[np.ndarray]:
    step = max(AT_ONCE // positions, 1)
    return (rows[start : start + step] for start in range(0, len(rows), step))
