"""A code taken for a sum over blocks of digits, heard through Gaussian noise: an approximate posterior one can sample.

The mean of the noisy units is approximated by u(m) ~ c + sum_b T_b[m_b], T_b[s] being the mean effect of block b in
state s; exact where blocks do not interact, and for blocks of one digit the best linear code.  Then

    f(m) = p(m) N(z; u(m), V)        is sampled by Gibbs sweeps, a whole block from its exact conditional at a time,
    q(m|z) = prod_b p(m_b) exp(t_b' R_b^-1 z - t_b' R_b^-1 t_b / 2)        is normalised, and is f itself where the
                                                                          blocks' effects are orthogonal,

R_b being noise and all other blocks together, taken for Gaussian noise: the linear receiver of least squared error
with interference (Verdu 1998, Multiuser Detection, chapter 6), block by block.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from capacity.bounds.posterior.blocks import find_blocks
from capacity.channels.gaussian import LOG_2PI
from capacity.joint.joint import Joint, moments_of

EFFORT = 3e10  # operations that may be spent on the blocks' effects
DRAW = 7000.0  # operations that one draw of a block takes as long as, besides its products: a quarter of a microsecond
NEVER = -1e30  # log of the probability of a block's state that no message has
LEAST = -40.0  # and of one that only no message of the sample could have


class Heard(NamedTuple):
    """What one noisy code says: scaled and centred, z (units,), and log q(m_b|z) of every block (blocks, states)."""

    z: jax.Array
    log_start: jax.Array


class Place(NamedTuple):
    """A message as the states of its blocks (blocks,), and what is left of z once its code is taken away (units,)."""

    states: jax.Array
    rest: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class AdditiveCode:
    """The approximation and its samplers, for one noisy code at a time; made by `fit_additive`.

    Attributes:
        tables: (blocks, states, units), effects in units of the noise; centred.
        filters: (blocks, states, units), R_b^-1 times the effects.
        log_prior: (blocks, states), log masses of the blocks' states, nats.
        places: (blocks, size) positions of the digits, k where there is none.
        centre, scale: (units,), mean of Z and standard deviation of the noise.
        source: the joint's source.
        coupled: whether log p(m) is not a sum over blocks, so that sweeps must ask for it.
    """

    tables: jax.Array
    filters: jax.Array
    log_prior: jax.Array
    places: jax.Array
    centre: jax.Array
    scale: jax.Array
    source: Any
    coupled: bool = field(metadata={"static": True})

    @property
    def moves(self) -> int:
        """How many draws make a whole sweep: the blocks."""
        return self.tables.shape[-3]

    @property
    def operations(self) -> float:
        """About how many operations a sweep takes as long as: products, and draws from conditionals."""
        blocks, states, units = self.tables.shape
        return blocks * (2.0 * states * units + 60.0 * states + 8.0 * units + DRAW)

    @property
    def _shifts(self) -> jax.Array:
        return jnp.arange(self.places.shape[-1])[None]

    def hear(self, z: jax.Array) -> Heard:
        """Everything that the samplers need to know of z (units,)."""
        scaled = (z - self.centre) / self.scale
        logits = self.filters @ scaled - 0.5 * (self.filters * self.tables).sum(-1) + self.log_prior
        return Heard(scaled, jax.nn.log_softmax(logits, axis=-1))

    def draw(self, key: jax.Array, heard: Heard) -> Place:
        """A sample of q(m|z)."""
        return self._place(heard, jax.random.categorical(key, heard.log_start))

    def place(self, heard: Heard, message: jax.Array) -> Place:
        """The place of a given message (k,)."""
        padded = jnp.concatenate([message.astype(jnp.int32), jnp.zeros(1, jnp.int32)])
        return self._place(heard, (padded[self.places] << self._shifts).sum(-1))

    def _place(self, heard: Heard, states: jax.Array) -> Place:
        return Place(states, heard.z - self.tables[jnp.arange(len(states)), states].sum(0))

    def message(self, place: Place) -> jax.Array:
        """The message (k,) int8 of a place."""
        return self._digits(place.states)[:-1].astype(jnp.int8)

    def _digits(self, states: jax.Array) -> jax.Array:
        """Digits (k + 1,), the last of them a place for what fills blocks up."""
        digits = (states[:, None] >> self._shifts) & 1
        return jnp.zeros(self.source.message_dim + 1, jnp.int32).at[self.places].set(digits)

    def log_start(self, heard: Heard, place: Place) -> jax.Array:
        """log q(m|z), nats; normalised."""
        return heard.log_start[jnp.arange(len(place.states)), place.states].sum()

    def log_joint(self, heard: Heard, place: Place) -> jax.Array:
        """log f(m, z), nats: prior and density under the additive code."""
        normaliser = jnp.log(self.scale).sum() + 0.5 * LOG_2PI * len(self.scale)
        return self._log_prior(place) - 0.5 * jnp.square(place.rest).sum() - normaliser

    def _log_prior(self, place: Place) -> jax.Array:
        if self.coupled:
            return jnp.maximum(self.source.log_prob(self.message(place)), NEVER)
        return self.log_prior[jnp.arange(len(place.states)), place.states].sum()

    def sweep(
        self, key: jax.Array, heard: Heard, place: Place, weight: jax.Array, start: Any, stop: Any, backwards: Any
    ) -> Place:
        """Draw the blocks start <= b < stop, one after another, from their conditionals under q^(1-weight) f^weight.

        Going through the blocks backwards is the reversal of going forwards: each conditional draw is reversible.
        """
        uniforms = jax.random.uniform(key, place.states.shape)

        def draw(step: jax.Array, place: Place) -> Place:
            b = jnp.where(backwards, start + stop - 1 - step, step)
            table = self.tables[b]
            rest = place.rest + table[place.states[b]]
            own = table @ rest - 0.5 * jnp.square(table).sum(-1) + self._conditional_prior(place.states, b)
            logits = (1 - weight) * heard.log_start[b] + weight * own
            total = jnp.cumsum(jnp.exp(logits - logits.max()))
            state = (total <= uniforms[b] * total[-1]).sum()
            state = jnp.minimum(state, len(total) - 1)
            return Place(place.states.at[b].set(state), rest - table[state])

        return jax.lax.fori_loop(start, stop, draw, place)

    def _conditional_prior(self, states: jax.Array, b: jax.Array) -> jax.Array:
        """log p of a block's states (states,), given the other blocks, up to a constant."""
        if not self.coupled:
            return self.log_prior[b]
        count = self.log_prior.shape[1]
        choices = (jnp.arange(count)[:, None] >> self._shifts) & 1
        messages = jnp.broadcast_to(self._digits(states)[None], (count, self.source.message_dim + 1))
        messages = messages.at[:, self.places[b]].set(choices)[:, :-1].astype(jnp.int8)
        possible = self.log_prior[b] > NEVER / 2
        return jnp.where(possible, jnp.maximum(jax.vmap(self.source.log_prob)(messages), NEVER), NEVER)

    def refresh(self, heard: Heard, place: Place) -> Place:
        """The same place, what is left of z computed anew: rounding errors do not pile up."""
        return self._place(heard, place.states)


