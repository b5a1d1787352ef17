"""Enumeration against closed forms, quadrature and float64; its interval against its stated rate."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from codes import keyed_bits

from capacity import Joint, measure
from capacity.bounds import Ceiling, Decoder, Enumeration, Rate
from capacity.bounds.exact import tiles
from capacity.bounds.exact.densities import log_densities
from capacity.bounds.exact.enumeration import information
from capacity.bounds.exact.listing import list_codes
from capacity.bounds.exact.rate import marginal_kl
from capacity.bounds.exact.sample import sampled
from capacity.bounds.exact.units import unit_information
from capacity.bounds.exact.whitening import whitening
from capacity.channels import Gaussian, LearntGaussian, Posterior
from capacity.theory import gaussian_noise_information
from synthetic import Codebook, FairBits

SINGLE = [(1.0, 0.485944), pytest.param(2.0, 0.721452, marks=pytest.mark.slow), (4.0, 0.912822)]  # SNR, bits
SIXFOLD = [(1.0, 2.9157), pytest.param(2.0, 5.4769, marks=pytest.mark.slow), (3.0, 5.9667)]  # scale at unit noise, bits
Z_OF_SIX = 2.638  # two-sided normal quantile at 1 - 0.05/6: the six entries together miss in at most 5 % of keys
listed_codes = jax.jit(list_codes)
informed, unit_figures = (jax.jit(figure, static_argnums=3) for figure in (information, unit_information))


@pytest.mark.parametrize(("snr", "truth"), SINGLE)
def test_one_bit_meets_truth(snr: float, truth: float) -> None:
    e = Enumeration(20000)(jax.random.key(1), keyed_bits(1, snr**-0.5))
    assert abs(e.bits - truth) < Z_OF_SIX * e.stderr
    assert e.stderr < 0.005


@pytest.mark.parametrize(("scale", "truth"), SIXFOLD)
def test_six_bits_meet_truth(scale: float, truth: float) -> None:
    e = Enumeration(20000)(jax.random.key(2), keyed_bits(6, 1.0, scale))
    assert abs(e.bits - truth) < Z_OF_SIX * e.stderr
    assert e.stderr < 0.02


@pytest.mark.slow
@pytest.mark.parametrize(("count", "snr"), [(1, 1.0), (1, 2.0), (1, 4.0), (6, 1.0), (6, 4.0), (6, 9.0)])
def test_interval_covers_at_its_rate(count: int, snr: float) -> None:
    """1,000 repeats of a 95 % interval: the count is binomial, of deviation 0.7 %; 93 to 97 % is asked."""
    joint = keyed_bits(count, snr**-0.5)
    listed = list_codes(joint)
    truth = count * gaussian_noise_information([-1, 1], [0.5, 0.5], snr**-0.5)
    e = jax.lax.map(lambda k: information(k, joint, listed, 2048), jax.random.split(jax.random.key(3), 1000))
    covered = float(((e.low <= truth) & (truth <= e.high)).mean())
    print(f"coverage of {count} bits at SNR {snr:g}: {covered:.3f}")
    assert 0.93 <= covered
    assert covered <= 0.97 or count - truth < 0.1  # near the limit intervals reach as far as unseen losses may
    assert abs(float(e.bits.mean()) - truth) < 4 * float(e.bits.std()) / 1000**0.5 + 1e-4


def test_controls_leave_the_mean_and_lower_the_error() -> None:
    joint = keyed_bits(6, 1.0)
    listed = listed_codes(joint)
    e = informed(jax.random.key(4), joint, listed, 4096)
    _, codes, z = joint.sample(jax.random.key(4), 4096)
    plain = jax.vmap(joint.channel.log_prob)(z, codes).sum(1) - log_densities(listed, joint.channel, z).joint
    plain_stderr = plain.std() / 64 / np.log(2)
    assert e.stderr < plain_stderr / 2
    assert abs(e.bits - plain.mean() / np.log(2)) < 4 * plain_stderr


@pytest.mark.slow
def test_unequal_probabilities_meet_quadrature() -> None:
    points, probs = np.array([-1.0, 0.2, 1.5]), np.array([0.2, 0.7, 0.1])
    source = Codebook(points[:, None].astype(np.float32), probs)
    e = Enumeration(20000)(jax.random.key(5), Joint(source, lambda x: x, Gaussian(0.6)))
    truth = gaussian_noise_information(points, probs, 0.6)
    assert e.low <= truth <= e.high


def test_chunking_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    joint = keyed_bits(6, 0.7)
    listed = listed_codes(joint)
    z = joint.sample(jax.random.key(6), 100)[2]
    whole = log_densities(listed, joint.channel, z, per_unit=True)
    monkeypatch.setattr(tiles, "MESSAGES_PER_TILE", 7)
    monkeypatch.setattr(tiles, "SAMPLES_PER_TILE", 9)
    monkeypatch.setattr(tiles, "PAIRS_PER_TILE", 63)
    tiled = log_densities(listed, joint.channel, z, per_unit=True)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-6, atol=2e-6), whole, tiled)


@pytest.mark.slow
def test_interval_holds_the_rounding_of_weak_noise() -> None:
    """At sigma = 1e-4 and an offset of 300, float32 cannot resolve the codes; the interval must say so."""
    source = FairBits.build(jax.random.key(0), 2, 2)
    joint = Joint(source, lambda x: 300.0 + x, Gaussian(1e-4))
    e = Enumeration(256)(jax.random.key(1), joint)
    assert e.low <= 2 <= e.high


def test_unit_bits_of_independent_bits() -> None:
    """On separate units all three kinds are the information of one bit."""
    joint = keyed_bits(4, 1.0)
    units = unit_figures(jax.random.key(7), joint, listed_codes(joint), 8192)
    for kind in (units.marginal, units.increment):
        np.testing.assert_allclose(kind.bits, 0.485944, atol=4 * float(kind.stderr.max()))
    np.testing.assert_allclose(units.joint, 0.485944, atol=0.01)


@pytest.mark.slow
def test_unit_bits_of_a_repetition() -> None:
    """One bit on two units: each alone carries it, the second adds little, and the sum of marginals counts twice."""
    source = FairBits.build(jax.random.key(0), 1, 1)
    joint = Joint(source, lambda x: jnp.concatenate([x, x]), Gaussian(1.0))
    units = unit_figures(jax.random.key(8), joint, listed_codes(joint), 8192)
    together = gaussian_noise_information([-1, 1], [0.5, 0.5], 0.5**0.5)
    np.testing.assert_allclose(units.marginal.bits, 0.485944, atol=0.01)
    np.testing.assert_allclose(units.increment.bits, [0.485944, together - 0.485944], atol=0.01)


def vae_joint(bits: int) -> Joint:
    source = FairBits.build(jax.random.key(0), bits, bits)
    return Joint(source, lambda x: Posterior(0.8 * x, -1.0 + 0.3 * x), LearntGaussian())


def test_rate_is_information_plus_excess() -> None:
    joint = vae_joint(3)
    listed = listed_codes(joint)
    bits = informed(jax.random.key(9), joint, listed, 20000)
    more = marginal_kl(joint, listed, sampled(jax.random.key(10), joint, listed, 20000), jnp.float32(1.0))
    rate = Rate(1.0)(jax.random.key(11), joint)
    assert abs(rate.bits - bits.bits - more.bits) < 4 * jnp.hypot(bits.stderr, more.stderr)
    assert more.low > 0


def test_rate_of_a_normal_output_is_the_ceiling() -> None:
    joint = keyed_bits(3, 0.5)
    rate = Rate(1.25**0.5)(jax.random.key(0), joint)
    np.testing.assert_allclose(rate.bits, Ceiling()(jax.random.key(0), joint).bits, rtol=1e-5)


def test_decoder_never_exceeds_and_the_exact_posterior_attains() -> None:
    joint = keyed_bits(2, 1.0)
    exact = Enumeration(20000)(jax.random.key(12), joint)

    def posterior(sharpness: float) -> Decoder:
        def log_decoder(m: jax.Array, z: jax.Array) -> jax.Array:
            sign = 2.0 * m.astype(jnp.float32) - 1.0
            return jax.nn.log_sigmoid(2 * sharpness * sign * z).sum()

        return Decoder(log_decoder)

    attained = posterior(1.0)(jax.random.key(13), joint)
    assert attained.low <= exact.high and exact.low <= attained.high
    assert posterior(2.5)(jax.random.key(13), joint).high < exact.low


def test_measure_lists_what_can_be_listed() -> None:
    small = measure(jax.random.key(0), keyed_bits(6, 1.0))
    assert small.method == "enumeration"
    assert small.low <= 6 * 0.485944 <= small.high


@pytest.mark.slow
def test_measure_brackets_what_cannot() -> None:
    large = measure(jax.random.key(0), keyed_bits(32, 1.0), budget_gflop=20)
    assert large.lower.kind == "lower" and large.upper.kind == "upper"
    assert large.low <= 32 * 0.485944 <= large.high
    assert large.width < 0.3
    assert [point.work for point in large.trace] == sorted(point.work for point in large.trace)


@pytest.mark.parametrize("variances", [[1.0, 1.0, 1.0], [4.0, 1e-2, 1.0], [1.0, 1e-9, 1.0]])
def test_whitening_is_that_of_lapack(variances: list[float]) -> None:
    """The last is near singular and gets a ridge."""
    mixing = np.array([[1.0, 0, 0], [0.7, 1.0, 0], [-0.3, 0.4, 1.0]])
    covariance = mixing @ np.diag(variances) @ mixing.T
    whitener = np.asarray(whitening(jnp.zeros(3), jnp.asarray(covariance, jnp.float32)))
    if min(variances) > 1e-6:
        np.testing.assert_allclose(whitener, np.linalg.inv(np.linalg.cholesky(covariance)), rtol=2e-3, atol=1e-4)
        np.testing.assert_allclose(np.diag(whitener @ covariance @ whitener.T), 1, rtol=1e-3)
    assert np.isfinite(whitener).all() and np.abs(whitener).max() < 20


def test_no_lapack_in_what_lanes_compute() -> None:
    """Batched calls of it on several CPU devices can wait for each other forever."""
    joint = keyed_bits(3, 1.0)

    def lane(key: jax.Array) -> Any:
        listed = list_codes(joint)
        one, other = information(key, joint, listed, 16), unit_information(key, joint, listed, 16)
        return one, other, marginal_kl(joint, listed, sampled(key, joint, listed, 16), jnp.float32(1.0))

    program = str(jax.make_jaxpr(jax.vmap(lane))(jax.random.split(jax.random.key(0), 2)))
    assert "cholesky" not in program and "triangular_solve" not in program and "dot_general" in program


def test_a_source_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match=r"2\*\*20"):
        Enumeration()(jax.random.key(0), keyed_bits(24, 1.0))


def test_the_learnt_channel_has_no_ceiling() -> None:
    with pytest.raises(ValueError, match="no ceiling"):
        Ceiling()(jax.random.key(0), vae_joint(2))


def test_largest_list_and_its_memory() -> None:
    """2^20 messages through 8 units; the tile, not the list, sets the memory of the densities."""
    source = FairBits.build(jax.random.key(0), 20, 20)
    joint = Joint(source, lambda x: source.rotation[:4] @ x, Gaussian(1.0))
    e = Enumeration(64)(jax.random.key(1), joint)
    truth = 4 * gaussian_noise_information([-1, 1], [0.5, 0.5], 1.0)
    assert e.low - 2 * e.stderr <= truth <= e.high + 2 * e.stderr
    compiled = jax.jit(log_densities).lower(jax.eval_shape(list_codes, joint), joint.channel, jnp.zeros((256, 4)))
    assert compiled.compile().memory_analysis().temp_size_in_bytes < 2**30
