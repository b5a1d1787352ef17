"""Posteriors of independent units, each with a centre and a width of its own: normal, Laplace and uniform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from capacity.analysis.latent.posteriors.points import Posteriors, TableLeaf, positive, real_table, same_shape
from capacity.channels import Channel, LearntGaussian, Posterior
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Units

EDGE_ROUNDINGS = 8.0  # of the larger of centre and code: so exactly is the edge of a uniform posterior told


class Located(NamedTuple):
    """Centre and log width of each unit, two arrays (units,)."""

    centre: Units
    log_width: Units


@register_dataclass
@dataclass(frozen=True)
class LearntLaplace(Channel):
    """Independent Laplace noise whose scale b the encoder chooses for every unit and point; Lebesgue density."""

    code: ClassVar[type] = Located
    name: ClassVar[str] = "learnt_laplace"
    summary: ClassVar[str] = "Laplace noise whose scale the encoder learns"
    no_ceiling_because: ClassVar[str] = "the scale is learnt and may go to 0 at any power"

    def __call__(self, key: Key, u: Located) -> Units:
        return u.centre + jnp.exp(u.log_width) * jax.random.laplace(key, u.centre.shape, u.centre.dtype)

    def log_prob(self, z: Units, u: Located) -> Units:
        """-|z - centre| / b - log 2 b, shape (units,), nats."""
        return -jnp.abs(z - u.centre) * jnp.exp(-u.log_width) - u.log_width - jnp.log(2.0).astype(z.dtype)

    def moments(self, u: Located) -> tuple[Units, Units]:
        """Mean, and variance 2 b^2."""
        return u.centre, 2 * jnp.exp(2 * u.log_width)

    def entropy(self, u: Located) -> Units:
        """1 + log 2 b nats a unit."""
        return 1 + u.log_width + jnp.log(2.0).astype(u.log_width.dtype)

    def signal(self, u: Located) -> Units:
        """The centres of the units, shape (units,)."""
        return u.centre


@register_dataclass
@dataclass(frozen=True)
class LearntUniform(Channel):
    """Independent uniform noise within a half width that the encoder chooses; Lebesgue density."""

    full_support: ClassVar[bool] = False
    code: ClassVar[type] = Located
    name: ClassVar[str] = "learnt_uniform"
    summary: ClassVar[str] = "uniform noise whose width the encoder learns"
    no_ceiling_because: ClassVar[str] = "the width is learnt and may go to 0 at any power"

    def __call__(self, key: Key, u: Located) -> Units:
        return u.centre + jnp.exp(u.log_width) * jax.random.uniform(key, u.centre.shape, u.centre.dtype, -1.0, 1.0)

    def log_prob(self, z: Units, u: Located) -> Units:
        """-log of twice the half width inside, else -inf; shape (units,), nats."""
        rounding = EDGE_ROUNDINGS * np.finfo(z.dtype).eps * jnp.maximum(jnp.abs(z), jnp.abs(u.centre))
        inside = jnp.abs(z - u.centre) <= jnp.exp(u.log_width) + rounding
        return jnp.where(inside, -u.log_width - jnp.log(2.0).astype(z.dtype), -jnp.inf)

    def moments(self, u: Located) -> tuple[Units, Units]:
        """Mean, and a third of the squared half width."""
        return u.centre, jnp.exp(2 * u.log_width) / 3

    def entropy(self, u: Located) -> Units:
        """log of twice the half width, nats a unit."""
        return u.log_width + jnp.log(2.0).astype(u.log_width.dtype)

    def signal(self, u: Located) -> Units:
        """The centres of the units, shape (units,)."""
        return u.centre


def _widths(centres: ArrayLike, widths: ArrayLike, name: str) -> tuple[TableLeaf, TableLeaf]:
    centre, width = real_table(centres, "centres"), positive(real_table(widths, name), name)
    same_shape(centre, width, f"centres and {name}")
    return centre, np.log(width)


def gaussian(means: ArrayLike, stds: ArrayLike, levels: tuple[int, ...] = ()) -> Posteriors:
    """Normal posteriors of independent units: means and standard deviations (N, units).

    Args:
        means, stds: (N, units); a deterministic code with known noise has one standard deviation throughout.
        levels: units of each level, in order, of a hierarchy whose levels are independent given the point.
    """
    return Posteriors(LearntGaussian(), Posterior(*_widths(means, stds, "standard deviations")), levels=levels)


def laplace(centres: ArrayLike, scales: ArrayLike, levels: tuple[int, ...] = ()) -> Posteriors:
    """Laplace posteriors of independent units: centres and scales b (N, units), of standard deviation sqrt(2) b."""
    return Posteriors(LearntLaplace(), Located(*_widths(centres, scales, "scales")), levels=levels)


def uniform(centres: ArrayLike, half_widths: ArrayLike, levels: tuple[int, ...] = ()) -> Posteriors:
    """Uniform posteriors on boxes: centres and half widths (N, units)."""
    return Posteriors(LearntUniform(), Located(*_widths(centres, half_widths, "half widths")), levels=levels)
