"""Random networks of up to 12 bits, by bracket: the problems of `test_measure_validity`, their truth by full sums."""

from __future__ import annotations

import jax
import numpy as np

from tests.capacity.bounds.test_measure_validity import BUDGET, PROBLEMS, random_problem
from tests.families.problem import Family, Problem, double, of_joint
from tests.families.truths import full_sum


def problem(rng: np.random.Generator, number: int) -> Problem:
    """The network of this number; its codes as JAX gives them, its truth by NumPy."""
    drawn = random_problem(jax.random.split(jax.random.key(500), PROBLEMS)[number])
    vectors, log_probs = drawn.joint.source.codebook()
    codes = jax.vmap(drawn.joint.encoder)(vectors)
    probs = np.exp(double(log_probs))
    if isinstance(codes, tuple):
        mean, std = double(codes.mean), np.exp(double(codes.log_std))
    else:
        mean, std = double(codes), float(double(drawn.joint.channel.sigma))
    truth = full_sum(rng, mean, std, probs / probs.sum())
    return of_joint(drawn.words, drawn.joint, truth, "bracket", BUDGET)


FAMILY = Family("networks", 100, problem, "tanh networks of 3 to 12 bits, their weights' scale and noise drawn")
