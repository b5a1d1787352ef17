"""Quadratures over the density of a noise that is given by a formula alone: mass, moments, entropy, cells, quantiles.

The nodes are e = +-exp(t), t evenly spaced over 16 decades, so that noise of any strength from 1e-6 to 1e6 is resolved
alike and a kink at 0 does no harm; the trapezoid rule in t errs exponentially little on what is smooth there
(Trefethen & Weideman 2014).  Where the density jumps it is off by up to half a step of t, a relative 1e-3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from capacity.runtime.shapes import Scalar

LogNoise: TypeAlias = Callable[[jax.Array], jax.Array]
STEP = 2e-3
_T = np.arange(np.log(1e-8), np.log(1e8), STEP)
NODES = np.concatenate([-np.exp(_T[::-1]), np.exp(_T)])  # ascending
WEIGHTS = np.abs(NODES) * STEP
DRAW_NODES = np.concatenate([-np.exp(_T[::4][::-1]), np.exp(_T[::4])])
CELLS_PER_STD = 20
CELLS_STD = 12  # how far the cells reach, in standard deviations
POINTS_PER_CELL = 8


class NoiseFigures(NamedTuple):
    """Integrals of a density, natural units: `mass` should be 1; the others are of the density divided by it.

    Attributes:
        mass: of all that the nodes reach.
        mean: E[e].
        variance: E[e^2] - E[e]^2.
        entropy: -E[log p(e)], nats.
        tail: the share of E[e^2] beyond a thousandth of the reach: near 0 unless the variance is infinite.
    """

    mass: Scalar
    mean: Scalar
    variance: Scalar
    entropy: Scalar
    tail: Scalar


def noise_figures(log_noise: LogNoise) -> NoiseFigures:
    """Integrals of exp(log_noise(e)), a function that is elementwise; traceable."""
    e = jnp.asarray(NODES, jnp.result_type(float))
    log_p = log_noise(e)
    p = jnp.exp(log_p) * jnp.asarray(WEIGHTS, e.dtype)
    mass = p.sum()
    mean = (p * e).sum() / mass
    squares = p * jnp.square(e - mean)
    entropy = -(p * jnp.where(p > 0, log_p, 0.0)).sum() / mass
    far = jnp.where(jnp.abs(e) > 1e5, squares, 0.0).sum() / squares.sum()
    return NoiseFigures(mass, mean, squares.sum() / mass, entropy, far)


def cumulated(log_noise: LogNoise) -> Float[Array, " nodes"]:
    """P(noise <= e) at every one of `DRAW_NODES`."""
    p = jnp.exp(log_noise(jnp.asarray(DRAW_NODES, jnp.result_type(float)))) * jnp.asarray(np.abs(DRAW_NODES))
    return (jnp.cumsum(p) - 0.5 * p) / p.sum()


def inverted(log_noise: LogNoise, key: jax.Array, shape: tuple[int, ...]) -> Float[Array, ...]:
    """Samples by the inverse of the cumulated density: `quantiles` of uniform numbers."""
    return quantiles(log_noise, jax.random.uniform(key, shape, jnp.result_type(float)))


def quantiles(log_noise: LogNoise, uniform: Float[Array, ...]) -> Float[Array, ...]:
    """The inverse of the cumulated density at numbers from 0 to 1, linear between nodes (a relative 8e-3 apart).

    None is impossible: where the density ends between two nodes, the possible one of them is taken.
    """
    below = cumulated(log_noise)
    nodes = jnp.asarray(DRAW_NODES, below.dtype)
    # Past the last rise of `below`, which rounding may put short of 1, lies the end of the nodes.
    uniform = uniform.astype(below.dtype)
    uniform = jnp.minimum(uniform * below[-1], jnp.nextafter(below[-1], 0.0))
    right = jnp.clip(jnp.searchsorted(below, uniform, side="right"), 1, len(DRAW_NODES) - 1)
    start, rise = below[right - 1], below[right] - below[right - 1]
    share = jnp.where(rise > 0, (uniform - start) / jnp.where(rise > 0, rise, 1.0), 0.0)
    draws = nodes[right - 1] + jnp.clip(share, 0, 1) * (nodes[right] - nodes[right - 1])
    possible = jnp.where(jnp.isneginf(log_noise(nodes[right - 1])), nodes[right], nodes[right - 1])
    return jnp.where(jnp.isneginf(log_noise(draws)), possible, draws)


def cell_masses(log_noise: LogNoise, mean: jax.Array, std: jax.Array) -> Float[Array, " cells"]:
    """The noise's mass in cells of std/20 around mean + std k/20, |k| <= 240, divided by their sum."""
    reach = CELLS_PER_STD * CELLS_STD
    inner = (np.arange(POINTS_PER_CELL) + 0.5) / POINTS_PER_CELL - 0.5
    offsets = (np.arange(-reach, reach + 1)[:, None] + inner) / CELLS_PER_STD
    density = jnp.exp(log_noise(mean + std * jnp.asarray(offsets, mean.dtype))).sum(1)
    return density / density.sum()
