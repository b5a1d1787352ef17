"""Exact figures where few messages carry the bits: far codes, rare messages, narrow noise, rare events, large numbers.

Truths: sums over all messages in float64, entropies of messages that are told apart.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import Joint, measure, measure_latent
from capacity.bounds.exact.enumeration import information
from capacity.bounds.exact.listing import list_codes
from capacity.bounds.exact.proposal import PER_STRATUM, draw_rows
from capacity.bounds.exact.rate import marginal_kl
from capacity.bounds.exact.sample import sampled
from capacity.channels import Chain, Dropout, Gaussian, LearntGaussian, Posterior
from capacity.joint.table import Rows, tabled
from capacity.results.estimate import Estimate
from capacity.results.intervals import less_explained, mean_and_moments
from capacity.theory import gaussian_noise_information
from synthetic import Codebook, FairBits
from tests.families.truths import log_sum

KEYS = 4
listed_codes = jax.jit(list_codes)


def same(x: jax.Array) -> jax.Array:
    """One encoder for all, so that all share their programs."""
    return x


def entropy(probs: np.ndarray) -> float:
    return float(-(probs * np.log2(probs)).sum())


def full_sum(
    means: np.ndarray, sigma: np.ndarray, probs: np.ndarray, per_message: int = 40, seed: int = 1
) -> tuple[float, float]:
    """I(M;Z) in bits and its standard error: every message (M, units) with noise of its own, all messages summed."""
    rng = np.random.default_rng(seed)
    values = np.empty((len(means), per_message))
    log_weight = np.log(probs) - np.log(sigma).sum(1)
    for i, (mean, std) in enumerate(zip(means, sigma, strict=True)):
        noise = rng.normal(size=(per_message, means.shape[1]))
        z = mean + std * noise
        exponent = log_weight - 0.5 * sum(((z[:, j, None] - means[:, j]) / sigma[:, j]) ** 2 for j in range(len(mean)))
        own = -(0.5 * noise**2 + np.log(std)).sum(-1)
        values[i] = (own - log_sum(exponent)) / np.log(2)
    return float(probs @ values.mean(1)), float(np.sqrt(probs**2 @ (values.var(1, ddof=1) / per_message)))


@pytest.mark.parametrize(
    ("far", "count"), [*(pytest.param(far, 1, marks=pytest.mark.slow) for far in (1e2, 1e4)), (1e6, 3)]
)
def test_codes_far_from_the_others(far: float, count: int) -> None:
    """One control had its mean over messages alone: without the far one it was a constant of hardly any spread."""
    codes = np.random.default_rng(0).normal(size=(1024, 1))
    codes[:count, 0] = far * np.arange(1, count + 1)
    truth, error = full_sum(codes, np.ones_like(codes), np.full(1024, 1 / 1024))
    joint = Joint(Codebook(jnp.asarray(codes, jnp.float32)), same, Gaussian(1.0))
    for key in range(KEYS):
        found = measure(key, joint, samples=1024)
        assert found.low - 2 * error <= truth <= found.high + 2 * error
        assert found.width < 0.15


@pytest.mark.parametrize("rare", [1e-4, 1e-2])
def test_rare_messages_that_hold_the_bits(rare: float) -> None:
    probs = np.r_[1 - rare, np.full(1023, rare / 1023)]
    source = Codebook(jnp.arange(1024, dtype=jnp.float32)[:, None], probs)
    for key in range(KEYS):
        found = measure(key, Joint(source, same, Gaussian(0.05)), samples=1024)
        assert found.low <= entropy(probs) <= found.high
        assert found.width < 0.05 * entropy(probs)


@pytest.mark.slow
def test_rare_narrow_noise() -> None:
    """Two of 1,024 posteriors are narrow; their means are as the others'."""
    rng = np.random.default_rng(2)
    means, sigma = rng.normal(size=(1024, 2)), np.full((1024, 2), 1.0)
    sigma[:2] = 1e-4
    truth, error = full_sum(means, sigma, np.full(1024, 1 / 1024))
    table = Posterior(jnp.asarray(means, jnp.float32), jnp.asarray(np.log(sigma), jnp.float32))
    joint = tabled(Rows.of(np.full(1024, 1 / 1024)), table, LearntGaussian())
    for key in range(KEYS):
        found = measure(key, joint, samples=1024)
        assert found.low - 2 * error <= truth <= found.high + 2 * error


