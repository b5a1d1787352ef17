"""Encoders without a useful gradient: the sign, the floor, the argmax of a linear map."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from capacity import Joint
from capacity.channels import Gaussian
from synthetic import FairBits
from tests.families.problem import Family, Problem, double, log_uniform, of_joint, single
from tests.families.truths import all_signs, even, full_sum

DIGITS, UNITS = 8, 4


def signs(weights: jax.Array, x: jax.Array) -> jax.Array:
    """+-1 by the side of a plane."""
    return jnp.where(jnp.matmul(weights, x, precision="highest") < 0, -1.0, 1.0).astype(x.dtype)


def floors(weights: jax.Array, x: jax.Array) -> jax.Array:
    """Rounded down."""
    return jnp.floor(jnp.matmul(weights, x, precision="highest"))


def argmax(weights: jax.Array, x: jax.Array) -> jax.Array:
    """1 in the largest unit, 0 elsewhere."""
    return jax.nn.one_hot(jnp.argmax(jnp.matmul(weights, x, precision="highest")), len(weights), dtype=x.dtype)


STEPS: dict[str, tuple[Callable[..., jax.Array], Callable[[np.ndarray], np.ndarray]]] = {
    "sign": (signs, lambda u: np.where(u < 0, -1.0, 1.0)),
    "floor": (floors, np.floor),
    "argmax": (argmax, lambda u: np.eye(UNITS)[u.argmax(1)]),
}


def problem(rng: np.random.Generator, number: int) -> Problem:
    """The three in turn; every second problem by bracket."""
    name = list(STEPS)[number // 2 % len(STEPS)]
    encode, plain = STEPS[name]
    while True:
        weights = single(rng.normal(size=(UNITS, DIGITS)) * rng.uniform(0.3, 1.5))
        linear = all_signs(DIGITS) @ double(weights).T
        if np.abs(linear - np.round(linear)).min() > 1e-5:  # float32 decides as float64 does
            break
    sigma = float(double(log_uniform(rng, 0.05, 2.0)))
    truth = full_sum(rng, plain(linear), sigma, even(2**DIGITS))
    partial = jax.tree_util.Partial(encode, jnp.asarray(weights))
    joint = Joint(FairBits(jnp.eye(DIGITS)), partial, Gaussian(jnp.float32(sigma)))
    method = "bracket" if number % 2 else "enumeration"
    return of_joint(f"{name}, sigma {sigma:.3g}", joint, truth, method, float(rng.choice([1.0, 2.0, 5.0])))


FAMILY = Family("steps", 64, problem, "the sign, the floor or the argmax of a linear map of 8 bits to 4 units")
