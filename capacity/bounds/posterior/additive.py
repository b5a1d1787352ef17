"""A code taken for a sum over blocks of digits, received in Gaussian noise: an approximate posterior one can sample.

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
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from capacity.bounds.exact.tiles import LOG_ZERO
from capacity.bounds.posterior.approximation import PosteriorApproximation, Sweep
from capacity.channels.additive import LOG_2PI
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Message, Scalar, Units

if TYPE_CHECKING:
    from synthetic.source import Source

DRAW_OPERATIONS = 7000.0  # that one draw of a block takes as long as, besides its products: a quarter of a microsecond


class BlockObservation(NamedTuple):
    """What one noisy code says: scaled and centred, z (units,), and log q(m_b|z) of every block (blocks, states)."""

    z: jax.Array
    log_start: jax.Array


class BlockStates(NamedTuple):
    """A message as the states of its blocks (blocks,), and what is left of z once its code is taken away (units,)."""

    states: jax.Array
    rest: jax.Array


@register_dataclass
@dataclass(frozen=True)
class AdditiveCode(PosteriorApproximation):
    """The approximation and its samplers; made by `fit_additive`.

    Attributes:
        tables: (blocks, states, units), effects in units of the noise; centred.
        filters: (blocks, states, units), R_b^-1 times the effects.
        log_prior: (blocks, states), log masses of the blocks' states, nats.
        places: (blocks, size) positions of the digits, k where there is none.
        centre, scale: (units,), mean of Z and standard deviation of the noise.
        source: the joint's source.
        coupled: whether log p(m) is not a sum over blocks, so that sweeps must ask for it.
    """

    tables: Float[Array, "blocks states units"]
    filters: Float[Array, "blocks states units"]
    log_prior: Float[Array, "blocks states"]
    places: Int[Array, "blocks size"]
    centre: Units
    scale: Units
    source: Source
    coupled: bool = field(metadata={"static": True})

    @property
    def moves(self) -> int:
        """How many draws make a whole sweep: the blocks."""
        return self.tables.shape[-3]

    @property
    def operations(self) -> float:
        """About how many operations a sweep takes as long as: products, and draws from conditionals."""
        blocks, states, units = self.tables.shape
        return blocks * (2.0 * states * units + 60.0 * states + 8.0 * units + DRAW_OPERATIONS)

    @property
    def _shifts(self) -> jax.Array:
        return jnp.arange(self.places.shape[-1])[None]

    def observe(self, z: Units) -> BlockObservation:
        """The scaled code, and the conditional of each block."""
        scaled = (z - self.centre) / self.scale
        logits = self.filters @ scaled - 0.5 * (self.filters * self.tables).sum(-1) + self.log_prior
        return BlockObservation(scaled, jax.nn.log_softmax(logits, axis=-1))

    def sample(self, key: Key, observation: BlockObservation) -> BlockStates:
        return self._at(observation, jax.random.categorical(key, observation.log_start))

    def state_of(self, observation: BlockObservation, message: Message) -> BlockStates:
        padded = jnp.concatenate([message.astype(jnp.int32), jnp.zeros(1, jnp.int32)])
        return self._at(observation, (padded[self.places] << self._shifts).sum(-1))

    def _at(self, observation: BlockObservation, states: jax.Array) -> BlockStates:
        return BlockStates(states, observation.z - self.tables[jnp.arange(len(states)), states].sum(0))

    def message_of(self, state: BlockStates) -> Message:
        """The message (message_dim,) int8."""
        return self._digits(state.states)[:-1].astype(jnp.int8)

    def _digits(self, states: jax.Array) -> jax.Array:
        """Digits (k + 1,), the last of them a place for what fills blocks up."""
        digits = (states[:, None] >> self._shifts) & 1
        return jnp.zeros(self.source.message_dim + 1, jnp.int32).at[self.places].set(digits)

    def log_start(self, observation: BlockObservation, state: BlockStates) -> Scalar:
        return observation.log_start[jnp.arange(len(state.states)), state.states].sum()

    def log_joint(self, observation: BlockObservation, state: BlockStates) -> Scalar:
        """log f(m, z), nats: prior and density under the additive code."""
        normaliser = jnp.log(self.scale).sum() + 0.5 * LOG_2PI * len(self.scale)
        return self._log_prior(state) - 0.5 * jnp.square(state.rest).sum() - normaliser

    def _log_prior(self, state: BlockStates) -> jax.Array:
        if self.coupled:
            return jnp.maximum(self.source.log_prob(self.message_of(state)), LOG_ZERO)
        return self.log_prior[jnp.arange(len(state.states)), state.states].sum()

    def sweep(self, key: Key, observation: BlockObservation, state: BlockStates, part: Sweep) -> BlockStates:
        """Draw blocks, one after another, from their conditionals under q^(1-weight) f^weight.

        Going through the blocks backwards is the reversal of going forwards: each conditional draw is reversible.
        """
        uniforms = jax.random.uniform(key, state.states.shape)
        weight, start, stop, backwards = part

        def draw(step: jax.Array, state: BlockStates) -> BlockStates:
            b = jnp.where(backwards, start + stop - 1 - step, step)
            table = self.tables[b]
            rest = state.rest + table[state.states[b]]
            own = table @ rest - 0.5 * jnp.square(table).sum(-1) + self._conditional_prior(state.states, b)
            logits = (1 - weight) * observation.log_start[b] + weight * own
            total = jnp.cumsum(jnp.exp(logits - logits.max()))
            drawn = (total <= uniforms[b] * total[-1]).sum()
            drawn = jnp.minimum(drawn, len(total) - 1)
            return BlockStates(state.states.at[b].set(drawn), rest - table[drawn])

        swept: BlockStates = jax.lax.fori_loop(start, stop, draw, state)
        return swept

    def _conditional_prior(self, states: jax.Array, b: jax.Array) -> jax.Array:
        """log p of a block's states (states,), given the other blocks, up to a constant."""
        if not self.coupled:
            return self.log_prior[b]
        count = self.log_prior.shape[1]
        choices = (jnp.arange(count)[:, None] >> self._shifts) & 1
        messages = jnp.broadcast_to(self._digits(states)[None], (count, self.source.message_dim + 1))
        messages = messages.at[:, self.places[b]].set(choices)[:, :-1].astype(jnp.int8)
        possible = self.log_prior[b] > LOG_ZERO / 2
        return jnp.where(possible, jnp.maximum(jax.vmap(self.source.log_prob)(messages), LOG_ZERO), LOG_ZERO)

    def refresh(self, observation: BlockObservation, state: BlockStates) -> BlockStates:
        """The same blocks, what is left of z computed anew."""
        return self._at(observation, state.states)