def fit_additive(key: jax.Array, joint: Joint) -> AdditiveCode:
    """The additive approximation of a joint with a discrete source.

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
    references = int(np.clip(EFFORT / (blocks * states * operations), 2, 256))
    messages = source.sample(key_effects, references).message
    means, log_masses = _effects(joint, messages, jnp.asarray(places), states)
    log_prior = _log_prior(np.asarray(log_masses, np.float64), places == source.message_dim)

    batch = source.sample(key_moments, 4096)
    mean, variance = moments_of(joint, batch.vector)
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
    log_probs = jax.vmap(joint.source.log_prob)(messages)

    def of_block(places_b: jax.Array) -> tuple[jax.Array, jax.Array]:
        def of_state(choice: jax.Array) -> tuple[jax.Array, jax.Array]:
            changed = padded.at[:, places_b].set(choice)[:, :digits]
            ratios = jax.vmap(joint.source.log_prob)(changed.astype(jnp.int8)) - log_probs
            possible = (ratios > NEVER).astype(jnp.float32)
            codes = jax.vmap(partial(_mean_code, joint))(changed)
            mean = possible @ codes / jnp.maximum(possible.sum(), 1)
            return mean, jax.nn.logsumexp(jnp.maximum(ratios, NEVER))

        return jax.lax.map(of_state, choices, batch_size=max(1, 2048 // len(messages)))

    return jax.lax.map(of_block, places)


def _log_prior(log_masses: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """Log masses (blocks, states) that sum to one; none for states with a digit at an `empty` place (blocks, size).

    A state that no message of the sample could have may still be possible beside others: it keeps a little, so that
    a walk can start from whatever message was sent.  With a single block there are no others.
    """
    size, least = empty.shape[1], LEAST if len(empty) > 1 else NEVER
    log_prior = np.maximum(log_masses - log_masses.max(1, keepdims=True), least)
    unfilled = ((np.arange(2**size)[:, None] >> np.arange(size)) & 1)[None] * empty[:, None]
    log_prior = np.where(unfilled.any(-1), NEVER, log_prior)
    log_prior = log_prior - np.log(np.exp(log_prior).sum(1, keepdims=True))
    return np.maximum(log_prior, NEVER)


def _filters(tables: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """R_b^-1 T_b for every block: R_b = C - F F', C = 1 + sum of all blocks' covariances, by Woodbury's identity."""
    _, states, units = tables.shape
    root = np.sqrt(prior) * tables  # F', (blocks, states, units)
    flat = root.reshape(-1, units)
    whole = np.linalg.inv(np.eye(units) + flat.T @ flat)
    spread = root @ whole  # F' C^-1
    inner = np.eye(states) - spread @ root.transpose(0, 2, 1)
    return tables @ whole + (tables @ spread.transpose(0, 2, 1)) @ np.linalg.solve(inner, spread)


def _states(messages: np.ndarray, places: np.ndarray) -> np.ndarray:
    """States of the blocks (n, blocks) of messages (n, k)."""
    digits = np.concatenate([messages, np.zeros((len(messages), 1), messages.dtype)], axis=1).astype(int)
    return (digits[:, places] << np.arange(places.shape[1])).sum(-1)


def _sum_over_blocks(source: Any, messages: jax.Array, sums: np.ndarray) -> bool:
    """Whether log p(m) is the sum of the blocks' log masses, on a sample."""
    exact = np.asarray(jax.vmap(source.log_prob)(messages))
    return bool(np.abs(exact - sums).max() < 1e-3 * max(1.0, np.abs(exact).max()))
