"""A decoder's bound, I >= h(Y) + E[log q(y | x)] for any density q (Barber & Agakov 2003, equation 3).

It is a bound where the entropy of y is known.  Where it is not, it is estimated from the same samples by nearest
neighbours (Kozachenko & Leonenko 1987), and what comes out is a point estimate.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree
from scipy.spatial import cKDTree
from scipy.special import digamma

from capacity.estimators.neural.autoregressive import MixtureFlow
from capacity.estimators.neural.estimator import NeuralEstimator
from capacity.estimators.neural.prepare import features, to_float32
from capacity.estimators.neural.training import Folds, Stopping, over_lanes, sample_rows
from capacity.results.estimate import NATS_PER_BIT, Estimate, Kind
from capacity.results.intervals import Z95


@dataclass(frozen=True)
class BarberAgakov(NeuralEstimator):
    """The decoder is a flow of mixtures, a mixture density network where y has one column.

    With the entropy known, values of different pairs are independent given the decoders, and the interval is normal
    around their mean.  With the entropy estimated, the variance is that of log q(y|x) + (nearest-neighbour value of
    -log p(y)) pair by pair, which counts what the two have in common (Kozachenko-Leonenko is asymptotically a mean of
    such values); its bias is not in the interval.  In many columns, where neighbours are far, that bias is large: with
    25 and 50 columns a side and 10,000 pairs figures came out 2 to 10 nats too high.  There, state the entropy or take
    `EntropyDifference`.

    Attributes:
        entropy: differential entropy of y in bits, in the units of y; None to estimate it.
        flow: the decoder.
        stopping: how it is trained.
        folds: each pair is evaluated once, by the decoder of the fold that did not see it.
        batch: pairs of a training batch.
        neighbours: k of the entropy's estimate.

    Raises:
        ValueError: for fewer than 200 pairs, for equal rows of y where its entropy is to be estimated, and what
            `checked` refuses.
    """

    entropy: float | None = None
    flow: MixtureFlow = field(default_factory=MixtureFlow)
    stopping: Stopping = field(default_factory=lambda: Stopping(learning_rate=3e-3))
    folds: int = 3
    batch: int = 256
    neighbours: int = 5

    name: ClassVar[str] = "barber_agakov"
    summary: ClassVar[str] = "entropy of y plus a decoder's log density; a lower bound where that entropy is known"

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits from x (n, dx) and y (n, dy); the key decides folds, batches and initial parameters."""
        mean, std = y.mean(axis=0), y.std(axis=0)
        key_parts, key_lanes = jax.random.split(key)
        parts = Folds.of(key_parts, len(x), self.folds, len(x))
        lanes = parts.lanes(key_lanes)
        z = (y - mean) / std
        if self.entropy is None:
            surprises = _surprises(z, self.neighbours)[parts.evaluation]
        else:
            surprises = np.asarray(self.entropy * NATS_PER_BIT - np.log(std).sum())
        log_decoder = _program(lanes, jnp.asarray(to_float32(x)), jnp.asarray(z, jnp.float32), self)
        values = np.asarray(log_decoder, np.float64) + surprises
        stderr = np.sqrt(values.var(axis=1).mean() / values.size)
        kind: Kind = "point" if self.entropy is None else "lower"
        nats = float(values.mean())
        high = nats + Z95 * float(stderr)
        # Information is not negative: a lower bound that is says nothing against 0.
        return Estimate.from_nats(
            nats=nats, stderr=float(stderr), kind=kind, n=values.size, high=max(high, 0.0) if kind == "lower" else high
        )


def _surprises(rows: np.ndarray, k: int) -> np.ndarray:
    """Values whose mean is the Kozachenko-Leonenko entropy, nats, maximum norm (Kraskov et al. 2004, equation 20)."""
    n, d = rows.shape
    distance = cKDTree(rows).query(rows, k=[k + 1], p=np.inf)[0][:, 0]
    if (distance == 0).any():
        raise ValueError(
            f"Expected rows of y of which no {k + 1} are equal, to estimate an entropy; got some. State the entropy."
        )
    return np.asarray(digamma(n) - digamma(k) + d * np.log(2 * distance))


@functools.partial(jax.jit, static_argnames=("plan",))
def _program(lanes: PyTree, x: jax.Array, y: jax.Array, plan: BarberAgakov) -> jax.Array:
    flow = plan.flow

    def lane(key: jax.Array, training: jax.Array, validation: jax.Array, evaluation: jax.Array) -> jax.Array:
        given = features(x, x[training])

        def loss(params: PyTree, rows: jax.Array) -> jax.Array:
            return -flow.log_prob(params, given[rows], y[rows]).mean()

        key_init, key_fit = jax.random.split(key)
        params = plan.stopping.minimise(
            key_fit,
            flow.init(key_init, given.shape[1], y.shape[1]),
            lambda params, key: loss(params, sample_rows(key, training, plan.batch)),
            lambda params: loss(params, validation),
        )
        return flow.log_prob(params, given[evaluation], y[evaluation])

    log_prob: jax.Array = over_lanes(lane, lanes)
    return log_prob
