"""Hashes: messages sent to a few codewords by a table without any order, and without a gradient."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from capacity import Joint
from capacity.channels import Gaussian
from synthetic import FairBits
from tests.families.problem import Family, Problem, double, log_uniform, of_joint, single
from tests.families.truths import full_sum

SHAPES = ((9, 16, 2), (12, 64, 4))  # digits, codewords, units


def looked_up(place: jax.Array, words: jax.Array, x: jax.Array) -> jax.Array:
    """The codeword of the message's number."""
    powers = 2 ** jnp.arange(x.shape[0], dtype=jnp.int32)
    return words[place[((x > 0).astype(jnp.int32) * powers).sum()]]


def problem(rng: np.random.Generator, number: int) -> Problem:
    """Codewords evenly or unevenly used; every second problem by bracket."""
    digits, count, units = SHAPES[number // 2 % len(SHAPES)]
    use = rng.dirichlet(np.full(count, float(rng.choice([0.3, 1.0, 1e6]))))
    place = rng.choice(count, 2**digits, p=use)
    words, sigma = single(rng.normal(size=(count, units))), float(double(log_uniform(rng, 0.05, 2.0)))
    truth = full_sum(rng, double(words)[place], sigma, np.full(2**digits, 2.0**-digits))
    encode = jax.tree_util.Partial(looked_up, jnp.asarray(place, jnp.int32), jnp.asarray(words))
    joint = Joint(FairBits(jnp.eye(digits)), encode, Gaussian(jnp.float32(sigma)))
    text = f"{2**digits} messages to {count} codewords of {units} units, sigma {sigma:.3g}"
    method = "bracket" if number % 2 else "enumeration"
    return of_joint(text, joint, truth, method, float(rng.choice([1.0, 2.0, 5.0])))


FAMILY = Family("hashes", 64, problem, "512 or 4,096 messages to 16 or 64 codewords by a table without order")
