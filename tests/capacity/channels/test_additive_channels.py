"""A channel of additive noise is its log density: what follows by quadrature meets the closed forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.special import gammaln

from capacity.channels import CHANNELS, AdditiveNoise, Gaussian, Uniform, unit_capacity
from capacity.runtime.contracts import missing_members
from capacity.runtime.pytrees import register_dataclass

U = jnp.array([-1.0, 0.0, 2.0])
LOG_SQRT_2PI = 0.5 * np.log(2 * np.pi)
JUMP = 2e-3  # relative error of the quadrature where a density jumps


def noise(kind: type[AdditiveNoise]) -> Any:
    """What every such class is decorated with, and a name that nobody looks up."""
    kind.name, kind.summary = kind.__name__.lower(), f"{kind.__name__} noise"
    return register_dataclass(dataclass(frozen=True)(kind))


@noise
class Laplace(AdditiveNoise):
    scale: float | jax.Array

    def log_noise(self, e: jax.Array) -> jax.Array:
        return -jnp.abs(e) / self.scale - jnp.log(2 * self.scale)


@noise
class Normal(AdditiveNoise):
    """`Gaussian`, as somebody would write it."""

    sigma: float | jax.Array

    def log_noise(self, e: jax.Array) -> jax.Array:
        return -0.5 * jnp.square(e / self.sigma) - jnp.log(self.sigma) - LOG_SQRT_2PI


@noise
class Flat(AdditiveNoise):
    """`Uniform`, as somebody would write it."""

    half_width: float | jax.Array
    full_support: ClassVar[bool] = False

    def log_noise(self, e: jax.Array) -> jax.Array:
        return jnp.where(jnp.abs(e) <= self.half_width, -jnp.log(2 * self.half_width), -jnp.inf)


@noise
class StudentT(AdditiveNoise):
    """Student's t."""

    freedom: float | jax.Array

    def log_noise(self, e: jax.Array) -> jax.Array:
        half = 0.5 * (jnp.asarray(self.freedom) + 1)
        norm = gammaln(half) - gammaln(half - 0.5) - 0.5 * jnp.log(self.freedom * jnp.pi)
        return norm - half * jnp.log1p(jnp.square(e) / self.freedom)


@noise
class TwoNormals(AdditiveNoise):
    """Normal noise of deviation 0.3 around either of two values, the greater twice as often."""

    gap: float | jax.Array

    def log_noise(self, e: jax.Array) -> jax.Array:
        one, two = (Normal(0.3).log_noise(e - sign * self.gap) for sign in (-1, 1))
        return jnp.logaddexp(one, two + np.log(2)) - np.log(3)


@jax.jit
def of_code(channel: Any) -> tuple[Any, Any]:
    return channel.moments(U), channel.entropy(U)


@jax.jit
def ceiling_of(channel: Any, power: Any) -> Any:
    return channel.ceiling(power)


def figures(channel: Any) -> tuple[float, float, float]:
    """Mean, variance, entropy of the noise."""
    (mean, variance), entropy = of_code(channel)
    return float(mean[1]), float(variance[0]), float(entropy[2])


# A class and its parameter: a channel is examined when it is built, which only its own tests should pay.
# t of 5 degrees: variance 5/3; entropy 3 (psi(3) - psi(5/2)) + log(sqrt 5 B(5/2, 1/2)) = 1.627503 nats.
TRUTHS = [
    (Laplace, 0.7, (0.0, 2 * 0.7**2, 1 + np.log(2 * 0.7)), 1e-4),
    (Laplace, 1e-3, (0.0, 2e-6, 1 + np.log(2e-3)), 1e-4),
    (Normal, 0.4, (0.0, 0.16, np.log(0.4) + 0.5 + LOG_SQRT_2PI), 1e-4),
    (StudentT, 5.0, (0.0, 5 / 3, 1.627503), 1e-3),
    (TwoNormals, 2.0, (2 / 3, 0.09 + 32 / 9, None), 1e-4),
    (Flat, 0.5, (0.0, 1 / 12, 0.0), JUMP),
]
KINDS = [(kind, parameter) for kind, parameter, _, _ in TRUTHS]


def named(value: Any) -> str | None:
    return f"{value.name}" if isinstance(value, type) else None


@pytest.mark.parametrize(("kind", "parameter", "truth", "tolerance"), TRUTHS, ids=named)
def test_moments_and_entropy_by_quadrature(kind: Any, parameter: float, truth: Any, tolerance: float) -> None:
    mean, variance, entropy = figures(kind(parameter))
    assert mean == pytest.approx(truth[0], abs=1e-4)
    assert variance == pytest.approx(truth[1], rel=tolerance)
    if truth[2] is not None:
        assert entropy == pytest.approx(truth[2], abs=tolerance)


@jax.jit
def sent(channel: Any, keys: Any) -> tuple[Any, Any]:
    z = jax.vmap(channel, (0, None))(keys, U)
    return z, jax.vmap(channel.log_prob, (0, None))(z, U)


