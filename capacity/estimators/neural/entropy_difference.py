"""Difference of entropies by normalising flows, I = h(Y) - h(Y | X) (McAllester & Stratos 2020, section 5).

Each entropy is estimated by the cross-entropy of a flow on pairs that it has not seen.  Either cross-entropy is an
upper bound on its entropy; their difference is a bound on nothing, but it has no limit at the log of a sample size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import jax
import numpy as np

from capacity.estimators.neural.autoregressive import MixtureFlow
from capacity.estimators.neural.densities import held_out_log_densities
from capacity.estimators.neural.estimator import NeuralEstimator
from capacity.estimators.neural.training import Stopping
from capacity.results.estimate import Estimate


@dataclass(frozen=True)
class EntropyDifference(NeuralEstimator):
    """h(Y) - h(Y | X) by two flows of mixtures, on held-out pairs.

    The values log q(y|x) - log q(y) of different pairs are independent given the flows, so that the interval is normal
    around their mean, pooled over folds; the two flows' errors, of either sign, are not in it.

    Attributes:
        flow: of both densities.
        stopping: how each is trained.
        folds: each pair is evaluated once, by flows of the fold that did not see it.
        batch: pairs of a training batch.

    Raises:
        ValueError: for fewer than 200 pairs, and what `checked` refuses.
    """

    flow: MixtureFlow = field(default_factory=MixtureFlow)
    stopping: Stopping = field(default_factory=lambda: Stopping(learning_rate=3e-3))
    folds: int = 3
    batch: int = 256

    name: ClassVar[str] = "entropy_difference"
    summary: ClassVar[str] = "entropy of y less that given x, by normalising flows on held-out pairs; not a bound"

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits from x (n, dx) and y (n, dy); the key decides folds, batches and initial parameters."""
        conditional, marginal = held_out_log_densities(key, x, y, self.flow, self.stopping, self.folds, self.batch)
        values = conditional - marginal
        stderr = np.sqrt(values.var(axis=1).mean() / values.size)
        return Estimate.from_nats(nats=float(values.mean()), stderr=float(stderr), kind="point", n=values.size)
