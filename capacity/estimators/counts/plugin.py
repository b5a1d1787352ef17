"""Symbols against symbols: I = H(X) + H(Y) - H(X, Y) from counts, with a correction of the entropies' bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import numpy as np

from capacity.estimators.checks import Takes, random_of
from capacity.estimators.counts.entropy import ENTROPIES, Correction
from capacity.estimators.estimator import Change, Estimator
from capacity.results.estimate import Estimate
from capacity.results.intervals import Z95

_REFERENCE: Correction = "grassberger"
_MAX_UNSEEN = 0.02  # of the probability may lie on symbols of a side not seen yet


@dataclass(frozen=True)
class PlugIn(Estimator):
    """Counts of symbols and of pairs of symbols.

    The variance is that of the log density ratio of the counts (delta method), plus what is there under independence
    (a chi-squared of as many degrees of freedom as occupied pairs leave), plus the scatter of Grassberger's signs.
    What a correction leaves of the bias depends on cells that nobody has seen, and no estimate of it is without bias
    (Paninski 2003, Neural Comput. 15).  The interval is therefore widened by what is known of it:

    - The estimate is tried on the same symbols paired at random, where the truth is 0.  What it then says too much goes
      off the lower end, and too little onto the upper end.
    - Pairs that are rare because x and y depend leave more bias than pairing at random shows: where it is more, what
      Grassberger's correction and half as much again would take off goes off the lower end instead.
    - The probability of symbols of a side not seen yet is singletons/n (Good 1953).  Beyond 2 % on both sides the
      upper end is at least `limit`, log n, which no plain plug-in of n pairs can pass: the estimate is `saturated`.

    Args:
        correction: "none", "miller_madow", "grassberger" or "nsb" (see `counts.entropy`).  For "nsb" the symbols of
            a side are those seen, and the pairs all of theirs.

    Raises:
        ValueError: for another correction.
    """

    correction: Correction = "grassberger"

    name: ClassVar[str] = "plugin"
    summary: ClassVar[str] = "counts of symbols, bias-corrected: for discrete data with many pairs to a symbol"
    takes: ClassVar[Takes] = "discrete"
    symmetric: ClassVar[bool] = True
    unchanged_by: ClassVar[frozenset[Change]] = frozenset({"relabelling"})

    def __post_init__(self) -> None:
        """Check the correction's name."""
        if self.correction not in ENTROPIES:
            raise ValueError(f"Expected a correction out of {', '.join(ENTROPIES)}; got {self.correction!r}.")

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits from symbols x (n, 1) and y (n, 1).  The key pairs them at random."""
        x, y = x[:, 0], y[:, 0]
        n, many = len(x), (int(x.max()) + 1, int(y.max()) + 1)
        nats = _nats(x, y, self.correction)
        stderr = _variance(x, y, many) ** 0.5
        order = random_of(key).permutation(n)
        # The inverse order goes with it, so that x and y may change places.
        chance = [
            0.5 * (_nats(x, y[order], method) + _nats(x, y[np.argsort(order)], method))
            for method in (self.correction, _REFERENCE)
        ]
        reference = _nats(x, y, _REFERENCE)
        rare = max(nats - reference, 0.0) + 0.5 * max(_nats(x, y, "none") - reference, 0.0)
        low = nats - Z95 * stderr - max(*chance, rare)
        high = nats + Z95 * stderr + max(-chance[0], 0.0)
        limit = max(float(np.log(n)), nats)
        unseen = min(float((np.bincount(side) == 1).sum()) / n for side in (x, y))
        if unseen > _MAX_UNSEEN:
            high = max(high, limit)
        return Estimate.from_nats(nats=nats, stderr=stderr, kind="point", n=n, limit=limit, low=low, high=high)


def _nats(x: np.ndarray, y: np.ndarray, correction: Correction) -> float:
    entropy, many = ENTROPIES[correction], (int(x.max()) + 1, int(y.max()) + 1)
    joint = np.unique(x * many[1] + y, return_counts=True)[1]
    return entropy(np.bincount(x), many[0]) + entropy(np.bincount(y), many[1]) - entropy(joint, many[0] * many[1])


def _variance(x: np.ndarray, y: np.ndarray, many: tuple[int, int]) -> float:
    """Of the estimate, in nats^2."""
    n = len(x)
    cell, times = np.unique(x * many[1] + y, return_inverse=True, return_counts=True)[1:]
    log_ratio = np.log(n * times[cell].astype(float)) - np.log(np.bincount(x)[x].astype(float) * np.bincount(y)[y])
    spare = max(len(times) - sum(many) + 1, 1)
    return float(log_ratio.var() / n + (spare / 2 + (len(times) + sum(many)) / 4) / n**2)
