"""A stack taken for an additive code that is linear in its inner noise: an approximate posterior one can sample.

The code of the last layer is approximated by u(m) + B e, u a sum over blocks of digits and e the standard normal noise
of the layers before.  For a given message e is integrated in closed form, so that

    f(m, e) = p(m) N(z; u(m), C) N(e; G (z - u(m)), S),   C = V + B B',   G = B' C^-1,   S = 1 - G B

(a linear Gaussian model, Bishop 2006, section 2.3.3).  The noise is held whitened, e = G (z - u(m)) + S^1/2 w, so that
message and w move apart from each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from capacity.bounds.posterior.additive import AdditiveCode, Heard, Place, fit_additive
from capacity.channels import Gaussian
from capacity.joint.joint import Joint
from capacity.joint.stack import Sent, log_normal

SAMPLES = 2**14
MEAN_OVER = 16  # draws of the inner noise in the mean code of a message


class Spot(NamedTuple):
    """Message and inner noise: the message's place, and the noise whitened by its posterior given the message."""

    place: Place
    white: jax.Array


class HeardStack(NamedTuple):
    """What one noisy code says: to the additive code, and the message where it is given."""

    heard: Heard
    given: Place


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class StackApproximation:
    """p(m) N(z; u(m), C) N(e; G (z - u(m)), S), with C = V + B B', G = B' C^-1 and S = 1 - G B.

    Attributes:
        code: the additive code in coordinates in which C is the identity.
        whitener: (units, units), to these coordinates.
        gain: (e, units), from whitened z - u(m) to the mean of e.
        factor: (e, e), lower Cholesky factor of S.
    """

    code: AdditiveCode
    whitener: jax.Array
    gain: jax.Array
    factor: jax.Array

    @property
    def moves(self) -> int:
        """Draws of a whole sweep over the message."""
        return self.code.moves

    @property
    def operations(self) -> float:
        """About how many operations a sweep takes."""
        return self.code.operations + 3.0 * self.factor.size + 100.0 * len(self.factor)

    def hear(self, z: jax.Array) -> Heard:
        """Everything that the samplers need to know of z."""
        return self.code.hear(self.whitener @ z)

    def draw(self, key: jax.Array, heard: Heard) -> Spot:
        """A message of the additive code's q(m|z), and noise of its posterior."""
        key_message, key_noise = jax.random.split(key)
        return Spot(self.code.draw(key_message, heard), jax.random.normal(key_noise, self.factor.shape[:1]))

    def place(self, heard: Heard, sent: Sent) -> Spot:
        """The spot of a message and its noise."""
        place = self.code.place(heard, sent.message)
        return Spot(place, self.whiten(place, sent.noise))

    def whiten(self, place: Place, noise: jax.Array) -> jax.Array:
        """The noise as its posterior, given the message, would draw it from standard normal numbers."""
        return jax.scipy.linalg.solve_triangular(self.factor, noise - self.gain @ place.rest, lower=True)

    def noise(self, spot: Spot) -> jax.Array:
        """The inner noise (e,) of a spot."""
        return self.gain @ spot.place.rest + self.factor @ spot.white

    def message(self, spot: Spot) -> Sent:
        """Message and noise of a spot."""
        return Sent(self.code.message(spot.place), self.noise(spot))

    def log_noise(self, spot: Spot) -> jax.Array:
        """log N(e; G (z - u(m)), S), nats."""
        return log_normal(spot.white) - jnp.log(jnp.diagonal(self.factor)).sum()

    def log_start(self, heard: Heard, spot: Spot) -> jax.Array:
        """log q(m, e|z), nats; normalised."""
        return self.code.log_start(heard, spot.place) + self.log_noise(spot)

    def log_joint(self, heard: Heard, spot: Spot) -> jax.Array:
        """The approximation's log density of message, noise and z, nats."""
        volume = jnp.linalg.slogdet(self.whitener)[1]
        return self.code.log_joint(heard, spot.place) + volume + self.log_noise(spot)

    def sweep(
        self, key: jax.Array, heard: Heard, spot: Spot, weight: Any, start: Any, stop: Any, backwards: Any
    ) -> Spot:
        """Blocks of the message from their conditionals, and an autoregressive move of the whitened noise."""
        key_message, key_noise = jax.random.split(key)
        place = self.code.sweep(key_message, heard, spot.place, weight, start, stop, backwards)
        return Spot(place, autoregress(key_noise, spot.white, (stop - start) / self.moves))

    def refresh(self, heard: Heard, spot: Spot) -> Spot:
        """The same spot without rounding errors."""
        return Spot(self.code.refresh(heard, spot.place), spot.white)


