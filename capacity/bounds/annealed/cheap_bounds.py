"""Bounds without chains, from cheap samples alone: by maximum entropy, and by the approximation's start."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from capacity.bounds.annealed.controls import rounding
from capacity.bounds.annealed.first_phase import FirstPhase
from capacity.bounds.annealed.reach import Unseen, reaching
from capacity.bounds.annealed.start_bounds import StartRatios, start_values
from capacity.bounds.annealed.tightest import tighter_bound
from capacity.bounds.annealed.two_phase import zero_controlled
from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT, Estimate, Kind

SHARES = (0.5, 1.0)  # powers of 1/N: how much of the prior is mixed into the approximation's start


class CheapBounds(NamedTuple):
    """Bounds from the cheap samples alone: by maximum entropy, and by the approximation's start, without chains.

    `gap` is upper less lower of the start, in bits, of the same samples, so that noise in z does not hide how close
    they are.
    """

    entropy: Estimate
    start: tuple[Estimate, Estimate]
    gap: float


def cheap_bounds(joint: Joint, first: FirstPhase, ratios: StartRatios, zero: np.ndarray, missing: float) -> CheapBounds:
    """Bounds by a normal density r(z), and by the approximation's start.

    Args:
        joint: of the samples.
        first: the samples, whose learnt columns are -log r(z) and log q(m|z) first of all, nats.
        ratios: of some of them, from the first on.
        zero: controls of zero mean.
        missing: bits that their messages say less than messages do on average.
    """
    learnt = first.columns.learnt
    limit, n, rounded = joint.source.bits, len(learnt), rounding(learnt)

    def bound(values: np.ndarray, kind: Kind, room: float = 0.0) -> Estimate:
        found = zero_controlled(values, zero[: len(values)], kind, limit).widened_to(rounded, rounded).conservative()
        found = reaching(found, Unseen.of_source(float(found.bits), limit, len(values), room))
        return replace(found, high=found.high + missing)

    shares = {n**-power: power * float(np.log2(n)) for power in SHARES}  # and what a miss costs, in bits below nothing
    lowers = [bound(start_values(learnt[:, 1], first.prior, share), "lower", room) for share, room in shares.items()]
    shares = shares if joint.source.discrete else {0.0: 0.0}
    uppers = [bound(ratios.values(share), "upper", room) for share, room in shares.items()]
    # Outside of an event of probability p, r(z) may exceed p(z) by as much as the event has: -log(1 - p), about p nats.
    entropy = bound(first.conditional + learnt[:, 0], "upper", 1 / NATS_PER_BIT)
    block = slice(len(ratios.prior))
    gaps = [
        above.mean() - start_values(learnt[block, 1], first.prior[block], share).mean()
        for share, above in ((share, ratios.values(share)) for share in shares)
        if share > 0.0
    ]
    gap = max(float(min(gaps, default=np.inf)) / NATS_PER_BIT, 0.0)
    return CheapBounds(entropy, (tighter_bound(lowers[0], lowers[-1])[0], tighter_bound(uppers[0], uppers[-1])[0]), gap)
