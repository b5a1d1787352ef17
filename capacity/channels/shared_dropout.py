"""Dropout of groups: all units of a group are kept or dropped together, as channels of an image or a whole layer are.

Tompson et al. (2015) drop feature maps; with one group for all units a layer is dropped as a whole.  Where no group of
the code is constantly the fill value, a mask can be read off z, and H (1 - p^groups) bits of real-valued units pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from capacity.channels.atoms import AtomicChannel, moments_of, two_point
from capacity.channels.channel import Number, check_level
from capacity.channels.inner_noise import LEAST_LOG_MASS, Noise, NoiseShape
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import ArrayLeaf, Key, Units

MAX_GROUPS = 12  # whose patterns are listed


@register_dataclass
@dataclass(frozen=True)
class SharedDropout(AtomicChannel):
    """Each group of units is replaced by `fill` with probability `rate` (p, the level); masses on the atoms.

    Survivors are kept as they are.  Gradients pass through the groups that survive (pathwise, exact).

    Attributes:
        rate: p, from 0 to 1.
        members: (groups, units), which units are of each group; every unit of one group.
        fill: what stands for a dropped unit.

    Raises:
        ValueError: if the rate is no probability, or a unit is of no group or of several.
    """

    rate: Number
    members: ArrayLeaf
    fill: float = field(default=0.0, metadata={"static": True})
    memoryless: ClassVar[bool] = False
    full_support: ClassVar[bool] = False
    has_entropy: ClassVar[bool] = False
    name: ClassVar[str] = "shared_dropout"
    summary: ClassVar[str] = "dropout of groups of units, each kept or dropped together: channels, or a whole layer"
    no_ceiling_because: ClassVar[str] = "a group of real-valued units that survives carries unlimited information"

    def __post_init__(self) -> None:
        check_level("rate", self.rate, 0.0, 1.0)
        if isinstance(self.members, np.ndarray | jax.Array) and not isinstance(self.members, jax.core.Tracer):
            members = np.asarray(self.members, bool)
            if members.ndim != 2 or not (members.sum(0) == 1).all():
                raise ValueError(
                    f"Expected members of shape (groups, units), every unit of one group; got {members.shape} with "
                    f"units of {np.unique(members.sum(0)) if members.ndim == 2 else 'no'} groups."
                )

    @classmethod
    def of_layer(cls, rate: Number, units: int) -> SharedDropout:
        """All units of a layer together."""
        return cls(rate, jnp.ones((1, units), bool))

    def part(self, units: slice) -> SharedDropout:
        return SharedDropout(self.rate, self.members[:, units], self.fill)

    @property
    def _groups(self) -> Bool[Array, "groups units"]:
        return jnp.asarray(self.members, bool)

    def _masked(self, u: Units, kept: Float[Array, " groups"]) -> Units:
        share = kept.astype(u.dtype) @ self._groups.astype(u.dtype)
        return share * u + (1 - share) * jnp.asarray(self.fill, u.dtype)

    def __call__(self, key: Key, u: Units) -> Units:
        dropped = jax.random.bernoulli(key, self.rate, (len(self.members),))
        return jnp.where(dropped @ self._groups, jnp.asarray(self.fill, u.dtype), u)

    def atoms(self, u: Units) -> tuple[Float[Array, "patterns units"], Float[Array, " patterns"]]:
        """u under every pattern of kept groups, and how likely each is.

        Raises:
            ValueError: for more than 12 groups.
        """
        groups = len(self.members)
        if groups > MAX_GROUPS:
            raise ValueError(f"Expected at most {MAX_GROUPS} groups, to list their patterns; got {groups}.")
        kept = (jnp.arange(2**groups)[:, None] >> jnp.arange(groups)[None]) & 1
        rate = jnp.asarray(self.rate, u.dtype)
        log_weights = jnp.where(kept == 1, jnp.log1p(-rate), jnp.log(rate)).sum(1)
        return jax.vmap(lambda one: self._masked(u, one))(kept.astype(u.dtype)), log_weights

    def log_prob(self, z: Units, u: Units) -> Units:
        """Log mass of each unit given those before, shape (units,), nats: group by group, kept or dropped."""
        other = ~self._groups
        rate = jnp.asarray(self.rate, z.dtype)

        def prefix(same: Bool[Array, " units"], log_weight: jax.Array) -> Float[Array, "groups units"]:
            return jnp.where(jnp.cumprod(same[None] | other, axis=1) == 1, log_weight, -jnp.inf)

        begun = jnp.cumsum(~other, axis=1) > 0  # before its first unit nothing of a group is known
        together = jnp.logaddexp(prefix(z == u, jnp.log1p(-rate)), prefix(z == self.fill, jnp.log(rate)))
        so_far = jnp.where(begun, together, 0.0)
        before = jnp.concatenate([jnp.zeros_like(so_far[:, :1]), so_far[:, :-1]], axis=1)
        impossible = before == -jnp.inf
        steps = jnp.where(impossible, 0.0, so_far - jnp.where(impossible, 0.0, before))
        return steps.sum(0)

    def moments(self, u: Units) -> tuple[Units, Units]:
        return moments_of(*two_point(u, jnp.asarray(self.fill, u.dtype), self.rate))

    def covariance(self, u: Units) -> Float[Array, "units units"]:
        """Of units of one group; others are independent."""
        away, rate = u - self.fill, jnp.asarray(self.rate, u.dtype)
        together = self._groups.astype(u.dtype)
        return rate * (1 - rate) * jnp.outer(away, away) * (together.T @ together)

    def entropy(self, u: Units) -> Units:
        """Refused as that of any channel whose entropy is not known: a dropped group may equal a kept one."""
        return super(AtomicChannel, self).entropy(u)

    def passes(self, units: int) -> jax.Array:
        """Unless all groups are dropped: 1 - p^groups."""
        return 1 - jnp.asarray(self.rate) ** len(self.members)

    def noise_shape(self, u: Units) -> NoiseShape:
        """A choice for each group, of being dropped or kept."""
        return NoiseShape(0, len(self.members), 2)

    def log_masses(self, u: Units) -> Float[Array, "draws ways"]:
        rate = jnp.asarray(self.rate, u.dtype)
        masses = jnp.stack([jnp.log(rate), jnp.log1p(-rate)])
        return jnp.broadcast_to(jnp.maximum(masses, LEAST_LOG_MASS), (len(self.members), 2))

    def noised(self, u: Units, noise: Noise) -> Units:
        return self._masked(u, noise.choices[:, 1])
