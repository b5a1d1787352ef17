"""The capacity of any channel's unit between two values, by Blahut-Arimoto on its own density."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from capacity.channels.channel import Channel
from capacity.theory.capacity import Capacity, blahut_arimoto

MAX_OUTPUTS = 20000


def unit_capacity(
    channel: Channel,
    inputs: Sequence[float] | np.ndarray,
    *,
    power: float | None = None,
    tolerance: float = 1e-5,
    per_std: int = 0,
) -> Capacity:
    """Capacity of one unit of a channel of plain units, whose input is one of these, under a power if one is given.

    For an amplitude limit, the inputs are a grid over it: both values are of inputs on the grid.

    Args:
        channel: memoryless, its code an array (units,).
        inputs: (m,), the values that the unit may take.
        power: limit of E[u^2], None for none.
        tolerance: gap of the two values in bits at which to stop.
        per_std: grid points for each standard deviation of the noise; by default 8, or 200 where the density jumps.

    Raises:
        ValueError: if the channel has memory, or the grid over its outputs would be too long.
    """
    if not channel.memoryless:
        raise ValueError(f"Expected a memoryless channel; got {channel.name}, whose units share their noise.")
    with jax.enable_x64(True):
        u = jnp.asarray(np.asarray(inputs, np.float64))[:, None]
        double = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf, np.float64)), channel)
        if channel.atomic:
            values = np.asarray(_values(double, u))
            outputs, weights = np.unique(values), None
        else:
            mean, variance = (np.asarray(part) for part in _moments(double, u))
            outputs, step = _grid(mean, variance, per_std or _density(channel))
            weights = np.full(len(outputs), step)
        rows = np.asarray(_log_probs(double, u, jnp.asarray(outputs)[:, None]))
    return blahut_arimoto(rows, np.asarray(inputs), weights=weights, power=power, tolerance=tolerance)


@jax.jit
def _values(channel: Channel, u: jax.Array) -> jax.Array:
    return jax.vmap(lambda v: channel.atoms(v)[0])(u)


@jax.jit
def _moments(channel: Channel, u: jax.Array) -> tuple[jax.Array, jax.Array]:
    moments: tuple[jax.Array, jax.Array] = jax.vmap(channel.moments)(u)
    return moments


@jax.jit
def _log_probs(channel: Channel, u: jax.Array, z: jax.Array) -> jax.Array:
    """log p(z|u) of one unit, (inputs, outputs) nats."""
    return jax.vmap(lambda v: jax.vmap(lambda z_one: channel.log_prob(z_one, v)[0])(z))(u)


def _density(channel: Channel) -> int:
    return 8 if channel.full_support else 200


def _grid(mean: np.ndarray, variance: np.ndarray, per_std: int) -> tuple[np.ndarray, float]:
    std = np.sqrt(variance)
    low, high, step = float((mean - 9 * std).min()), float((mean + 9 * std).max()), float(std.min()) / per_std
    count = int(np.ceil((high - low) / step))
    if not count <= MAX_OUTPUTS:
        raise ValueError(f"Expected at most {MAX_OUTPUTS} points over the outputs; got {count}: widen the noise.")
    return low + step * (np.arange(count) + 0.5), step
