"""A setting of each channel at either end of its range, on 64 random codes, with its truth."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from capacity import channels
from tests.families.problem import coarse, distinct, double, log_uniform, same, single
from tests.families.truths import all_signs, atoms, entropy_of, even, full_sum, mixture_entropy

COUNT = 64
EVEN = even(COUNT)
MAX_LOG_STD = 6.0  # of a log-normal factor, whose variance goes as exp(2 sigma^2)
REFUSED = "no bracket where some messages make a z impossible"


class Setting(NamedTuple):
    """A channel with codes for it: vectors, encoder, truth and error in bits, level in words."""

    channel: Any
    vectors: np.ndarray
    encode: Any
    truth: tuple[float, float]
    level: str
    refusable: str = ""


def halves(kind: Any, x: jax.Array) -> Any:
    """A pair of arrays by unit: means and the logarithm of their noise."""
    return kind(*jnp.split(x, 2))


def posterior(x: jax.Array) -> channels.Posterior:
    """Means and log standard deviations."""
    return halves(channels.Posterior, x)


def scaled(x: jax.Array) -> channels.Scaled:
    """Units and log noise rates."""
    return halves(channels.Scaled, x)


def residual(weights: jax.Array, x: jax.Array) -> jax.Array:
    """Outcomes of two blocks with skips."""
    return channels.residual_outcomes(
        x, [lambda h, w=w: jnp.tanh(jnp.matmul(w, h, precision="highest")) for w in weights]
    )


def rate_of(rng: np.random.Generator, high: bool) -> float:
    """A probability near 1 or near 0."""
    small = log_uniform(rng, 1e-6, 0.2)
    return float(double(1 - small if high else small))


def std_of(rng: np.random.Generator, high: bool) -> float:
    """A noise that hides the codes, or one that hardly does."""
    return float(double(log_uniform(rng, 1.0, 100.0) if high else log_uniform(rng, 1e-3, 0.3)))


def normal_codes(rng: np.random.Generator, units: int) -> np.ndarray:
    """Distinct codes in float32."""
    return distinct(rng, rng.normal(size=(COUNT, units)))


def sign_codes(rng: np.random.Generator, units: int) -> np.ndarray:
    """Distinct rows of +-1."""
    return single(rng.permutation(all_signs(units))[:COUNT])


def by_pattern(codes: np.ndarray, other: np.ndarray, chance: np.ndarray | float) -> tuple[float, float]:
    """Truth of units that independently become another value by these chances, all (messages, units)."""
    turned = all_signs(codes.shape[1]) > 0
    z = np.where(turned[None], np.broadcast_to(other, codes.shape)[:, None], codes[:, None])
    p = np.broadcast_to(chance, codes.shape)[:, None]
    return atoms(z, np.where(turned[None], p, 1 - p).prod(2), EVEN)


def gaussian(rng: np.random.Generator, high: bool) -> Setting:
    codes, sigma = normal_codes(rng, 2), std_of(rng, high)
    return Setting(
        channels.Gaussian(jnp.float32(sigma)), codes, same, full_sum(rng, double(codes), sigma, EVEN), f"{sigma:.3g}"
    )


def learnt_gaussian(rng: np.random.Generator, high: bool) -> Setting:
    level = np.log(std_of(rng, high))
    codes = np.concatenate([normal_codes(rng, 2), single(level + rng.normal(size=(COUNT, 2)))], 1)
    mean, std = double(codes[:, :2]), np.exp(double(codes[:, 2:]))
    truth = full_sum(rng, mean, std, EVEN)
    return Setting(channels.LearntGaussian(), codes, posterior, truth, f"about {np.exp(level):.3g}", coarse(mean, std))


def uniform(rng: np.random.Generator, high: bool) -> Setting:
    codes, width = normal_codes(rng, 1), std_of(rng, high)
    edges = np.sort(np.concatenate([double(codes)[:, 0] - width, double(codes)[:, 0] + width]))
    lengths, middle = np.diff(edges), (edges[:-1] + edges[1:]) / 2
    density = (np.abs(middle[:, None] - double(codes)[None, :, 0]) < width).mean(1) / (2 * width)
    some = density > 0
    bits = -(lengths[some] * density[some] * np.log2(density[some])).sum() - np.log2(2 * width)
    # Codes nearer to one another than float32 tells the noise's edges apart are told apart all the same.
    return Setting(channels.Uniform(jnp.float32(width)), codes, same, (float(bits), 1e-4), f"{width:.3g}")


def dropout(rng: np.random.Generator, high: bool) -> Setting:
    codes, rate = normal_codes(rng, 4), rate_of(rng, high)
    truth = by_pattern(double(codes), np.zeros(1), rate)
    return Setting(channels.Dropout(jnp.float32(rate)), codes, same, truth, f"{rate:.6g}", REFUSED)


def gaussian_dropout(rng: np.random.Generator, high: bool) -> Setting:
    codes, rate = normal_codes(rng, 2), rate_of(rng, high)
    std = np.abs(double(codes)) * np.sqrt(rate / (1 - rate))
    truth = full_sum(rng, double(codes), std, EVEN)
    why = coarse(codes, std)
    return Setting(channels.GaussianDropout(jnp.float32(rate)), codes, same, truth, f"{rate:.6g}", why)


def variational_dropout(rng: np.random.Generator, high: bool) -> Setting:
    level = 2 * np.log(std_of(rng, high))
    codes = np.concatenate([normal_codes(rng, 2), single(level + rng.normal(size=(COUNT, 2)))], 1)
    mean, std = double(codes[:, :2]), np.exp(0.5 * double(codes[:, 2:])) * np.abs(double(codes[:, :2]))
    truth = full_sum(rng, mean, std, EVEN)
    return Setting(channels.VariationalDropout(), codes, scaled, truth, f"log alpha {level:.3g}", coarse(mean, std))


def information_dropout(rng: np.random.Generator, high: bool) -> Setting:
    level = np.log(min(std_of(rng, high), 5.0))
    mean = single(np.exp(normal_codes(rng, 2)))
    codes = np.concatenate([mean, single(level + 0.5 * rng.normal(size=(COUNT, 2)))], 1)
    std = np.exp(double(codes[:, 2:]))
    truth = full_sum(rng, np.log(double(mean)), std, EVEN)
    why = "a variance beyond single precision" if std.max() > MAX_LOG_STD else ""
    return Setting(channels.InformationDropout(), codes, scaled, truth, f"log alpha {level:.3g}", why)


def binary_symmetric(rng: np.random.Generator, high: bool) -> Setting:
    codes = sign_codes(rng, 8)
    flip = float(double(0.5 - log_uniform(rng, 1e-3, 0.2))) if high else rate_of(rng, False)
    truth = by_pattern(double(codes), -double(codes), flip)
    return Setting(channels.BinarySymmetric(jnp.float32(flip)), codes, same, truth, f"{flip:.6g}")


def erasure(rng: np.random.Generator, high: bool) -> Setting:
    codes, rate = sign_codes(rng, 8), rate_of(rng, high)
    truth = by_pattern(double(codes), np.zeros(1), rate)
    return Setting(channels.Erasure(jnp.float32(rate)), codes, same, truth, f"{rate:.6g}", REFUSED)


def binarised(rng: np.random.Generator, high: bool) -> Setting:
    codes = normal_codes(rng, 8 if high else 2)
    counts = np.unique(np.where(double(codes) < 0, -1.0, 1.0), axis=0, return_counts=True)[1]
    return Setting(
        channels.Binarised(), codes, same, (entropy_of(counts / COUNT), 0.0), f"{codes.shape[1]} units", REFUSED
    )


def stochastic_binarised(rng: np.random.Generator, high: bool) -> Setting:
    codes, level = normal_codes(rng, 4), std_of(rng, high)
    chance = 1 / (1 + np.exp(np.clip(double(codes) / level, -700, 700)))
    truth = by_pattern(np.ones(codes.shape), -np.ones(1), chance)
    return Setting(channels.StochasticBinarised(jnp.float32(level)), codes, same, truth, f"{level:.3g}")


def quantized(rng: np.random.Generator, high: bool) -> Setting:
    codes, levels = normal_codes(rng, 2), float(rng.integers(16, 257) if high else rng.integers(2, 5))
    steps = np.round((np.clip(double(codes), -1, 1) + 1) * 0.5 * (levels - 1))
    counts = np.unique(steps, axis=0, return_counts=True)[1]
    truth = (entropy_of(counts / COUNT), 0.0)
    return Setting(channels.Quantized(jnp.float32(levels)), codes, same, truth, f"{levels:g}", REFUSED)


def fsq(rng: np.random.Generator, high: bool) -> Setting:
    codes, levels = normal_codes(rng, 2), float(rng.integers(16, 257) if high else rng.integers(2, 5))
    half, offset = 0.5 * (levels - 1) * (1 + 1e-3), 0.5 if levels % 2 == 0 else 0.0
    steps = np.round(np.tanh(double(codes) + np.arctanh(offset / half)) * half - offset)
    counts = np.unique(steps, axis=0, return_counts=True)[1]
    return Setting(
        channels.FSQ(jnp.float32(levels)), codes, same, (entropy_of(counts / COUNT), 0.0), f"{levels:g}", REFUSED
    )


def stochastic_depth(rng: np.random.Generator, high: bool) -> Setting:
    codes, rate = normal_codes(rng, 2), rate_of(rng, high)
    weights = single(rng.normal(size=(2, 2, 2)))
    first = np.tanh(double(codes) @ double(weights[0]).T)
    one, two = double(codes), double(codes) + first
    z = np.stack([h + np.tanh(h @ double(weights[1]).T) * kept for kept in (0, 1) for h in (one, two)], 1)
    chances = np.array([rate**2, rate * (1 - rate), rate * (1 - rate), (1 - rate) ** 2])
    truth = atoms(z, np.broadcast_to(chances, (COUNT, 4)), EVEN)
    encode = jax.tree_util.Partial(residual, jnp.asarray(weights))
    return Setting(channels.StochasticDepth(jnp.float32(rate)), codes, encode, truth, f"{rate:.6g}", REFUSED)


def echo(rng: np.random.Generator, high: bool) -> Setting:
    codes = normal_codes(rng, 1)
    scale = float(double(rng.uniform(0.5, 0.95) if high else log_uniform(rng, 1e-3, 0.3)))
    floor, bank = float(double(log_uniform(rng, 0.01, 0.3))), codes[:4]
    sums = np.zeros(1)
    for _ in range(3):
        sums = (scale * (double(bank)[:, 0][:, None] + sums[None])).reshape(-1)
    z = (double(codes)[:, 0][:, None] + sums[None]).reshape(-1)
    bits = mixture_entropy(z, even(len(z)), floor) - mixture_entropy(sums, even(len(sums)), floor)
    channel = channels.Echo(jnp.float32(scale), jnp.asarray(bank), 3, jnp.float32(floor))
    return Setting(channel, codes, same, (bits, 0.0), f"{scale:.3g}, floor {floor:.3g}")


def chain(rng: np.random.Generator, high: bool) -> Setting:
    codes, rate, sigma = normal_codes(rng, 1), rate_of(rng, high), std_of(rng, bool(rng.integers(2)))
    u = double(codes)[:, 0]
    received = mixture_entropy(np.r_[u, 0.0], np.r_[np.full(COUNT, (1 - rate) / COUNT), rate], sigma)
    noise = np.mean([mixture_entropy(np.array([one, 0.0]), np.array([1 - rate, rate]), sigma) for one in u])
    channel = channels.Chain(channels.Dropout(jnp.float32(rate)), channels.Gaussian(jnp.float32(sigma)))
    return Setting(channel, codes, same, (float(received - noise), 0.0), f"{rate:.6g} then {sigma:.3g}")


def shared_dropout(rng: np.random.Generator, high: bool) -> Setting:
    """Two units that go together, and one alone."""
    codes, rate = normal_codes(rng, 3), rate_of(rng, high)
    members = np.array([[1, 1, 0], [0, 0, 1]])
    kept = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
    chances = np.prod(np.where(kept == 1, 1 - rate, rate), 1)
    z = double(codes)[:, None] * (kept @ members)[None]
    truth = atoms(z, np.broadcast_to(chances, (COUNT, 4)), EVEN)
    channel = channels.SharedDropout(jnp.float32(rate), jnp.asarray(members == 1))
    return Setting(channel, codes, same, truth, f"{rate:.6g}", REFUSED)


SETTINGS = {
    setting.__name__: setting
    for setting in (
        gaussian, learnt_gaussian, uniform, dropout, gaussian_dropout, variational_dropout, information_dropout,
        binary_symmetric, erasure, binarised, stochastic_binarised, quantized, fsq, stochastic_depth, echo, chain,
        shared_dropout,
    )
}  # fmt: skip
