"""What every channel promises: a sampler, a density, an entropy, and a ceiling or the statement why there is none."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

Code = Any  # what the encoder gives the channel: an array (units,), or a pytree of arrays whose last axis is the units
POWER = "E[u^2] <= power"  # the constraint of most ceilings


@runtime_checkable
class Channel(Protocol):
    """The noise between units U and noisy units Z, for one item; batching is the caller's `vmap`.

    Densities are with respect to one reference measure, whatever the code, which the channel names: Lebesgue's for
    continuous noise; the counting measure where Z given the code has atoms.  -inf where z is impossible.

    Any method may be called on a slice of the units, and then tells of those units alone; a channel whose own
    parameters differ among units has a method `part(units: slice)` that slices these.  A memoryless channel is the
    product of its units.  One that is not has log_prob(z, u)[j] = log p(z_j | z_<j, u), and `covariance(u)`.

    Optional: `code_axes`, how many axes each leaf of the code has if not 1; `atoms(u) -> values, log_weights`
    where `atomic` (`capacity.channels.atoms`); `admits(u)`, whether each unit of a code keeps the constraint of the
    ceiling where that is about values and not about the mean.
    All logarithms are natural; only `ceiling` speaks of bits.
    """

    @property
    def name(self) -> str:
        """What it is called in `CHANNELS`."""

    @property
    def summary(self) -> str:
        """One line."""

    @property
    def normal(self) -> bool:
        """Whether Z given the code is normal and independent by unit, with the `moments`."""

    @property
    def memoryless(self) -> bool:
        """Whether unit j of Z depends on entries j of the code alone."""

    @property
    def atomic(self) -> bool:
        """Whether Z given the code takes finitely many values, listed by `atoms`."""

    @property
    def full_support(self) -> bool:
        """Whether no z that can come of one code is impossible under another: `log_prob` is then finite."""

    @property
    def has_entropy(self) -> bool:
        """Whether `entropy` is known."""

    @property
    def has_ceiling(self) -> bool:
        """Whether `ceiling` is."""

    @property
    def constraint(self) -> str:
        """What the ceiling presumes of the code; empty without one."""

    @property
    def statement(self) -> str:
        """Why there is no ceiling; empty with one."""

    def __call__(self, key: jax.Array, u: Code) -> jax.Array:
        """Noisy units, shape (units,)."""

    def log_prob(self, z: jax.Array, u: Code) -> jax.Array:
        """Log density of each unit (given those before), shape (units,), nats; their sum is the log density of z."""

    def moments(self, u: Code) -> tuple[jax.Array, jax.Array]:
        """Mean and variance of each noisy unit given the code, two arrays (units,)."""

    def entropy(self, u: Code) -> jax.Array:
        """Minus the expectation of `log_prob`, shape (units,), in nats.

        Raises:
            ValueError: where it is not known.
        """

    def signal(self, u: Code) -> jax.Array:
        """The noiseless units, shape (units,): what power is the power of."""

    def ceiling(self, power: jax.Array) -> jax.Array:
        """Capacity, or an upper bound on it, in bits per unit under the `constraint`; elementwise in the power.

        Raises:
            ValueError: with the `statement`, where there is none.
        """


def noisy(channel: Channel, key: jax.Array, codes: Code) -> jax.Array:
    """Noisy units (n, units) of n codes, each with a noise of its own; of a normal channel all in one draw, which
    spares a key for each."""
    if not channel.normal:
        return jax.vmap(channel)(jax.random.split(key, len(jax.tree.leaves(codes)[0])), codes)
    mean, variance = jax.vmap(channel.moments)(codes)
    return mean + jnp.sqrt(variance) * jax.random.normal(key, mean.shape, mean.dtype)


C = TypeVar("C")


def part_of(channel: C, units: slice) -> C:
    """The channel of these units alone."""
    own = getattr(channel, "part", None)
    return own(units) if own else channel


def sliced(code: Code, units: slice) -> Code:
    """The code of these units alone: the last axis of every leaf."""
    return jax.tree.map(lambda leaf: leaf[..., units], code)


def check_level(name: str, value: Any, low: float, high: float, ends: str = "[]") -> None:
    """Refuse a level out of its range, where it is a number; tracers and placeholders pass.

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
        f"Expected a channel with a ceiling; got {channel.name}, which has no ceiling: {channel.statement}."
    )


def straight_through(value: jax.Array, proxy: jax.Array) -> jax.Array:
    """The value as it is, exactly, with the gradient of the proxy (Bengio, Leonard & Courville 2013, section 4)."""
    return jax.lax.stop_gradient(value) + (proxy - jax.lax.stop_gradient(proxy))
