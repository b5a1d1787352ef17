"""A code told by Bayes' rule: q(code | other side) from how the other side's columns come about, each given the code.

Given the code, the other side's columns are taken as independent symbols, or as normal numbers of one covariance: exact
for a network whose units are noisy one by one (a memoryless channel).  What a column's law is for each code is a
regression on the columns of the code, moved towards what the rows of that very code show.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from capacity.estimators.codes.columns import indicators, one_hot
from capacity.estimators.codes.logistic import fit_linear, fit_products
from capacity.estimators.codes.nearest import LogProb

MAX_CODES = 4096  # that are held against each other
PRIOR_ROWS = (1.0, 4.0, 20.0, 100.0)  # how many rows of a code the regression counts for; validation chooses
_MAX_FEATURES = 400
_RIDGE = 1.0
_AT_ONCE = 1000
_LEAST = 1e-300
_FLOOR = 1e-9  # of the likeliest code: differences of sums keep to it


@dataclass(frozen=True)
class Bayes:
    """A posterior over listed codes: log-linear in the other side's indicators and numbers.

    Attributes:
        codes: class numbers (codes, columns), in order.
        given_counts: how many classes each column of the other side has, 0 for real ones.
        weights: (indicators and numbers, codes).
        constants: (codes,), the prior's logarithms among them.
    """

    codes: Int[np.ndarray, "codes columns"]
    given_counts: tuple[int, ...]
    weights: Float[np.ndarray, "features codes"]
    constants: Float[np.ndarray, " codes"]

    def __call__(self, inputs: np.ndarray, targets: np.ndarray) -> Float[np.ndarray, "n columns"]:
        """log q(y_j | x, y_<j), nats: how much of what is left of the posterior mass has the right class.

        Rows of equal inputs that follow each other are worked on once.
        """
        new = np.append(True, (inputs[1:] != inputs[:-1]).any(axis=1)) if len(inputs) else np.zeros(0, bool)
        owner, distinct = np.cumsum(new) - 1, inputs[new]
        first, last = self._ranges(targets)
        alike = -np.log(self.codes.max(axis=0) + 1.0)
        out = np.zeros(targets.shape)
        for start in range(0, len(distinct), _AT_ONCE):
            features = indicators(distinct[start : start + _AT_ONCE], self.given_counts)
            scores = features @ self.weights + self.constants
            scores = np.exp(scores - scores.max(axis=1, keepdims=True)) + _FLOOR
            below = np.pad(np.cumsum(scores, axis=1), ((0, 0), (1, 0)))
            mine = np.flatnonzero((owner >= start) & (owner < start + _AT_ONCE))
            row = (owner[mine] - start)[:, None]
            mass = np.column_stack([below[row[:, 0], -1], below[row, last[mine]] - below[row, first[mine]]])
            logs = np.log(np.maximum(mass, _LEAST))
            # Beyond a beginning that no code has, all classes are alike.
            out[mine] = np.where(mass[:, :-1] > 0, logs[:, 1:] - logs[:, :-1], alike)
        return out

    def _ranges(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where among the codes those begin and end that agree with each row in its first columns."""
        sizes = self.codes.max(axis=0, initial=0) + 2
        known, asked = (np.zeros(len(rows), np.int64) for rows in (self.codes, targets))
        ends = []
        for j, size in enumerate(sizes):
            known, asked = known * size + self.codes[:, j], asked * size + np.minimum(targets[:, j], size - 1)
            ends.append([np.searchsorted(known, asked, side=side) for side in ("left", "right")])
        return np.stack([e[0] for e in ends], axis=1), np.stack([e[1] for e in ends], axis=1)


def listed_codes(targets: Int[np.ndarray, "n columns"], counts: tuple[int, ...]) -> np.ndarray | None:
    """All codes there could be, in order, else all that came; None where these are too many.

    Args:
        targets: class numbers.
        counts: how many classes each column has.
    """
    if np.log2(counts).sum() <= np.log2(MAX_CODES) + 1e-9:
        return np.stack(np.meshgrid(*map(np.arange, counts), indexing="ij"), axis=-1).reshape(-1, len(counts))
    seen = np.unique(targets, axis=0)
    few = len(seen) <= min(MAX_CODES, len(targets) / 2) and np.log2(np.array(counts) + 1).sum() < 62
    return seen if few else None


