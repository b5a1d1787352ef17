"""A stack taken for an additive code that is linear in its inner noise: an approximate posterior one can sample.

The code of the last layer is approximated by u(m) + B e, u a sum over blocks of digits and e the standard normal noise
of the layers before.  For a given message e is integrated in closed form, so that

    f(m, e, k) = p(m) N(z; u(m), C) N(e; G (z - u(m)), S) r(k),   C = V + B B',   G = B' C^-1,   S = 1 - G B

(a linear Gaussian model, Bishop 2006, section 2.3.3), k being the noise's choices, r a product over them, and what
they do to the code a part of V.  The normal noise is kept whitened, e = G (z - u(m)) + S^1/2 w, so that message and w
move apart from each other.  Where the message is known, r is by the linear receiver of each choice, all else taken for
noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from capacity.bounds.posterior.additive import AdditiveCode, BlockObservation, BlockStates
from capacity.bounds.posterior.approximation import Sweep
from capacity.bounds.posterior.bridge import BridgeMove
from capacity.bounds.posterior.choices import ChoiceBridge, ChoiceGuide, ChoiceReceiver
from capacity.channels.inner_noise import Noise, drawn_choices, log_mass_of
from capacity.joint.stack import Sent, log_normal
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Message, Scalar, Units

NormalNoise = Float[Array, " normal"]
Choices = Float[Array, "draws ways"]


class StackState(NamedTuple):
    """Message and inner noise: the message's blocks, the normal noise whitened by its posterior given the message, and
    the noise's choices."""

    blocks: BlockStates
    white: jax.Array
    choices: jax.Array


class StackObservation(NamedTuple):
    """What one noisy code says: to the additive code; and of the choices.

    Attributes:
        code: what the additive code makes of it.
        log_choices: (draws, ways), log r, nats.
        curvature: (draws,), squared effect of another way on the code, over the noise.
    """

    code: BlockObservation
    log_choices: jax.Array
    curvature: jax.Array


class GivenObservation(NamedTuple):
    """The same, and the blocks of the message that is given."""

    code: BlockObservation
    log_choices: jax.Array
    curvature: jax.Array
    given: BlockStates


@register_dataclass
@dataclass(frozen=True)
class StackApproximation(ChoiceGuide):
    """p(m) N(z; u(m), C) N(e; G (z - u(m)), S) r(k), with C = V + B B', G = B' C^-1 and S = 1 - G B.

    Attributes:
        code: the additive code in coordinates in which C is the identity.
        whitener: (units, units), to these coordinates.
        gain: (normal, units), from whitened z - u(m) to the mean of e.
        factor: (normal, normal), lower Cholesky factor of S.
        log_choices: (draws, ways), log r: the choices' mean law, nats.
        curvature: (draws,), mean squared effect of another way on the code, over the noise.
        receiver: what is said of choices where the message is given.
    """

    code: AdditiveCode
    whitener: Float[Array, "units units"]
    gain: Float[Array, "normal units"]
    factor: Float[Array, "normal normal"]
    log_choices: Choices
    curvature: Float[Array, " draws"]
    receiver: ChoiceReceiver

    @property
    def has_choices(self) -> bool:
        """Whether any noise is a choice among several ways."""
        return self.log_choices.shape[-1] > 1

    @property
    def moves(self) -> int:
        """Draws of a whole sweep over the message."""
        return self.code.moves

    @property
    def operations(self) -> float:
        return self.code.operations + self.noise_operations

    @property
    def noise_operations(self) -> float:
        """About how many operations a move of the noise takes."""
        return 3.0 * self.factor.size + 100.0 * len(self.factor) + 100.0 * self.log_choices.size

    @property
    def bridge(self) -> BridgeMove:
        """Sweeps, and where there are choices by turns others of these."""
        return ChoiceBridge(self, self.receiver.joint.channel.atomic) if self.has_choices else super().bridge

    def guide(self, message: Sent, z: Units) -> Scalar:
        return self.receiver.log_surrogate(message, z)

    def observe(self, z: Units) -> StackObservation:
        return StackObservation(self.code.observe(self.whitener @ z), self.log_choices, self.curvature)

    def sample(self, key: Key, observation: StackObservation) -> StackState:
        """A message of the additive code's q(m|z), and noise of its posterior."""
        key_message, key_noise = jax.random.split(key)
        return StackState(self.code.sample(key_message, observation.code), *self.sample_noise(key_noise, observation))

    def sample_noise(self, key: Key, observation: StackObservation | GivenObservation) -> tuple[NormalNoise, Choices]:
        """Whitened noise of its posterior, standard normal, and choices of r."""
        key_normal, key_choices = jax.random.split(key)
        choices = drawn_choices(key_choices, observation.log_choices)
        return jax.random.normal(key_normal, self.factor.shape[:1]), choices

    def state_of(self, observation: StackObservation, message: Sent) -> StackState:
        """The state of a message and its noise."""
        blocks = self.code.state_of(observation.code, message.message)
        return StackState(blocks, self.whiten(blocks, message.noise.normal), message.noise.choices)

    def whiten(self, blocks: BlockStates, normal: NormalNoise) -> NormalNoise:
        """The noise as its posterior, given the message, would draw it from standard normal numbers."""
        white: jax.Array = jax.scipy.linalg.solve_triangular(self.factor, normal - self.gain @ blocks.rest, lower=True)
        return white

    def noise_of(self, state: StackState) -> Noise:
        """The inner noise of a state."""
        return Noise(self.gain @ state.blocks.rest + self.factor @ state.white, state.choices)

    def message_of(self, state: StackState) -> Sent:
        """Message and noise of a state."""
        return Sent(self.code.message_of(state.blocks), self.noise_of(state))

    def log_noise(self, observation: StackObservation | GivenObservation, state: StackState) -> Scalar:
        """log N(e; G (z - u(m)), S) r(k), nats."""
        normal = log_normal(state.white) - jnp.log(jnp.diagonal(self.factor)).sum()
        return normal + log_mass_of(state.choices, observation.log_choices)

    def log_start(self, observation: StackObservation, state: StackState) -> Scalar:
        """log q(m, e, k|z), nats; normalised."""
        return self.code.log_start(observation.code, state.blocks) + self.log_noise(observation, state)

    def log_joint(self, observation: StackObservation, state: StackState) -> Scalar:
        """The approximation's log density of message, noise and z, nats."""
        volume = jnp.linalg.slogdet(self.whitener)[1]
        log_joint: jax.Array = self.code.log_joint(observation.code, state.blocks) + volume
        return log_joint + self.log_noise(observation, state)

    def sweep(self, key: Key, observation: StackObservation, state: StackState, part: Sweep) -> StackState:
        """Blocks of the message from their conditionals, an autoregressive move of the whitened noise, and some of the
        choices drawn anew."""
        key_message, key_noise = jax.random.split(key)
        blocks = self.code.sweep(key_message, observation.code, state.blocks, part)
        return self.moved_noise(key_noise, StackState(blocks, state.white, state.choices), part)

    def moved_noise(self, key: Key, state: StackState, part: Sweep) -> StackState:
        """An autoregressive move of the whitened noise; its step is the share of all moves that is asked for."""
        step = (part.stop - part.start) / self.moves
        return state._replace(white=autoregress(key, state.white, step))

    def refresh(self, observation: StackObservation, state: StackState) -> StackState:
        return state._replace(blocks=self.code.refresh(observation.code, state.blocks))


