"""A conditional law of class columns, by several models: each fitted to most rows, weighed by how it tells the others.

The weights of each column are those of evidence on the other rows: of every model alone, and of the mixture that tells
them best (stacking; Smyth & Wolpert 1999).  What knows nothing of the given side is one of the models, so that chance
is left where nothing is found.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import numpy as np
from jaxtyping import Float, Int
from scipy.special import logsumexp, softmax

from capacity.estimators.checks import random_of
from capacity.estimators.codes.logistic import fit_linear, fit_products
from capacity.estimators.codes.nearest import MAX_INPUTS, LogProb, fit_frequencies, fit_nearest, fit_trees
from capacity.estimators.codes.posterior import fit_posterior, fit_table

VALIDATED = 6  # one row of so many
CHANCE_ROWS = 2.0  # how many validation rows speak for chance before any is seen
_ROUNDS = 200


def fit_conditional(
    key: jax.Array,
    inputs: Float[np.ndarray, "n f"],
    targets: Int[np.ndarray, "n columns"],
    counts: tuple[int, ...],
    given_counts: tuple[int, ...],
) -> tuple[LogProb, LogProb]:
    """log q(y_j | x, y_<j), and the same without x: both of inputs (n, f) and class numbers (n, columns).

    Args:
        key: which rows are held out for the weights.
        inputs: of the side that is given.
        targets: class numbers, none unseen.
        counts: how many classes each column has.
        given_counts: the same of the given side, 0 for real columns.
    """
    order = random_of(key).permutation(len(targets))
    held, rest = order[: len(order) // VALIDATED], order[len(order) // VALIDATED :]
    frequencies = fit_frequencies(targets[rest], counts)
    alone = frequencies
    if len(counts) > 1:
        none = inputs[:, :0]
        models = _chains(none[rest], targets[rest], counts)
        mixed = _weighed([frequencies, *models], none[held], targets[held])

        def alone(inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
            return mixed(inputs[:, :0], targets)

    models = [alone, frequencies] if len(counts) > 1 else [frequencies]
    models += _chains(inputs[rest], targets[rest], counts)
    if len(counts) > 1:
        rows, validation = ((inputs[part], targets[part]) for part in (rest, held))
        posterior = fit_posterior(rows, validation, counts, given_counts, alone)
        table = fit_table(*rows, validation, counts) if all(given_counts) else None
        models += [model for model in (posterior, table) if model]
    else:
        if inputs.shape[1] <= MAX_INPUTS:
            few = max(round(len(rest) ** (1 / 3)), 5)
            models += [fit_nearest(inputs[rest], targets[rest], counts[0], k) for k in (few, 4 * few)]
        if len(np.unique(targets[rest])) > 1:
            models.append(fit_trees(inputs[rest], targets[rest], counts[0], (inputs[held], targets[held])))
    return _weighed(models, inputs[held], targets[held]), alone


def _chains(inputs: np.ndarray, targets: np.ndarray, counts: tuple[int, ...]) -> list[LogProb]:
    """Logistic chains without and with products."""
    linear = fit_linear(inputs, targets, counts)
    products = fit_products(linear, inputs, targets)
    return [linear] if products is None else [linear, products]


def _weighed(models: Sequence[LogProb], inputs: np.ndarray, targets: np.ndarray) -> LogProb:
    """The mixture of models, the first of which is chance, that tells these rows best."""
    weights = stacking_weights(np.stack([model(inputs, targets) for model in models]))

    def log_prob(inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        parts = np.stack([model(inputs, targets) for model in models])
        return mixed_log_prob(parts, weights[:, None])

    return log_prob


def mixed_log_prob(logs: Float[np.ndarray, "models ..."], weights: Float[np.ndarray, "models ..."]) -> np.ndarray:
    """log sum_k w_k q_k, nats.

    Not by SciPy's own factors (`b`): it divides by that of the largest term, which overflows where it is next to 0.

    Args:
        logs: log q of every model.
        weights: that broadcast against them; 0 is taken.
    """
    with np.errstate(divide="ignore"):
        return np.asarray(logsumexp(logs + np.log(weights), axis=0))


def stacking_weights(logs: Float[np.ndarray, "models n columns"]) -> Float[np.ndarray, "models columns"]:
    """Weights of models, the first of which is chance, by how they tell these rows, for each column.

    Args:
        logs: log q of every model, nats, of rows that no model was fitted to.
    """
    mixed = _mixture_weights(logs.reshape(len(logs), -1))
    # A mixture is held against its parts, at the price of its weights: half a logarithm of the rows each.
    fitted = mixed_log_prob(logs, mixed[:, None, None]).sum(axis=0)
    price = 0.5 * (len(logs) - 1) * np.log(logs[0].size)
    evidence = softmax(np.vstack([logs.sum(axis=1), fitted - price]), axis=0)
    return np.asarray(evidence[:-1] + mixed[:, None] * evidence[-1])


def _mixture_weights(logs: Float[np.ndarray, "models n"]) -> Float[np.ndarray, " models"]:
    """The most likely weights, by expectation and maximisation, with some rows that speak for the first beforehand."""
    likelihood, weights = np.exp(logs - logs.max(axis=0)), np.full(len(logs), 1 / len(logs))
    for _ in range(_ROUNDS):
        shares = weights[:, None] * likelihood
        weights = (shares / shares.sum(axis=0)).sum(axis=1)
        weights[0] += CHANCE_ROWS
        weights /= weights.sum()
    return weights
