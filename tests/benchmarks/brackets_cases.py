"""The joints whose bits are to be bracketed, each from fixed keys, with its truth where that is known.

orthogonal   ±1 bits rotated, signal to noise 2: a sum over bits, 0.7214521 bits each
coupled      the same through a random Gaussian square matrix: enumerated, or unknown
blocks       8 bits -> 32 tanh -> 4 units, random weights, many such blocks rotated together: a sum over blocks
continuous   a Gaussian source, linear (closed form) and tanh encoder
trained      systems trained on fair bits; their truth is unknown
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import synthetic
from capacity.bounds import Enumeration
from capacity.bounds.exact.enumeration import information
from capacity.bounds.exact.listing import list_codes
from capacity.channels import Gaussian
from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT
from capacity.theory import pam_information
from synthetic.algebra import matmul, orthonormal
from tests.benchmarks.brackets_trained import Recipe, trained

# Billions of operations; a core does about 15 to 30 of them in a second, besides compiling, but far fewer where a
# message is continuous: triangular systems of 64 unknowns take a core ten times longer than they count.
LEAST, SOLVED, SHORT, WEAK, LONG, LONGEST = 300.0, 150.0, 1300.0, 1900.0, 2500.0, 5000.0  # WEAK noise: longer walks
SNR = 2.0
DIGITS, HIDDEN, UNITS = 8, 32, 4  # of a block
TRUTH_SAMPLES = 2**15
SMALL = {s: Recipe(s, 64, 32, 384, steps=1200, learning_rate=3e-3) for s in ("gaussian", "vae")}
LARGE = Recipe("gaussian", 256, 128, 512, steps=1500, learning_rate=2e-3)
# At beta = 0.9 the code has collapsed to 0.4 bits: a width in per cent of it says nothing.
SMALL_LEVELS = {"gaussian": np.geomspace(1.5, 0.2, 8), "vae": np.append(np.geomspace(0.02, 0.9, 8)[:-1], 0.7)}
LARGE_LEVELS = (1.5, 1.0, 0.6, 0.3)


class Made(NamedTuple):
    """A joint; its bits and their standard error, where known; its trained decoder, where there is one."""

    joint: Joint
    truth: float | None = None
    stderr: float = 0.0
    log_decoder: Callable[[jax.Array, jax.Array], jax.Array] | None = None


@dataclass(frozen=True)
class Case:
    """One line of the benchmark.

    Attributes:
        make: the joint and its truth, given the folder where trained parameters are kept.
        budget_gflop: billions of operations.
        seconds: the time that it should keep to on two cores.
        width: what its bracket's width should keep to, per cent of the middle.
        series, level: the curve that it is a point of, if of any.
    """

    name: str
    make: Callable[[Path], Made]
    budget_gflop: float
    seconds: float
    width: float
    series: str = ""
    level: float | None = None


def orthogonal(bits: int) -> Made:
    source = synthetic.FairBits.build(jax.random.key(1), bits, bits)
    noise = (1 / SNR) ** 0.5
    return Made(Joint(source, _same, Gaussian(jnp.float32(noise))), bits * pam_information(1, 1, noise))


def coupled(bits: int) -> Made:
    matrix = jax.random.normal(jax.random.key(4), (bits, bits)) / bits**0.5
    encoder = jax.tree_util.Partial(_linear, matrix)
    joint = Joint(synthetic.FairBits(jnp.eye(bits)), encoder, Gaussian(jnp.float32((1 / SNR) ** 0.5)))
    if not joint.source.listable:
        return Made(joint)
    exact = Enumeration(TRUTH_SAMPLES)(jax.random.key(5), joint)
    return Made(joint, float(exact.bits), float(exact.stderr))


def blocks(count: int, sigma: float) -> Made:
    key_first, key_second, key_rotation, key_truth = jax.random.split(jax.random.key(0), 4)
    weights = (
        1.5 / DIGITS**0.5 * jax.random.normal(key_first, (count, DIGITS, HIDDEN)),
        2.0 / HIDDEN**0.5 * jax.random.normal(key_second, (count, HIDDEN, UNITS)),
    )
    rotation = orthonormal(key_rotation, count * UNITS, count * UNITS)
    noise = Gaussian(jnp.float32(sigma))
    joint = Joint(
        synthetic.FairBits(jnp.eye(count * DIGITS)), jax.tree_util.Partial(_rotated, weights, rotation), noise
    )

    digits = synthetic.FairBits(jnp.eye(DIGITS))

    def one(block: tuple[Any, jax.Array]) -> tuple[jax.Array, jax.Array]:
        alone = Joint(digits, jax.tree_util.Partial(_block, block[0]), noise)
        exact = information(block[1], alone, list_codes(alone), TRUTH_SAMPLES)
        return exact.bits, exact.stderr

    bits, stderr = jax.jit(partial(jax.lax.map, one))((weights, jax.random.split(key_truth, count)))
    return Made(joint, float(np.asarray(bits, np.float64).sum()), float(np.linalg.norm(np.asarray(stderr))))


def continuous(nonlinear: bool, dim: int = 64, sigma: float = 0.5) -> Made:
    source = synthetic.GaussianVectors.build(jax.random.key(0), dim, dim)
    matrix = jax.random.normal(jax.random.key(1), (dim, dim)) / dim**0.5
    noise = Gaussian(jnp.float32(sigma))
    if nonlinear:
        return Made(Joint(source, jax.tree_util.Partial(_squashed, matrix), noise))
    mixed = np.asarray(source.rotation, np.float64) @ np.asarray(matrix, np.float64)
    covariance = mixed.T @ np.diag(np.asarray(source.spectrum, np.float64)) @ mixed
    truth = 0.5 * np.linalg.slogdet(np.eye(dim) + covariance / sigma**2)[1] / NATS_PER_BIT
    return Made(Joint(source, jax.tree_util.Partial(_linear, matrix), noise), float(truth))


def learnt(recipe: Recipe, level: float, folder: Path) -> Made:
    joint, log_decoder = trained(recipe, level, folder)
    return Made(joint, log_decoder=log_decoder)


def _same(x: jax.Array) -> jax.Array:
    return x


def _linear(matrix: jax.Array, x: jax.Array) -> jax.Array:
    return matmul(x, matrix)


def _squashed(matrix: jax.Array, x: jax.Array) -> jax.Array:
    return jnp.tanh(matmul(x, matrix))


def _block(weights: tuple[jax.Array, jax.Array], x: jax.Array) -> jax.Array:
    return matmul(jnp.tanh(matmul(x, weights[0])), weights[1])


def _rotated(weights: tuple[jax.Array, jax.Array], rotation: jax.Array, x: jax.Array) -> jax.Array:
    units = jax.vmap(_block)(weights, x.reshape(-1, DIGITS))
    return matmul(units.reshape(-1), rotation)


def _trained_cases(recipe: Recipe, levels: Any, symbol: str, digits: int, **limits: Any) -> list[Case]:
    series = f"{recipe.system}, {recipe.bits} bits"
    cases = []
    for level in map(float, levels):
        name = f"trained-{recipe.system}-{recipe.bits}-{symbol}-{level:.{digits}f}"
        cases.append(Case(name, partial(learnt, recipe, level), series=series, level=level, **limits))
    return cases


def _all() -> list[Case]:
    def known(name: str, made: Callable[[], Made], budget_gflop: float, seconds: float, width: float) -> Case:
        return Case(name, lambda folder: made(), budget_gflop, seconds, width)

    short = {"seconds": 60.0, "width": 1.5}
    strong, weak = np.split(SMALL_LEVELS["gaussian"], [6])
    return [
        known("orthogonal-14", partial(orthogonal, 14), LEAST, 60, 1),
        known("orthogonal-69", partial(orthogonal, 69), SHORT, 60, 1),
        known("orthogonal-277", partial(orthogonal, 277), SHORT, 60, 1),
        known("orthogonal-1386", partial(orthogonal, 1386), LONG, 180, 1),
        known("coupled-14", partial(coupled, 14), LEAST, 120, 3),
        known("coupled-277", partial(coupled, 277), LONG, 120, 3),
        known("blocks-256-sigma-1.0", partial(blocks, 32, 1.0), LONG, 180, 2),
        known("blocks-256-sigma-0.6", partial(blocks, 32, 0.6), LONG, 180, 5),
        known("blocks-256-sigma-0.3", partial(blocks, 32, 0.3), LONG, 180, 10),
        known("blocks-1024-sigma-1.0", partial(blocks, 128, 1.0), LONGEST, 600, 5),
        known("continuous-linear", partial(continuous, False), SOLVED, 60, 2),
        known("continuous-tanh", partial(continuous, True), SOLVED, 60, 2),
        *_trained_cases(SMALL["gaussian"], strong, "sigma", 2, budget_gflop=SHORT, **short),
        *_trained_cases(SMALL["gaussian"], weak, "sigma", 2, budget_gflop=WEAK, **short),
        *_trained_cases(SMALL["vae"], SMALL_LEVELS["vae"], "beta", 3, budget_gflop=WEAK, **short),
        *_trained_cases(LARGE, LARGE_LEVELS, "sigma", 2, budget_gflop=LONG, seconds=180.0, width=3.0),
    ]


CASES: dict[str, Case] = {case.name: case for case in _all()}
