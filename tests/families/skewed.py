"""Skewed sources: one message almost always, a few of them, or Zipf's law; the rare ones carry the bits."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from capacity import Joint
from capacity.channels import Gaussian
from synthetic import Codebook
from tests.families.problem import Family, Problem, distinct, double, log_uniform, of_joint, same
from tests.families.truths import full_sum

COUNTS = (257, 1025, 4097)


def problem(rng: np.random.Generator, number: int) -> Problem:
    """Codes on a line, evenly or at random, the likely ones among them or far from them."""
    count, kind = COUNTS[number % len(COUNTS)], ("one", "few", "zipf")[int(rng.integers(3))]
    if kind == "zipf":
        power = rng.uniform(0.5, 3.0)
        probs, words = np.arange(1, count + 1.0) ** -power, f"Zipf {power:.2f}"
    else:
        heavy, rest = (1 if kind == "one" else int(rng.integers(2, 9))), log_uniform(rng, 1e-5, 1e-1)
        probs = np.r_[np.full(heavy, (1 - rest) / heavy), np.full(count - heavy, rest / (count - heavy))]
        words = f"{heavy} messages at {1 - rest:.6g} together"
    probs /= probs.sum()
    if rng.random() < 0.5:
        codes, sigma = np.arange(float(count))[:, None], log_uniform(rng, 0.02, 1.0)
    else:
        codes, sigma = rng.normal(size=(count, 1)), log_uniform(rng, 1e-3, 1.0)
    codes, sigma = distinct(rng, codes), float(double(sigma))
    joint = Joint(Codebook(codes, probs), same, Gaussian(jnp.float32(sigma)))
    truth = full_sum(rng, double(codes), sigma, probs)
    return of_joint(f"{words} of {count}, codes up to {codes.max():.3g}, sigma {sigma:.3g}", joint, truth)


FAMILY = Family("skewed sources", 80, problem, "1 to 8 messages at 1 − ε together, ε from 10⁻⁵ to 10⁻¹, or Zipf's law")
