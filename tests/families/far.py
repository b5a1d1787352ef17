"""Far codes: one to eight of many messages lie far from the rest, by factors of ten to a million."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from capacity import Joint
from capacity.channels import Gaussian
from synthetic import Codebook
from tests.families.problem import Family, Problem, coarse, distinct, double, log_uniform, of_joint, same
from tests.families.truths import even, full_sum

SHAPES = ((64, 1), (512, 1), (4096, 1), (64, 3), (512, 3))


def problem(rng: np.random.Generator, number: int) -> Problem:
    """Normal codes, some of them multiplied."""
    count, units = SHAPES[number % len(SHAPES)]
    far, factor, sigma = int(rng.integers(1, 9)), log_uniform(rng, 10, 1e6), float(double(log_uniform(rng, 0.1, 3)))
    codes = rng.normal(size=(count, units))
    codes[:far] *= factor
    codes = distinct(rng, codes)
    joint = Joint(Codebook(codes), same, Gaussian(jnp.float32(sigma)))
    truth = full_sum(rng, double(codes), sigma, even(count))
    words = f"{far} of {count} messages far by {factor:.3g}, {units} units, sigma {sigma:.3g}"
    return of_joint(words, joint, truth, refusable=coarse(codes, sigma))


FAMILY = Family("far codes", 80, problem, "1 to 8 of 64 to 4,096 messages lie 10 to 10⁶ times as far out as the rest")
