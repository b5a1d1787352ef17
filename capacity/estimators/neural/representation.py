"""Learnt representations of few dimensions, and an estimator from samples on them (Gowri et al. 2024, "LMI").

Two encoders are trained so that from each side's code both sides can be rebuilt; what the codes share is then measured
where nearest neighbours still work.  By data processing the codes share no more than the sides do.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from capacity.estimators.estimator import Estimator
from capacity.estimators.neighbours.ksg import KSG
from capacity.estimators.neural.critics import apply_linear, apply_tower, linear, randomise, tower
from capacity.estimators.neural.estimator import NeuralEstimator
from capacity.estimators.neural.prepare import guarded, to_float32
from capacity.estimators.neural.training import Folds, Stopping, over_lanes, sample_rows
from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.results.intervals import Z95


@dataclass(frozen=True)
class Representation(NeuralEstimator):
    """Codes of `dimensions` numbers a side from one half of the pairs, measured by `inner` on the other, and in turn.

    Sides are represented by their columns' standard scores with logarithmic tails: not by ranks among the training
    pairs, which all pairs between two of those share, so that codes would be equal and have no distances to measure.
    Losses are squared errors of the four reconstructions, x and y from either code, as in the original.  The figure is
    the mean of the two halves; their errors are independent given the codes, so that the half width of the interval is
    the halves' root sum of squares over 2, about the information of the codes, which is less than that of the sides.

    Attributes:
        inner: an estimator of what two low-dimensional arrays share, such as KSG.
        dimensions: of each side's code.
        width, depth: of the encoders.
        stopping: how they are trained.
        batch: pairs of a training batch.

    Raises:
        ValueError: for fewer than 400 pairs, and what `checked` or `inner` refuse.
    """

    inner: Estimator = field(default_factory=KSG)
    dimensions: int = 2
    width: int = 64
    depth: int = 2
    stopping: Stopping = field(default_factory=Stopping)
    batch: int = 256

    name: ClassVar[str] = "representation"
    summary: ClassVar[str] = "learnt codes of few dimensions, then an estimator such as KSG; for many dimensions"
    min_pairs: ClassVar[int] = 400

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits from x (n, dx) and y (n, dy); the key decides the halves, batches and initial parameters."""
        key_parts, key_lanes, key_inner = jax.random.split(key, 3)
        parts = Folds.of(key_parts, len(x), 2, len(x))
        lanes = parts.lanes(key_lanes)
        codes = _program(lanes, jnp.asarray(to_float32(x)), jnp.asarray(to_float32(y)), self)
        u, v = (np.asarray(side, np.float64) for side in codes)
        halves = [self.inner(k, a, b) for k, a, b in zip(jax.random.split(key_inner, 2), u, v, strict=True)]
        figures = [(half.bits, half.low, half.high, half.stderr, half.limit) for half in halves]
        bits, low, high, stderr, limit = np.array(figures, np.float64).T
        middle = bits.mean() * NATS_PER_BIT
        down, up = (np.sqrt((reach**2).sum()) / 2 * NATS_PER_BIT for reach in (bits - low, high - bits))
        spread = max(float(np.sqrt((stderr**2).sum()) / 2) * NATS_PER_BIT, 0.0)
        return Estimate.from_nats(
            nats=float(middle),
            stderr=spread,
            kind="point",
            n=parts.evaluation.size,
            limit=float(limit.mean()) * NATS_PER_BIT,
            low=float(middle - max(down, Z95 * spread)),
            high=float(middle + max(up, Z95 * spread)),
        )


@functools.partial(jax.jit, static_argnames=("plan",))
def _program(lanes: PyTree, x: jax.Array, y: jax.Array, plan: Representation) -> tuple[jax.Array, jax.Array]:
    def lane(key: jax.Array, training: jax.Array, validation: jax.Array, evaluation: jax.Array) -> PyTree:
        left, right = guarded(x, x[training]), guarded(y, y[training])
        columns = left.shape[1] + right.shape[1]
        both = jnp.concatenate([left, right], axis=1)
        # Each side counts alike, however many columns it has.
        weight = jnp.concatenate([jnp.full(side.shape[1], 1 / side.shape[1]) for side in (left, right)])

        def codes(params: PyTree, rows: jax.Array) -> tuple[jax.Array, jax.Array]:
            return apply_tower(params["x"], left[rows]), apply_tower(params["y"], right[rows])

        def loss(params: PyTree, rows: jax.Array) -> jax.Array:
            total = jnp.zeros(())
            for name, code in zip(("from_x", "from_y"), codes(params, rows), strict=True):
                hidden = jax.nn.silu(apply_linear(params[name]["first"], code))
                error = apply_linear(params[name]["last"], hidden) - both[rows]
                total = total + (jnp.square(error) @ weight).mean()
            return total

        key_init, key_fit = jax.random.split(key)
        shape = (plan.width, plan.depth, plan.dimensions, 1.0)
        decoder = {"first": linear(plan.dimensions, plan.width), "last": linear(plan.width, columns)}
        params = {"x": tower(left.shape[1], *shape), "y": tower(right.shape[1], *shape)}
        params = randomise(key_init, params | {"from_x": decoder, "from_y": decoder})
        params = plan.stopping.minimise(
            key_fit,
            params,
            lambda p, key: loss(p, sample_rows(key, training, plan.batch)),
            lambda p: loss(p, validation),
        )
        return codes(params, evaluation)

    both: tuple[jax.Array, jax.Array] = over_lanes(lane, lanes)
    return both
