"""A channel of additive noise is its distribution: Z = U + N, N independent and alike in every unit.

A new one is a frozen dataclass, registered as a pytree, with `name`, `summary` and its log density.  Laplace noise of
scale b, say, is

    def log_noise(self, e: jax.Array) -> jax.Array:
        return -jnp.abs(e) / self.b - jnp.log(2 * self.b)

The sampler, the mean, the variance and the entropy then follow by quadrature (`noise_quadrature`), and the ceiling by
Blahut-Arimoto; write `sample_noise`, `noise_moments`, `noise_entropy` or `ceiling` where a closed form is at hand: it
is faster, and exact.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import lru_cache
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from capacity.channels.channel import Channel, Powers
from capacity.channels.constraint import POWER, Constraint
from capacity.channels.inner_noise import Noise, NoiseShape
from capacity.channels.noise_quadrature import (
    CELLS_PER_STD,
    DRAW_NODES,
    NoiseFigures,
    cell_masses,
    cumulated,
    inverted,
    noise_figures,
    quantiles,
)
from capacity.results.estimate import NATS_PER_BIT
from capacity.runtime.shapes import Key, Scalar, Units
from capacity.theory.additive import additive_noise_ceiling

LOG_2PI = 1.8378770664093453
MASS_TOLERANCE = 5e-3  # quadrature of a density that jumps is off by 1e-3
TAIL_TOLERANCE = 1e-2
CHECKED_DRAWS = 4096
DISTANCE_TOLERANCE = 0.04  # Kolmogorov-Smirnov at so many draws: 0.04 by chance once in 200,000


class AdditiveNoise(Channel):
    """Independent noise of one law on every unit; Lebesgue density.

    Fields are scalars, array leaves: levels stack under `vmap`.  A density that is 0 anywhere within ten standard
    deviations needs `full_support = False`.  Gradients pass as if the noise were constant (pathwise, exact).

    Raises:
        ValueError: at the first use of parameters that are numbers, if the density does not integrate to 1, has no
            finite variance, is 0 where `full_support` says that it is not, or is not that of `sample_noise`.
    """

    presumes: ClassVar[Constraint | None] = POWER

    def __post_init__(self) -> None:
        leaves, kind = jax.tree.flatten(self)
        if leaves == [self]:
            raise TypeError(
                f"Expected a pytree; got {type(self).__name__}: decorate it with capacity.register_dataclass."
            )
        if not all(_is_number(leaf) for leaf in leaves):
            return
        with jax.ensure_compile_time_eval():
            parameters = kind, tuple(float(leaf) for leaf in leaves)
            if parameters not in _CHECKED:
                _CHECKED.add(parameters)
                check_noise(self)

    @abstractmethod
    def log_noise(self, e: jax.Array) -> jax.Array:
        """Log density of the noise in nats, elementwise."""

    def sample_noise(self, key: Key, shape: tuple[int, ...]) -> jax.Array:
        """Independent draws of the noise, by default by the inverse of its cumulated density."""
        return inverted(self.log_noise, key, shape)

    def noise_moments(self) -> tuple[Scalar, Scalar]:
        """Mean and variance of the noise, by default by quadrature."""
        figures = noise_figures(self.log_noise)
        return figures.mean, figures.variance

    def noise_entropy(self) -> Scalar:
        """Entropy of the noise in nats, by default by quadrature."""
        return noise_figures(self.log_noise).entropy

    def __call__(self, key: Key, u: Units) -> Units:
        return u + self.sample_noise(key, u.shape).astype(u.dtype)

    def log_prob(self, z: Units, u: Units) -> Units:
        return self.log_noise(z - u)

    def moments(self, u: Units) -> tuple[Units, Units]:
        mean, variance = self.noise_moments()
        return u + mean.astype(u.dtype), jnp.broadcast_to(variance.astype(u.dtype), u.shape)

    def entropy(self, u: Units) -> Units:
        return jnp.broadcast_to(self.noise_entropy().astype(u.dtype), u.shape)

    def noise_shape(self, u: Units) -> NoiseShape:
        """A standard normal number for every unit, whose quantile is the noise's."""
        return NoiseShape(u.shape[0], 0, 1)

    def quantile(self, normal: jax.Array) -> jax.Array:
        """The noise that standard normal numbers stand for, elementwise, by default by the cumulated density."""
        return quantiles(self.log_noise, jax.scipy.stats.norm.cdf(normal))

    def noised(self, u: Units, noise: Noise) -> Units:
        return u + self.quantile(noise.normal).astype(u.dtype)

    def ceiling(self, power: Powers) -> Powers:
        """An upper bound on the capacity under E[u^2] <= power, bits per unit; differentiable in the power alone.

        The lesser of Shannon's bound by the variance and that of Blahut-Arimoto, to about 1e-3 bits
        (`capacity.theory.additive`).
        """
        mean, variance = self.noise_moments()
        entropy, std = self.noise_entropy(), jnp.sqrt(variance)
        power = jnp.asarray(power, jnp.result_type(float))
        shannon = (0.5 * (LOG_2PI + 1 + jnp.log(power + variance)) - entropy) / NATS_PER_BIT
        noise = cell_masses(self.log_noise, mean, std), entropy - jnp.log(std)
        dual = _dual_bound(jax.lax.stop_gradient(noise), power / variance)
        return jnp.minimum(jnp.maximum(shannon, 0.0), dual)


