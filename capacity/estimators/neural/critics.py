"""Critics f(x, y): scores of pairs, at best the log density ratio log p(x, y) / (p(x) p(y)) plus a constant.

A tower is a stack of gated linear units (Dauphin et al. 2017), h -> (V h + b) * sigmoid(G h + c), with a linear path
past them: products of inputs are one layer away, and what is linear (normal data) needs no layer at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jax import flatten_util
from jaxtyping import PyTree


def linear(inputs: int, outputs: int, gain: float = 1.0) -> PyTree:
    """A linear map before `randomise`: the kernel's deviation gain / sqrt(inputs) in every place."""
    return {"kernel": jnp.full((inputs, outputs), gain * inputs**-0.5), "bias": jnp.zeros(outputs)}


def randomise(key: jax.Array, deviations: PyTree) -> PyTree:
    """Normal parameters with these deviations, from one draw: a draw for each kernel takes seconds to compile."""
    flat, restore = flatten_util.ravel_pytree(deviations)
    return restore(flat * jax.random.normal(key, flat.shape))


def apply_linear(params: PyTree, rows: jax.Array) -> jax.Array:
    """Rows (n, inputs) through a linear map."""
    out: jax.Array = rows @ params["kernel"] + params["bias"][None]
    return out


def tower(inputs: int, width: int, depth: int, outputs: int, gain: float = 0.3) -> PyTree:
    """A tower before `randomise`: its parameters' standard deviations.

    Args:
        inputs: length of a row.
        width, depth: nodes of a hidden layer, and how many of those.
        outputs: length of what comes out.
        gain: of the last layer and of the path past all layers.
    """
    sizes = [inputs] + [width] * depth
    layers = [{"value": linear(size, width), "gate": linear(size, width)} for size in sizes[:-1]]
    return {"layers": layers, "last": linear(sizes[-1], outputs, gain), "past": linear(inputs, outputs, gain)}


def apply_tower(params: PyTree, rows: jax.Array) -> jax.Array:
    """Rows (n, inputs) through a tower, shape (n, outputs)."""
    hidden = rows
    for layer in params["layers"]:
        hidden = apply_linear(layer["value"], hidden) * jax.nn.sigmoid(apply_linear(layer["gate"], hidden))
    return apply_linear(params["last"], hidden) + apply_linear(params["past"], rows)


@dataclass(frozen=True)
class Separable:
    """f(x, y) = u(x) . v(y) / sqrt(rank) + a(x) + b(y) + c: n^2 scores from 2 n passes (van den Oord et al. 2018).

    Attributes:
        width, depth: of each side's tower.
        rank: length of u and v, the largest rank of a matrix of scores but for its margins.
        batch: pairs of a training batch, each scored with every other.
        block: pairs scored with each other at once in evaluation.
    """

    width: int = 64
    depth: int = 2
    rank: int = 32
    batch: int = 256
    block: int = 2048

    def init(self, key: jax.Array, dx: int, dy: int) -> PyTree:
        """Parameters for dx and dy inputs."""
        shape = (self.width, self.depth, self.rank + 1)
        return randomise(key, {"x": tower(dx, *shape), "y": tower(dy, *shape), "constant": jnp.zeros(())})

    def scores(self, params: PyTree, x: jax.Array, y: jax.Array) -> jax.Array:
        """f(x_i, y_j) for x (n, dx) and y (m, dy), shape (n, m)."""
        u, v = apply_tower(params["x"], x), apply_tower(params["y"], y)
        products = u[:, :-1] @ v[:, :-1].T * self.rank**-0.5
        scores: jax.Array = products + u[:, -1:] + v[:, -1][None] + params["constant"]
        return scores

    def of_pairs(self, params: PyTree, x: jax.Array, y: jax.Array) -> jax.Array:
        """f(x_i, y_i), shape (n,)."""
        u, v = apply_tower(params["x"], x), apply_tower(params["y"], y)
        products = (u[:, :-1] * v[:, :-1]).sum(1) * self.rank**-0.5
        scores: jax.Array = products + u[:, -1] + v[:, -1] + params["constant"]
        return scores


@dataclass(frozen=True)
class JointCritic:
    """f(x, y) from one network of both (Belghazi et al. 2018): any function, at one pass for every pair.

    Attributes:
        width: of the sides' towers and of the two layers that join them.
        batch, block: as in `Separable`, smaller, since n^2 scores need n^2 passes.
    """

    width: int = 64
    batch: int = 64
    block: int = 512

    def init(self, key: jax.Array, dx: int, dy: int) -> PyTree:
        """Parameters for dx and dy inputs."""
        shape = (self.width, 1, 2 * self.width, 1.0)
        deviations = {
            "x": tower(dx, *shape),
            "y": tower(dy, *shape),
            "join": linear(self.width, self.width),
            "last": linear(self.width, 1, 0.3),
            "constant": jnp.zeros(()),
        }
        return randomise(key, deviations)

    def scores(self, params: PyTree, x: jax.Array, y: jax.Array) -> jax.Array:
        """f(x_i, y_j) for x (n, dx) and y (m, dy), shape (n, m)."""
        u, v = apply_tower(params["x"], x), apply_tower(params["y"], y)

        def row(one: jax.Array) -> jax.Array:
            return self._joined(params, one[None] + v)

        # Whole in training; in evaluation row by row, so that memory stays that of one row's passes.
        return jax.vmap(row)(u) if len(u) <= self.batch else jax.lax.map(row, u, batch_size=16)

    def of_pairs(self, params: PyTree, x: jax.Array, y: jax.Array) -> jax.Array:
        """f(x_i, y_i), shape (n,)."""
        return self._joined(params, apply_tower(params["x"], x) + apply_tower(params["y"], y))

    def _joined(self, params: PyTree, rows: jax.Array) -> jax.Array:
        value, gate = jnp.split(rows, 2, axis=1)
        hidden = jax.nn.silu(apply_linear(params["join"], value * jax.nn.sigmoid(gate)))
        scores: jax.Array = apply_linear(params["last"], hidden)[:, 0] + params["constant"]
        return scores


Critic: TypeAlias = Separable | JointCritic
