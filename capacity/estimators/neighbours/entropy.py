"""Differential entropy from nearest neighbours, and information as three entropies.

With e_i the distance to the k-th neighbour in the maximum norm, whose ball has the volume (2 e)^d, in nats
(Kozachenko and Leonenko 1987, Probl. Inf. Transm. 23, 95; Kraskov et al. 2004, equation 20):

    H = psi(n) - psi(k) + d <log 2 e_i>

Information as H(x) + H(y) - H(x, y) lets each entropy err on its own scale: its bias does not cancel, as KSG's does,
and it is here to show that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import jax
import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma

from capacity.estimators.checks import Takes, checked
from capacity.estimators.estimator import Change
from capacity.estimators.neighbours.ksg import refuse_ties, scaled_margins
from capacity.estimators.neighbours.profile import estimate_from_terms
from capacity.estimators.neighbours.search import nearest
from capacity.estimators.neighbours.terms import NeighbourEstimator
from capacity.results.estimate import NATS_PER_BIT, Estimate


def differential_entropy(x: ArrayLike, k: int = 5) -> float:
    """Kozachenko-Leonenko differential entropy in bits, in the units of x: it may be negative.

    Args:
        x: real, shape (n, d) or (n,), n > k.
        k: how many neighbours.

    Raises:
        ValueError: for what `checked` refuses, for k pairs or fewer, and for points at distance 0 from k others.
    """
    points, _ = checked(x, x, "continuous", least=k + 1)
    terms = entropy_terms(points, [k])
    if not np.isfinite(terms).all():
        raise ValueError(
            f"Expected points that differ; got {int((~np.isfinite(terms)).sum())} with {k} others at distance 0. "
            "What takes single values with some probability has no density, and its differential entropy is -inf."
        )
    return float(terms.mean()) / NATS_PER_BIT


def entropy_terms(x: np.ndarray, ks: Sequence[int]) -> np.ndarray:
    """Local terms in nats, whose mean is the entropy, from x of shape (n, d): shape (len(ks), n)."""
    distances = nearest(x, max(ks))[0]
    at = np.asarray(ks)
    with np.errstate(divide="ignore"):
        logs = np.log(2 * distances[:, at - 1].T)
    return np.asarray(digamma(len(x)) - digamma(at)[:, None] + x.shape[1] * logs)


@dataclass(frozen=True)
class ThreeEntropies(NeighbourEstimator):
    """Information as H(x) + H(y) - H(x, y), each by Kozachenko and Leonenko (1987) with the same k."""

    name: ClassVar[str] = "3h"
    summary: ClassVar[str] = "three nearest-neighbour entropies (Kozachenko and Leonenko 1987)"
    takes: ClassVar[Takes] = "continuous"
    symmetric: ClassVar[bool] = True
    unchanged_by: ClassVar[frozenset[Change]] = frozenset({"shift", "scale"})

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits, from x of shape (n, dx) and y of shape (n, dy).

        `limit` is psi(n) - psi(k): no ball in x or in y is larger than the joint one.

        Raises:
            ValueError: for ties (see `refuse_ties`).
        """
        refuse_ties(x, y)
        x, y = scaled_margins(x, "standard"), scaled_margins(y, "standard")
        limit = float(digamma(len(x)) - digamma(self.k))
        return estimate_from_terms(key, self.terms, x, y, self.k, x.shape[1] + y.shape[1], limit)

    def terms(self, x: np.ndarray, y: np.ndarray, ks: Sequence[int] | None = None) -> np.ndarray:
        """Local terms in nats, whose mean is the information, for each k (its own, by default): shape (len(ks), n)."""
        ks = [self.k] if ks is None else ks
        joint = entropy_terms(np.hstack([x, y]), ks)
        return np.asarray(entropy_terms(x, ks) + entropy_terms(y, ks) - joint)