@jax.custom_jvp
def _dual_bound(noise: tuple[jax.Array, jax.Array], snr: jax.Array) -> jax.Array:
    return _searched(noise, snr)[0]


@_dual_bound.defjvp
def _dual_bound_jvp(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[jax.Array, jax.Array]:
    bits, slope = _searched(*primals)
    return bits, jnp.where(jnp.isfinite(slope), slope, 0.0) * tangents[1]


def _searched(noise: tuple[jax.Array, jax.Array], snr: jax.Array) -> tuple[jax.Array, jax.Array]:
    shape = jax.ShapeDtypeStruct(snr.shape, snr.dtype)
    bits, slope = jax.pure_callback(_search, (shape, shape), noise, snr, vmap_method="sequential")
    return bits, slope


def _search(noise: tuple[jax.Array, jax.Array], snr: jax.Array) -> tuple[np.ndarray, np.ndarray]:
    """On the host: NumPy alone, since a callback must not call JAX."""
    ratios, (cells, entropy) = np.asarray(snr), (np.asarray(part, np.float64) for part in noise)
    found = [_remembered(cells.tobytes(), float(entropy), float(ratio)) for ratio in ratios.ravel()]
    bits, slopes = np.array(found, ratios.dtype).reshape(-1, 2).T
    return bits.reshape(ratios.shape), slopes.reshape(ratios.shape)


@lru_cache(maxsize=256)
def _remembered(cells: bytes, entropy: float, snr: float) -> tuple[float, float]:
    """All units of a code have one power as a rule: a search for each would be the same."""
    return additive_noise_ceiling(np.frombuffer(cells), 1 / CELLS_PER_STD, entropy, snr)


_CHECKED: set[tuple[Any, tuple[float, ...]]] = set()


def _is_number(leaf: PyTree) -> bool:
    """Whether it can be looked at: no tracer, no placeholder, and one level alone."""
    known = isinstance(leaf, int | float | np.ndarray | np.generic | jax.Array)
    return known and not isinstance(leaf, jax.core.Tracer) and np.ndim(leaf) == 0


def check_noise(noise: AdditiveNoise) -> None:
    """Refuse a density that is none, or is not that of the sampler.

    Raises:
        ValueError: naming what is wrong.
    """
    figures, positive, distance = _examined(noise)
    if not abs(float(figures.mass) - 1) <= MASS_TOLERANCE:
        raise ValueError(f"Expected log_noise of {noise.name} to integrate to 1; got {float(figures.mass):.4g}.")
    if not float(figures.tail) <= TAIL_TOLERANCE:
        raise ValueError(f"Expected noise of a finite variance; got {noise.name}, whose tails are too heavy.")
    if noise.full_support and not bool(positive):
        raise ValueError(f"Expected full_support = False in {noise.name}; got a density of 0 near its mean.")
    if not float(distance) <= DISTANCE_TOLERANCE:
        raise ValueError(
            f"Expected sample_noise of {noise.name} to draw from log_noise; got a Kolmogorov-Smirnov distance of "
            f"{float(distance):.3f} between them."
        )


@jax.jit
def _examined(noise: AdditiveNoise) -> tuple[NoiseFigures, jax.Array, jax.Array]:
    """Its figures, whether its density is positive near its mean, and how far its draws are from it."""
    figures = noise_figures(noise.log_noise)
    around = figures.mean + jnp.sqrt(figures.variance) * jnp.linspace(-10, 10, 401)
    draws = jnp.sort(noise.sample_noise(jax.random.key(0), (CHECKED_DRAWS,)))
    expected = jnp.interp(draws, jnp.asarray(DRAW_NODES, draws.dtype), cumulated(noise.log_noise))
    even = jnp.asarray((np.arange(CHECKED_DRAWS) + 0.5) / CHECKED_DRAWS, draws.dtype)
    return figures, ~jnp.isneginf(noise.log_noise(around)).any(), jnp.abs(expected - even).max()
