"""Digits of pi against published ones, compressors against log2 10, and noise on a stretch of pi by quadrature."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from synthetic import PiDigits
from synthetic.pairs import AdditiveUniformPair, PiPlusNoise
from synthetic.pi import compressed_bits, pi_digits

KEY = jax.random.key(3)


def test_digits_are_those_of_pi() -> None:
    digits = "".join(map(str, pi_digits(5000)))
    assert digits.startswith("14159265358979323846264338327950288419716939937510")
    # The six nines at the 762nd decimal, and the thousandth decimal, as published.
    assert digits.index("999999") == 761 and digits[990:1000] == "2164201989"
    # More digits change none of the earlier ones.
    np.testing.assert_array_equal(pi_digits(20000)[:5000], pi_digits(5000))


def test_windows_look_like_many_bits_and_are_few() -> None:
    source = PiDigits.build(KEY, 10, 32)
    vectors, _ = source.codebook()
    assert source.bits == 10.0 and source.count == 1024
    assert source.apparent_bits == pytest.approx(32 * 3.321928, abs=1e-4)
    digits = np.rint(np.asarray(vectors)[:, 0] * math.sqrt(8.25) + 4.5)
    np.testing.assert_array_equal(digits, pi_digits(1024))


def test_compressors_find_nothing_but_the_alphabet() -> None:
    random = np.random.default_rng(0).integers(0, 10, 50_000)
    ours, theirs = compressed_bits(pi_digits(50_000)), compressed_bits(random)
    for name, bits in ours.items():
        assert math.log2(10) < bits < 4.0
        # Within the spread between random texts of this length.
        assert bits == pytest.approx(theirs[name], abs=0.02)
    assert max(compressed_bits(np.zeros(50_000, int)).values()) < 0.05


@pytest.mark.parametrize("epsilon", [0.3, 0.01, 0.0004])
def test_noise_leaves_a_few_digits_of_pi(epsilon: float) -> None:
    pair = PiPlusNoise(epsilon)
    # The law of large numbers over 65,536 positions, and never more than their number.
    assert pair.bits == pytest.approx(pair.limit_bits, abs=0.02)
    assert pair.limit_bits == pytest.approx(math.log2(0.5 / epsilon) + epsilon / math.log(2))
    density = pair.information_density(*pair.sample(KEY, 40_000))
    assert density.mean() == pytest.approx(pair.bits, abs=4 * density.std() / 200 + 1e-12)


def test_noise_smaller_than_the_gaps_leaves_the_position() -> None:
    pair = PiPlusNoise(1e-7, positions=64)
    assert pair.bits == pytest.approx(6.0, abs=1e-8)
    assert pair.fractions[0] == pytest.approx(math.pi - 3, abs=1e-15)


@pytest.mark.parametrize(("epsilon", "bits"), [(0.5, 0.72135), (0.05, 3.39406), (0.005, 6.65107), (0.0005, 9.96651)])
def test_limit_is_the_published_one(epsilon: float, bits: float) -> None:
    assert AdditiveUniformPair(epsilon).bits == pytest.approx(bits, abs=5e-6)


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"count of digits from 1 to 2\*\*21 = 2097152; got 0"):
        pi_digits(0)
    with pytest.raises(ValueError, match="larger dim than 1; got 7 of 16 that repeat"):
        PiDigits(jnp.asarray(pi_digits(16)), 1)
    with pytest.raises(ValueError, match=r"at most 2\*\*20 = 1048576 .* got 2\*\*21"):
        PiDigits.build(KEY, 21, 64)
    with pytest.raises(ValueError, match="digits from 0 to 9 in a vector"):
        PiDigits(jnp.asarray([1, 2, 10]), 2)
    with pytest.raises(ValueError, match="dim from 1 to the 3 digits; got 4"):
        PiDigits(jnp.asarray([1, 2, 3]), 4)
    with pytest.raises(ValueError, match="vector of digits 0 to 9"):
        compressed_bits([[1, 2]])
    with pytest.raises(ValueError, match="positive, finite epsilon; got 0"):
        PiPlusNoise(0.0)
    with pytest.raises(ValueError, match="at least 2 positions; got 1"):
        PiPlusNoise(0.1, positions=1)
