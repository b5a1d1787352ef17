"""A stack taken for an additive code that is linear in its inner noise: an approximate posterior one can sample.

The code of the last layer is approximated by u(m) + B e, u a sum over blocks of digits and e the standard normal noise
of the layers before.  For a given message e is integrated in closed form, so that

    f(m, e) = p(m) N(z; u(m), C) N(e; G (z - u(m)), S),   C = V + B B',   G = B' C^-1,   S = 1 - G B

(a linear Gaussian model, Bishop 2006, section 2.3.3).  The noise is kept whitened, e = G (z - u(m)) + S^1/2 w, so that
message and w move apart from each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from capacity.bounds.posterior.additive import AdditiveCode, BlockObservation, BlockStates
from capacity.bounds.posterior.additive_fit import fit_additive
from capacity.bounds.posterior.approximation import PosteriorApproximation, Sweep
from capacity.channels import Gaussian
from capacity.joint.joint import Joint, drawn
from capacity.joint.stack import Sent, WithNoise, log_normal
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Message, Scalar, Units, Vector

SAMPLES = 2**14
MEAN_DRAWS = 16  # of the inner noise, in the mean code of a message
MOMENT_BATCH = 1024  # codes at once
InnerNoise = Float[Array, " noise"]


class StackState(NamedTuple):
    """Message and inner noise: the message's blocks, and the noise whitened by its posterior given the message."""

    blocks: BlockStates
    white: jax.Array


class GivenObservation(NamedTuple):
    """What one noisy code says: to the additive code, and the blocks of the message that is given."""

    observation: BlockObservation
    given: BlockStates


@register_dataclass
@dataclass(frozen=True)
class StackApproximation(PosteriorApproximation):
    """p(m) N(z; u(m), C) N(e; G (z - u(m)), S), with C = V + B B', G = B' C^-1 and S = 1 - G B.

    Attributes:
        code: the additive code in coordinates in which C is the identity.
        whitener: (units, units), to these coordinates.
        gain: (noise, units), from whitened z - u(m) to the mean of e.
        factor: (noise, noise), lower Cholesky factor of S.
    """

    code: AdditiveCode
    whitener: Float[Array, "units units"]
    gain: Float[Array, "noise units"]
    factor: Float[Array, "noise noise"]

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
        return 3.0 * self.factor.size + 100.0 * len(self.factor)

    def observe(self, z: Units) -> BlockObservation:
        return self.code.observe(self.whitener @ z)

    def sample(self, key: Key, observation: BlockObservation) -> StackState:
        """A message of the additive code's q(m|z), and noise of its posterior."""
        key_message, key_noise = jax.random.split(key)
        return StackState(self.code.sample(key_message, observation), self.sample_white(key_noise))

    def sample_white(self, key: Key) -> InnerNoise:
        """Whitened noise of its posterior, standard normal."""
        return jax.random.normal(key, self.factor.shape[:1])

    def state_of(self, observation: BlockObservation, message: Sent) -> StackState:
        """The state of a message and its noise."""
        blocks = self.code.state_of(observation, message.message)
        return StackState(blocks, self.whiten(blocks, message.noise))

    def whiten(self, blocks: BlockStates, noise: InnerNoise) -> InnerNoise:
        """The noise as its posterior, given the message, would draw it from standard normal numbers."""
        white: jax.Array = jax.scipy.linalg.solve_triangular(self.factor, noise - self.gain @ blocks.rest, lower=True)
        return white

    def noise_of(self, state: StackState) -> InnerNoise:
        """The inner noise of a state."""
        return self.gain @ state.blocks.rest + self.factor @ state.white

    def message_of(self, state: StackState) -> Sent:
        """Message and noise of a state."""
        return Sent(self.code.message_of(state.blocks), self.noise_of(state))

    def log_noise(self, state: StackState) -> Scalar:
        """log N(e; G (z - u(m)), S), nats."""
        return log_normal(state.white) - jnp.log(jnp.diagonal(self.factor)).sum()

    def log_start(self, observation: BlockObservation, state: StackState) -> Scalar:
        """log q(m, e|z), nats; normalised."""
        return self.code.log_start(observation, state.blocks) + self.log_noise(state)

    def log_joint(self, observation: BlockObservation, state: StackState) -> Scalar:
        """The approximation's log density of message, noise and z, nats."""
        volume = jnp.linalg.slogdet(self.whitener)[1]
        log_joint: jax.Array = self.code.log_joint(observation, state.blocks) + volume + self.log_noise(state)
        return log_joint

    def sweep(self, key: Key, observation: BlockObservation, state: StackState, part: Sweep) -> StackState:
        """Blocks of the message from their conditionals, and an autoregressive move of the whitened noise."""
        key_message, key_noise = jax.random.split(key)
        blocks = self.code.sweep(key_message, observation, state.blocks, part)
        return StackState(blocks, autoregress(key_noise, state.white, (part.stop - part.start) / self.moves))

    def refresh(self, observation: BlockObservation, state: StackState) -> StackState:
        return StackState(self.code.refresh(observation, state.blocks), state.white)


