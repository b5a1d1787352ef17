"""Scores of cheap samples: what an event that moves the bits moves too, whether in the message, the code or the noise.

A code may be erased, revealed, scaled, sent elsewhere or made noisier where a few digits say so.  Then it lies
elsewhere than others do, or off what its digits add up to, or flips of its digits move it less, or other messages have
the same.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from capacity.bounds.posterior.approximation import PosteriorApproximation
from capacity.bounds.variational.normal import Normal
from capacity.joint.joint import Joint
from capacity.runtime.shapes import Key

FLIPS = 2  # digits that are flipped, one at a time
NUDGE = 0.1  # deviations by which a message without digits is moved
STILL = 1e-6  # squared effects over the noise: what is less is none
DIRECTIONS = 3  # in which codes are compared with their neighbours
TOGETHER = 128  # samples that the approximation looks at at once
LEAST_VARIANCE = 1e-30


class ScoredCodes(NamedTuple):
    """Of n samples: one score a column, and where their codes lie in a few random directions, over the noise."""

    own: Float[Array, "n scores"]
    places: Float[Array, "n directions"]

    def columns(self) -> Float[np.ndarray, "n all"]:
        """All scores, that of the nearest other code included."""
        own, places = (np.asarray(part, np.float64) for part in self)
        return np.concatenate([own, _nearest(places)[:, None]], axis=1)


@jax.jit
def scores_of(
    key: Key, joint: Joint, approximation: PosteriorApproximation, normal: Normal, message: PyTree, code: PyTree
) -> ScoredCodes:
    """Scores of n samples, before noise.

    Args:
        key: of the flips; the same for all samples that are compared.
        joint: of the samples.
        approximation: fitted before.
        normal: a density with the moments of Z.
        message, code: of the samples, leaves (n, ...).
    """
    means, variances = jax.vmap(joint.channel.moments)(code)
    noise = jnp.maximum(variances, LEAST_VARIANCE)
    spread = jnp.maximum(means.std(0), jnp.sqrt(noise.mean(0)))

    def of_code(mean: jax.Array, noise: jax.Array) -> list[jax.Array]:
        scaled = mean / jnp.sqrt(noise)
        far = (jnp.abs(mean - normal.mean) / spread).max()
        return [jnp.linalg.norm(scaled), jnp.linalg.norm(normal.whitener @ (mean - normal.mean)), far]

    def of_message(sent: tuple[PyTree, jax.Array]) -> jax.Array:
        message, mean = sent
        observation = approximation.observe(mean)
        state = approximation.state_of(observation, message)
        mass = joint.source.log_mass(message) if joint.source.discrete else jnp.zeros(())
        log_start, log_joint = approximation.log_start(observation, state), approximation.log_joint(observation, state)
        return jnp.stack([mass, log_start, log_joint])

    moved = jax.lax.map(partial(_moved, joint, message, means, noise), jax.random.split(key, FLIPS)).mean(0)
    told = jax.lax.map(of_message, (message, means), batch_size=TOGETHER)
    columns = [*jax.vmap(of_code)(means, noise), *told.T, moved]
    columns.append(jnp.log(noise).mean(1))
    units = means.shape[1]
    directions = jax.random.normal(jax.random.fold_in(key, FLIPS), (units, DIRECTIONS)) / units**0.5
    return ScoredCodes(jnp.stack(columns, axis=1), (means / jnp.sqrt(noise.mean(0))) @ directions)


def _moved(joint: Joint, message: PyTree, means: jax.Array, noise: jax.Array, key: Key) -> Float[Array, " n"]:
    """log of how far, over the noise, the code moves as one digit of each message is flipped, or the message nudged."""
    changed, _ = jax.vmap(lambda m: joint.moments(joint.source.embed(m)))(_changed(key, message))
    return jnp.log(STILL + (jnp.square(changed - means) / noise).sum(1))


def _changed(key: Key, message: PyTree) -> PyTree:
    """Messages with a random digit of each flipped; where there are no digits, each moved a little."""
    leaves, tree = jax.tree.flatten(message)
    binary = [jnp.issubdtype(leaf.dtype, jnp.integer) for leaf in leaves]

    def changed(leaf: jax.Array, flipped: bool) -> jax.Array:
        if flipped:
            at = jax.random.randint(key, (len(leaf),), 0, leaf.shape[1])
            return jnp.where(jnp.arange(leaf.shape[1])[None] == at[:, None], 1 - leaf, leaf)
        nudge: jax.Array = leaf + NUDGE * leaf.std(0, keepdims=True) * jax.random.normal(key, leaf.shape)
        return leaf if any(binary) else nudge

    return jax.tree.unflatten(tree, [changed(*pair) for pair in zip(leaves, binary, strict=True)])


def _nearest(places: Float[np.ndarray, "n directions"]) -> Float[np.ndarray, " n"]:
    """log of how far the nearest code along the first direction is in all of them: codes of several messages show."""
    order = np.argsort(places[:, 0], kind="stable")
    apart = np.linalg.norm(np.diff(places[order], axis=0), axis=1)
    ends = np.concatenate([[np.inf], apart, [np.inf]])
    nearest = np.empty(len(places))
    nearest[order] = np.log(np.minimum(ends[:-1], ends[1:]) + STILL)
    return nearest