@pytest.mark.parametrize(("kind", "parameter"), KINDS, ids=named)
def test_samples_are_of_the_density(kind: Any, parameter: float) -> None:
    """Moments of 40,000 draws, and -E log_prob against the entropy: the sampler that follows by itself."""
    channel = kind(parameter)
    z, log_p = map(np.asarray, sent(channel, jax.random.split(jax.random.key(0), 40_000)))
    mean, variance, entropy = figures(channel)
    noise = np.asarray(z - np.asarray(U), np.float64)
    np.testing.assert_allclose(noise.mean(0), mean, atol=5 * variance**0.5 / 200)
    np.testing.assert_allclose(noise.var(0), variance, rtol=0.05 if channel.name != "studentt" else 0.3)
    assert np.isfinite(log_p).all()
    np.testing.assert_allclose(-log_p.mean(0), entropy, atol=5 * log_p.std() / 200 + JUMP)


def test_a_normal_by_its_density_is_the_gaussian_channel() -> None:
    """Density to rounding, entropy and moments to 1e-4, ceiling to 1e-3 bits."""
    own, built = Normal(0.8), Gaussian(0.8)
    z = jnp.linspace(-3.0, 3.0, 3)
    np.testing.assert_allclose(own.log_prob(z, U), built.log_prob(z, U), rtol=1e-5)
    for mine, theirs in zip(jax.tree.leaves(of_code(own)), jax.tree.leaves(of_code(built)), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-4)
    power = jnp.array([0.0, 0.1, 1.0, 10.0, 1000.0])
    np.testing.assert_allclose(ceiling_of(own, power), ceiling_of(built, power), atol=1e-3)


def test_the_ceiling_of_the_uniform_is_below_the_closed_bound_and_above_the_capacity() -> None:
    """The closed bound is above the capacity by at most 0.2546 bits; Blahut-Arimoto comes to 1e-2 of it from above."""
    own, bound = (float(ceiling_of(channel, jnp.float32(1.0))) for channel in (Flat(0.5), Uniform(0.5)))
    found = unit_capacity(Uniform(0.5), np.linspace(-4, 4, 81), power=1.0, tolerance=1e-2, per_std=25)
    assert bound - 0.2546 <= own <= bound + 5e-3
    assert found.lower - 1e-3 <= own <= found.upper + 2e-2


@pytest.mark.parametrize(("kind", "parameter"), [(Laplace, 0.7), (TwoNormals, 1.0)], ids=named)
def test_ceilings_meet_blahut_arimoto(kind: Any, parameter: float) -> None:
    """From above: the best input on a grid of a sixth of the deviation has as much, to 2e-3 bits."""
    channel = kind(parameter)
    variance = figures(channel)[1]
    found = unit_capacity(channel, np.linspace(-6, 6, 73) * variance**0.5, power=variance, tolerance=5e-4)
    own = float(ceiling_of(channel, jnp.float32(variance)))
    assert found.lower - 1e-3 <= own <= found.upper + 2e-3
    assert own > 0.5  # no noise of this variance is worse than the normal (Shannon 1948)


def test_ceilings_are_traced_mapped_and_differentiated() -> None:
    """The price of power is the slope; levels stack."""
    power = jnp.array([0.98, 0.98])
    both = jax.vmap(ceiling_of, (0, None))(Laplace(jnp.array([0.7, 1.4])), power)
    assert both.shape == (2, 2) and float(both[0, 0]) > float(both[1, 0])
    slope = float(jax.grad(lambda p: ceiling_of(Laplace(0.7), p))(jnp.float32(1.0)))
    ends = [float(ceiling_of(Laplace(0.7), jnp.float32(p))) for p in (0.9, 1.1)]
    assert slope == pytest.approx((ends[1] - ends[0]) / 0.2, rel=0.03)


def test_one_class_and_one_line_enrol_it() -> None:
    assert not missing_members(Laplace, CHANNELS.contract)
    CHANNELS.register(Laplace)
    assert CHANNELS["laplace"] is Laplace
    del CHANNELS["laplace"]


@register_dataclass
@dataclass(frozen=True)
class Twice(Laplace):
    """A density that integrates to 2."""

    def log_noise(self, e: jax.Array) -> jax.Array:
        return -jnp.abs(e) / self.scale - jnp.log(self.scale)


@register_dataclass
@dataclass(frozen=True)
class Wider(Laplace):
    """Draws of twice the scale."""

    def sample_noise(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return 2 * self.scale * jax.random.laplace(key, shape)


@register_dataclass
@dataclass(frozen=True)
class Holes(Flat):
    """Says that everything is possible."""

    full_support: ClassVar[bool] = True


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Twice(0.5), "Expected log_noise of laplace to integrate to 1; got 2"),
        (lambda: Wider(0.5), "Expected sample_noise of laplace to draw from log_noise"),
        (lambda: StudentT(1.5), "Expected noise of a finite variance; got studentt"),
        (lambda: Holes(0.5), "Expected full_support = False in flat"),
        (lambda: Laplace(-1.0), "to integrate to 1"),
    ],
)
def test_what_is_no_density_or_not_the_samplers_is_refused(build: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build()


def test_a_missing_density_is_named() -> None:
    class Nothing(AdditiveNoise):
        name = "nothing"
        summary = "no density"

    assert missing_members(Nothing, CHANNELS.contract) == ["log_noise"]
    with pytest.raises(TypeError, match="log_noise"):
        Nothing()  # type: ignore[abstract]
