"""CLUB, E[log q(y | x)] - E'[log q(y' | x)] (Cheng et al. 2020, equation 11): NOT a bound.

It would be an upper bound with the true p(y | x) for q.  With a learnt q it can lie on either side of the truth, and
with the true one it exceeds the information by as much as the reverse divergence, E'[log p(y') - log p(y' | x)] >= 0:
for a bivariate normal pair it gives rho^2 / (1 - rho^2), against -log(1 - rho^2)/2.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from capacity.estimators.neural.critics import apply_tower, randomise, tower
from capacity.estimators.neural.estimator import NeuralEstimator
from capacity.estimators.neural.prepare import features, reference_scores, to_float32
from capacity.estimators.neural.training import Folds, Stopping, over_lanes, sample_rows
from capacity.results.estimate import Estimate


@dataclass(frozen=True)
class CLUB(NeuralEstimator):
    """A contrast of a normal decoder's log densities, of y's normal scores, on held-out pairs: neither bound.

    The decoder has a mean and a variance for each coordinate of y, as in the original, so that every y meets every x
    at the price of moments.  The interval is normal around the contrast of these decoders, by the influence function
    of the U-statistic (Hoeffding 1948); it says nothing of the information.

    Attributes:
        width, depth: of the decoder's tower.
        stopping: how it is trained.
        folds: each pair is evaluated once, by the decoder of the fold that did not see it.
        batch: pairs of a training batch.

    Raises:
        ValueError: for fewer than 200 pairs, and what `checked` refuses.
    """

    width: int = 64
    depth: int = 2
    stopping: Stopping = field(default_factory=Stopping)
    folds: int = 3
    batch: int = 256

    name: ClassVar[str] = "club"
    summary: ClassVar[str] = "contrast of a decoder's log densities: not a bound, and too high by construction"

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits from x (n, dx) and y (n, dy); the key decides folds, batches and initial parameters."""
        key_parts, key_lanes = jax.random.split(key)
        lanes = Folds.of(key_parts, len(x), self.folds, len(x)).lanes(key_lanes)
        means = _program(lanes, jnp.asarray(to_float32(x)), jnp.asarray(to_float32(y)), self)
        true, row, column = (np.asarray(a, np.float64) for a in means)
        nats = float((true - row).mean())
        influence = true - row - column
        stderr = np.sqrt(influence.var(axis=1).mean() / true.size)
        return Estimate.from_nats(nats=nats, stderr=float(stderr), kind="point", n=true.size)


@functools.partial(jax.jit, static_argnames=("plan",))
def _program(lanes: PyTree, x: jax.Array, y: jax.Array, plan: CLUB) -> tuple[jax.Array, jax.Array, jax.Array]:
    def decoded(params: PyTree, given: jax.Array) -> tuple[jax.Array, jax.Array]:
        mean, raw = jnp.split(apply_tower(params, given), 2, axis=1)
        return mean, 4.0 * jnp.tanh(raw / 4.0)

    def log_normal(mean: jax.Array, log_std: jax.Array, first: jax.Array, second: jax.Array) -> jax.Array:
        """Up to a constant, summed over coordinates; first and second are the moments of y."""
        squares = second - 2 * mean * first + jnp.square(mean)
        return -(0.5 * squares * jnp.exp(-2 * log_std) + log_std).sum(1)

    def lane(key: jax.Array, training: jax.Array, validation: jax.Array, evaluation: jax.Array) -> PyTree:
        given, scores = features(x, x[training]), reference_scores(y, y[training])

        def loss(params: PyTree, rows: jax.Array) -> jax.Array:
            return -log_normal(*decoded(params, given[rows]), scores[rows], jnp.square(scores[rows])).mean()

        key_init, key_fit = jax.random.split(key)
        params = plan.stopping.minimise(
            key_fit,
            randomise(key_init, tower(given.shape[1], plan.width, plan.depth, 2 * scores.shape[1])),
            lambda params, key: loss(params, sample_rows(key, training, plan.batch)),
            lambda params: loss(params, validation),
        )
        mean, log_std = decoded(params, given[evaluation])
        at, n = scores[evaluation], len(evaluation)
        true = log_normal(mean, log_std, at, jnp.square(at))
        row = log_normal(mean, log_std, at.mean(0, keepdims=True), jnp.square(at).mean(0, keepdims=True))
        precision = jnp.exp(-2 * log_std)
        zeroth, first, second = ((precision * jnp.power(mean, p)).mean(0, keepdims=True) for p in (0, 1, 2))
        column = -(0.5 * (jnp.square(at) * zeroth - 2 * at * first + second) + log_std.mean(0, keepdims=True)).sum(1)
        # Means over all j: leave the pair itself out.
        return true, (n * row - true) / (n - 1), (n * column - true) / (n - 1)

    means: tuple[jax.Array, jax.Array, jax.Array] = over_lanes(lane, lanes)
    return means
