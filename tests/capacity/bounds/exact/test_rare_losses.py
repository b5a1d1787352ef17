"""Intervals where rare misses decide: a bit sent so often that few samples of many lose it, far below one to ten.

Closed forms: 1 - p^k for erasures, a binomial for flips, quadrature for normal noise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import binom

from capacity import Joint
from capacity.bounds import Decoder
from capacity.bounds.exact.enumeration import information
from capacity.bounds.exact.listing import list_codes
from capacity.bounds.exact.units import UnitBits, unit_information
from capacity.channels import BinarySymmetric, Erasure, Gaussian
from capacity.results.estimate import Estimate
from capacity.theory import gaussian_noise_information
from synthetic import Codebook

SAMPLES = 256
EXPECTED = (0.03, 0.3, 1.0, 2.0, 3.5, 10.0)  # losses in a sample
AT_LEAST = 0.95
QUICK = 400  # keys at each level


def repeated(channel: Callable[[Any], Any], copies: int, level: Any) -> Joint:
    return Joint(Codebook(np.repeat([[-1.0], [1.0]], copies, 1).astype(np.float32)), lambda x: x, channel(level))


def erased(p: float, copies: int) -> float:
    return 1 - p**copies


def flipped(p: float, copies: int) -> float:
    """1 - H(M|z), z by how many of its copies are wrong."""
    wrong = np.arange(copies + 1)
    one, other = binom.pmf(wrong, copies, p), binom.pmf(copies - wrong, copies, p)
    return 1 - float((one * np.log2(1 + other / one)).sum())


def level_of(losses: float, copies: int, samples: int) -> float:
    """p at which so many of the samples lose more than half of the copies; at most 0.2."""
    return min((losses / samples) ** (1 / copies), 0.2)


def covered(found: Estimate, truth: Any) -> np.ndarray:
    """Share of keys whose interval holds the truth, rounding allowed; axis 0 is the keys."""
    rounding = 2e-6
    low, high = np.asarray(found.low, np.float64), np.asarray(found.high, np.float64)
    return ((low - rounding <= truth) & (truth <= high + rounding)).mean(0)


def figures(channel: Any, copies: int, keys: int, samples: int) -> Callable[[float], tuple[Estimate, UnitBits]]:
    """One program for all levels."""

    @jax.jit
    def measured(level: jax.Array) -> tuple[Estimate, UnitBits]:
        joint = repeated(channel, copies, level)
        listed = list_codes(joint)

        def one(key: jax.Array) -> tuple[Estimate, UnitBits]:
            return information(key, joint, listed, samples), unit_information(key, joint, listed, samples)

        return jax.lax.map(one, jax.random.split(jax.random.key(1), keys), batch_size=50)

    return lambda level: measured(jnp.float32(level))


def check(
    channel: Any,
    truth: Callable[[float, int], float],
    copies: int,
    keys: int,
    expected: tuple[float, ...] = EXPECTED,
) -> None:
    measured = figures(channel, copies, keys, SAMPLES)
    slack = 2 * (AT_LEAST * (1 - AT_LEAST) / keys) ** 0.5
    for losses in expected:
        p = level_of(losses, copies, SAMPLES)
        truths = np.diff([truth(p, k) for k in range(copies + 1)])
        whole, units = measured(p)
        seen = {
            "all": covered(whole, truths.sum()),
            "alone": covered(units.marginal, truths[0]),
            "increment": covered(units.increment, truths),
            "redundancy": covered(units.redundancy, copies * truths[0] - truths.sum()),
        }
        print(f"{channel.__name__} {copies} copies, {losses:g} losses, p {p:.2g}:", seen)
        for name, share in seen.items():
            assert np.all(share >= AT_LEAST - slack), f"{name} at {losses:g} losses: {share}"


@pytest.mark.slow
def test_two_copies() -> None:
    """Where a sample has hardly a loss, one or two, and several; more keys, losses and flips are of the long run."""
    check(Erasure, erased, 2, QUICK, EXPECTED[1::2])


@pytest.mark.slow
@pytest.mark.parametrize("copies", [1, 2, 3, 5])
@pytest.mark.parametrize(("channel", "truth"), [(Erasure, erased), (BinarySymmetric, flipped)])
def test_more_copies(channel: Any, truth: Callable[[float, int], float], copies: int) -> None:
    check(channel, truth, copies, 2000)


def gaussian(sigma: float, copies: int) -> float:
    return float(gaussian_noise_information([-1, 1], [0.5, 0.5], sigma / copies**0.5)) if copies else 0.0


@pytest.mark.slow
@pytest.mark.parametrize("copies", [1, 2])
def test_a_bit_in_weak_gaussian_noise(copies: int) -> None:
    """Confusions are as rare; what they cost differs."""
    keys = 1000
    measured = figures(Gaussian, copies, keys, SAMPLES)
    for sigma in (0.25, 0.3, 0.35, 0.4, 0.5):
        truths = np.diff([gaussian(sigma, k) for k in range(copies + 1)])
        whole, units = measured(sigma)
        seen = [
            covered(whole, truths.sum()),
            covered(units.marginal, truths[0]),
            covered(units.increment, truths),
        ]
        print(f"Gaussian {copies} copies, sigma {sigma:g}:", *seen)
        assert min(map(np.min, seen)) >= AT_LEAST - 2 * (AT_LEAST * (1 - AT_LEAST) / keys) ** 0.5


def named(sure: jax.Array, message: jax.Array, z: jax.Array) -> jax.Array:
    """A decoder of erasures that names the sign it hears; where it hears nothing it is more or less `sure` of +1."""
    sent = 2.0 * message[0].astype(jnp.float32) - 1.0
    return jnp.where((z == 0).all(), jax.nn.log_sigmoid(sure * sent), jnp.where((z * sent < 0).any(), -50.0, 0.0))


@jax.jit
def decoder_lows(sure: jax.Array, level: jax.Array) -> jax.Array:
    """Lower ends of its bound on two copies, by key."""
    joint = repeated(Erasure, 2, level)
    bound = Decoder(jax.tree_util.Partial(named, sure), SAMPLES)
    return jax.vmap(lambda key: bound(key, joint).low)(jax.random.split(jax.random.key(2), QUICK))


@pytest.mark.parametrize("sure", [0.0, 20.0])
def test_a_decoder_stays_below_what_it_tells_where_misses_are_rare(sure: float) -> None:
    """Below its own expectation, not only below the truth, also where it is wrongly sure and a miss costs many bits.

    A miss costs no more than with the prior taken once in as many times as there are samples.
    """
    for losses in (0.3, 1.0, 3.0):
        level = level_of(losses, 2, SAMPLES)
        heard_nothing = -np.logaddexp(0, np.array([-sure, sure])) / np.log(2) + 1  # log2 q - log2 p, of either sign
        told = np.append(heard_nothing, 1.0)
        told = np.log2((1 - 1 / SAMPLES) * 2**told + 1 / SAMPLES)
        expected = level**2 * told[:2].mean() + (1 - level**2) * told[2]
        held = (np.asarray(decoder_lows(jnp.float32(sure), jnp.float32(level))) <= expected).mean()
        print(f"decoder, sure {sure:g}, {losses:g} losses: {held:.3f} at most {expected:.4f}")
        assert held >= AT_LEAST