def autoregress(key: Key, white: InnerNoise, step: Scalar | float) -> InnerNoise:
    """A move reversible under independent standard normal numbers; step 1 draws them anew."""
    return jnp.sqrt(1 - jnp.square(step)) * white + step * jax.random.normal(key, white.shape)


@register_dataclass
@dataclass(frozen=True)
class GivenMessage(PosteriorApproximation):
    """The same approximation with the message known: only the noise moves.  z is a pair (z, message)."""

    whole: StackApproximation

    @property
    def moves(self) -> int:
        """As many as of the whole, of which a move's step is a share."""
        return self.whole.moves

    @property
    def operations(self) -> float:
        return self.whole.noise_operations

    def observe(self, z: tuple[Units, Message]) -> GivenObservation:
        """What z says, and the blocks of the message."""
        observation = self.whole.observe(z[0])
        return GivenObservation(observation, self.whole.code.state_of(observation, z[1]))

    def sample(self, key: Key, observation: GivenObservation) -> StackState:
        """InnerNoise of its posterior."""
        return StackState(observation.given, self.whole.sample_white(key))

    def state_of(self, observation: GivenObservation, message: InnerNoise) -> StackState:
        """The state of given noise."""
        return StackState(observation.given, self.whole.whiten(observation.given, message))

    def message_of(self, state: StackState) -> InnerNoise:
        """The noise of a state."""
        return self.whole.noise_of(state)

    def log_start(self, observation: GivenObservation, state: StackState) -> Scalar:
        """log N(e; G (z - u(m)), S), nats."""
        return self.whole.log_noise(state)

    def sweep(self, key: Key, observation: GivenObservation, state: StackState, part: Sweep) -> StackState:
        """An autoregressive move of the whitened noise; its step is the share of all moves that is asked for."""
        return StackState(state.blocks, autoregress(key, state.white, (part.stop - part.start) / self.moves))


def fit_stack(key: Key, joint: Joint) -> StackApproximation:
    """The approximation of a stack's joint (`Stack.joint`) with a discrete source.

    Args:
        key: of the samples that it is fitted to.
        joint: of message and inner noise.

    Raises:
        ValueError: if the joint is not of a stack, or its source is continuous.
    """
    source = joint.source
    if not isinstance(source, WithNoise):
        raise ValueError(f"Expected the joint of a stack, of message and inner noise; got a source {source.name!r}.")
    if not source.discrete:
        raise ValueError("Expected a discrete source for the layers of a stack; got a continuous one.")
    key_mean, key_samples, key_code = jax.random.split(key, 3)
    draws = jax.random.normal(key_mean, (MEAN_DRAWS, *source.zeros.shape))
    batch = drawn(source, key_samples, SAMPLES)
    codes, variances, means = (np.asarray(part, np.float64) for part in _moments(joint, draws, batch.vector))
    noise, left = np.asarray(batch.message.noise, np.float64), codes - means
    slope = np.linalg.lstsq(noise, left, rcond=None)[0]  # B', (e, units)
    rest = variances.mean(0) + np.square(left - noise @ slope).mean(0)
    spread = np.diag(rest) + slope.T @ slope
    gain = np.linalg.solve(spread, slope.T).T
    root = np.linalg.cholesky(spread)
    whitener = jnp.asarray(np.linalg.inv(root), jnp.float32)
    white = Joint(source.base, jax.tree_util.Partial(_whitened, joint, draws, whitener), Gaussian(jnp.float32(1)))
    return StackApproximation(
        fit_additive(key_code, white),
        whitener,
        jnp.asarray(gain @ root, jnp.float32),
        jnp.asarray(np.linalg.cholesky(np.eye(len(slope)) - gain @ slope.T), jnp.float32),
    )


@jax.jit
def _moments(joint: Joint, draws: jax.Array, pairs: PyTree) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Mean and variance of the noisy units of each pair of vector and noise, and the mean code of the vector."""

    def of_pair(pair: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        return *joint.moments(pair), mean_code(joint, draws, pair[0])

    moments: tuple[jax.Array, jax.Array, jax.Array] = jax.lax.map(of_pair, pairs, batch_size=MOMENT_BATCH)
    return moments


def mean_code(joint: Joint, draws: Float[Array, "draws noise"], vector: Vector) -> Units:
    """The last layer's mean code (units,) of a vector, over draws of the inner noise (d, e) that all vectors share."""
    return jax.vmap(lambda noise: joint.moments((vector, noise))[0])(draws).mean(0)


def _whitened(joint: Joint, draws: jax.Array, whitener: jax.Array, vector: jax.Array) -> jax.Array:
    return whitener @ mean_code(joint, draws, vector)
