"""A masked network over columns of classes, which starts at a logistic chain and is trained on what that leaves.

Column j has nodes of its own, which see the given inputs and the columns before j (Germain et al. 2015), so that all
factors of q(y | x) = prod_j q(y_j | x, y_<j) take one pass.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from capacity.estimators.codes.logistic import Logistic, Softmaxes
from capacity.estimators.codes.nearest import LogProb
from capacity.estimators.neural.critics import linear, randomise
from capacity.estimators.neural.training import Stopping, sample_rows

_AT_ONCE = 10_000


@dataclass(frozen=True)
class MaskedNetwork:
    """How wide it is and how it is trained.

    Attributes:
        width: nodes for each column, in each of two layers.
        batch: rows of a training batch.
        stopping: for how long, and how fast.
    """

    width: int = 32
    batch: int = 256
    stopping: Stopping = field(default_factory=lambda: Stopping(steps=800, weight_decay=0.1, patience=5))

    def fit(
        self,
        key: jax.Array,
        start: Logistic,
        rows: tuple[np.ndarray, np.ndarray],
        validation: tuple[np.ndarray, np.ndarray],
    ) -> LogProb:
        """The network trained on rows, stopped on validation rows.

        Args:
            key: of initial parameters and batches.
            start: the logistic chain whose logits it adds to.
            rows, validation: inputs (n, f) and class numbers (n, columns).
        """
        softmaxes = start.softmaxes
        seen = softmaxes.one_hot(rows[1])
        base = np.hstack([rows[0], seen])
        centre, scale = base.mean(axis=0), np.maximum(base.std(axis=0), 1e-6)

        def prepared(inputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, ...]:
            one_hot = softmaxes.one_hot(targets)
            units = (np.hstack([inputs, one_hot]) - centre) / scale
            return tuple(np.float32(a) for a in (units, start.logits(inputs, targets), one_hot))

        params = jax.tree.map(np.asarray, _trained(key, prepared(*rows), prepared(*validation), softmaxes, self))

        def log_prob(inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
            parts = []
            for first in range(0, len(targets), _AT_ONCE):
                part = slice(first, first + _AT_ONCE)
                units, offset, one_hot = prepared(inputs[part], targets[part])
                logits = offset + np.asarray(_added(params, units, softmaxes, self.width, np))
                parts.append(softmaxes.log_prob(np.float64(logits), one_hot))
            return np.concatenate(parts)

        return log_prob


@functools.partial(jax.jit, static_argnames=("softmaxes", "plan"))
def _trained(
    key: jax.Array,
    rows: tuple[jax.Array, ...],
    validation: tuple[jax.Array, ...],
    softmaxes: Softmaxes,
    plan: MaskedNetwork,
) -> PyTree:
    """Parameters of the least validation loss."""
    columns, inputs = len(softmaxes.counts), rows[0].shape[1]
    key_init, key_fit = jax.random.split(key)
    deviations = {
        "first": linear(inputs, 2 * plan.width * columns),
        "second": jax.tree.map(lambda a: jnp.stack([a] * columns), linear(plan.width, 2 * plan.width)),
    }
    outputs = len(softmaxes.columns)
    params = randomise(key_init, deviations) | {"last": jnp.zeros((outputs, plan.width))}

    def loss(params: PyTree, units: jax.Array, offset: jax.Array, one_hot: jax.Array) -> jax.Array:
        logits = offset + _added(params, units, softmaxes, plan.width, jnp)
        top = jnp.zeros((len(units), columns)).at[:, softmaxes.columns].max(jax.lax.stop_gradient(logits))
        total = jnp.exp(-top).at[:, softmaxes.columns].add(jnp.exp(logits - top[:, softmaxes.columns]))
        return ((top + jnp.log(total)).sum(1) - (logits * one_hot).sum(1)).mean()

    count = jnp.arange(len(rows[0]))

    def of_batch(params: PyTree, key: jax.Array) -> jax.Array:
        chosen = sample_rows(key, count, min(plan.batch, len(rows[0])))
        return loss(params, *(a[chosen] for a in rows))

    return plan.stopping.minimise(key_fit, params, of_batch, lambda params: loss(params, *validation))


def _added(params: PyTree, units: PyTree, softmaxes: Softmaxes, width: int, numpy: PyTree) -> PyTree:
    """What the network adds to the logits, (n, outputs); `numpy` is the module that computes it."""
    columns = len(softmaxes.counts)
    given = units.shape[1] - len(softmaxes.columns)
    order = np.concatenate([np.full(given, -1), softmaxes.columns])
    mask = np.float32(np.repeat(order[:, None] < np.arange(columns), 2 * width, axis=1))
    hidden = units @ (params["first"]["kernel"] * mask) + params["first"]["bias"][None]
    hidden = _gated(hidden.reshape(-1, columns, 2 * width), numpy)
    second = numpy.einsum("njw,jwv->njv", hidden, params["second"]["kernel"]) + params["second"]["bias"][None]
    hidden = hidden + _gated(second, numpy)
    return (hidden[:, softmaxes.columns] * params["last"][None]).sum(2)


def _gated(rows: PyTree, numpy: PyTree) -> PyTree:
    value, gate = numpy.split(rows, 2, axis=-1)
    return value / (1 + numpy.exp(-gate))