def autoregress(key: Key, white: NormalNoise, step: Scalar | float) -> NormalNoise:
    """A move reversible under independent standard normal numbers; step 1 draws them anew."""
    return jnp.sqrt(1 - jnp.square(step)) * white + step * jax.random.normal(key, white.shape)


@register_dataclass
@dataclass(frozen=True)
class GivenMessage(ChoiceGuide):
    """The same approximation with the message known: only the noise moves.  z is a pair (z, message)."""

    whole: StackApproximation

    @property
    def moves(self) -> int:
        """As many as of the whole, of which a move's step is a share."""
        return self.whole.moves

    @property
    def operations(self) -> float:
        return self.whole.noise_operations

    @property
    def bridge(self) -> BridgeMove:
        atomic = self.whole.receiver.joint.channel.atomic
        return ChoiceBridge(self, atomic) if self.whole.has_choices else super().bridge

    def guide(self, message: Noise, z: tuple[Units, Message]) -> Scalar:
        return self.whole.receiver.log_surrogate(Sent(z[1], message), z[0])

    def observe(self, z: tuple[Units, Message]) -> GivenObservation:
        """What z says, and the blocks of the message."""
        observation = self.whole.observe(z[0])
        given = self.whole.code.state_of(observation.code, z[1])
        if not self.whole.has_choices:
            return GivenObservation(*observation, given)
        return GivenObservation(observation.code, *self.whole.receiver.received(*z), given)

    def sample(self, key: Key, observation: GivenObservation) -> StackState:
        """Noise of its posterior."""
        return StackState(observation.given, *self.whole.sample_noise(key, observation))

    def state_of(self, observation: GivenObservation, message: Noise) -> StackState:
        """The state of given noise."""
        return StackState(observation.given, self.whole.whiten(observation.given, message.normal), message.choices)

    def message_of(self, state: StackState) -> Noise:
        """The noise of a state."""
        return self.whole.noise_of(state)

    def log_start(self, observation: GivenObservation, state: StackState) -> Scalar:
        """log N(e; G (z - u(m)), S) r(k), nats."""
        return self.whole.log_noise(observation, state)

    def sweep(self, key: Key, observation: GivenObservation, state: StackState, part: Sweep) -> StackState:
        return self.whole.moved_noise(key, state, part)
