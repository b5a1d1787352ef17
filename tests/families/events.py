"""Rare events: a unit that is the AND, the OR or a threshold of 3 to 12 bits erases, reveals or scales the code."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from capacity import Joint
from capacity.channels import Gaussian
from synthetic import FairBits
from tests.families.problem import Family, Problem, double, log_uniform, of_joint
from tests.families.truths import NATS, all_signs, log_sum, sign_bits

LISTED_DIGITS, LONG_DIGITS = (8, 10, 12), 64
EFFECTS = ("erases", "reveals", "scales")
GATES = ("AND", "OR", "threshold")
WORK = 2.0**26  # exponents
TOGETHER = 2**20


def gated(mask: jax.Array, least: jax.Array, scales: jax.Array, x: jax.Array) -> jax.Array:
    """Digits of +-1 times the second scale if at least so many of the masked ones are 1, else times the first."""
    ones = (mask * (x + 1)).sum() / 2
    event = jax.nn.relu(ones - least + 1) - jax.nn.relu(ones - least)
    return x * (scales[0] + (scales[1] - scales[0]) * jnp.clip(event, 0, 1))


def event_truth(
    rng: np.random.Generator, digits: int, gate: np.ndarray, scales: np.ndarray, sigma: float
) -> tuple[float, float]:
    """I(M;Z) in bits and its error, z against a sum over all messages: the free digits factor given the gate's.

    Args:
        rng: of digits and noise.
        digits: fair bits, each sent in a unit of its own.
        gate: (2^r,) whether the event happens, by the pattern of the first r digits, as `all_signs` has them.
        scales: of the code without and with the event.
        sigma: of normal noise.
    """
    patterns = all_signs(int(np.log2(len(gate))))
    heard, scale = patterns.shape[1], np.where(gate, scales[1], scales[0])
    bits, square, samples = 0.0, 0.0, int(np.clip(WORK / len(gate), 2**14, 2**17))
    for event in (False, True):
        inside = np.flatnonzero(gate == event)
        chance, own = len(inside) / len(gate), scales[int(event)]
        which = rng.choice(inside, samples)
        x = np.concatenate([patterns[which], rng.choice([-1.0, 1.0], (samples, digits - heard))], 1)
        noise = sigma * rng.normal(size=x.shape)
        z = own * x + noise
        free = {s: _log_free(z[:, heard:], s, sigma) for s in set(scales.tolist())}
        log_q = np.empty(samples)
        step = max(TOGETHER // len(gate), 1)
        for start in range(0, samples, step):
            rows = slice(start, start + step)
            exponents = z[rows, :heard] @ (scale[:, None] * patterns).T / sigma**2 - heard * scale**2 / (2 * sigma**2)
            exponents += np.where(gate, free[scales[1]][rows, None], free[scales[0]][rows, None])
            log_q[rows] = log_sum(exponents) - heard * NATS
        # All log densities have -|z|^2 / 2 sigma^2 in common.
        log_p = (own * x * z).sum(1) / sigma**2 - digits * own**2 / (2 * sigma**2)
        values = (log_p - log_q) / NATS
        told = (own * x * z)[:, heard:].sum(1) / sigma**2 - (digits - heard) * own**2 / (2 * sigma**2) - free[own]
        control = told / NATS - (digits - heard) * sign_bits(abs(own) / sigma)
        spread = control.var()
        left = values - (np.cov(values, control)[0, 1] / spread if spread > 1e-12 else 0.0) * control
        bits += chance * left.mean()
        square += chance**2 * left.var(ddof=1) / samples
    return float(bits), float(np.sqrt(square))


def _log_free(z: np.ndarray, scale: float, sigma: float) -> np.ndarray:
    """log of the density of free digits' units, less what all have in common: sum log cosh(a z/sigma^2)."""
    inner = np.abs(scale * z) / sigma**2
    return (inner + np.log1p(np.exp(-2 * inner)) - NATS - scale**2 / (2 * sigma**2)).sum(1)


def problem(rng: np.random.Generator, number: int, long: bool = False) -> Problem:
    """An event by its gate and effect in turn, its digits anywhere among all."""
    digits = LONG_DIGITS if long else LISTED_DIGITS[number % len(LISTED_DIGITS)]
    gate, effect = GATES[number // 3 % 3], EFFECTS[int(rng.integers(3))]
    heard = int(rng.integers(3, min(digits, 12) + 1))
    least = {"AND": heard, "OR": 1, "threshold": int(rng.integers(2, heard))}[gate]
    sigma = float(double(log_uniform(rng, 0.1, 1.0)))
    ratio = log_uniform(rng, 10, 100) ** rng.choice([-1.0, 1.0])
    scales = double({"erases": (1.0, 0.0), "reveals": (0.0, 1.0), "scales": (1.0, ratio)}[effect])
    truth = event_truth(rng, digits, (all_signs(heard) > 0).sum(1) >= least, scales, sigma)
    mask = np.zeros(digits, np.float32)
    mask[rng.permutation(digits)[:heard]] = 1
    parameters = (jnp.asarray(mask), jnp.float32(least), jnp.asarray(scales, jnp.float32))
    joint = Joint(FairBits(jnp.eye(digits)), jax.tree_util.Partial(gated, *parameters), Gaussian(jnp.float32(sigma)))
    words = f"{gate} of {heard} of {digits} bits (at least {least}) {effect} the code, {scales[1]:.3g}, "
    words += f"sigma {sigma:.3g}"
    if not long:
        return of_joint(words, joint, truth)
    return of_joint(words, joint, truth, "bracket", float(rng.choice([2.0, 5.0, 20.0])))


FAMILY = Family("rare events", 80, problem, "AND, OR or threshold of 3 to 12 of 8 to 12 bits erases, reveals or scales")
LONG = Family("rare events, 64 bits", 48, partial(problem, long=True), "the same among 64 bits, which cannot be listed")
