"""Logistic models of several columns of classes, one after another: q(y | x) = prod_j q(y_j | x, y_<j).

Each factor is a softmax linear in its inputs (a fully visible belief network; Neal 1992, Frey 1998), with a ridge.
Then products of two and three inputs are added that the residuals of the linear fit show beyond chance (a score test).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize
from scipy.special import ndtri

from capacity.estimators.threads import threads_for_product

RIDGE = 2.0  # the precision of a standardised input's weight before any row was seen
MAX_PRODUCTS = 6000  # that are tried
MAX_KEPT = 400  # that are kept
CHANCE = 0.5  # products that may be kept for each target if none matters
_AT_ONCE = 500
_STEPS, _LEAST_STEPS = 100, 15
_PRICE = 4e10  # operations of one fit: wide codes of many values take fewer steps, from chance on


@dataclass(frozen=True)
class Softmaxes:
    """Targets of several columns as outputs: an output for each class of each column but its first.

    Attributes:
        counts: how many classes each column has.
        chained: whether an output sees the columns before its own.
    """

    counts: tuple[int, ...]
    chained: bool = True

    @property
    def columns(self) -> Int[np.ndarray, " outputs"]:
        """The column of each output."""
        return np.repeat(np.arange(len(self.counts)), np.array(self.counts) - 1)

    @property
    def starts(self) -> Int[np.ndarray, " columns"]:
        """The first output of each column."""
        return np.concatenate([[0], np.cumsum(np.array(self.counts) - 1)[:-1]])

    def one_hot(self, targets: Int[np.ndarray, "n columns"]) -> Float[np.ndarray, "n outputs"]:
        """Indicators of the classes; of the first, and of unseen ones, all 0."""
        number = np.concatenate([np.arange(1, count) for count in self.counts])
        return np.asarray((targets[:, self.columns] == number).astype(float))

    def log_normalisers(self, logits: Float[np.ndarray, "n outputs"]) -> Float[np.ndarray, "n columns"]:
        """log(1 + sum exp logits) of each column."""
        if logits.shape[1] == len(self.counts):
            return np.asarray(np.logaddexp(0.0, logits))
        top = np.maximum(np.maximum.reduceat(logits, self.starts, axis=1), 0.0)
        return np.asarray(
            top + np.log(np.exp(-top) + np.add.reduceat(np.exp(logits - top[:, self.columns]), self.starts, axis=1))
        )

    def log_prob(self, logits: np.ndarray, one_hot: np.ndarray) -> Float[np.ndarray, "n columns"]:
        """log q of each column's class, nats."""
        return np.asarray(np.add.reduceat(logits * one_hot, self.starts, axis=1) - self.log_normalisers(logits))

    def probabilities(self, logits: np.ndarray) -> Float[np.ndarray, "n outputs"]:
        """q of each output's class."""
        return np.asarray(np.exp(logits - self.log_normalisers(logits)[:, self.columns]))


@dataclass(frozen=True)
class Logistic:
    """A fitted chain of softmaxes.

    Attributes:
        softmaxes: its outputs.
        products: which base inputs make up each feature: (features, 3), the number of inputs standing for 1.
        weights: (features, outputs).
        bias: (outputs,).
    """

    softmaxes: Softmaxes
    products: Int[np.ndarray, "features 3"]
    weights: Float[np.ndarray, "features outputs"]
    bias: Float[np.ndarray, " outputs"]

    def logits(self, inputs: np.ndarray, targets: np.ndarray) -> Float[np.ndarray, "n outputs"]:
        """Of rows of inputs (n, f) and class numbers (n, columns), of which each output sees the earlier columns."""
        base = _base(inputs, self.softmaxes.one_hot(targets), self.softmaxes)
        return np.asarray(_features(base, self.products).T @ self.weights + self.bias)

    def __call__(self, inputs: np.ndarray, targets: np.ndarray) -> Float[np.ndarray, "n columns"]:
        """log q(y_j | x, y_<j), nats."""
        return self.softmaxes.log_prob(self.logits(inputs, targets), self.softmaxes.one_hot(targets))


def fit_linear(inputs: np.ndarray, targets: np.ndarray, counts: tuple[int, ...], chained: bool = True) -> Logistic:
    """The linear chain.

    Args:
        inputs: (n, f) of the side that is given; f may be 0.
        targets: class numbers (n, columns).
        counts: how many classes each column has.
        chained: whether a column sees those before it.
    """
    softmaxes = Softmaxes(counts, chained)
    one_hot = softmaxes.one_hot(targets)
    base = inputs.shape[1] + one_hot.shape[1] * chained
    products = np.column_stack([np.arange(base), np.full((base, 2), base)])
    return _fitted(softmaxes, inputs, one_hot, products, _allowed(products, inputs.shape[1], softmaxes))


