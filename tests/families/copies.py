"""Duplicated units and dead ones: n copies of a unit are one unit in a noise weaker by sqrt(n)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from capacity import Joint
from capacity.channels import Gaussian
from synthetic import FairBits
from tests.families.problem import Family, Problem, double, log_uniform, of_joint, single
from tests.families.truths import all_signs, even, full_sum

DIGITS, UNITS = 8, 12


def affine(weights: jax.Array, offset: jax.Array, x: jax.Array) -> jax.Array:
    """The code W x + b."""
    return jax.numpy.matmul(weights, x, precision="highest") + offset


def problem(rng: np.random.Generator, number: int) -> Problem:
    """One or two different units, each several times; the rest constant, at 0 or far from it; half by bracket."""
    different = int(rng.integers(1, 3))
    copies = rng.integers(1, UNITS // different + 1, different)
    dead = UNITS - int(copies.sum())
    rows = single(rng.normal(size=(different, DIGITS)))
    weights = np.concatenate([np.repeat(rows, copies, 0), np.zeros((dead, DIGITS), np.float32)])
    still = 0.0 if rng.random() < 0.5 else float(rng.choice([-1, 1]) * log_uniform(rng, 1, 1e3))
    offset = np.r_[np.zeros(UNITS - dead), np.full(dead, still)]
    order, sigma = rng.permutation(UNITS), float(double(log_uniform(rng, 0.1, 5.0)))
    units = all_signs(DIGITS) @ double(rows).T * np.sqrt(copies)
    truth = full_sum(rng, units, sigma, even(2**DIGITS))
    encode = jax.tree_util.Partial(affine, jnp.asarray(weights[order]), jnp.asarray(single(offset[order])))
    joint = Joint(FairBits(jnp.eye(DIGITS)), encode, Gaussian(jnp.float32(sigma)))
    words = f"{different} units {copies.tolist()} times, {dead} dead at {still:.3g}, sigma {sigma:.3g}"
    method = "bracket" if number % 2 else "enumeration"
    return of_joint(words, joint, truth, method, float(rng.choice([1.0, 2.0, 5.0])))


FAMILY = Family("copies and dead units", 64, problem, "1 or 2 different units, each up to 12 times, the rest constant")