def autoregress(key: jax.Array, white: jax.Array, step: jax.Array) -> jax.Array:
    """A move reversible under independent standard normal numbers; step 1 draws them anew."""
    return jnp.sqrt(1 - jnp.square(step)) * white + step * jax.random.normal(key, white.shape)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class GivenMessage:
    """The same approximation with the message known: only the noise walks.  z is a pair (z, message)."""

    whole: StackApproximation

    @property
    def moves(self) -> int:
        """As of the whole."""
        return self.whole.moves

    def hear(self, pair: tuple[jax.Array, jax.Array]) -> HeardStack:
        """What z says, and the place of the message."""
        heard = self.whole.hear(pair[0])
        return HeardStack(heard, self.whole.code.place(heard, pair[1]))

    @property
    def operations(self) -> float:
        """About how many operations a move takes."""
        return 3.0 * self.whole.factor.size + 100.0 * len(self.whole.factor)

    def draw(self, key: jax.Array, heard: HeardStack) -> Spot:
        """Noise of its posterior."""
        return Spot(heard.given, jax.random.normal(key, self.whole.factor.shape[:1]))

    def place(self, heard: HeardStack, noise: jax.Array) -> Spot:
        """The spot of given noise."""
        return Spot(heard.given, self.whole.whiten(heard.given, noise))

    def message(self, spot: Spot) -> jax.Array:
        """The noise of a spot."""
        return self.whole.noise(spot)

    def log_start(self, heard: HeardStack, spot: Spot) -> jax.Array:
        """log N(e; G (z - u(m)), S), nats."""
        return self.whole.log_noise(spot)

    def log_joint(self, heard: HeardStack, spot: Spot) -> jax.Array:
        """The same as `log_start`: the first leg does nothing."""
        return self.whole.log_noise(spot)

    def sweep(
        self, key: jax.Array, heard: HeardStack, spot: Spot, weight: Any, start: Any, stop: Any, backwards: Any
    ) -> Spot:
        """An autoregressive move of the whitened noise."""
        return Spot(spot.place, autoregress(key, spot.white, (stop - start) / self.moves))

    def refresh(self, heard: HeardStack, spot: Spot) -> Spot:
        """The same spot."""
        return spot


def fit_stack(key: jax.Array, joint: Joint) -> StackApproximation:
    """The approximation of a stack's joint (`Stack.joint`) with a discrete source.

    Raises:
        ValueError: if the source is continuous.
    """
    if not joint.source.discrete:
        raise ValueError("Expected a discrete source for the layers of a stack; got a continuous one.")
    key_mean, key_samples, key_code = jax.random.split(key, 3)
    draws = jax.random.normal(key_mean, (MEAN_OVER, *joint.source.zeros.shape))
    batch = joint.source.sample(key_samples, SAMPLES)
    codes, variances, means = (np.asarray(part, np.float64) for part in _moments(joint, draws, batch.vector))
    noise, left = np.asarray(batch.message.noise, np.float64), codes - means
    slope = np.linalg.lstsq(noise, left, rcond=None)[0]  # B', (e, units)
    rest = variances.mean(0) + np.square(left - noise @ slope).mean(0)
    spread = np.diag(rest) + slope.T @ slope
    gain = np.linalg.solve(spread, slope.T).T
    root = np.linalg.cholesky(spread)
    whitener = jnp.asarray(np.linalg.inv(root), jnp.float32)
    white = Joint(joint.source.base, jax.tree_util.Partial(_whitened, joint, draws, whitener), Gaussian(jnp.float32(1)))
    return StackApproximation(
        fit_additive(key_code, white),
        whitener,
        jnp.asarray(gain @ root, jnp.float32),
        jnp.asarray(np.linalg.cholesky(np.eye(len(slope)) - gain @ slope.T), jnp.float32),
    )


@jax.jit
def _moments(joint: Joint, draws: jax.Array, pairs: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Mean and variance of the noisy units of each pair of vector and noise, and the mean code of the vector."""

    def of_pair(pair: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        return *joint.moments(pair), mean_code(joint, draws, pair[0])

    return jax.lax.map(of_pair, pairs, batch_size=1024)


def mean_code(joint: Joint, draws: jax.Array, vector: jax.Array) -> jax.Array:
    """The last layer's mean code (units,) of a vector, over draws of the inner noise (d, e) that all vectors share."""
    return jax.vmap(lambda noise: joint.moments((vector, noise))[0])(draws).mean(0)


def _whitened(joint: Joint, draws: jax.Array, whitener: jax.Array, vector: jax.Array) -> jax.Array:
    return whitener @ mean_code(joint, draws, vector)
