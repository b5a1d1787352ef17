"""Newton's method for the capacity of a channel given as a table, from inside the simplex of inputs.

    maximise  I(p) + mu ( sum_i log p_i + log(P - E[u^2]) ),   sum_i p_i = 1,

for mu falling to 0 (Boyd & Vandenberghe 2004, chapter 11): I is concave, with gradient D_i - 1 and Hessian
-M diag(1/q) M'.  At the maximum s = mu/(P - E[u^2]) is the price of power, and the gap to the upper value m mu.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from capacity.theory.floats import Floats

BARRIER_FACTOR = 0.15  # of mu, at each round
NEWTON_STEPS = 30


class CapacityValues(NamedTuple):
    """A lower and an upper value of the capacity in nats, the input of the lower one, and the price of power."""

    lower: float
    upper: float
    probs: Floats
    multiplier: float


@dataclass(frozen=True)
class Problem:
    """Mass (m, k) of outputs by input, its negative entropies (m,), costs (m,) of inputs, and their limit."""

    mass: Floats
    negentropy: Floats
    cost: Floats
    limit: float

    def divergences(self, p: Floats) -> Floats:
        """KL(p(.|u) || q) of every input, (m,) nats."""
        return self.negentropy - self.mass @ np.log(np.maximum(p @ self.mass, 1e-300))

    def values(self, p: Floats) -> CapacityValues:
        """The lower and upper values that an input gives, the latter at the best price of power."""
        gains = self.divergences(p)
        price = self._price(gains)
        over = self.cost - self.limit if price else 0.0
        return CapacityValues(float(p @ gains), float((gains - price * over).max()), p, price)

    def _price(self, gains: Floats) -> float:
        """The s >= 0 at which max_u D(u) - s (u^2 - P) is least: there inputs above and below P both attain it."""
        if not np.isfinite(self.limit):
            return 0.0

        def is_expensive(s: float) -> bool:
            return bool(self.cost[(gains - s * (self.cost - self.limit)).argmax()] <= self.limit)

        low, high = 0.0, 1e-3
        while not is_expensive(high):
            low, high = high, 4 * high
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if is_expensive(middle) else (middle, high)
        return high


def interior_point(problem: Problem, start: Floats, tolerance: float) -> CapacityValues:
    """Inputs whose two values are within the tolerance, in nats, or as near as single steps of rounding allow.

    Args:
        problem: with a limit above the least cost.
        start: (m,), probabilities that keep it.
        tolerance: gap of the two values at which to stop, nats.
    """
    cost, limit, m = problem.cost, problem.limit, len(problem.cost)
    centre = np.full(m, 1 / m)
    if centre @ cost >= limit:  # enough of the cheapest input that the limit is kept with room
        cheapest = np.zeros(m)
        cheapest[cost.argmin()] = 1.0
        share = 0.5 * (limit - cheapest @ cost) / (centre @ cost - cheapest @ cost)
        centre = (1 - share) * cheapest + share * centre
    p = np.maximum(0.9 * start + 0.1 * centre, 1e-12)
    p, mu, best = p / p.sum(), 1e-3, problem.values(start)
    while mu > 1e-14:
        p = _centred(problem, p, mu)
        found = problem.values(p)
        if found.upper - found.lower < best.upper - best.lower:
            best = found
        if best.upper - best.lower <= tolerance:
            break
        mu *= BARRIER_FACTOR
    return best


def _centred(problem: Problem, p: Floats, mu: float) -> Floats:
    """The maximum at one mu, by Newton steps that stay inside."""
    cost, limit = problem.cost, problem.limit
    bounded = np.isfinite(limit)

    def value(p: Floats) -> float:
        slack = limit - p @ cost if bounded else 1.0
        if p.min() <= 0 or slack <= 0:
            return -np.inf
        return float(p @ problem.divergences(p) + mu * (np.log(p).sum() + (np.log(slack) if bounded else 0.0)))

    now = value(p)
    for _ in range(NEWTON_STEPS):
        gradient = problem.divergences(p) + mu / p
        hessian = (problem.mass / np.maximum(p @ problem.mass, 1e-300)) @ problem.mass.T + np.diag(mu / p**2)
        if bounded:
            slack = limit - p @ cost
            gradient = gradient - mu / slack * cost
            hessian += mu / slack**2 * np.outer(cost, cost)
        # In units of p, so that inputs of hardly any probability do not spoil the system's condition.
        system = hessian * np.outer(p, p)
        both = np.linalg.solve(system, np.stack([p * gradient, p], axis=1)) * p[:, None]
        step = both[:, 0] - both[:, 1] * (both[:, 0].sum() / both[:, 1].sum())
        rise = float(gradient @ step)
        if rise < 1e-3 * mu:
            break
        length = 1.0
        while value(p + length * step) < now + 1e-4 * length * rise and length > 1e-10:
            length *= 0.5
        p = p + length * step
        p, now = p / p.sum(), value(p / p.sum())
    return p
