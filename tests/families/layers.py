"""Layers with noise inside: one unit each, so that the density of every layer is a sum over a fine grid of the last."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from capacity import measure_layers
from capacity.channels import Gaussian
from capacity.joint.stack import Layer, Stack
from synthetic import FairBits
from tests.families.problem import Family, Interval, Problem, Truth, double, log_uniform, single
from tests.families.truths import all_signs, even

DIGITS = 6
REACH, NODES_PER_STD = 8.0, 6
BUDGET = 1.0


def projected(weights: jax.Array, x: jax.Array) -> jax.Array:
    """The first layer's one unit: w x."""
    return (weights * x).sum(keepdims=True)


def bent(slope: jax.Array, z: jax.Array) -> jax.Array:
    """A further layer's unit: tanh(a z)."""
    return jnp.tanh(slope * z)


def straight(slope: jax.Array, z: jax.Array) -> jax.Array:
    """A further layer's unit: a z."""
    return slope * z


def rectified(slope: jax.Array, z: jax.Array) -> jax.Array:
    """A further layer's unit: max(a z, 0)."""
    return jax.nn.relu(slope * z)


BENDS: dict[str, tuple[Callable[..., jax.Array], Callable[[np.ndarray], np.ndarray]]] = {
    "tanh": (bent, np.tanh),
    "linear": (straight, lambda u: u),
    "relu": (rectified, lambda u: np.maximum(u, 0.0)),
}


def chain_truth(units: np.ndarray, maps: list[tuple[Callable, float]], sigmas: list[float]) -> list[float]:
    """Bits of each layer; equally likely messages of these units, then maps with their slopes, noise after each."""
    probs, bits = even(len(units)), []
    centres, mass = units, np.eye(len(units))  # where the layer's input may lie, and how likely given each message
    for number, sigma in enumerate(sigmas):
        finer = sigma
        if number < len(maps):  # the next layer must see no steps: its slope against its own noise
            slope = abs(maps[number][1])
            finer = min(sigma, sigmas[number + 1] / max(slope, 1e-9))
        step = finer / NODES_PER_STD
        nodes = np.arange(centres.min() - REACH * sigma, centres.max() + REACH * sigma, step)
        kernel = np.exp(-0.5 * ((nodes[None] - centres[:, None]) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
        density = mass @ kernel
        together = probs @ density
        ratio = np.log2(np.maximum(density, 1e-300) / np.maximum(together, 1e-300)[None])
        bits.append(float(probs @ (density * ratio).sum(1) * step))
        if number < len(maps):
            bend, slope = maps[number]
            centres, mass = bend(slope * nodes), density * step
    return bits


def problem(rng: np.random.Generator, number: int) -> Problem:
    """Two or three layers."""
    depth = 2 + number % 2
    weights = single(rng.normal(size=DIGITS) * log_uniform(rng, 0.5, 2) / DIGITS**0.5)
    names = [list(BENDS)[int(rng.integers(len(BENDS)))] for _ in range(depth - 1)]
    slopes = [float(double(log_uniform(rng, 0.3, 3))) for _ in names]
    sigmas = [float(double(log_uniform(rng, 0.1, 1.0))) for _ in range(depth)]
    truths = chain_truth(
        all_signs(DIGITS) @ double(weights), [(BENDS[n][1], a) for n, a in zip(names, slopes, strict=True)], sigmas
    )
    encoders = [jax.tree_util.Partial(projected, jnp.asarray(weights))]
    encoders += [jax.tree_util.Partial(BENDS[n][0], jnp.float32(a)) for n, a in zip(names, slopes, strict=True)]
    layers = tuple(Layer(e, Gaussian(jnp.float32(s))) for e, s in zip(encoders, sigmas, strict=True))
    stack = Stack(FairBits(jnp.eye(DIGITS)), layers)

    def ask(key: jax.Array) -> list[Interval]:
        return [Interval.of(b.lower, b.upper) for b in measure_layers(key, stack, budget_gflop=BUDGET)]

    words = (
        f"{', '.join(names)} by {', '.join(f'{a:.2g}' for a in slopes)}, sigma {', '.join(f'{s:.2g}' for s in sigmas)}"
    )
    named = tuple(Truth(f"layer {i}", bits) for i, bits in enumerate(truths, 1))
    return Problem(words, "layers", float(DIGITS), named, ask)


FAMILY = Family("layers", 48, problem, "6 bits through 2 or 3 layers of one unit with noise after each")
