"""Choices of inner noise moved many at once, informed by the gradient of the true density; and a linear receiver's.

Where chains stand, each choice i is drawn anew with probability r from about its own conditional,

    q(way w) ~ exp(g_iw - g_i - D_i/2 [another way]),     g the gradient of the log density in the choices,

D_i being the squared effect of another way on the code over the noise, by which the gradient alone would err; the lot
is accepted or refused by Metropolis and Hastings' rule.  That is exact where choices act on the code independently, and
a locally balanced proposal everywhere (Zanella 2020; many at once: Zhang, Liu & Liu 2022).  r takes turns.

The receiver takes the code for linear in the choices about their means, and all else for Gaussian noise: t C^-1 (z - u)
less half of t C^-1 t for the effect t of each way, C being the covariance of z given the message.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from capacity.bounds.posterior.approximation import PosteriorApproximation, swept_there_and_back
from capacity.bounds.posterior.bridge import BridgeMove, Carried, Target
from capacity.channels.inner_noise import LEAST_LOG_MASS, Noise, log_mass_of
from capacity.joint.joint import Joint
from capacity.joint.stack import Sent, mean_code, source_of
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Message, Scalar, Units

RATES = (0.9, 0.3, 0.1, 0.03)  # r: shares of the choices that are drawn anew, taken in turn
TRUSTED = 0.9  # of what the receiver says: choices that it is too sure of would be missed by all chains


@register_dataclass
@dataclass(frozen=True)
class ChoiceReceiver:
    """What a noisy code says of the choices behind it, where the message is given.

    Attributes:
        joint: of message and inner noise, its source the stack's `WithNoise`.
        whitener: (units, units), to coordinates in which z given the message has covariance 1.
    """

    joint: Joint
    whitener: Float[Array, "units units"]

    def effects(self, message: Message) -> tuple[Noise, Units, Float[Array, "units draws ways"], Units]:
        """The mean noise, the code's mean there, its derivatives in the choices, and the variance of its noise."""
        source = source_of(self.joint)
        vector, normal = source.base.embed(message), jnp.zeros(source.shape.normal)
        _, noise = mean_code(self.joint, vector, normal)

        def mean(choices: Float[Array, "draws ways"]) -> Units:
            found: jax.Array = self.joint.moments((vector, Noise(normal, choices)))[0]
            return found

        units = self.whitener.shape[0]
        jacobian = jax.jacrev if units < noise.choices.size else jax.jacfwd
        variance = self.joint.moments((vector, noise))[1]
        return noise, mean(noise.choices), jacobian(mean)(noise.choices), variance

    def log_surrogate(self, sent: Sent, z: Units) -> Scalar:
        """log p(e|m), and the log density of z were its noise normal, with the variance left as it is; nats."""
        mean, variance = self.joint.moments(self.joint.source.embed(sent))
        spread = jax.lax.stop_gradient(jnp.maximum(variance, 1e-12))
        return source_of(self.joint).log_noise(sent) - 0.5 * (jnp.square(z - mean) / spread).sum()

    def received(self, z: Units, message: Message) -> tuple[Float[Array, "draws ways"], Float[Array, " draws"]]:
        """Log probabilities of the ways, nats, and the squared effect of another way over the noise."""
        noise, middle, slopes, variance = self.effects(message)
        centred = slopes - (slopes * noise.choices[None]).sum(-1, keepdims=True)
        white = jnp.einsum("ij,jdw->idw", self.whitener, centred)
        logits = jnp.einsum("idw,i->dw", white, self.whitener @ (z - middle)) - 0.5 * jnp.square(white).sum(0)
        logits = jnp.where(jnp.isfinite(logits), logits, 0.0)
        log_prior = jnp.where(noise.choices > 0, jnp.log(jnp.maximum(noise.choices, 1e-30)), LEAST_LOG_MASS)
        told = jax.nn.log_softmax(logits + log_prior, axis=1)
        log_choices = jnp.logaddexp(told + jnp.log(TRUSTED), log_prior + jnp.log1p(-TRUSTED))
        return jnp.maximum(log_choices, LEAST_LOG_MASS), curvature_of(slopes, variance)


def curvature_of(slopes: Float[Array, "units draws ways"], variance: Units) -> Float[Array, " draws"]:
    """Squared effect of another way on the code over the noise."""
    floor = jnp.maximum(variance, 1e-12)[:, None, None]
    away = slopes - slopes.mean(-1, keepdims=True)
    ways = slopes.shape[-1]
    found = 2 * (jnp.square(away) / floor).sum((0, 2)) / jnp.maximum(ways - 1, 1)
    return jnp.where(jnp.isfinite(found), found, 0.0)


