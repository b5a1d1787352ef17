"""Held-out log densities of y by flows: given x, and with x left out, by folds as lanes of one compiled program."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from capacity.estimators.neural.autoregressive import MixtureFlow
from capacity.estimators.neural.prepare import features, reference_scores, to_float32
from capacity.estimators.neural.training import Folds, Stopping, over_lanes, sample_rows

SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.97, 1.0)


def held_out_log_densities(
    key: jax.Array, x: np.ndarray, y: np.ndarray, flow: MixtureFlow, stopping: Stopping, folds: int, batch: int
) -> tuple[np.ndarray, np.ndarray]:
    """log q(y_i | x_i) and log q(y_i), nats, each of shape (folds, share).

    The conditional density is mixed with the unconditional one, by the share that the validation part likes best:
    where x tells nothing, what a flow has learnt from it by chance is left out.

    Densities are those of y's normal scores by the ranks among the training rows: a map that the two have in common,
    so that their difference is that of the densities of y itself.

    Args:
        key: decides folds, batches and initial parameters.
        x, y: float64 (n, dx) and (n, dy).
        flow: of both densities.
        stopping: how long and how fast each is trained.
        folds: how many.
        batch: pairs of a training batch.
    """
    key_parts, key_lanes = jax.random.split(key)
    lanes = Folds.of(key_parts, len(x), folds, len(x)).lanes(key_lanes)
    arrays = jnp.asarray(to_float32(x)), jnp.asarray(to_float32(y))
    conditional, marginal = _program(lanes, *arrays, flow, stopping, batch)
    return np.asarray(conditional, np.float64), np.asarray(marginal, np.float64)


@functools.partial(jax.jit, static_argnames=("flow", "stopping", "batch"))
def _program(lanes: PyTree, x: jax.Array, y: jax.Array, flow: MixtureFlow, stopping: Stopping, batch: int) -> PyTree:
    def lane(key: jax.Array, training: jax.Array, validation: jax.Array, evaluation: jax.Array) -> PyTree:
        known, scores = features(x, x[training]), reference_scores(y, y[training])

        def trained(key: jax.Array, given: jax.Array) -> jax.Array:
            def loss_on(params: PyTree, rows: jax.Array) -> jax.Array:
                return -flow.log_prob(params, given[rows], scores[rows]).mean()

            key_init, key_fit = jax.random.split(key)
            params = stopping.minimise(
                key_fit,
                flow.init(key_init, given.shape[1], scores.shape[1]),
                lambda params, key: loss_on(params, sample_rows(key, training, batch)),
                lambda params: loss_on(params, validation),
            )
            return flow.log_prob(params, given, scores)

        # One key for both: where x tells nothing the two start alike.
        conditional, marginal = trained(key, known), trained(key, known[:, :0])
        shares = jnp.array(SHARES)
        mixed = jax.vmap(lambda share: _mixture(share, conditional, marginal))(shares)
        best = jnp.argmax(mixed[:, validation].mean(1))
        return mixed[best, evaluation], marginal[evaluation]

    return over_lanes(lane, lanes)


def _mixture(share: jax.Array, first: jax.Array, second: jax.Array) -> jax.Array:
    """Log of a mixture of two densities, the share of the first given."""
    return jnp.logaddexp(jnp.log(share) + first, jnp.log1p(-share) + second)
