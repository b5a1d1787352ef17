"""Sources of every kind in `synthetic`, through a random linear map to two units."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from capacity import Joint
from capacity.channels import Gaussian
from synthetic import SOURCES, Codebook, MarkovBits
from tests.families.problem import Family, Problem, double, linear, log_uniform, of_joint, single
from tests.families.truths import all_signs, full_sum

DIGITS, DIM, UNITS = 6, 12, 2


def markov_probs(p01: float, p10: float) -> np.ndarray:
    """Of every row of digits, counting upwards with the first digit the most significant."""
    digits = (all_signs(DIGITS) > 0)[:, ::-1].astype(int)
    step, first = np.array([[1 - p01, p01], [p10, 1 - p10]]), np.array([p10, p01]) / (p01 + p10)
    return first[digits[:, 0]] * step[digits[:, :-1], digits[:, 1:]].prod(1)


def drawn(name: str, rng: np.random.Generator) -> tuple[Any, np.ndarray | None]:
    """A source of this name, and its messages' probabilities; None for a continuous one."""
    key = jax.random.key(int(rng.integers(2**31)))
    if name == "codebook":
        probs = rng.dirichlet(np.full(2**DIGITS, 0.3)) + 1e-9
        probs /= probs.sum()
        return Codebook(single(rng.normal(size=(2**DIGITS, DIM))), probs), probs
    if name == "markov":
        p01, p10 = log_uniform(rng, 1e-3, 0.9), log_uniform(rng, 1e-3, 0.9)
        rotation = MarkovBits.build(key, DIGITS, DIM).rotation
        return MarkovBits(rotation, p01, p10), markov_probs(p01, p10)
    side = 64 if name == "sprites" else DIM  # a picture's pixels are a square
    source = SOURCES[name].build(key, DIGITS, side)
    return source, np.full(2**DIGITS, 2.0**-DIGITS) if source.discrete else None


def gaussian_truth(source: Any, weights: np.ndarray, sigma: float) -> float:
    """1/2 log2 det(1 + W S W^T / sigma^2)."""
    rotation = np.eye(source.dim) if source.rotation is None else double(source.rotation)
    covariance = rotation.T @ np.diag(double(source.spectrum)) @ rotation
    inside = np.eye(len(weights)) + weights @ covariance @ weights.T / sigma**2
    return float(0.5 * np.linalg.slogdet(inside)[1] / np.log(2))


NAMES = tuple(SOURCES)


def problem(rng: np.random.Generator, number: int) -> Problem:
    """Sources in turn; every third round, and what cannot be listed, by bracket."""
    name = NAMES[number % len(NAMES)]
    source, probs = drawn(name, rng)
    weights = single(rng.normal(size=(UNITS, source.dim)) / source.dim**0.5)
    sigma = float(double(log_uniform(rng, 0.02, 1.0)))
    if probs is None:
        truth = gaussian_truth(source, double(weights), sigma), 0.0
    else:
        truth = full_sum(rng, double(source.codebook()[0]) @ double(weights).T, sigma, probs)
    bracket = probs is None or number // len(NAMES) % 3 == 2
    joint = Joint(source, jax.tree_util.Partial(linear, jnp.asarray(weights)), Gaussian(jnp.float32(sigma)))
    return of_joint(f"{name}, sigma {sigma:.3g}", joint, truth, "bracket" if bracket else "enumeration", 1.0)


FAMILY = Family("sources", 72, problem, "every source of `synthetic`, 6 bits (or a continuum) to 2 units")
