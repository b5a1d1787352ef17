"""What a channel draws where it lies inside a network: Z = f(U, e), e standard normal numbers and choices among ways.

Noise of any continuous law is a function of standard normal numbers, by its quantiles; noise with atoms chooses among
finitely many ways.  A choice is a row of zeros and a one, so that f and the log masses are functions of real numbers,
whose gradients tell chains which other way is likely, and which take the rows' means for means.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from capacity.runtime.shapes import Key, Scalar, Units

LEAST_LOG_MASS = -1e4  # nats: stands for what is impossible, whose product with 0 is 0 and whose gradient is a number


class NoiseShape(NamedTuple):
    """How much noise one code takes: so many standard normal numbers, so many choices, each among so many ways."""

    normal: int
    draws: int
    ways: int


class Noise(NamedTuple):
    """The noise of one code.

    Attributes:
        normal: (normal,), independent standard normal numbers.
        choices: (draws, ways), a row for each choice, 1 at the way taken and 0 elsewhere; or their probabilities.
    """

    normal: Float[Array, " normal"]
    choices: Float[Array, "draws ways"]


def atoms_shape(log_weights: jax.Array | jax.ShapeDtypeStruct) -> NoiseShape:
    """Of atoms: every unit's choice (K, units), or one for all of them (K,)."""
    ways = log_weights.shape[0]
    return NoiseShape(0, log_weights.shape[1] if len(log_weights.shape) == 2 else 1, ways)


def atoms_masses(log_weights: jax.Array) -> Float[Array, "draws ways"]:
    """Log masses of the ways of each draw, by the log weights of atoms."""
    rows = log_weights.T if log_weights.ndim == 2 else log_weights[None]
    return jnp.maximum(rows, LEAST_LOG_MASS)


def chosen_atoms(values: Float[Array, "values units"], noise: Noise) -> Units:
    """The atoms that were chosen, or their means by the choices' probabilities; shape (units,)."""
    choices = noise.choices.astype(values.dtype)
    return (choices.T * values).sum(0)


def drawn_choices(key: Key, log_masses: Float[Array, "draws ways"]) -> Float[Array, "draws ways"]:
    """One way for each draw."""
    ways = log_masses.shape[1]
    return jax.nn.one_hot(jax.random.categorical(key, log_masses), ways, dtype=log_masses.dtype)


def log_mass_of(choices: Float[Array, "draws ways"], log_masses: Float[Array, "draws ways"]) -> Scalar:
    """Log probability of the choices, nats."""
    return (choices * log_masses).sum()
