"""Capacity of any scalar channel under a power or amplitude limit, between a lower and an upper value.

For inputs u with weights p and output density q = sum_u p(u) p(z|u), and D(u) = KL(p(.|u) || q),

    sum_u p(u) D(u)  <=  C  <=  max_u [ D(u) - s (u^2 - P) ]      for every s >= 0,

and p(u) <- p(u) exp(D(u) - s u^2)/Z raises the lower value (Blahut 1972; Arimoto 1972).  s is chosen at every step so
that the new weights keep the power exactly, hence both values hold from the first step on; their gap is when to stop.
A step of more than one times the exponent is taken while it raises the lower value (Matz & Duhamel 2004).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import logsumexp, xlogy

from capacity.results.estimate import NATS_PER_BIT
from capacity.theory.floats import Floats
from capacity.theory.interior_point import CapacityValues, Problem, interior_point

MAX_STEP = 1e4
MAX_NEWTON_INPUTS = 2000  # inputs for Newton's method, whose work grows with their cube


class Capacity(NamedTuple):
    """What was found, in bits.

    Attributes:
        lower: information of `probs`, an input that keeps the limits.
        upper: no input on the grid passes more.
        inputs, probs: (m,), the input that attains the lower value.
        multiplier: s in bits per unit of power: how much another unit of power is worth.
    """

    lower: float
    upper: float
    inputs: Floats
    probs: Floats
    multiplier: float


def blahut_arimoto(
    log_prob: ArrayLike,
    inputs: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    power: float | None = None,
    tolerance: float = 1e-5,
    max_steps: int = 300,
) -> Capacity:
    """Capacity of a channel given on grids; an amplitude limit is the range of the inputs.

    Args:
        log_prob: (m, k), log p(z_j | u_i) in nats, -inf where impossible: densities or masses.
        inputs: (m,), u.
        weights: (k,), of the quadrature over outputs; 1 for atoms.
        power: P, the limit of E[u^2]; None for none.
        tolerance: gap between the two values in bits at which to stop.
        max_steps: after so many the interior point takes over, for up to 2,000 inputs; with more inputs the values
            hold all the same, but their gap may stay larger.

    Raises:
        ValueError: if shapes disagree, rows do not add up to 1, or no input keeps the power.
    """
    u, rows = np.asarray(inputs, np.float64), np.asarray(log_prob, np.float64)
    if rows.ndim != 2 or u.shape != rows.shape[:1]:
        raise ValueError(f"Expected log_prob (m, k) and inputs (m,); got {rows.shape} and {u.shape}.")
    widths = np.ones(rows.shape[1]) if weights is None else np.asarray(weights, np.float64)
    mass = np.exp(rows) * widths[None]
    if np.abs(mass.sum(1) - 1).max() > 1e-2:
        raise ValueError(f"Expected rows that add up to 1; got {mass.sum(1).min():g} to {mass.sum(1).max():g}.")
    mass = mass / mass.sum(1, keepdims=True)  # a channel in its own right: what the quadrature missed is left out
    limit = np.inf if power is None else float(power)
    problem = Problem(mass, xlogy(mass, mass).sum(1), np.square(u), limit)
    if not problem.cost.min() <= limit:
        raise ValueError(f"Expected an input of power at most {power}; got {problem.cost.min():g} at least.")
    if problem.cost.min() == limit:  # only these keep it, and the power is no more a limit on them
        least = problem.cost == limit
        problem = Problem(mass[least], problem.negentropy[least], problem.cost[least], np.inf)
        u = u[least]
    found = _climb(problem, tolerance * NATS_PER_BIT, max_steps)
    if found.upper - found.lower > tolerance * NATS_PER_BIT and len(u) <= MAX_NEWTON_INPUTS:
        found = interior_point(problem, found.probs, tolerance * NATS_PER_BIT)
    return Capacity(
        found.lower / NATS_PER_BIT, found.upper / NATS_PER_BIT, u, found.probs, found.multiplier / NATS_PER_BIT
    )


def _climb(problem: Problem, tolerance: float, max_steps: int) -> CapacityValues:
    log_p, s = _within_power(np.zeros(len(problem.cost)), problem, 0.0)
    found, step = problem.values(np.exp(log_p)), 1.0
    for _ in range(max_steps):
        if found.upper - found.lower <= tolerance:
            break
        gains = problem.divergences(found.probs)
        tried, s = _within_power(np.log(np.maximum(found.probs, 1e-300)) + step * gains, problem, s * step)
        new = problem.values(np.exp(tried))
        if new.lower < found.lower and step > 1:
            step = max(step / 4, 1.0)
            continue
        step = min(step * 1.3, MAX_STEP)
        found = new if new.upper < found.upper else new._replace(upper=found.upper, multiplier=found.multiplier)
    return found


def _within_power(log_p: Floats, problem: Problem, guess: float) -> tuple[Floats, float]:
    """Normalised log weights exp(log_p - s cost), with the least s >= 0 that keeps the power; and s."""

    def tilted(s: float) -> Floats:
        out = log_p - s * problem.cost
        normalised: Floats = out - logsumexp(out)
        return normalised

    def excess(s: float) -> float:
        return float(np.exp(tilted(s)) @ problem.cost) - problem.limit

    if not np.isfinite(problem.limit) or excess(0.0) <= 0:
        return tilted(0.0), 0.0
    high = max(2 * guess, 1e-3)
    while excess(high) > 0:
        high *= 4
    s = float(brentq(excess, 0.0, high, rtol=1e-12))
    while excess(s) > 0:  # by rounding
        s *= 1 + 1e-12
    return tilted(s), s


def amplitude_limited_gaussian(amplitude: float, noise_std: float = 1.0, tolerance: float = 1e-5) -> Capacity:
    """Capacity of additive Gaussian noise under |u| <= amplitude; the best input has finitely many values.

    Two of them, +-amplitude, up to an amplitude of about 1.6659 noise deviations (Smith 1971, Information and
    Control 18, 203-219).

    Raises:
        ValueError: if amplitude or noise is not positive.
    """
    if not (amplitude > 0 and noise_std > 0):
        raise ValueError(f"Expected a positive amplitude and noise_std; got {amplitude} and {noise_std}.")
    reach = amplitude / noise_std
    inputs = np.linspace(-reach, reach, 2 * int(np.ceil(25 * max(reach, 1))) + 1)
    outputs = np.arange(-reach - 8, reach + 8, 0.125)
    log_prob = -0.5 * (outputs[None] - inputs[:, None]) ** 2 - 0.5 * np.log(2 * np.pi)
    found = blahut_arimoto(log_prob, inputs, weights=np.full(len(outputs), 0.125), tolerance=tolerance)
    return found._replace(inputs=found.inputs * noise_std)


def scalar_capacity(
    log_prob: Callable[[Floats, Floats], ArrayLike],
    inputs: ArrayLike,
    outputs: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    power: float | None = None,
    tolerance: float = 1e-5,
) -> Capacity:
    """`blahut_arimoto` for a function log p(z|u) instead of a table of it.

    Args:
        log_prob: of arrays that broadcast, outputs (1, k) and inputs (m, 1), nats.
        inputs: (m,), u.
        outputs: (k,), z.
        weights: (k,), of the quadrature over outputs; 1 for atoms.
        power: limit of E[u^2]; None for none.
        tolerance: gap of the two values in bits at which to stop.

    Raises:
        ValueError: as `blahut_arimoto`.
    """
    u, z = np.asarray(inputs, np.float64), np.asarray(outputs, np.float64)
    table = np.broadcast_to(np.asarray(log_prob(z[None], u[:, None]), np.float64), (len(u), len(z)))
    return blahut_arimoto(table, u, weights=weights, power=power, tolerance=tolerance)
