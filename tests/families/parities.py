"""Parities: units that are products of 2 to 6 digits of +-1, some of a single one."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from capacity import Joint
from capacity.channels import Gaussian
from synthetic import FairBits
from tests.families.problem import Family, Problem, double, log_uniform, of_joint
from tests.families.truths import NATS, all_signs, log_sum, sign_bits

SHAPES = ((8, 6), (12, 8), (12, 10))
WORK = 2.0**24


def parity(masks: jax.Array, x: jax.Array) -> jax.Array:
    """The product of each unit's digits."""
    return jnp.where(masks > 0, x[None], 1).prod(1)


def parity_truth(rng: np.random.Generator, masks: np.ndarray, sigma: float) -> tuple[float, float]:
    """The codes are a group: one codeword, all +1, stands for any other."""
    units, digits = masks.shape
    codes = np.where(masks[None] > 0, all_signs(digits)[:, None], 1.0).prod(2)
    codes, counts = np.unique(codes, axis=0, return_counts=True)
    samples = int(WORK / len(codes))
    z = 1 + sigma * rng.normal(size=(samples, units))
    step = max(2**20 // len(codes), 1)
    log_p = np.log(counts / counts.sum())
    log_q = np.concatenate(
        [log_sum(z[start : start + step] @ codes.T / sigma**2 + log_p) for start in range(0, samples, step)]
    )
    values = (z.sum(1) / sigma**2 - log_q) / NATS
    alone = z / sigma**2 - np.logaddexp(z / sigma**2, -z / sigma**2) + NATS
    control = alone.sum(1) / NATS - units * sign_bits(1 / sigma)
    left = values - (np.cov(values, control)[0, 1] / control.var() if control.var() > 1e-12 else 0.0) * control
    return float(left.mean()), float(left.std() / samples**0.5)


def problem(rng: np.random.Generator, number: int) -> Problem:
    """Random subsets of digits; every second one by bracket."""
    digits, units = SHAPES[number // 2 % len(SHAPES)]
    masks, most = np.zeros((units, digits), np.float32), int(rng.integers(2, 7))
    for row in masks:
        row[rng.permutation(digits)[: rng.integers(1, most + 1)]] = 1
    masks[0] = 0
    masks[0, rng.permutation(digits)[:most]] = 1
    sigma = float(double(log_uniform(rng, 0.15, 1.5)))
    encode = jax.tree_util.Partial(parity, jnp.asarray(masks))
    joint = Joint(FairBits(jnp.eye(digits)), encode, Gaussian(jnp.float32(sigma)))
    words = f"{units} parities of up to {most} of {digits} bits, sigma {sigma:.3g}"
    method = "bracket" if number % 2 else "enumeration"
    return of_joint(words, joint, parity_truth(rng, masks, sigma), method, float(rng.choice([1.0, 2.0, 5.0])))


FAMILY = Family("parities", 64, problem, "6 to 10 units, each a product of up to 6 of 8 or 12 bits")