@pytest.mark.parametrize("moved", [pytest.param(0.0, marks=pytest.mark.slow), 1e7])
def test_a_far_point_and_a_moved_origin_leave_every_latent_figure_true(moved: float) -> None:
    rng = np.random.default_rng(3)
    means = rng.normal(size=(512, 2))
    means[0, 0] = 100.0
    sigma, probs = np.full(means.shape, 0.5), np.full(512, 1 / 512)
    truth, error = full_sum(means, sigma, probs)
    alone = [full_sum(means[:, j : j + 1], sigma[:, j : j + 1], probs) for j in range(2)]
    found = measure_latent(4, means + moved, sigma, given="std", samples=2048)
    figures = [(found.information, 0, truth), (found.total_correlation, 0, alone[0][0] + alone[1][0] - truth)]
    figures += [(found.marginal, j, alone[j][0]) for j in range(2)]
    figures.append((found.growth.information, -1, truth))
    for figure, entry, expected in figures:
        low, high = (np.atleast_1d(np.asarray(end))[entry] for end in (figure.low, figure.high))
        assert low - 3 * error <= expected <= high + 3 * error
    assert found.information.high - found.information.low < 0.1


def test_noise_below_the_rounding_of_single_precision() -> None:
    """u = 1e4 in noise of 1e-4: z = u + noise is computed in float64; noise that this too would lose is refused."""
    loud = jax.tree_util.Partial(lambda a, x: a * x, jnp.float32(1e4))
    found = measure(0, Joint(FairBits(jnp.eye(8)), loud, Gaussian(1e-4)))
    assert found.low <= 8 <= found.high and found.width < 0.01
    with pytest.raises(ValueError, match=r"noise of 1e-12 in unit 0 of message 0.*Subtract a constant"):
        measure(0, Joint(FairBits(jnp.eye(8)), loud, Gaussian(1e-12)))


def test_codes_that_are_no_numbers_are_refused() -> None:
    joint = Joint(FairBits(jnp.eye(4)), lambda x: jnp.sqrt(x[:2] + 0.5), Gaussian(1.0))
    with pytest.raises(ValueError, match=r"nan in unit 0 of message 0.* 12 of 16 messages"):
        measure(0, joint)


def test_weights_make_means_over_messages() -> None:
    """Of any function of the message, whatever is drawn oftener; and even draws have weights of 1."""
    rng = np.random.default_rng(5)
    probs = rng.dirichlet(np.full(300, 0.05))
    codes = rng.normal(size=(300, 3))
    codes[7] *= 1e3
    value = rng.normal(size=300)
    joint = Joint(Codebook(jnp.asarray(codes, jnp.float32), probs), same, Gaussian(1.0))
    listed = listed_codes(joint)
    draw = jax.jit(jax.vmap(lambda key: draw_rows(key, listed.proposal, 400)))
    rows = np.asarray(draw(jax.random.split(jax.random.key(0), 100)))
    weight = np.asarray(listed.proposal.weight, np.float64)
    means = (weight[rows] * value[rows]).mean(1)
    assert abs(means.mean() - probs @ value) < 5 * means.std() / 100**0.5
    assert float(jnp.exp(listed.proposal.log_prob).sum()) == pytest.approx(1, abs=1e-5)
    even = listed_codes(Joint(FairBits(jnp.eye(6)), same, Gaussian(1.0))).proposal
    np.testing.assert_allclose(even.weight, 1, rtol=1e-6)
    assert (np.bincount(draw_rows(jax.random.key(0), even, 64 * PER_STRATUM), minlength=64) >= 1).all()