def fit_posterior(
    rows: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    counts: tuple[int, ...],
    given_counts: tuple[int, ...],
    alone: LogProb,
) -> LogProb | None:
    """log q(y_j | x, y_<j) from p(y) q(x | y); None where there are too many codes y.

    Args:
        rows, validation: inputs of x (n, f) and class numbers of y (n, columns).
        counts: how many classes each column of y has.
        given_counts: the same of x, 0 for real columns.
        alone: log of a law of y.
    """
    inputs, targets = rows
    codes = listed_codes(targets, counts)
    if codes is None:
        return None
    code_inputs = np.hstack([one_hot(column, count) for column, count in zip(codes.T, counts, strict=True)])
    own = np.searchsorted(np.ravel_multi_index(tuple(codes.T), counts), np.ravel_multi_index(tuple(targets.T), counts))
    times = np.bincount(own, minlength=len(codes)).astype(float)
    unseen = min(float((times == 1).sum() + 1) / len(own), 1.0)  # Good (1953)
    shares = (1 - unseen) * times / len(own) + unseen * np.exp(alone(np.zeros((len(codes), 0)), codes).sum(axis=1))
    features = indicators(inputs, given_counts)
    which = csr_array((np.ones(len(own)), (own, np.arange(len(own)))), (len(codes), len(own)))
    sums, few = which @ features, sum(given_counts)
    guess = np.hstack([_shares(code_inputs, own, features, given_counts), _means(code_inputs, own, features[:, few:])])
    made = []
    for prior in PRIOR_ROWS:
        laws = (sums + prior * guess) / (times + prior)[:, None]
        means = laws[:, few:]
        # Without a row's own part in the mean that it is held against.
        left = (features[:, few:] - means[own]) * ((times[own] + prior) / (times[own] + prior - 1).clip(min=1))[:, None]
        precision = np.linalg.pinv(left.T @ left / len(left)) if left.shape[1] else np.zeros((0, 0))
        weights = np.concatenate([np.log(np.maximum(laws[:, :few], 1e-9)).T, precision @ means.T])
        constants = np.log(shares + _LEAST) - 0.5 * ((means @ precision) * means).sum(axis=1)
        made.append(Bayes(codes, given_counts, weights, constants))
    return max(made, key=lambda law: float(law(*validation).mean()))


def fit_table(
    inputs: np.ndarray, targets: np.ndarray, validation: tuple[np.ndarray, np.ndarray], counts: tuple[int, ...]
) -> LogProb | None:
    """log q(y_j | x) from the rows of each x, drawn towards a regression; None where x has too many different rows.

    Args:
        inputs: of x (n, f), of symbols alone.
        targets: class numbers of y (n, columns).
        validation: inputs and class numbers of other rows.
        counts: how many classes each column of y has.
    """
    codes, own, times = np.unique(inputs, axis=0, return_inverse=True, return_counts=True)
    if len(codes) > min(MAX_CODES, len(own) / 2):
        return None
    own = own.ravel()
    each = np.hstack([targets[:, [j]] == np.arange(count) for j, count in enumerate(counts)]).astype(float)
    guess = _shares(codes, own, each, counts)
    sums = csr_array((np.ones(len(own)), (own, np.arange(len(own)))), (len(codes), len(own))) @ each
    made = [np.log((sums + prior * guess) / (times + prior)[:, None]) for prior in PRIOR_ROWS]
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    tree, chance = cKDTree(codes), np.log(each.mean(axis=0) + 1e-9)

    def told(table: np.ndarray) -> LogProb:
        def log_prob(inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
            distance, which = tree.query(inputs)
            known = table[which[:, None], starts + targets]
            return np.asarray(np.where(distance[:, None] < 1e-9, known, chance[starts + targets]))

        return log_prob

    return max(map(told, made), key=lambda law: float(law(*validation).mean()))


def _shares(
    code_inputs: np.ndarray, own: np.ndarray, features: np.ndarray, given_counts: tuple[int, ...]
) -> Float[np.ndarray, "codes indicators"]:
    """How likely each class of each symbol column is, by code: a logistic regression with products."""
    counts = tuple(count for count in given_counts if count)
    if not counts:
        return np.zeros((len(code_inputs), 0))
    parts = np.split(features[:, : sum(counts)], np.cumsum(counts)[:-1], axis=1)
    classes = np.stack([part.argmax(axis=1) for part in parts], axis=1)
    linear = fit_linear(code_inputs[own], classes, counts, chained=False)
    model = fit_products(linear, code_inputs[own], classes) or linear
    logits = model.logits(code_inputs, np.zeros((len(code_inputs), len(counts)), int))
    rest = np.exp(-model.softmaxes.log_normalisers(logits))
    several = np.split(model.softmaxes.probabilities(logits), np.cumsum(np.array(counts) - 1)[:-1], axis=1)
    return np.hstack([a for j, part in enumerate(several) for a in (rest[:, j : j + 1], part)])


def _means(code_inputs: np.ndarray, own: np.ndarray, numbers: np.ndarray) -> Float[np.ndarray, "codes numbers"]:
    """The mean of each real column by code: a ridge regression on products of up to three inputs."""
    if not numbers.shape[1]:
        return np.zeros((len(code_inputs), 0))
    size = code_inputs.shape[1]
    chosen = [c for parts in range(4) for c in combinations(range(size), parts)][:_MAX_FEATURES]
    made = np.stack([code_inputs[:, list(c)].prod(axis=1) for c in chosen], axis=1)
    rows = made[own]
    gram = rows.T @ rows + _RIDGE * np.eye(len(chosen))
    return np.asarray(made @ np.linalg.solve(gram, rows.T @ numbers))
