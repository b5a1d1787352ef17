"""One noise after another: U -> Y -> Z, for example dropout and then Gaussian noise.

Where Y takes finitely many values given the code, p(z|u) = sum_k w_k(u) p(z|y_k(u)): a mixture, and exact.
I(U;Z) <= I(U;Y), and with a memoryless second channel <= I(Y;Z) (data processing, Cover & Thomas 2006, theorem 2.8.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from capacity.channels.additive import AdditiveNoise
from capacity.channels.atoms import covariance_of, entropy_of, log_mass, mixed, moments_of, shared
from capacity.channels.channel import Channel, Code, Powers, no_ceiling
from capacity.channels.constraint import POWER, SIGNS, Constraint
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Units

NODES = np.linspace(-9, 9, 289)  # of the trapezoid rule under a standard normal density


@register_dataclass
@dataclass(frozen=True)
class Chain(Channel):
    """The first channel, then the second; reference measure and gradients are theirs.

    Attributes:
        first: a channel with atoms.
        second: a memoryless channel of plain units (units,).

    Raises:
        ValueError: if the first has a continuum of values given its code, or the second does not take plain units.
    """

    first: Channel
    second: Channel
    name: ClassVar[str] = "chain"
    summary: ClassVar[str] = "one channel after another, the first with atoms: dropout then Gaussian, and so on"

    def __post_init__(self) -> None:
        # Placeholders of a pytree's leaves are no channels.
        if isinstance(self.first, Channel) and not self.first.atomic:
            raise ValueError(
                f"Expected a first channel with finitely many values given its code; got {self.first.name}: "
                "the density of the pair would be an integral."
            )
        if isinstance(self.second, Channel) and not (self.second.memoryless and _takes_plain_units(self.second)):
            what = "units with memory" if not self.second.memoryless else self.second.code.__name__
            raise ValueError(
                f"Expected a memoryless second channel of plain units; got {self.second.name}, a channel of {what}."
            )

    @property
    def code(self) -> type:
        return self.first.code

    @property
    def memoryless(self) -> bool:
        """Whether the units of the first have noises of their own."""
        return self.first.memoryless

    @property
    def code_axes(self) -> int:
        return self.first.code_axes

    @property
    def atomic(self) -> bool:
        """Whether the second leaves finitely many values, too."""
        return self.second.atomic

    @property
    def full_support(self) -> bool:
        """As the second, if that stands values other than +-1."""
        signs = self.first.emits is not None and self.first.emits.implies(SIGNS)
        return self.second.full_support and (not self.second.atomic or signs)

    @property
    def has_entropy(self) -> bool:
        """For atoms, and for additive normal noise on units with masks of their own."""
        return self.memoryless and (self.atomic or (isinstance(self.second, AdditiveNoise) and self.second.normal))

    @property
    def _second_holds(self) -> bool:
        """Whether what leaves the first keeps what the ceiling of the second presumes."""
        emits, presumes = self.first.emits, self.second.presumes
        return emits is not None and presumes is not None and emits.implies(presumes)

    @property
    def presumes(self) -> Constraint | None:
        """What the first presumes, or the power if a ceiling follows from the second alone."""
        return self.first.presumes or (POWER if self._second_holds else None)

    @property
    def no_ceiling_because(self) -> str:
        """The reasons of both channels."""
        if self.has_ceiling:
            return ""
        return "; ".join(f"{c.name}: {_why_not(c)}" for c in (self.first, self.second))

    def passes(self, units: int) -> jax.Array:
        return self.first.passes(units) * self.second.passes(units)

    def part(self, units: slice) -> Chain:
        return Chain(self.first.part(units), self.second.part(units))

    def __call__(self, key: Key, u: Code) -> Units:
        """Noisy units, shape (units,)."""
        key_first, key_second = jax.random.split(key)
        return self.second(key_second, self.first(key_first, u))

    def atoms(self, u: Code) -> tuple[Float[Array, "values units"], Float[Array, "values units"]]:
        """Every value of the second for every value of the first.

        Raises:
            ValueError: if the second is continuous.
        """
        if not self.atomic:
            raise ValueError(f"Expected atoms in both channels; got {self.second.name}, which has none.")
        first, log_first = self.first.atoms(u)
        values, log_weights = jax.vmap(self.second.atoms)(first)
        if not self.memoryless:
            raise ValueError(
                f"Expected units that do not share {self.first.name}'s draw; list its outcomes with noise instead."
            )
        weights = log_weights + log_first[:, None]
        return values.reshape(-1, values.shape[-1]), weights.reshape(-1, weights.shape[-1])

    @property
    def tolerance(self) -> float:
        """The coarser of both."""
        return max(self.first.tolerance, self.second.tolerance)

    def log_prob(self, z: Units, u: Code) -> Units:
        """Log density of each unit (given those before), shape (units,), nats."""
        if self.atomic and self.memoryless:
            return log_mass(z, *self.atoms(u), self.tolerance)
        values, log_weights = self.first.atoms(u)
        terms = jax.vmap(self.second.log_prob, (None, 0))(z, values)
        return (mixed if self.memoryless else shared)(terms, log_weights)

    def moments(self, u: Code) -> tuple[Units, Units]:
        """Mean and variance of the mixture."""
        values, log_weights = self.first.atoms(u)
        means, variances = jax.vmap(self.second.moments)(values)
        mean, between = moments_of(means, log_weights)
        return mean, between + moments_of(variances, log_weights)[0]

    def covariance(self, u: Code) -> Float[Array, "units units"]:
        """Covariance (units, units) where the first is shared."""
        values, log_weights = self.first.atoms(u)
        means, variances = jax.vmap(self.second.moments)(values)
        return covariance_of(means, log_weights) + jnp.diag(moments_of(variances, log_weights)[0])

    def entropy(self, u: Code) -> Units:
        """Of the atoms; of a mixture of normals by the trapezoid rule around each; shape (units,), nats.

        Raises:
            ValueError: where it is not known.
        """
        if not self.has_entropy:
            raise ValueError(
                f"Expected a channel whose entropy is known; got {self.first.name} then {self.second.name}."
            )
        if self.atomic:
            return entropy_of(*self.atoms(u), self.tolerance)
        values, log_weights = self.first.atoms(u)
        mean, variance = jax.vmap(self.second.moments)(values)
        nodes = jnp.asarray(NODES, mean.dtype)
        z = mean[None] + jnp.sqrt(variance)[None] * nodes[:, None, None]  # (nodes, K, units)
        log_q = jax.vmap(jax.vmap(lambda z_one: mixed(self._terms(z_one, values), log_weights)))(z)
        density = jnp.asarray(np.exp(-0.5 * NODES**2) / np.exp(-0.5 * NODES**2).sum(), mean.dtype)
        return -(jnp.exp(log_weights) * (density[:, None, None] * log_q).sum(0)).sum(0)

    def _terms(self, z: jax.Array, values: jax.Array) -> jax.Array:
        return jax.vmap(self.second.log_prob, (None, 0))(z, values)

    def signal(self, u: Code) -> Units:
        """What the first is sent, without its noise."""
        return self.first.signal(u)

    def admits(self, u: Code) -> Bool[Array, " units"]:
        """Whether each unit keeps what the first presumes, (units,)."""
        return self.first.admits(u)

    def ceiling(self, power: Powers) -> Powers:
        """The least that either channel, or a mask told to the receiver, allows: an upper bound, bits per unit.

        By data processing no more passes than the first lets through, nor than the second takes at the power that
        leaves the first.  If the first keeps a unit as it is with probability k and else sends a constant,
        I(U;Z) <= I(U;Z|mask) <= k C(power).

        Raises:
            ValueError: where none of these is known.
        """
        if not self.has_ceiling:
            raise no_ceiling(self)
        bounds = [self.first.ceiling(power)] if self.first.has_ceiling else []
        if self._second_holds:
            bounds.append(self.second.ceiling(self.first.output_power(power)))
            if self.first.keep is not None:
                bounds.append(jnp.asarray(self.first.keep, jnp.result_type(power)) * self.second.ceiling(power))
        return jnp.stack(jnp.broadcast_arrays(*bounds)).min(0)


def _takes_plain_units(channel: Channel) -> bool:
    return channel.code is jax.Array and channel.code_axes == 1


def _why_not(channel: Channel) -> str:
    """Why no ceiling follows from this one."""
    if channel.presumes is None:
        return channel.no_ceiling_because
    return f"ceiling for {channel.presumes.words} alone"