def test_tails_beyond_all_codes_are_seen() -> None:
    """The square of z explains normal codes but beyond the last of them, where few of the noisy codes lie."""
    codes = np.random.default_rng(0).normal(size=512)
    truth = gaussian_noise_information(codes, np.full(512, 1 / 512), 1.0)
    joint = Joint(Codebook(jnp.asarray(codes[:, None], jnp.float32)), same, Gaussian(1.0))
    listed = listed_codes(joint)
    figures = jax.jit(lambda keys: jax.lax.map(lambda key: information(key, joint, listed, 1024), keys, batch_size=8))
    found = figures(jax.random.split(jax.random.key(3), 200))
    held = (np.asarray(found.low) <= truth) & (truth <= np.asarray(found.high))
    assert 0.91 <= held.mean() <= 0.99
    assert np.asarray(found.bits).std() < 6e-4 and np.median(found.high - found.low) < 2.5e-3


def test_controls_have_no_mean_given_the_message() -> None:
    """Each message by itself, of noise that differs by message and unit."""
    table = Posterior(jnp.asarray([[50.0, 0.0], [0.0, 1.0], [1.0, -1.0]]), jnp.asarray([[-1.0, 0.5]] * 3))
    joint = tabled(Rows.of(np.full(3, 1 / 3)), table, LearntGaussian())
    sample = jax.jit(lambda key: sampled(key, joint, list_codes(joint), 30_000))(jax.random.key(6))
    for message in range(3):
        chosen = (np.asarray(sample.codes.mean) == np.asarray(table.mean[message])).all(1)
        for control in (sample.controls.noise, sample.controls.radius, sample.controls.own):
            part = np.asarray(control, np.float64)[chosen]
            assert (np.abs(part.mean(0)) < 5 * part.std(0) / len(part) ** 0.5).all()


def test_a_control_that_is_off_its_mean_is_left_out() -> None:
    """What carries its spread was not drawn: the values stay as they are, whatever a slope would say."""
    rng = np.random.default_rng(7)
    values = rng.normal(size=400).astype(np.float32)
    missing = (-1 + 1e-4 * values)[:, None].astype(np.float32)
    np.testing.assert_array_equal(less_explained(jnp.asarray(values), jnp.asarray(missing)), values)
    own = rng.normal(size=400).astype(np.float32)
    left = less_explained(jnp.asarray(values + own), jnp.asarray(own[:, None]))
    assert float(jnp.abs(left - values).max()) < 1.0
    # Each half has the other's weight: values of one half do not move it.
    moved = (values + own) + 100 * own * (np.arange(400) == 10)
    again = np.asarray(less_explained(jnp.asarray(moved, jnp.float32), jnp.asarray(own[:, None])))
    alike = np.isclose(again, np.asarray(left), rtol=1e-4, atol=1e-5)
    assert alike.sum() == 199 and not alike[10]


@pytest.mark.parametrize("power", [1, 2, 8, 32])
@pytest.mark.parametrize("count", [8, 12, 16, 64])
def test_controls_that_rise_along_the_strata_leave_the_mean(count: int, power: int) -> None:
    """Values that follow a control of zero mean here more, there less; strata in the order of the control."""
    rng = np.random.default_rng(power)
    place = (np.arange(count) + rng.random((6000, count))) / count
    control = (power + 1) * place**power - 1
    truth = 2 * ((power + 1) / (power + 2) - 0.5)
    values = 2 * place * control + 0.1 * rng.normal(size=place.shape)
    rows = jnp.asarray(values, jnp.float32), jnp.asarray(control[..., None], jnp.float32)
    left = np.asarray(jax.jit(jax.vmap(lambda v, c: less_explained(v, c, PER_STRATUM)))(*rows), np.float64).mean(1)
    off = left - truth
    assert abs(off.mean()) < 4 * off.std() / len(off) ** 0.5 + 0.1 * off.std()


@pytest.mark.parametrize(("probs", "alike"), [([0.5, 0.5, 0.0], True), ([0.5, 0.5], True), ([0.4, 0.6, 0.0], False)])
def test_messages_that_are_impossible_leave_the_others_equally_likely(probs: list[float], alike: bool) -> None:
    """A message that never comes changes nothing."""
    source = Codebook(jnp.arange(float(len(probs)))[:, None], np.array(probs))
    assert bool(list_codes(Joint(source, lambda x: x, Gaussian(0.5))).equally_likely) is alike


