"""One side of a test as numbers: functions of its ranks, labels of its values, and places in which to seek neighbours.

Everything is made of one side alone, before any pairing is looked at, so that tests which permute the pairing are
exact whatever is chosen here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from capacity.estimators.ranks import mid_ranks

MAX_COLUMNS = 32  # beyond, principal components stand for the columns
MAX_PLACES = 16  # columns in which neighbours are sought
MAX_LABELS = 64  # symbols with an indicator of their own, the commonest first
FEW_LABELS = 20  # values of one column of whole numbers, up to which they are taken as symbols
LARGE_ATOM = 0.2  # share of one value, above which the other values are ranked among themselves too


@dataclass(frozen=True)
class Description:
    """What is looked at of one side.

    Attributes:
        features: shape (n, p), each of mean 0 and unit length.
        groups: shape (g, p): the weight of each feature in each group, a group for a column or for the symbols.
        labels: numbers of equal rows, shape (n,); None where hardly any row repeats another.
        places: shape (n, d): ranks, or symbols' numbers.
        symbols: whether `places` are symbols, that are equal or not and nothing between.
    """

    features: np.ndarray
    groups: np.ndarray
    labels: np.ndarray | None
    places: np.ndarray
    symbols: bool


def describe(columns: np.ndarray, symbols: np.ndarray | None) -> Description:
    """Features, labels and places of one side.

    Args:
        columns: the numbers, shape (n, d), d = 0 where they have no order (strings).
        symbols: numbers of the side's symbols, shape (n,), where it is one of symbols; None for real numbers.
    """
    labels = _recurring(np.unique(columns, axis=0, return_inverse=True)[1] if symbols is None else symbols)
    if columns.shape[1] > MAX_COLUMNS:
        columns = principal_components(columns, MAX_COLUMNS)
    parts = [part for column in columns.T for part in _parts(column)]
    frequencies = 8 if len(parts) <= 4 else 4 if len(parts) <= 12 else 2
    blocks = [cosines_of_ranks(part, frequencies) for part in parts]
    weights = [1.0 / np.arange(1, frequencies + 1) ** 2] * len(blocks)
    if labels is not None:
        common = np.argsort(-np.bincount(labels), kind="stable")[:MAX_LABELS]
        blocks.append((labels[:, None] == common).astype(float))
        weights.append(np.ones(len(common)))
    features = np.hstack([np.empty((len(columns), 0)), *blocks])
    features -= features.mean(axis=0)
    lengths = np.sqrt((features**2).sum(axis=0))
    groups = np.zeros((len(weights), features.shape[1]))
    stop = np.cumsum([len(w) for w in weights])
    for row, end, weight in zip(groups, stop, weights, strict=True):
        row[end - len(weight) : end] = weight
    features /= np.where(lengths > 1e-9, lengths, np.inf)
    if symbols is not None and (columns.shape[1] == 0 or _few(columns, labels)):
        return Description(features, groups, labels, symbols[:, None].astype(float), symbols=True)
    wide = columns.shape[1] > MAX_PLACES
    places = mid_ranks(principal_components(columns, MAX_PLACES) if wide else columns)
    return Description(features, groups, labels, places, symbols=False)


def cosines_of_ranks(ranks: np.ndarray, frequencies: int) -> np.ndarray:
    """cos(pi j u) of ranks u, shape (n,), for j = 1, ..., `frequencies`: shape (n, frequencies)."""
    return np.asarray(np.cos(np.pi * ranks[:, None] * np.arange(1, frequencies + 1)))


def principal_components(columns: np.ndarray, most: int) -> np.ndarray:
    """The first few principal components of the columns' normal scores, shape (n, most) or less."""
    scores = ndtri(mid_ranks(columns))
    left, lengths, _ = np.linalg.svd(scores - scores.mean(axis=0), full_matrices=False)
    kept = min(most, int((lengths > 1e-9 * lengths[0]).sum()))
    return np.asarray(left[:, :kept])


def _recurring(labels: np.ndarray) -> np.ndarray | None:
    """The labels as they are, shape (n,); None where more than half of the rows are the only ones of theirs."""
    labels = labels.reshape(-1)
    return labels if (np.bincount(labels) == 1).sum() <= len(labels) / 2 else None


def _few(columns: np.ndarray, labels: np.ndarray | None) -> bool:
    """Whether one column of whole numbers has a few values that recur, so that these are taken as symbols."""
    return columns.shape[1] == 1 and labels is not None and int(labels.max()) < FEW_LABELS


def _parts(column: np.ndarray) -> list[np.ndarray]:
    """The column's ranks and, where one value is frequent, the ranks of the others with that value in the middle."""
    parts = [mid_ranks(column[:, None])[:, 0]]
    values, counts = np.unique(column, return_counts=True)
    rest = column != values[counts.argmax()]
    if counts.max() >= LARGE_ATOM * len(column) and len(values) > 3:
        inner = np.full(len(column), 0.5)
        inner[rest] = mid_ranks(column[rest][:, None])[:, 0]
        parts.append(inner)
    return parts
