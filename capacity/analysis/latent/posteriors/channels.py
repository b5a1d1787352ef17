"""Any channel of independent units as a posterior, its parameters of each point's and unit's own.

A deterministic code with known noise is the case of one parameter for all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from capacity.analysis.latent.posteriors.points import Posteriors, Space, TableLeaf, real_table
from capacity.channels import Channel, Code
from capacity.runtime.once import ran
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Units

T = TypeVar("T")


class ParameterCode(NamedTuple):
    """A code (units,), and the channel's parameters of each unit, leaves (units,)."""

    parameters: tuple[Units, ...]
    units: Units


@register_dataclass
@dataclass(frozen=True)
class OwnParameters(Channel):
    """A channel of independent units whose parameters come with the code.

    Attributes:
        kind: the channel; its parameters stand for those of each point.
    """

    kind: Channel
    code = ParameterCode
    name = "own_parameters"
    summary = "a channel whose parameters differ from point to point"

    @property
    def atomic(self) -> bool:
        return self.kind.atomic

    @property
    def full_support(self) -> bool:
        return self.kind.full_support

    @property
    def has_entropy(self) -> bool:
        return self.kind.has_entropy

    @property
    def tolerance(self) -> float:
        return self.kind.tolerance

    @property
    def no_ceiling_because(self) -> str:
        return "its parameters differ from point to point"

    def __call__(self, key: Key, u: ParameterCode) -> Units:
        keys = jax.random.split(key, u.units.shape[0])
        return jax.vmap(lambda k, own, unit: self._of(own)(k, unit[None])[0])(keys, u.parameters, u.units)

    def log_prob(self, z: Units, u: ParameterCode) -> Units:
        """That of the channel, unit by unit; shape (units,), nats."""
        return jax.vmap(lambda at, own, unit: self._of(own).log_prob(at[None], unit[None])[0])(z, u.parameters, u.units)

    def moments(self, u: ParameterCode) -> tuple[Units, Units]:
        """Mean and variance of each unit."""
        mean, variance = self._each(lambda channel, unit: channel.moments(unit), u)
        return mean[:, 0], variance[:, 0]

    def entropy(self, u: ParameterCode) -> Units:
        """That of the channel, unit by unit."""
        return self._each(lambda channel, unit: channel.entropy(unit), u)[:, 0]

    def atoms(self, u: ParameterCode) -> tuple[Float[Array, "values units"], Float[Array, "values ..."]]:
        """Values and log masses of each unit, (K, units) both."""
        values, log_probs = self._each(lambda channel, unit: channel.atoms(unit), u)
        return values[:, :, 0].T, log_probs.reshape(*values.shape[:2]).T

    def signal(self, u: ParameterCode) -> Units:
        """The units before any noise, shape (units,)."""
        return u.units

    def _of(self, parameters: tuple[jax.Array, ...]) -> Channel:
        channel: Channel = jax.tree.unflatten(jax.tree.structure(self.kind), parameters)
        return channel

    def _each(self, function: Callable[[Channel, Units], T], u: ParameterCode) -> T:
        return jax.vmap(lambda own, unit: function(self._of(own), unit[None]))(u.parameters, u.units)


def through_channel(channel: Channel, codes: ArrayLike, levels: tuple[int, ...] = ()) -> Posteriors:
    """Codes that go through a channel.

    Args:
        channel: of independent units (`memoryless`), of a code that is one array.  Each of its parameters is one
            number for all points and units, or an array (N,), or (N, units).
        codes: (N, units), before the noise.
        levels: units of each level, in order.

    Raises:
        ValueError: for a channel whose units depend on each other or whose code is not one array, for parameters of
            other shapes, and for codes without noise, such as those of a level of 0, below 0 or not finite.
    """
    units = real_table(codes, "codes")
    if channel.code is not jax.Array or not channel.memoryless:
        raise ValueError(f"Expected a channel of independent units whose code is one array; got {channel.name}.")
    leaves = [np.asarray(leaf, np.float64) for leaf in jax.tree.leaves(channel)]
    for leaf in leaves:
        if leaf.shape not in ((), units.shape[:1], units.shape):
            raise ValueError(f"Expected parameters of shape (), {units.shape[:1]} or {units.shape}; got {leaf.shape}.")
    space: Space = "atoms" if channel.atomic else "real"
    if all(leaf.ndim == 0 for leaf in leaves):
        return _with_noise(Posteriors(channel, units, space, levels), leaves)
    own: tuple[TableLeaf, ...] = tuple(
        np.broadcast_to(leaf[:, None] if leaf.ndim == 1 else leaf, units.shape) for leaf in leaves
    )
    kind = jax.tree.unflatten(jax.tree.structure(channel), [jnp.asarray(leaf.flat[0]) for leaf in leaves])
    return _with_noise(Posteriors(OwnParameters(kind), ParameterCode(own, units), space, levels), leaves)


def _with_noise(found: Posteriors, parameters: list[np.ndarray]) -> Posteriors:
    """The posteriors, whose codes all have a density, or masses, where they stand.

    Raises:
        ValueError: naming the first code that has none.
    """
    codes = found.codes.units if isinstance(found.codes, ParameterCode) else found.codes
    with jax.enable_x64(True):
        density = np.asarray(ran(_density, found.channel, found.codes, numbers=codes.size))
    bare = np.isnan(density) | np.isposinf(density) | ~np.all([np.isfinite(leaf).all() for leaf in parameters])
    if bare.any():
        row, unit = np.argwhere(bare)[0]
        least, most = (float(end([end(leaf) for leaf in parameters])) for end in (np.min, np.max))
        raise ValueError(
            f"Expected noise on every code, of finite levels above 0; got none in row {row}, unit {unit} (code "
            f"{codes[row, unit]:.4g}, levels {least:.4g} to {most:.4g}). A unit without noise holds bits without end."
        )
    return found


@jax.jit
def _density(channel: Channel, codes: Code) -> jax.Array:
    """Log densities where the codes stand, (N, units)."""
    units = codes.units if isinstance(codes, ParameterCode) else codes
    density: jax.Array = jax.vmap(channel.log_prob)(units, codes)
    return density
