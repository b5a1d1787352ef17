"""What every channel promises: a sampler, a density, an entropy, and a ceiling or the reason why there is none.

A new channel is a frozen dataclass, registered as a pytree, that has `name`, `summary`, `__call__`, `log_prob` and
`moments`; all else has a default.  Where Z takes finitely many values given the code, it is an `AtomicChannel`
(`capacity.channels.atoms`) and has `atoms` instead of the last two; where Z = U + noise, an `AdditiveNoise`
(`capacity.channels.additive`) and has the noise's log density.  Tell more where more is known:
    entropy       the figure of bits then has less to sample;
    presumes, ceiling   the capacity, and what it presumes of the code;
    no_ceiling_because  one line where there is none;
    noise_shape, log_masses, noised   Z = f(U, e), for a place inside a network: known of atoms and of normal noise.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from inspect import getattr_static
from typing import Any, ClassVar, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from capacity.channels.constraint import Constraint
from capacity.channels.inner_noise import Noise, NoiseShape, atoms_masses, atoms_shape, chosen_atoms
from capacity.runtime.shapes import ArrayLeaf, Key, Units

Code: TypeAlias = Any
"""What the encoder gives: an array (units,), or a pytree of arrays whose last axis is the units."""
Powers: TypeAlias = Float[Array, "..."]
"""Mean squares of units, of any shape."""
Number: TypeAlias = float | int | ArrayLeaf | np.ndarray
"""A channel's level or another of its parameters: a leaf, so that channels of many levels stack."""