@pytest.mark.parametrize("per_stratum", [None, PER_STRATUM])
def test_the_fewest_samples_leave_numbers(per_stratum: int | None) -> None:
    """Of one stratum, of two values; a control that does not move, one that repeats another."""
    count = per_stratum or 2
    values = jnp.arange(count, dtype=jnp.float32)
    controls = jnp.stack([values - values.mean(), values - values.mean(), jnp.zeros(count)], 1)
    assert np.isfinite(less_explained(values, controls, per_stratum)).all()


def test_stratified_moments_are_those_within_strata() -> None:
    """Standard error and skewness of a stratified mean, against many repeats."""
    rng = np.random.default_rng(8)
    level = np.repeat(np.arange(25.0), PER_STRATUM)
    draws = level + rng.exponential(size=(4000, 100))
    moments = jax.jit(jax.vmap(lambda row: mean_and_moments(row, per_stratum=PER_STRATUM)))
    mean, error, skewness, wider = map(np.asarray, moments(jnp.asarray(draws[:400], jnp.float32)))
    means = draws.mean(1)
    assert error.mean() == pytest.approx(means.std(), rel=0.05)
    centred = means - means.mean()
    assert skewness.mean() / 100**0.5 == pytest.approx((centred**3).mean() / means.std() ** 3, abs=0.08)
    assert 1 < wider.min() and wider.max() < 2
    assert mean[0] == pytest.approx(means[0], rel=1e-6)


def test_neighbours_that_are_alike_leave_an_interval() -> None:
    """Pairs of equal values whose strata vary: no spread between neighbours is no evidence, and no NaN."""
    found = Estimate.from_samples(nats=jnp.asarray([1.0, 1.0, 1.5, 1.5] * 4), kind="exact", per_stratum=4)
    assert found.low < 1.25 / np.log(2) < found.high


def test_posteriors_narrow_in_one_unit_and_wide_in_the_other() -> None:
    """Their widths cancel in a sum over units; few of many messages have them."""
    rng = np.random.default_rng(9)
    means, log_std = rng.normal(size=(1024, 2)), np.full((1024, 2), 1.5)
    log_std[:10] = [-6.0, 6.0]
    probs = np.full(1024, 1 / 1024)
    truth, error = full_sum(means, np.exp(log_std), probs)
    table = Posterior(jnp.asarray(means, jnp.float32), jnp.asarray(log_std, jnp.float32))
    joint = tabled(Rows.of(probs), table, LearntGaussian())
    for key in range(KEYS):
        found = measure(key, joint, samples=128)
        assert found.low - 2 * error <= truth <= found.high + 2 * error


def test_noise_that_is_silent_nearly_always() -> None:
    """A unit passes once in 10,000: then it tells nearly all of six bits, and no sample saw it."""
    codes = jnp.arange(64, dtype=jnp.float32)[:, None] / 64
    joint = Joint(Codebook(codes), lambda x: x, Chain(Dropout(0.9999), Gaussian(1e-3)))
    found = measure(10, joint, samples=256)
    assert found.low <= 1e-4 * 6 * 0.9 and found.high >= 1e-4 * 6


def test_the_excess_of_units_far_out_has_an_interval() -> None:
    """KL(q(z) || r(z)) of one code at 3,000 deviations, among 256: what single precision rounds is within."""
    codes = np.random.default_rng(11).normal(size=(256, 1))
    codes[0] = 3e3
    joint = Joint(Codebook(jnp.asarray(codes, jnp.float32)), same, Gaussian(1.0))
    listed = listed_codes(joint)
    found = marginal_kl(joint, listed, sampled(jax.random.key(12), joint, listed, 1024), jnp.float32(1.0))
    truth, error = full_sum(codes, np.ones_like(codes), np.full(256, 1 / 256))
    rate = 0.5 * (np.asarray(codes, np.float32).astype(np.float64) ** 2).mean() / np.log(2)
    assert found.low - 2 * error <= rate - truth <= found.high + 2 * error
