"""Scales and offsets: units over eight decades, together or each its own, moved by up to 10^7 standard deviations."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from capacity import Joint
from capacity.channels import Gaussian, LearntGaussian, Posterior
from synthetic import Codebook
from tests.families.problem import Family, Problem, coarse, distinct, double, log_uniform, of_joint, same, single
from tests.families.truths import even, full_sum

COUNT, UNITS = 256, 3
KINDS = ("together", "each its own", "amplitudes")


def with_noise(log_std: jax.Array, x: jax.Array) -> Posterior:
    """The vector as means, and noise of its own for each unit."""
    return Posterior(x, log_std)


def problem(rng: np.random.Generator, number: int) -> Problem:
    """A noise of 0.1 to 2 of the code's spread, then scaled and moved."""
    kind, ratio = KINDS[number % len(KINDS)], log_uniform(rng, 0.1, 2.0)
    scale = np.full(UNITS, log_uniform(rng, 1e-4, 1e4)) if kind == "together" else 10 ** rng.uniform(-4, 4, UNITS)
    noise = ratio * (np.full(UNITS, scale.min()) if kind == "amplitudes" else scale)
    moved = np.where(rng.random(UNITS) < 0.6, 10 ** rng.uniform(0, 7, UNITS), 0.0) * rng.choice([-1, 1], UNITS)
    codes = distinct(rng, rng.normal(size=(COUNT, UNITS)) * scale + moved * noise)
    channel: Gaussian | LearntGaussian = Gaussian(jnp.asarray(single(noise[0])))
    encode, std = same, double(noise[0])
    if kind == "each its own":
        log_std = single(np.log(noise))
        channel, encode = LearntGaussian(), jax.tree_util.Partial(with_noise, jnp.asarray(log_std))
        std = np.broadcast_to(np.exp(double(log_std)), codes.shape)
    truth = full_sum(rng, double(codes), std, even(COUNT))
    offsets = ", ".join(f"{value:.2g}" for value in moved)
    words = f"{kind}: scales {', '.join(f'{s:.2g}' for s in scale)}, moved by {offsets} stds, noise {ratio:.2g}"
    return of_joint(words, Joint(Codebook(codes), encode, channel), truth, refusable=coarse(codes, noise))


FAMILY = Family("scales and offsets", 80, problem, "units over 8 decades, moved by up to 10⁷ noise standard deviations")
