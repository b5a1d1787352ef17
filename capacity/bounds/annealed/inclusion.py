"""Which cheap samples get chains: drawn with unequal probabilities, so that rare and far ones are hardly ever left out.

Each sample has scores, cheap numbers that an event which moves the bits moves too.  A score further from its median
than its own quantiles let one expect adds to the sample's odds, by the square of how far; at least half of the draws
remain for all samples alike (a defensive mixture, Hesterberg 1995), so that no weight is more than twice the even one.
Any such design leaves the estimate unbiased as long as its inclusion probabilities are known (Horvitz & Thompson 1952).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

FAR = 4.0  # robust deviations from the median: from there on a sample counts as far
MAX_ODDS = 1e4  # times those of an ordinary sample
SCORE_SHARE = 0.25  # of the draws of ordinary samples: as much as one score may add, all together may add as many
OUTER = 0.1  # quantile on either side that says how a score spreads
OUTER_DEVIATIONS = 1.2815515655446004  # standard deviations from the median to that quantile of a normal score
SCORE_ROUNDING = 1e-5  # relative to the score, and absolute: a spread below it is rounding


class Included(NamedTuple):
    """Samples drawn from a first phase: their rows (n,), and each one's weight (n,) in a mean: 1/(N pi)."""

    rows: Int[np.ndarray, " n"]
    weight: Float[np.ndarray, " n"]


def deviations(scores: Float[np.ndarray, "n scores"]) -> Float[np.ndarray, "n scores"]:
    """How far each score is from its median, in units of the spread that its quantiles on that side show.

    Where most samples have the same score, any other is far: no spread is no evidence that others are as good.
    """
    scores = np.clip(np.nan_to_num(np.asarray(scores, np.float64), nan=1e30), -1e30, 1e30)
    low, middle, high = np.quantile(scores, [OUTER, 0.5, 1 - OUTER], axis=0)
    floor = SCORE_ROUNDING * (1 + np.abs(middle))
    above, below = (np.maximum(side / OUTER_DEVIATIONS, floor) for side in (high - middle, middle - low))
    off = scores - middle
    far: np.ndarray = np.where(off > 0, off / above, -off / below)
    return far


def odds_of(scores: Float[np.ndarray, "n scores"]) -> Float[np.ndarray, " n"]:
    """The odds (n,) of each sample to be drawn, at least 1: ordinary samples have 1."""
    far = deviations(scores)
    extra = np.where(far > FAR, np.minimum(np.square(far / FAR), MAX_ODDS), 0.0)
    most = SCORE_SHARE * len(scores)
    extra *= np.minimum(1.0, most / np.maximum(extra.sum(0), most))
    together = extra.sum(1)
    odds: np.ndarray = 1.0 + together * min(1.0, len(scores) / max(together.sum(), len(scores)))
    return odds


def probabilities(odds: Float[np.ndarray, " samples"], n: int) -> Float[np.ndarray, " samples"]:
    """Inclusion probabilities, in proportion to the odds, at most 1, that add up to n.

    Raises:
        ValueError: if more samples are to be drawn than there are.
    """
    if not 0 < n <= len(odds):
        raise ValueError(f"Expected from 1 to {len(odds)} samples to be drawn; got {n}.")
    sure = np.zeros(len(odds), bool)
    while True:
        rest = np.where(sure, 0.0, odds)
        found = np.where(sure, 1.0, (n - sure.sum()) * rest / max(rest.sum(), 1e-300))
        if not (found > 1).any():
            return found
        sure |= found > 1


def draw(rng: np.random.Generator, odds: Float[np.ndarray, " samples"], n: int) -> Included:
    """n of the samples, without replacement (systematic sampling in random order, Madow 1949)."""
    pi = probabilities(odds, n)
    order = rng.permutation(len(pi))
    ends = np.cumsum(pi[order])
    ends *= n / ends[-1]
    rows = order[np.minimum(np.searchsorted(ends, np.arange(n) + rng.uniform(), side="right"), len(pi) - 1)]
    return Included(rows, 1 / (len(pi) * pi[rows]))