class Channel(ABC):
    """The noise between units U and noisy units Z, for one item; batching is the caller's `vmap`.

    Densities are with respect to one reference measure, whatever the code, which the channel names: Lebesgue's for
    continuous noise; the counting measure where Z given the code has atoms.  -inf where z is impossible.

    Any method may be called on a slice of the units, and then tells of those units alone; a channel whose own
    parameters differ among units has a `part` that slices these.  A memoryless channel is the product of its units.
    One that is not has log_prob(z, u)[j] = log p(z_j | z_<j, u), and a `covariance`.
    All logarithms are natural; only `ceiling` speaks of bits.
    """

    name: ClassVar[str]
    """What it is called in `CHANNELS`."""
    summary: ClassVar[str]
    """One line."""

    @property
    def code(self) -> type:
        """What a code is: a `jax.Array`, or the pair of arrays by unit that the encoder gives (`Posterior`)."""
        return jax.Array

    @property
    def code_axes(self) -> int:
        """How many axes each leaf of the code has."""
        return 1

    @property
    def normal(self) -> bool:
        """Whether Z given the code is normal and independent by unit, with the `moments`."""
        return False

    @property
    def memoryless(self) -> bool:
        """Whether unit j of Z depends on entries j of the code alone."""
        return True

    @property
    def atomic(self) -> bool:
        """Whether Z given the code takes finitely many values, listed by `atoms`."""
        return False

    @property
    def mixed(self) -> bool:
        """Whether Z, otherwise a continuum, takes some values with a probability, whatever the code: see `is_atom`."""
        return False

    @property
    def full_support(self) -> bool:
        """Whether no z that can come of one code is impossible under another: `log_prob` is then finite."""
        return not self.atomic

    @property
    def has_entropy(self) -> bool:
        """Whether `entropy` is known."""
        return type(self).entropy is not Channel.entropy

    @property
    def has_ceiling(self) -> bool:
        """Whether `ceiling` is known."""
        return self.presumes is not None

    @property
    def presumes(self) -> Constraint | None:
        """What the ceiling presumes of the code; None without a ceiling."""
        return None

    @property
    def no_ceiling_because(self) -> str:
        """Why there is no ceiling; empty with one."""
        return "" if self.has_ceiling else "none is known"

    @property
    def emits(self) -> Constraint | None:
        """What noisy units keep if the code keeps a power and what the channel presumes; None where unknown.

        Where it is known, so is `output_power`.
        """
        return None

    @property
    def keep(self) -> jax.Array | None:
        """Probability that a unit passes as it is, of a channel that else sends a constant; None for any other."""
        return None

    @property
    def tolerance(self) -> float:
        """How near two values of an atomic channel count as one: 0 unless it computes its values."""
        return 0.0

    @abstractmethod
    def __call__(self, key: Key, u: Code) -> Units:
        """Noisy units, shape (units,)."""

    @abstractmethod
    def log_prob(self, z: Units, u: Code) -> Units:
        """Log density of each unit (given those before), shape (units,), nats; their sum is the log density of z."""

    @abstractmethod
    def moments(self, u: Code) -> tuple[Units, Units]:
        """Mean and variance of each noisy unit given the code, two arrays (units,)."""

    def covariance(self, u: Code) -> Float[Array, "units units"]:
        """Covariance of the noisy units given the code, (units, units); by default that of independent units."""
        return jnp.diag(self.moments(u)[1])

    def entropy(self, u: Code) -> Units:
        """Minus the expectation of `log_prob`, shape (units,), in nats.

        Raises:
            ValueError: where it is not known.
        """
        raise ValueError(f"Expected a channel whose entropy is known; got {self.name}.")

    def atoms(self, u: Code) -> tuple[Float[Array, "values units"], Float[Array, "values ..."]]:
        """What z may be, (K, units), and how likely in nats: (K, units), or (K,) of one draw for all units.

        Raises:
            ValueError: where z is a continuum.
        """
        raise ValueError(f"Expected a channel with atoms; got {self.name}, which has none.")

    def noise_shape(self, u: Code) -> NoiseShape:
        """How much noise one code takes where the channel lies inside a network (`capacity.channels.inner_noise`).

        Raises:
            ValueError: where Z = f(U, e) is not known.
        """
        if self.atomic:
            return atoms_shape(jax.eval_shape(self.atoms, u)[1])
        if self.normal:
            return NoiseShape(jax.eval_shape(self.signal, u).shape[0], 0, 1)
        raise ValueError(
            f"Expected a channel whose noise is known as z = f(u, e), to lie inside a network; got {self.name}: "
            "define noise_shape and noised, and log_masses where e has choices."
        )

    def log_masses(self, u: Code) -> Float[Array, "draws ways"]:
        """Log mass of each way of every choice given the code, nats, at least `LEAST_LOG_MASS`."""
        return atoms_masses(self.atoms(u)[1]) if self.atomic else jnp.zeros((0, 1))

    def noised(self, u: Code, noise: Noise) -> Units:
        """Noisy units by given noise, f(u, e), shape (units,); gradients as those of the sampler."""
        if self.atomic:
            return chosen_atoms(self.atoms(u)[0], noise)
        mean, variance = self.moments(u)
        return mean + jnp.sqrt(variance) * noise.normal.astype(mean.dtype)

    def is_atom(self, z: Units) -> Bool[Array, " units"]:
        """Whether each value has a probability and not a density, (units,)."""
        return jnp.full(z.shape, self.atomic)

    def passes(self, units: int) -> jax.Array:
        """The probability, at most 1, that Z depends on the code at all: else it is the same whatever is sent.

        No more than that share of what reaches the channel passes it (Doeblin's condition; Polyanskiy & Wu 2017).
        """
        return jnp.ones(())

    def signal(self, u: Code) -> Units:
        """The noiseless units, shape (units,): what power is the power of."""
        units: Units = u if self.code is jax.Array else u.mean
        return units

    def output_power(self, power: Powers) -> Powers:
        """E[z^2] of a unit of E[u^2] = power, or more.

        Raises:
            ValueError: where it is not known.
        """
        raise ValueError(f"Expected a channel whose output's power is known; got {self.name}.")

    def admits(self, u: Code) -> Bool[Array, " units"]:
        """Whether each unit is one that the ceiling's constraint allows, (units,)."""
        signal = self.signal(u)
        return jnp.ones(signal.shape, bool) if self.presumes is None else self.presumes.admits(signal)

    def part(self, units: slice) -> Channel:
        """The channel of these units alone."""
        return self

    def ceiling(self, power: Powers) -> Powers:
        """Capacity, or an upper bound on it, in bits per unit where the code keeps `presumes`; elementwise.

        Raises:
            ValueError: saying why, where there is none.
        """
        raise no_ceiling(self)

    @property
    def constraint(self) -> str:
        """Deprecated: the words of `presumes`."""
        warnings.warn("Channel.constraint is Channel.presumes now, an object.", DeprecationWarning, stacklevel=2)
        return self.presumes.words if self.presumes is not None else ""

    @property
    def statement(self) -> str:
        """Deprecated: the old name of `no_ceiling_because`."""
        warnings.warn("Channel.statement is Channel.no_ceiling_because now.", DeprecationWarning, stacklevel=2)
        return self.no_ceiling_because


