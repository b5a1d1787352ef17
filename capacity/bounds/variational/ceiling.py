"""The channel's capacity at the power that a code was found to have: what no code of that power exceeds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import jax
import jax.numpy as jnp

from capacity.bounds.bound import Bound
from capacity.bounds.variational.marginal import LIST_BATCH
from capacity.channels.channel import no_ceiling
from capacity.joint.joint import Joint, drawn, encoded_together
from capacity.results.estimate import Estimate
from capacity.runtime.keys import Seed, as_key


@dataclass(frozen=True)
class Ceiling(Bound):
    """The channel's capacity at the power that the code was found to have, summed over units (Shannon 1948).

    The power of each unit is exact where messages can be listed, else from samples; capacity is concave in the
    power, so a sampled power makes this a point estimate of the bound, with its interval by the delta method.

    Raises (when called):
        ValueError: if the channel has no ceiling, or the code does not keep to the values that it presumes.
    """

    samples: int = 32768
    name: ClassVar[str] = "ceiling"
    summary: ClassVar[str] = "the channel's capacity at the code's own power, in closed form"

    def __call__(self, key: Seed, joint: Joint) -> Estimate:
        """Capacity over all units, in bits."""
        key = as_key(key)
        if not joint.channel.has_ceiling:
            raise no_ceiling(joint.channel)
        presumes = joint.channel.presumes

        def check(vectors: jax.Array) -> None:
            if presumes is None or not presumes.limits_units:
                return
            if not _all_admitted(joint, vectors):
                raise ValueError(
                    f"Expected codes with {presumes.words}, which the ceiling of {joint.channel.name} "
                    "presumes; got others."
                )

        if joint.source.listable:
            vectors, log_probs = joint.source.codebook()
            check(vectors)
            squares = _squares(joint, vectors, min(LIST_BATCH, len(vectors)))
            power = (jnp.exp(log_probs)[:, None] * squares).sum(0)
            return Estimate.from_normal(
                bits=joint.channel.ceiling(power).sum(), stderr=0.0, kind="upper", n=len(vectors)
            )
        vectors = drawn(joint.source, key, self.samples).vector
        check(vectors)
        squares = _squares(joint, vectors, encoded_together(vectors))
        bits, slope = jax.value_and_grad(lambda p: joint.channel.ceiling(p).sum())(squares.mean(0))
        return Estimate.from_normal(
            bits=bits, stderr=jnp.std(squares @ slope) / jnp.sqrt(self.samples), kind="point", n=self.samples
        )


@partial(jax.jit, static_argnums=2)
def _squares(joint: Joint, vectors: jax.Array, batch: int) -> jax.Array:
    """What each unit sends, squared, (n, units)."""

    def square(x: jax.Array) -> jax.Array:
        return jnp.square(joint.channel.signal(joint.encoder(x)))

    squares: jax.Array = jax.lax.map(square, vectors, batch_size=batch)
    return squares


@jax.jit
def _all_admitted(joint: Joint, vectors: jax.Array) -> jax.Array:
    """Whether all codes are among those that the channel is for."""

    def admitted(x: jax.Array) -> jax.Array:
        return joint.channel.admits(joint.encoder(x)).all()

    every: jax.Array = jax.lax.map(admitted, vectors, batch_size=min(LIST_BATCH, len(vectors)))
    return every.all()
