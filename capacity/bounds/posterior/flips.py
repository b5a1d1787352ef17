"""Flips of many digits at once, informed by the gradient of the true density: for codes that no sum over blocks fits.

From digits m every digit is flipped independently, digit i with the odds

    exp( w (g_i s_i - D_i / 2) / 2 - c ),    g = d log p(z|m)/dm,  s_i = 1 - 2 m_i,

and the lot accepted or refused by Metropolis and Hastings' rule, so that p(m) p(z|m)^w stays as it is whatever the
gradient says.  The gradient alone would take each flip for better than it is by half its curvature D_i, the mean
squared effect of the flip on the units over the noise.  Half of the change in log density is the locally balanced
choice (Zanella 2020; Grathwohl et al. 2021); flips of all digits at once are those of Zhang, Liu & Liu (2022).
The chain starts from the prior.  Where the embedding has no gradient, flips are blind, and bounds hold all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from capacity.bounds.annealed.ladder import Ladder, even_ladder
from capacity.bounds.posterior.approximation import PosteriorApproximation
from capacity.bounds.posterior.bridge import BridgeMove, Carried, Target
from capacity.bounds.posterior.overlaps import flip_overlaps
from capacity.joint.joint import Joint
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Message, Scalar, Units

PENALTIES = (1.0, 2.0)  # c: taken in turn
Digits = Float[Array, " digits"]


@register_dataclass
@dataclass(frozen=True)
class InformedFlips(PosteriorApproximation, BridgeMove):
    """The prior as start, and flips towards the truth; made by `fit_flips`.  A state is digits (k,) as float32.

    Attributes:
        joint: whose posterior is approximated.
        curvature: (k,), D.
    """

    joint: Joint
    curvature: Digits
    operations: ClassVar[float] = 1e3  # of a step on the first leg, which does nothing

    @property
    def bridge(self) -> BridgeMove:
        """Its own flips, informed by the gradient of the truth."""
        return self

    def initial_ladder(self, first: int) -> Ladder:
        """Close rungs at first: from a flat start most is lost at once."""
        ladder = even_ladder(first, first)
        return Ladder(ladder.temper, ladder.bridge**3)

    def observe(self, z: Units) -> Units:
        """z itself: the prior does not ask for it."""
        return z

    def sample(self, key: Key, observation: Units) -> Digits:
        """A message of the prior."""
        message: jax.Array = self.joint.source.sample(key, 1).message[0]
        return message.astype(jnp.float32)

    def state_of(self, observation: Units, message: Message) -> Digits:
        return message.astype(jnp.float32)

    def message_of(self, state: Digits) -> Message:
        return state.astype(jnp.int8)

    def log_start(self, observation: Units, state: Digits) -> Scalar:
        log_prob: jax.Array = self.joint.source.log_prob(self.message_of(state))
        return log_prob

    def carry(self, target: Target, observation: PyTree, state: Digits, z: Units) -> Carried:
        """log p(z|m) and its gradient at a state."""

        def density(digits: jax.Array) -> jax.Array:
            return self.joint.conditional(z, self.joint.encoder(self.joint.source.embed(digits)))

        return Carried(state, *jax.value_and_grad(density)(state))

    def move(
        self,
        key: Key,
        target: Target,
        observation: PyTree,
        z: Units,
        carried: Carried,
        weight: Scalar,
        turn: Int[Array, ""],
    ) -> tuple[Carried, jax.Array]:
        """One proposal under p(m) p(z|m)^weight, and whether it was accepted."""
        key_flip, key_toss = jax.random.split(key)
        penalty = jnp.asarray(PENALTIES, jnp.float32)[turn % len(PENALTIES)]

        def odds(at: Carried) -> jax.Array:
            odds: jax.Array = 0.5 * weight * (at.gradient * (1 - 2 * at.state) - 0.5 * self.curvature) - penalty
            return odds

        flips = jax.random.uniform(key_flip, carried.state.shape) < jax.nn.sigmoid(odds(carried))
        new = self.carry(target, observation, jnp.where(flips, 1 - carried.state, carried.state), z)

        def log_proposal(at: Carried) -> jax.Array:
            return -jax.nn.softplus(jnp.where(flips, -odds(at), odds(at))).sum()

        prior = self.log_start(observation, new.state) - self.log_start(observation, carried.state)
        gain = prior + weight * (new.log_ratio - carried.log_ratio) + log_proposal(new) - log_proposal(carried)
        accept = jnp.log(jax.random.uniform(key_toss)) < gain
        return jax.tree.map(lambda a, b: jnp.where(accept, a, b), new, carried), accept


def fit_flips(key: Key, joint: Joint) -> InformedFlips:
    """Informed flips for a joint with a discrete source, their curvatures from differences of codes."""
    return InformedFlips(joint, jnp.diagonal(flip_overlaps(key, joint)))
