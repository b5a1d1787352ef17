"""What kinds of points that no sample showed may add to the population's bits.

A kind is any part A of the data; B says whether a point is of it, and p is its probability:

    I(X;Z) = I(B;Z) + (1 - p) I(X;Z | not A) + p I(X;Z | A)        0 <= I(B;Z) <= h(p)

n drawn points of which none is of A show a bound of the middle term, and p is at most 3/n at 95 % (the rule of three,
Hanley & Lippman-Hand 1983).  So A takes at most p I, and adds at most h(p) + p M, where M are the bits that tell its
own points apart.  No sample bounds M: it is taken as the logarithm of the number of points, which is as many as tell
all of those apart that were seen.  Kinds whose own points are told apart by more are not reached for.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import entr

from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.results.intervals import rule_of_three_bits


def unseen_kind_bits(n: int, points: int) -> float:
    """Bits that a kind of which none of n points is may add; `points` is what its own are told apart by: log2 of it."""
    return entropy_of_unseen(n) + _share(n) * float(np.log2(points))


def entropy_of_unseen(n: int) -> float:
    """Bits of whether a point is of such a kind."""
    share = _share(n)
    return float(entr(share) + entr(1 - share)) / NATS_PER_BIT


def _share(n: int) -> float:
    return min(float(rule_of_three_bits(1.0, n)), 0.5)


def reaching_for_unseen(upper: Estimate, n: int, points: int, times: int = 1) -> Estimate:
    """An upper bound, its interval reaching for a kind that none of n points showed.

    Args:
        upper: of one number or of several.
        n: independent points behind it.
        points: of the data.
        times: how many figures it is the sum of, each of which may rise so far.
    """
    return replace(upper, high=np.asarray(upper.high) + times * unseen_kind_bits(n, points))
