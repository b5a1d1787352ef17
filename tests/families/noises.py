"""Noise that the encoder chooses, much narrower or wider for a class of messages than for the rest."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from capacity import Joint
from capacity.channels import LearntGaussian, Posterior
from synthetic import Codebook
from tests.families.problem import Family, Problem, coarse, double, of_joint, single
from tests.families.truths import even, full_sum

KINDS = "narrows all units", "narrows one unit", "widens all units", "narrows some units and widens others"


def posterior(x: jax.Array) -> Posterior:
    """Means and log standard deviations."""
    return Posterior(*jnp.split(x, 2))


def problem(rng: np.random.Generator, number: int) -> Problem:
    """256 to 4,096 messages; a share of 2^-8 to 1/4 has noise e to e^6 times as narrow or as wide."""
    messages, units = int(2 ** rng.integers(8, 13)), int(rng.integers(1, 4))
    mean = rng.normal(size=(messages, units))
    log_std = rng.uniform(-1, 1) + rng.uniform() * rng.normal(size=(messages, units))
    exponent, factor = int(rng.integers(2, 9)), rng.uniform(1, 6)
    chosen = rng.random(messages) < 2.0**-exponent
    chosen[0] = True
    kind = number % len(KINDS)
    change = (
        -factor,
        np.eye(units)[0] * -factor,
        factor,
        rng.choice([-factor, factor], size=(messages, units))[chosen],
    )
    log_std[chosen] += change[kind]
    hidden = number % 8 >= 4
    mean[chosen] *= 0.1 if hidden else 1.0
    codes = single(np.concatenate([mean, log_std], 1))
    mean, std = double(codes[:, :units]), np.exp(double(codes[:, units:]))
    words = f"2^-{exponent} of {messages} messages {KINDS[kind]} by e^{factor:.2f}{', in the middle' if hidden else ''}"
    joint = Joint(Codebook(codes), posterior, LearntGaussian())
    truth = full_sum(rng, mean, std, even(messages))
    return of_joint(words, joint, truth, refusable=coarse(mean, std))


FAMILY = Family(
    "noise events", 64, problem, "learnt noise e to e⁶ times as narrow or wide for 2⁻⁸ to 1/4 of the messages"
)