class ChoiceGuide(PosteriorApproximation):
    """An approximation whose states have choices, and which says in which direction these are likely."""

    @abstractmethod
    def guide(self, message: PyTree, z: PyTree) -> Scalar:
        """A function of the choices, nats, whose gradient stands for the true density's where that has none."""


@dataclass(frozen=True)
class ChoiceBridge(BridgeMove):
    """Sweeps of the approximation, and by turns moves of the choices; an observation has `log_choices` and `curvature`.

    What chains carry has the gradient of the truth in the choices, or of the guide where atoms leave the truth none.
    """

    approximation: ChoiceGuide
    guided: bool

    def carry(self, target: Target, observation: Any, state: Any, z: PyTree) -> Carried:
        """The state, log p(m, e, k, z) - log f, and the gradient of the former in the choices."""

        def truth(choices: jax.Array) -> tuple[jax.Array, jax.Array]:
            message = self.approximation.message_of(state._replace(choices=choices))
            value = target.log_prob(message, z)
            return (self.approximation.guide(message, z) if self.guided else value), value

        gradient, value = jax.grad(truth, has_aux=True)(state.choices)
        gradient = jnp.clip(jnp.nan_to_num(gradient), LEAST_LOG_MASS, -LEAST_LOG_MASS)
        return Carried(state, value - self.approximation.log_joint(observation, state), gradient)

    def move(
        self,
        key: Key,
        target: Target,
        observation: Any,
        z: PyTree,
        carried: Carried,
        weight: Scalar,
        turn: Int[Array, ""],
    ) -> tuple[Carried, jax.Array]:
        """A sweep there and back, or at odd turns other choices."""
        swept = partial(self._swept, key, target, observation, z, weight, turn // 2)
        chosen = partial(self._chosen, key, target, observation, z, weight, turn // 2)
        found: tuple[Carried, jax.Array] = jax.lax.cond(turn % 2 == 0, swept, chosen, carried)
        return found

    def _swept(
        self, key: Key, target: Target, observation: Any, z: PyTree, weight: Scalar, turn: jax.Array, at: Carried
    ) -> tuple[Carried, jax.Array]:
        out, back, toss = jax.random.split(key, 3)
        state = swept_there_and_back(out, back, self.approximation, observation, at.state, turn)
        new = self.carry(target, observation, state, z)
        accept = jnp.log(jax.random.uniform(toss)) < weight * (new.log_ratio - at.log_ratio)
        return jax.tree.map(partial(jnp.where, accept), new, at), accept

    def _chosen(
        self, key: Key, target: Target, observation: Any, z: PyTree, weight: Scalar, turn: jax.Array, at: Carried
    ) -> tuple[Carried, jax.Array]:
        key_which, key_way, toss = jax.random.split(key, 3)
        rate = jnp.asarray(RATES)[turn % len(RATES)]
        draws, ways = at.state.choices.shape

        def log_conditional(here: Carried) -> Float[Array, "draws ways"]:
            slope = (1 - weight) * observation.log_choices + weight * here.gradient
            other = 1 - here.state.choices
            logits = slope - (slope * here.state.choices).sum(1, keepdims=True)
            return jax.nn.log_softmax(logits - 0.5 * weight * observation.curvature[:, None] * other, axis=1)

        drawn = jax.nn.one_hot(jax.random.categorical(key_way, log_conditional(at)), ways)
        which = jax.random.uniform(key_which, (draws, 1)) < rate
        new = self.carry(target, observation, at.state._replace(choices=jnp.where(which, drawn, at.state.choices)), z)
        stays = (at.state.choices * new.state.choices).sum(1)

        def log_proposal(here: Carried, there: Carried) -> jax.Array:
            anew = jnp.exp((log_conditional(here) * there.state.choices).sum(1))
            return jnp.log(jnp.maximum(rate * anew + (1 - rate) * stays, 1e-37)).sum()

        gain = log_mass_of(new.state.choices - at.state.choices, observation.log_choices)
        gain = gain + weight * (new.log_ratio - at.log_ratio) + log_proposal(new, at) - log_proposal(at, new)
        accept = jnp.log(jax.random.uniform(toss)) < gain
        return jax.tree.map(partial(jnp.where, accept), new, at), accept
