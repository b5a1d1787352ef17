"""Flips of many digits at once, informed by the gradient of the true density: for codes that no sum over blocks fits.

From digits m every digit is flipped independently, digit i with the odds

    exp( w (g_i s_i - D_i / 2) / 2 - c ),    g = d log p(z|m)/dm,  s_i = 1 - 2 m_i,

and the lot accepted or refused by Metropolis and Hastings' rule, so that p(m) p(z|m)^w stays as it is whatever the
gradient says.  The gradient alone would take each flip for better than it is by half its curvature D_i, the mean
squared effect of the flip on the units over the noise.  Half of the change in log density is the locally balanced
choice (Zanella 2020; Grathwohl et al. 2021); flips of all digits at once are those of Zhang, Liu & Liu (2022).
The walk starts from the prior.  Where the embedding has no gradient, flips are blind, and bounds hold all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from capacity.bounds.annealed.neighbours import overlaps
from capacity.joint.joint import Joint

PENALTIES = (1.0, 2.0)  # c: taken in turn


class Flipped(NamedTuple):
    """Digits (k,) as float32, the log density that the walk brings in, nats, and its gradient (k,)."""

    place: jax.Array
    missing: jax.Array
    slope: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class InformedFlips:
    """The prior as start, and flips towards the truth; made by `fit_flips`.

    Attributes:
        source: the joint's source.
        curvature: (k,), D.
    """

    source: Any
    curvature: jax.Array
    moves: ClassVar[int] = 1
    cubic: ClassVar[bool] = True

    @property
    def operations(self) -> float:
        """Of a step on the first leg, which does nothing."""
        return 1e3

    def hear(self, z: jax.Array) -> jax.Array:
        """z itself."""
        return z

    def draw(self, key: jax.Array, heard: jax.Array) -> jax.Array:
        """A message of the prior."""
        return self.source.sample(key, 1).message[0].astype(jnp.float32)

    def place(self, heard: jax.Array, message: jax.Array) -> jax.Array:
        """The digits as float32."""
        return message.astype(jnp.float32)

    def message(self, place: jax.Array) -> jax.Array:
        """The message (k,) int8."""
        return place.astype(jnp.int8)

    def log_start(self, heard: jax.Array, place: jax.Array) -> jax.Array:
        """log p(m), nats."""
        return self.source.log_prob(self.message(place))

    def log_joint(self, heard: jax.Array, place: jax.Array) -> jax.Array:
        """log p(m): the start is the approximation."""
        return self.log_start(heard, place)

    def sweep(self, key: jax.Array, heard: Any, place: jax.Array, *_: Any) -> jax.Array:
        """Nothing: on the first leg there is nowhere to go."""
        return place

    def refresh(self, heard: Any, place: jax.Array) -> jax.Array:
        """The same place."""
        return place

    def hold(self, target: Joint, heard: jax.Array, place: jax.Array, z: jax.Array) -> Flipped:
        """log p(z|m) and its gradient at a place."""

        def density(digits: jax.Array) -> jax.Array:
            return target.conditional(z, target.encoder(self.source.embed(digits)))

        return Flipped(place, *jax.value_and_grad(density)(place))

    def move(
        self,
        target: Joint,
        key: jax.Array,
        heard: jax.Array,
        z: jax.Array,
        held: Flipped,
        weight: jax.Array,
        turn: Any,
    ) -> tuple[Flipped, jax.Array]:
        """One proposal under p(m) p(z|m)^weight, and whether it was accepted."""
        key_flip, key_toss = jax.random.split(key)
        penalty = jnp.asarray(PENALTIES, jnp.float32)[turn % len(PENALTIES)]

        def odds(at: Flipped) -> jax.Array:
            return 0.5 * weight * (at.slope * (1 - 2 * at.place) - 0.5 * self.curvature) - penalty

        flips = jax.random.uniform(key_flip, held.place.shape) < jax.nn.sigmoid(odds(held))
        new = self.hold(target, heard, jnp.where(flips, 1 - held.place, held.place), z)

        def log_proposal(at: Flipped) -> jax.Array:
            return -jax.nn.softplus(jnp.where(flips, -odds(at), odds(at))).sum()

        prior = self.log_start(heard, new.place) - self.log_start(heard, held.place)
        gain = prior + weight * (new.missing - held.missing) + log_proposal(new) - log_proposal(held)
        accept = jnp.log(jax.random.uniform(key_toss)) < gain
        return jax.tree.map(lambda a, b: jnp.where(accept, a, b), new, held), accept


def fit_flips(key: jax.Array, joint: Joint) -> InformedFlips:
    """Informed flips for a joint with a discrete source, their curvatures from differences of codes."""
    return InformedFlips(joint.source, jnp.diagonal(overlaps(key, joint)))