def fit_products(linear: Logistic, inputs: np.ndarray, targets: np.ndarray) -> Logistic | None:
    """The linear chain with products of inputs that its residuals show; None where they show none.

    Args:
        linear: fitted to the same rows.
        inputs, targets: as in `fit_linear`.
    """
    softmaxes = linear.softmaxes
    one_hot = softmaxes.one_hot(targets)
    base = _base(inputs, one_hot, softmaxes)
    residual = one_hot - softmaxes.probabilities(linear.logits(inputs, targets))
    tried = _candidates(base, inputs.shape[1], softmaxes)
    allowed = _allowed(tried, inputs.shape[1], softmaxes)
    scores = np.abs(_scores(base, tried, residual)) * allowed
    beyond = -ndtri(CHANCE / 2 / max(len(tried), 1))
    best = np.argsort(-scores.max(axis=1), kind="stable")[:MAX_KEPT]
    best = best[scores[best].max(axis=1) > beyond]
    if not len(best):
        return None
    products = np.concatenate([linear.products, tried[best]])
    mask = np.concatenate([_allowed(linear.products, inputs.shape[1], softmaxes), scores[best] > beyond])
    return _fitted(softmaxes, inputs, one_hot, products, mask)


def _base(inputs: np.ndarray, one_hot: np.ndarray, softmaxes: Softmaxes) -> np.ndarray:
    """What features are made of; the last column is 1."""
    return np.hstack([inputs, one_hot if softmaxes.chained else inputs[:, :0], np.ones((len(inputs), 1))])


def _candidates(base: np.ndarray, given: int, softmaxes: Softmaxes) -> Int[np.ndarray, "products 3"]:
    """Pairs, squares of what is not two-valued, and triples while there is room."""
    count = base.shape[1] - 1
    owner = np.concatenate([np.arange(given) - given, softmaxes.columns])[:count]
    pairs = np.array([p for p in combinations(range(count), 2) if owner[p[0]] != owner[p[1]]], int).reshape(-1, 2)
    squares = [j for j in range(given) if len(np.unique(base[:100, j])) > 2]
    pairs = np.concatenate([pairs, np.column_stack([squares, squares]).astype(int)])[:MAX_PRODUCTS]
    tried = np.column_stack([pairs, np.full(len(pairs), count)])
    if count * (count - 1) * (count - 2) / 6 + len(tried) <= MAX_PRODUCTS:
        triples = np.array(list(combinations(range(count), 3)), int).reshape(-1, 3)
        tried = np.concatenate([tried, triples])
    return tried


def _allowed(products: np.ndarray, given: int, softmaxes: Softmaxes) -> Bool[np.ndarray, "features outputs"]:
    """Whether an output may see a feature: all of its parts are given or of an earlier column."""
    order = np.concatenate([np.full(given, -1), softmaxes.columns if softmaxes.chained else [], [-1]]).astype(int)
    return np.asarray(order[products].max(axis=1)[:, None] < softmaxes.columns)


def _features(base: np.ndarray, products: np.ndarray) -> Float[np.ndarray, "features n"]:
    """Products of inputs, a row each: rows that lie in one piece are read several times as fast as columns."""
    columns, one = np.ascontiguousarray(base.T), base.shape[1] - 1
    made = columns[products[:, 0]]
    for part in (1, 2):
        several = np.flatnonzero(products[:, part] < one)
        if len(several):
            made[several] *= columns[products[several, part]]
    return np.asarray(made)


def _scores(base: np.ndarray, products: np.ndarray, residual: np.ndarray) -> Float[np.ndarray, "products outputs"]:
    """Sums of feature times residual in units of their deviations."""
    parts = [np.zeros((0, residual.shape[1]))]
    base, residual = base.astype(np.float32), residual.astype(np.float32)
    squares = residual**2
    for start in range(0, len(products), _AT_ONCE):
        made = _features(base, products[start : start + _AT_ONCE])
        made -= made.mean(axis=1, keepdims=True)
        total = made @ residual
        parts.append(total / np.maximum(np.sqrt(np.square(made, out=made) @ squares), 1e-6))
    return np.concatenate(parts)


def _fitted(
    softmaxes: Softmaxes, inputs: np.ndarray, one_hot: np.ndarray, products: np.ndarray, mask: np.ndarray
) -> Logistic:
    """The most likely weights where the mask lets them be, with a ridge."""
    base = _base(inputs, one_hot, softmaxes)
    made = _features(base, products)
    centre, scale = made.mean(axis=1), made.std(axis=1)
    scale = np.where(scale > 1e-9, scale, np.inf)
    made = (made - centre[:, None]) / scale[:, None]
    n, shape = made.shape[1], mask.shape
    share = (one_hot.sum(axis=0) + 0.5) / (n + 1)
    first = np.log(share) - np.log(np.maximum(1 - np.add.reduceat(share, softmaxes.starts), 0.5 / n))[softmaxes.columns]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = flat[: -len(first)].reshape(shape), flat[-len(first) :]
        logits = made.T @ weights + bias
        log_normalisers = softmaxes.log_normalisers(logits)
        value = log_normalisers.sum() - (logits * one_hot).sum() + 0.5 * RIDGE * (weights**2).sum()
        error = np.exp(logits - log_normalisers[:, softmaxes.columns]) - one_hot
        gradient = (made @ error + RIDGE * weights) * mask
        return float(value) / n, np.concatenate([gradient.ravel(), error.sum(axis=0)]) / n

    start = np.concatenate([np.zeros(shape).ravel(), first])
    steps = int(np.clip(_PRICE / (4 * n * mask.size), _LEAST_STEPS, _STEPS))
    with threads_for_product(n, *shape):
        flat = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": steps, "ftol": 1e-7}).x
    weights = flat[: -len(first)].reshape(shape) / scale[:, None]
    return Logistic(softmaxes, products, weights, flat[-len(first) :] - centre @ weights)
