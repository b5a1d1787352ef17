"""Lloyd and Max's quantiser: the levels of least squared error for a normal variable (Max 1960; Lloyd 1982).

Points are the means of their cells, edges the midpoints between points.  One bit: points +-sqrt(2/pi), distortion
1 - 2/pi = 0.3634, where the rate-distortion function asks for 0.25.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import ndtr, ndtri

from capacity.systems.codes.code import Encoder, check_units, components_of, normalised
from capacity.theory import Floats

if TYPE_CHECKING:
    from synthetic.source import Source


@functools.cache
def lloyd_max(levels: int) -> tuple[Floats, Floats, float]:
    """Points (levels,), edges (levels - 1,) and distortion of the best quantiser of N(0,1).

    Raises:
        ValueError: for fewer than 2 or more than 256 levels.
    """
    if not 2 <= levels <= 256:
        raise ValueError(f"Expected 2 to 256 levels; got {levels}.")
    # Panter and Dite's (1951) density of points, phi^(1/3), is nearly right from the start.
    points = np.sqrt(3.0) * ndtri((np.arange(levels) + 0.5) / levels)
    for _ in range(100_000):
        edges = 0.5 * (points[1:] + points[:-1])
        before, points = points, _cell_means(edges)
        if np.abs(points - before).max() < 1e-12:
            break
    edges = 0.5 * (points[1:] + points[:-1])
    mass = np.diff(np.concatenate([[0.0], ndtr(edges), [1.0]]))
    return points, edges, float(1 - mass @ points**2)


def _cell_means(edges: Floats) -> Floats:
    ends = np.concatenate([[-np.inf], edges, [np.inf]])
    density = np.exp(-0.5 * ends**2) / np.sqrt(2 * np.pi)
    # By the lower tail or the upper, whichever keeps its digits.
    mass: Floats = np.where(ends[:-1] > 0, ndtr(-ends[:-1]) - ndtr(-ends[1:]), ndtr(ends[1:]) - ndtr(ends[:-1]))
    means: Floats = -np.diff(density) / mass
    return means


@dataclass(frozen=True)
class LloydMax:
    """The leading principal components, each sent as the nearest of a few levels that suit a normal variable.

    Raises:
        ValueError: for fewer than 2 or more than 256 levels.
    """

    levels: int = 4
    name: ClassVar[str] = "lloyd_max"
    summary: ClassVar[str] = "principal components, each quantised to the four levels that suit a normal variable"

    def __post_init__(self) -> None:
        """Find the levels, which checks their number."""
        lloyd_max(self.levels)

    def build(self, source: Source, units: int, key: jax.Array | None = None) -> Encoder:
        """Encoder (dim,) -> (units,); ValueError where the vectors have fewer components than units."""
        check_units(units)
        points, edges, _ = lloyd_max(self.levels)
        components = components_of(source, units, key)
        raw = jax.tree_util.Partial(_quantise, jnp.asarray(points, jnp.float32), jnp.asarray(edges, jnp.float32))
        return normalised(source, jax.tree_util.Partial(_after, raw, components), key)


def _quantise(points: jax.Array, edges: jax.Array, u: jax.Array) -> jax.Array:
    return points[jnp.searchsorted(edges, u)]


def _after(second: Encoder, first: Encoder, x: jax.Array) -> jax.Array:
    return second(first(x))
