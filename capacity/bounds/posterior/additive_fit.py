"""The additive code that is nearest to a joint's: mean effects of blocks of digits, priors, linear receivers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from capacity.bounds.exact.tiles import LOG_ZERO
from capacity.bounds.posterior.additive import AdditiveCode
from capacity.bounds.posterior.blocks import find_blocks
from capacity.joint.joint import Joint, drawn, log_probs, noisy_moments
from capacity.runtime.shapes import Key

if TYPE_CHECKING:
    from synthetic.source import Source

EFFECT_OPERATIONS = 3e10  # that may be spent on the blocks' effects
MOMENT_SAMPLES = 4096  # messages, for the mean code and the noise
STATE_BATCH = 2048  # messages encoded at once
LOG_UNSEEN = -40.0  # of a block's state that none of the sampled messages could have, beside others: not impossible


def fit_additive(key: Key, joint: Joint) -> AdditiveCode:
    """The additive approximation of a joint with a discrete source; tables and filters in float64 before they are kept.

    Args:
        key: of the messages that effects and moments are averaged over.
        joint: with a discrete source of any size.

    Raises:
        ValueError: if the source is continuous.
    """
    source = joint.source
    if not source.discrete:
        raise ValueError("Expected a discrete source for an additive code; got a continuous one.")
    key_blocks, key_effects, key_moments = jax.random.split(key, 3)
    places = find_blocks(key_blocks, source, jax.tree_util.Partial(_mean_code, joint))
    blocks, size = places.shape
    states = 2**size
    encode = jax.jit(_mean_code).lower(joint, jax.ShapeDtypeStruct((source.message_dim,), jnp.float32))
    operations = max(float((encode.cost_analysis() or {}).get("flops", 0.0)), 1e4)
    references = int(np.clip(EFFECT_OPERATIONS / (blocks * states * operations), 2, 256))
    messages = drawn(source, key_effects, references).message
    means, log_masses = _effects(joint, messages, jnp.asarray(places), states)
    log_prior = _log_prior(np.asarray(log_masses, np.float64), places == source.message_dim)

    batch = drawn(source, key_moments, MOMENT_SAMPLES)
    mean, variance = noisy_moments(joint, batch.vector)
    prior = np.exp(log_prior)[..., None]
    tables = np.asarray(means, np.float64)
    tables -= (prior * tables).sum(1, keepdims=True)
    scale = np.sqrt(np.asarray(variance, np.float64).mean(0))
    scale = np.maximum(scale, 1e-6 * np.abs(np.asarray(mean, np.float64)).max(0) + 1e-12)  # of units that do not move
    tables = np.where(prior > 0, tables / scale, 0.0)
    states_of = _states(np.asarray(batch.message), places)
    # What the blocks leave of the code, not its plain mean: without interactions it has no error.
    left = np.asarray(mean, np.float64)
    for table, state in zip(tables, states_of.T, strict=True):
        left -= scale * table[state]
    return AdditiveCode(
        jnp.asarray(tables, jnp.float32),
        jnp.asarray(_filters(tables, prior), jnp.float32),
        jnp.asarray(log_prior, jnp.float32),
        jnp.asarray(places),
        jnp.asarray(left.mean(0), jnp.float32),
        jnp.asarray(scale, jnp.float32),
        source,
        not _sum_over_blocks(source, batch.message, log_prior[np.arange(blocks), states_of].sum(1)),
    )


def _mean_code(joint: Joint, digits: jax.Array) -> jax.Array:
    """Mean of the noisy units (units,) of a message."""
    return joint.moments(joint.source.embed(digits))[0]


@partial(jax.jit, static_argnums=3)
def _effects(joint: Joint, messages: jax.Array, places: jax.Array, states: int) -> tuple[jax.Array, jax.Array]:
    """Mean code (blocks, states, units) over messages alike in all other digits, and log mass (blocks, states).

    The mass of a block's state is the mean of p(message with that state)/p(message) over messages, up to a factor:
    over the law of the messages that is the block's marginal.  Messages that the change makes impossible count for
    nothing in either.
    """
    digits, size = messages.shape[1], places.shape[1]
    choices = ((jnp.arange(states)[:, None] >> jnp.arange(size)[None]) & 1).astype(jnp.float32)
    padded = jnp.concatenate([messages.astype(jnp.float32), jnp.zeros((len(messages), 1), jnp.float32)], axis=1)
    before = log_probs(joint.source, messages)

    def of_block(places_b: jax.Array) -> tuple[jax.Array, jax.Array]:
        def of_state(choice: jax.Array) -> tuple[jax.Array, jax.Array]:
            changed = padded.at[:, places_b].set(choice)[:, :digits]
            ratios = jax.vmap(joint.source.log_prob)(changed.astype(jnp.int8)) - before
            possible = (ratios > LOG_ZERO).astype(jnp.float32)
            codes = jax.vmap(partial(_mean_code, joint))(changed)
            mean = possible @ codes / jnp.maximum(possible.sum(), 1)
            return mean, jax.nn.logsumexp(jnp.maximum(ratios, LOG_ZERO))

        effects: tuple[jax.Array, jax.Array]
        effects = jax.lax.map(of_state, choices, batch_size=max(1, STATE_BATCH // len(messages)))
        return effects

    effects: tuple[jax.Array, jax.Array] = jax.lax.map(of_block, places)
    return effects


def _log_prior(log_masses: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """Log masses (blocks, states) that sum to one; none for states with a digit at an `empty` place (blocks, size).

    A state that no message of the sample could have may still be possible beside others: it keeps a little, so that
    a chain can start from whatever message was sent.  With a single block there are no others.
    """
    size, least = empty.shape[1], LOG_UNSEEN if len(empty) > 1 else LOG_ZERO
    log_prior = np.maximum(log_masses - log_masses.max(1, keepdims=True), least)
    unfilled = ((np.arange(2**size)[:, None] >> np.arange(size)) & 1)[None] * empty[:, None]
    log_prior = np.where(unfilled.any(-1), LOG_ZERO, log_prior)
    log_prior = log_prior - np.log(np.exp(log_prior).sum(1, keepdims=True))
    normalised: np.ndarray = np.maximum(log_prior, LOG_ZERO)
    return normalised


def _filters(tables: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """R_b^-1 T_b for every block: R_b = C - F F', C = 1 + sum of all blocks' covariances, by Woodbury's identity."""
    _, states, units = tables.shape
    root = np.sqrt(prior) * tables  # F', (blocks, states, units)
    flat = root.reshape(-1, units)
    whole = np.linalg.inv(np.eye(units) + flat.T @ flat)
    spread = root @ whole  # F' C^-1
    inner = np.eye(states) - spread @ root.transpose(0, 2, 1)
    filters: np.ndarray = tables @ whole + (tables @ spread.transpose(0, 2, 1)) @ np.linalg.solve(inner, spread)
    return filters


def _states(messages: np.ndarray, places: np.ndarray) -> np.ndarray:
    """States of the blocks (n, blocks) of messages (n, k)."""
    digits = np.concatenate([messages, np.zeros((len(messages), 1), messages.dtype)], axis=1).astype(int)
    states: np.ndarray = (digits[:, places] << np.arange(places.shape[1])).sum(-1)
    return states


def _sum_over_blocks(source: Source, messages: jax.Array, sums: np.ndarray) -> bool:
    """Whether log p(m) is the sum of the blocks' log masses, on a sample."""
    exact = np.asarray(log_probs(source, messages))
    return bool(np.abs(exact - sums).max() < 1e-3 * max(1.0, np.abs(exact).max()))