RENAMED = {"constraint": "presumes", "statement": "no_ceiling_because"}
"""Members of release 0.1 that a class may no longer define."""


def check_ceiling(kind: type) -> None:
    """Refuse a class that defines `ceiling` but not what it presumes of the code, or the reverse.

    Raises:
        TypeError: naming what is missing.
    """
    ceiling, presumes = getattr_static(kind, "ceiling"), getattr_static(kind, "presumes", None)
    has_ceiling, says = ceiling is not vars(Channel)["ceiling"], presumes is not vars(Channel)["presumes"]
    if has_ceiling and not says:
        raise TypeError(
            f"Expected presumes beside ceiling, the Constraint that the code keeps; got {kind.__qualname__} without it."
        )
    if says and presumes is not None and not has_ceiling:
        raise TypeError(f"Expected ceiling beside presumes, in bits; got {kind.__qualname__} without it.")


def noisy(channel: Channel, key: Key, codes: Code) -> Float[Array, "n units"]:
    """Noisy units (n, units) of n codes, each with a noise of its own; of a normal channel all in one draw, which
    spares a key for each."""
    if not channel.normal:
        return jax.vmap(channel)(jax.random.split(key, len(jax.tree.leaves(codes)[0])), codes)
    mean, variance = jax.vmap(channel.moments)(codes)
    return mean + jnp.sqrt(variance) * jax.random.normal(key, mean.shape, mean.dtype)


def sliced(code: Code, units: slice) -> Code:
    """The code of these units alone: the last axis of every leaf."""
    return jax.tree.map(lambda leaf: leaf[..., units], code)


def check_level(name: str, value: object, low: float, high: float, ends: str = "[]") -> None:
    """Refuse a level out of its range, where it is a number; tracers and placeholders pass.

    Args:
        name: what the level is called.
        value: the level, a number or an array of them.
        low: the least that it may be.
        high: the most.
        ends: "[" or "(", then "]" or ")": whether the ends themselves are allowed.

    Raises:
        ValueError: naming the range.
    """
    if isinstance(value, jax.core.Tracer) or not isinstance(value, int | float | np.ndarray | np.generic | jax.Array):
        return
    number = np.asarray(value, np.float64)
    above = number >= low if ends[0] == "[" else number > low
    below = number <= high if ends[1] == "]" else number < high
    if not np.all(above & below):
        raise ValueError(f"Expected {name} in {ends[0]}{low:g}, {high:g}{ends[1]}; got {value}.")


def no_ceiling(channel: Channel) -> ValueError:
    """The refusal of a channel that has no ceiling."""
    return ValueError(
        f"Expected a channel with a ceiling; got {channel.name}, which has no ceiling: {channel.no_ceiling_because}."
    )


def straight_through(value: jax.Array, proxy: jax.Array) -> jax.Array:
    """The value as it is, exactly, with the gradient of the proxy (Bengio, Leonard & Courville 2013, section 4)."""
    return jax.lax.stop_gradient(value) + (proxy - jax.lax.stop_gradient(proxy))
