"""A constellation optimised by number: points of given power that carry most bits through given Gaussian noise.

Gradient ascent of the exact mutual information I = log2 M - E log2 sum_k exp(-|a_mk|^2/2 - a_mk.e), with
a_mk = (x_m - x_k)/sigma and e standard normal, by Gauss-Hermite quadrature (to about 1e-3 bits) in one or two
dimensions; from many starts, since the figure has many summits (Foschini, Gitlin & Weinstein 1974), in one scan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import optax
from scipy.special import ndtri

from capacity.results.estimate import NATS_PER_BIT
from capacity.systems.codes.code import Encoder, check_units, dealt, digits_of, fair, normalised
from capacity.training.fitting import apply_update

if TYPE_CHECKING:
    from synthetic.source import Source

ORDER = {1: 32, 2: 12}  # Gauss-Hermite nodes a dimension
MAX_DIGITS = 6  # of one block: 64 points


def mutual_information(points: jax.Array, noise_std: jax.Array) -> jax.Array:
    """I(M;Z) in nats of equally likely points (M, d), d of 1 or 2, through Gaussian noise; differentiable."""
    line, weight = np.polynomial.hermite_e.hermegauss(ORDER[points.shape[1]])
    nodes = np.stack(np.meshgrid(*[line] * points.shape[1], indexing="ij"), -1).reshape(-1, points.shape[1])
    weights = np.stack(np.meshgrid(*[weight] * points.shape[1], indexing="ij"), -1).reshape(nodes.shape).prod(1)
    away = (points[:, None] - points[None]) / noise_std
    ratio = -0.5 * jnp.square(away).sum(2)[..., None] - away @ jnp.asarray(nodes.T, points.dtype)
    loss = jax.nn.logsumexp(ratio, axis=1) @ jnp.asarray(weights / weights.sum(), points.dtype)
    return jnp.log(points.shape[0]) - loss.mean()


def centred(points: jax.Array, power: jax.Array | float = 1.0) -> jax.Array:
    """Points (M, d) with mean 0 and mean square `power` in every coordinate."""
    points = points - points.mean(0, keepdims=True)
    return points * jnp.sqrt(power / (jnp.square(points).mean(0, keepdims=True) + 1e-12))


def starts_of(count: int, dim: int, starts: int) -> np.ndarray:
    """Points (starts, count, dim) to begin from: a grid first, then spread evenly by an additive recurrence.

    The recurrence is Roberts' (2018): multiples of the root of x^(d+1) = x + 1, modulo 1, through the normal quantile
    function; no randomness, so that the same constellation comes out each time.
    """
    side = int(np.ceil(count ** (1 / dim)))
    grid = np.stack(np.meshgrid(*[np.arange(side) - (side - 1) / 2] * dim, indexing="ij"), -1).reshape(-1, dim)
    nearest = np.argsort((grid**2).sum(1), kind="stable")[:count]
    root = 2.0
    for _ in range(64):
        root = (1 + root) ** (1 / (dim + 1))
    places = (0.5 + np.arange(1, starts * count + 1)[:, None] * root ** -np.arange(1, dim + 1)) % 1
    spread: np.ndarray = ndtri(places).reshape(starts, count, dim)
    # A hair of the first spread, so that no two coordinates of the grid stay tied by symmetry.
    spread[0] = grid[nearest] + 1e-3 * spread[0]
    return spread


def optimise(
    start: jax.Array, noise_std: jax.Array, power: float = 1.0, steps: int = 400, learning_rate: float = 0.03
) -> tuple[jax.Array, jax.Array]:
    """The best constellation (M, d) that ascent finds from starts (S, M, d), and its bits; traceable.

    Args:
        start: points to begin from.
        noise_std: standard deviation of the noise; may be traced, so that noises can be mapped over.
        power: mean square of every coordinate.
        steps: of Adam, whose rate falls to nothing along a cosine.
        learning_rate: at the start, in units of sqrt(power).
    """
    optimiser = optax.adam(optax.cosine_decay_schedule(learning_rate, steps))

    def loss(points: jax.Array) -> jax.Array:
        return -mutual_information(centred(points, power), noise_std)

    def step(carry: tuple[jax.Array, optax.OptState], _: None) -> tuple[tuple[jax.Array, optax.OptState], None]:
        points, state = carry
        return apply_update(optimiser, jax.grad(lambda p: jax.vmap(loss)(p).sum())(points), state, points)[:2], None

    def one(points: jax.Array) -> tuple[jax.Array, jax.Array]:
        (points, _), _ = jax.lax.scan(step, (points[None], optimiser.init(points[None])), None, steps)
        return centred(points[0], power), -loss(points[0])

    found, nats = jax.lax.map(one, start)
    best = jnp.argmax(nats)
    return found[best], nats[best] / NATS_PER_BIT


@dataclass(frozen=True)
class Constellation:
    """Pairs of units, each with a constellation for the digits dealt to it (a unit left over has one of its own).

    Attributes:
        noise_std: the noise that the points are optimised for.
        starts, steps: of the ascent.

    Raises:
        ValueError: for noise that is not positive, or counts below 1.
    """

    noise_std: float = 0.5
    starts: int = 8
    steps: int = 400
    name: ClassVar[str] = "constellation"
    summary: ClassVar[str] = "points on pairs of units, optimised by number for Gaussian noise of sigma 0.5"

    def __post_init__(self) -> None:
        """Check the choices."""
        if not self.noise_std > 0:
            raise ValueError(f"Expected noise_std > 0; got {self.noise_std}.")
        if min(self.starts, self.steps) < 1:
            raise ValueError(f"Expected at least one start and step; got {self.starts} and {self.steps}.")

    def build(self, source: Source, units: int, key: jax.Array | None = None) -> Encoder:
        """Encoder (dim,) -> (units,).

        Raises:
            ValueError: for a continuous source, or more than 6 digits on a pair of units.
        """
        check_units(units)
        blocks = [2] * (units // 2) + [1] * (units % 2)
        own = dealt(source.message_dim, len(blocks))
        most = max(len(digits) for digits in own)
        if most > MAX_DIGITS:
            raise ValueError(f"Expected at most {MAX_DIGITS} digits on a pair of units; got {most}.")
        noise = jnp.asarray(self.noise_std, jnp.float32)
        shapes = sorted({(2 ** len(digits), dim) for digits, dim in zip(own, blocks, strict=True)})
        found = {
            shape: optimise(jnp.asarray(starts_of(*shape, self.starts), jnp.float32), noise, steps=self.steps)[0]
            for shape in shapes
        }
        tables = [found[2 ** len(digits), dim] for digits, dim in zip(own, blocks, strict=True)]
        raw = jax.tree_util.Partial(_Send(tuple(map(tuple, own))), tables, digits_of(source, key))
        return raw if fair(source) else normalised(source, raw, key)


@dataclass(frozen=True)
class _Send:
    own: tuple[tuple[int, ...], ...]

    def __call__(self, tables: list[jax.Array], read: Encoder, x: jax.Array) -> jax.Array:
        digits, parts = read(x).astype(jnp.int32), []
        for own, table in zip(self.own, tables, strict=True):
            number = (digits[jnp.array(own)] << jnp.arange(len(own) - 1, -1, -1)).sum()
            parts.append(table[number])
        return jnp.concatenate(parts)
