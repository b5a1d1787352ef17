"""Bounds for sides of symbols by held-out models: a classifier of labels, and codes told column after column."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import jax
import numpy as np
from threadpoolctl import threadpool_limits

from capacity.estimators.checks import random_of
from capacity.estimators.codes.conditional import fit_conditional
from capacity.estimators.codes.evidence import by_coincidences, by_contrast, by_counts, counts_tell
from capacity.estimators.codes.nearest import LogProb
from capacity.estimators.codes.reading import Reading, read_columns, read_whole_rows
from capacity.estimators.estimator import LogRatio, RatioEstimator
from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.runtime.threefry import parts_of

FOLDS, FEWER_FOLDS = 5, 3
MANY_ROWS = 2000  # from which fewer folds leave rows enough to each; with larger parts they show more of H(Y)
MAX_PAIRS = 1_000_000  # of which each is scored, where x and y of different rows stand against each other
LOOSE = 0.1  # of a figure, or so many bits: what may be lost to H(Y) before another bound is tried
_AT_ONCE = 20_000


@dataclass(frozen=True)
class HeldOutCode(RatioEstimator):
    """What both bounds share: models fitted to all folds but one, and judged on that."""

    min_pairs: ClassVar[int] = 50

    @abstractmethod
    def read(self, x: np.ndarray, y: np.ndarray) -> Reading:
        """Which side is told, and how."""

    def fit(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> LogRatio:
        """log q(y|x) - log q(y), each a mixture of models: of new pairs; 0 for columns whose class was never seen."""
        reading = self.read(x, y)
        given, alone = fit_conditional(key, *reading(x, y), reading.counts, reading.given_counts)

        def log_ratio(new_x: np.ndarray, new_y: np.ndarray) -> np.ndarray:
            parts = []
            for start in range(0, len(new_x), _AT_ONCE):
                part = slice(start, start + _AT_ONCE)
                inputs, targets = reading(new_x[part], new_y[part])
                seen = targets >= 0
                filled = np.where(seen, targets, 0)
                parts.append(((given(inputs, filled) - alone(inputs, filled)) * seen).sum(axis=1))
            return np.concatenate(parts)

        return log_ratio

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits from x (n, dx) and y (n, dy); the key decides folds and validation rows.

        Raises:
            ValueError: for fewer than 50 pairs, and what `checked` refuses.
        """
        with threadpool_limits(1):  # threads that wait for each other cost more than they save on matrices so narrow
            return self._information(key, x, y)

    def _information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        reading = self.read(x, y)
        inputs, targets = reading(x, y)
        key_order, key_fit = parts_of(key, 2)
        known = counts_tell(np.unique(targets, axis=0, return_inverse=True)[1].ravel())
        folds = FOLDS if known and len(x) < MANY_ROWS else FEWER_FOLDS
        share = len(x) // folds
        order = random_of(key_order).permutation(len(x))
        parts = order[: folds * share].reshape(folds, share)
        models: list[tuple[LogProb, LogProb]] = []
        for part, fold_key in zip(parts, parts_of(key_fit, folds), strict=True):
            rest = np.setdiff1d(order, part)
            models.append(fit_conditional(fold_key, inputs[rest], targets[rest], reading.counts, reading.given_counts))
        given, alone = (
            np.concatenate(
                [model[i](inputs[part], targets[part]).sum(1) for model, part in zip(models, parts, strict=True)]
            )
            for i in range(2)
        )
        symbols = np.unique(targets[parts.ravel()], axis=0, return_inverse=True)[1].ravel()
        found = by_counts(given, symbols)
        if found is not None:
            return found
        found = by_coincidences(given, alone, symbols, folds)
        free = float((given - alone).mean()) / NATS_PER_BIT  # what it would be, were the models of y alone right
        if found is not None and found.bits >= free - LOOSE * max(free, 1.0):
            return found

        def log_prob(rows_x: np.ndarray, rows_y: np.ndarray, fold: int) -> np.ndarray:
            chunks = range(0, len(rows_x), _AT_ONCE)
            pairs = ((inputs[rows_x[i : i + _AT_ONCE]], targets[rows_y[i : i + _AT_ONCE]]) for i in chunks)
            return np.concatenate([models[fold][0](*pair).sum(axis=1) for pair in pairs])

        size = min(share, int(MAX_PAIRS**0.5))
        other = by_contrast(log_prob, list(parts[: max(MAX_PAIRS // size**2, 1), :size]))
        return other if found is None or other.low > found.low else found


@dataclass(frozen=True)
class ClassifierBound(HeldOutCode):
    """H(Y) less the held-out cross-entropy of a classifier of y: a lower bound whatever the classifier is.

    E log q(y|x) is at most -H(Y|X), as in Barber & Agakov's (2003) bound.  The side with few different rows is told
    from the other; where both have many, a side of real columns is cut into cells.  Frequencies, logistic models with
    and without products, nearest neighbours and boosted trees are mixed by weights that other rows give, so
    that where nothing is found the frequencies are left.  H(Y) comes from counts of the same rows, with Grassberger's
    (2003) correction, and the interval is that of the mean of log q(y|x)/p(y), for the bound: the truth may be more.

    Raises:
        ValueError: for fewer than 50 pairs, and where no side can be cut to 32 classes or fewer.
    """

    name: ClassVar[str] = "classifier"
    summary: ClassVar[str] = "entropy of a label less the held-out cross-entropy of a classifier: a lower bound"

    def read(self, x: np.ndarray, y: np.ndarray) -> Reading:
        """The side of fewer different rows, each a class."""
        return read_whole_rows(x, y)


@dataclass(frozen=True)
class AutoregressiveCode(HeldOutCode):
    """A code told column after column, q(y|x) = prod_j q(y_j | x, y_<j), on held-out rows: a lower bound.

    E log q(y|x) is at most -H(Y|X) whatever q is (Barber & Agakov 2003).  What else is needed is H(Y) or less, and
    never more: a code length
    under a model of y alone is more, and the difference of the two code lengths no bound.  H(Y) comes from counts where
    symbols came often; from equal rows, which bound how far a model of y alone is from the law, up to about
    2 log2 n - 8 bits; else x and y of different rows are held against each other, which shows at most log2 of a fold
    (see `codes.evidence`).  `limit` says what H(Y), or the fold, allowed.

    A column of few values is one of classes, symbols' numbers of one column with many are written in binary digits, and
    real columns, where neither side is one of symbols, are cut into eight cells.

    Raises:
        ValueError: for fewer than 50 pairs.
    """

    name: ClassVar[str] = "autoregressive_code"
    summary: ClassVar[str] = "columns of symbols told one after another by held-out models: a lower bound for codes"

    def read(self, x: np.ndarray, y: np.ndarray) -> Reading:
        """The side of symbols with fewer cases, column by column."""
        return read_columns(x, y)
