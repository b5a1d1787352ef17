"""One noise after another: U -> Y -> Z, for example dropout and then Gaussian noise.

Where Y takes finitely many values given the code, p(z|u) = sum_k w_k(u) p(z|y_k(u)): a mixture, and exact.
I(U;Z) <= I(U;Y), and with a memoryless second channel <= I(Y;Z) (data processing, Cover & Thomas 2006, theorem 2.8.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from capacity.channels.atoms import covariance_of, entropy_of, log_mass, mixed, moments_of, shared, tolerance_of
from capacity.channels.channel import POWER, Channel, Code, no_ceiling, part_of
from capacity.channels.gaussian import Gaussian

NODES = np.linspace(-9, 9, 289)  # of the trapezoid rule under a standard normal density


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Then:
    """The first channel, then the second; reference measure and gradients are theirs.

    Attributes:
        first: a channel with atoms.
        second: a memoryless channel of plain units (units,).

    Raises:
        ValueError: if the first has a continuum of values given its code, or the second does not take plain units.
    """

    first: Channel
    second: Channel
    name: ClassVar[str] = "then"
    summary: ClassVar[str] = "one channel after another, the first with atoms: dropout then Gaussian, and so on"

    def __post_init__(self) -> None:
        # Placeholders of a pytree's leaves are no channels.
        if isinstance(self.first, Channel) and not self.first.atomic:
            raise ValueError(
                f"Expected a first channel with finitely many values given its code; got {self.first.name}: "
                "the density of the pair would be an integral."
            )
        if isinstance(self.second, Channel) and (not self.second.memoryless or self.second.name in _STRUCTURED):
            raise ValueError(f"Expected a memoryless second channel of plain units; got {self.second.name}.")

    @property
    def memoryless(self) -> bool:
        """As the first."""
        return self.first.memoryless

    @property
    def code_axes(self) -> int:
        """As the first."""
        return int(getattr(self.first, "code_axes", 1))

    @property
    def normal(self) -> bool:
        """Never."""
        return False

    @property
    def atomic(self) -> bool:
        """As the second."""
        return self.second.atomic

    @property
    def full_support(self) -> bool:
        """As the second, if that stands values other than +-1."""
        return self.second.full_support and (not self.second.atomic or getattr(self.first, "binary", False))

    @property
    def has_entropy(self) -> bool:
        """For atoms, and for Gaussian noise on units with masks of their own."""
        return self.memoryless and (self.atomic or isinstance(self.second, Gaussian))

    @property
    def has_ceiling(self) -> bool:
        """Whether one follows from either channel."""
        return self.first.has_ceiling or self._second_holds

    @property
    def _second_holds(self) -> bool:
        """Whether what leaves the first keeps the constraint of the second."""
        fits = (POWER, "any code", *(_OPPOSITE if getattr(self.first, "binary", False) else ()))
        return self.second.has_ceiling and self.second.constraint in fits and hasattr(self.first, "output_power")

    @property
    def constraint(self) -> str:
        """The first's, or the power."""
        return "" if not self.has_ceiling else (self.first.constraint if self.first.has_ceiling else POWER)

    @property
    def statement(self) -> str:
        """Those of both."""
        if self.has_ceiling:
            return ""
        parts = (self.first, self.second)
        return "; ".join(f"{c.name}: {c.statement or 'ceiling for ' + c.constraint + ' alone'}" for c in parts)

    def part(self, units: slice) -> Then:
        """Of these units alone."""
        return Then(part_of(self.first, units), part_of(self.second, units))

    def __call__(self, key: jax.Array, u: Code) -> jax.Array:
        """Noisy units, shape (units,)."""
        key_first, key_second = jax.random.split(key)
        return self.second(key_second, self.first(key_first, u))

    def atoms(self, u: Code) -> tuple[jax.Array, jax.Array]:
        """Every value of the second for every value of the first.

        Raises:
            ValueError: if the second is continuous.
        """
        if not self.atomic:
            raise ValueError(f"Expected atoms in both channels; got {self.second.name}, which has none.")
        first, log_first = self._first_atoms(u)
        values, log_weights = jax.vmap(self.second.atoms)(first)  # type: ignore[attr-defined]
        if not self.memoryless:
            raise ValueError(
                f"Expected units that do not share {self.first.name}'s draw; list its outcomes with noise instead."
            )
        return tuple(a.reshape(-1, a.shape[-1]) for a in (values, log_weights + log_first[:, None]))  # type: ignore

    @property
    def tolerance(self) -> float:
        """The coarser of both."""
        return max(tolerance_of(self.first), tolerance_of(self.second))

    def _first_atoms(self, u: Code) -> tuple[jax.Array, jax.Array]:
        return self.first.atoms(u)  # type: ignore[attr-defined]

    def log_prob(self, z: jax.Array, u: Code) -> jax.Array:
        """Log density of each unit (given those before), shape (units,), nats."""
        if self.atomic and self.memoryless:
            return log_mass(z, *self.atoms(u), self.tolerance)
        values, log_weights = self._first_atoms(u)
        terms = jax.vmap(self.second.log_prob, (None, 0))(z, values)
        return (mixed if self.memoryless else shared)(terms, log_weights)

    def moments(self, u: Code) -> tuple[jax.Array, jax.Array]:
        """Mean and variance of the mixture."""
        values, log_weights = self._first_atoms(u)
        means, variances = jax.vmap(self.second.moments)(values)
        mean, between = moments_of(means, log_weights)
        return mean, between + moments_of(variances, log_weights)[0]

    def covariance(self, u: Code) -> jax.Array:
        """Covariance (units, units) where the first is shared."""
        values, log_weights = self._first_atoms(u)
        means, variances = jax.vmap(self.second.moments)(values)
        return covariance_of(means, log_weights) + jnp.diag(moments_of(variances, log_weights)[0])

    def entropy(self, u: Code) -> jax.Array:
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
        values, log_weights = self._first_atoms(u)
        mean, variance = jax.vmap(self.second.moments)(values)
        nodes = jnp.asarray(NODES, mean.dtype)
        z = mean[None] + jnp.sqrt(variance)[None] * nodes[:, None, None]  # (nodes, K, units)
        log_q = jax.vmap(jax.vmap(lambda z_one: mixed(self._terms(z_one, values), log_weights)))(z)
        density = jnp.asarray(np.exp(-0.5 * NODES**2) / np.exp(-0.5 * NODES**2).sum(), mean.dtype)
        return -(jnp.exp(log_weights) * (density[:, None, None] * log_q).sum(0)).sum(0)

    def _terms(self, z: jax.Array, values: jax.Array) -> jax.Array:
        return jax.vmap(self.second.log_prob, (None, 0))(z, values)

    def signal(self, u: Code) -> jax.Array:
        """The first's."""
        return self.first.signal(u)

    def admits(self, u: Code) -> Any:
        """As the first."""
        own = getattr(self.first, "admits", None)
        return own(u) if own else jnp.ones(self.first.signal(u).shape, bool)

    def ceiling(self, power: jax.Array) -> jax.Array:
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
            bounds.append(self.second.ceiling(self.first.output_power(power)))  # type: ignore[attr-defined]
            if hasattr(self.first, "keep"):
                keep = jnp.asarray(self.first.keep, jnp.result_type(power))
                bounds.append(keep * self.second.ceiling(power))
        return jnp.stack(jnp.broadcast_arrays(*bounds)).min(0)


_OPPOSITE = ("u = ±1", "u among -1, 1")
_STRUCTURED = ("learnt_gaussian", "variational_dropout", "information_dropout")
