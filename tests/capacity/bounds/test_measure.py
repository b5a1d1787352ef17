"""The referee's brackets against enumeration, closed forms and blocks, and what it refuses."""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import Bracket, Joint, measure
from capacity.bounds import Enumeration, MaximumEntropy
from capacity.bounds.annealed.first_phase import prior_shortfall
from capacity.bounds.annealed.tightest import clipped_to_source, tighter_bound
from capacity.channels import Gaussian, GaussianDropout, LearntGaussian, Posterior
from capacity.results.estimate import Estimate
from capacity.theory import gaussian_capacity
from synthetic import Codebook, FairBits, GaussianVectors, MarkovBits
from synthetic.algebra import orthonormal

ORTHOGONAL_BIT = 0.721452  # bits of a bit sent as +-1 at a signal-to-noise ratio of 2


def identity(x: jax.Array) -> jax.Array:
    return x


def three_bits(noise: float) -> Joint:
    """One encoder for all, so that all share their programs."""
    return Joint(FairBits(jnp.eye(3)), identity, Gaussian(jnp.float32(noise)))


def learnt(log_std: float) -> Joint:
    """Ten digits of a Markov chain through a dense layer onto four units, with noise that the message sets."""
    source = MarkovBits.build(jax.random.key(1), 10, 10)
    first, second = jax.random.normal(jax.random.key(2), (4, 10)), jax.random.normal(jax.random.key(3), (4, 10))
    encoder = jax.tree_util.Partial(learnt_code, (first, 0.1 * second, jnp.full(4, log_std)))
    return Joint(source, encoder, LearntGaussian())


def learnt_code(weights: tuple[jax.Array, ...], x: jax.Array) -> Posterior:
    mean, spread, log_std = weights
    return Posterior(jnp.tanh(mean @ x), log_std + spread @ x)


def linear_gaussian(size: int, sigma: float) -> tuple[Joint, float]:
    """A Gaussian source through a dense matrix, and its bits: 1/2 log2 det(1 + W P W' / sigma^2)."""
    rotation, spectrum = orthonormal(jax.random.key(4), size, size), np.geomspace(2.0, 0.05, size)
    matrix = np.asarray(jax.random.normal(jax.random.key(5), (size, size)) / size**0.5)
    source = GaussianVectors(jnp.asarray(spectrum, jnp.float32), rotation)
    prior = np.asarray(rotation, np.float64).T @ np.diag(spectrum) @ np.asarray(rotation, np.float64)
    bits = gaussian_capacity(np.linalg.eigvalsh(matrix @ prior @ matrix.T).clip(0) / sigma**2).sum()
    return Joint(source, lambda x: matrix @ x, Gaussian(jnp.float32(sigma))), float(bits)


@pytest.mark.slow
@pytest.mark.parametrize("log_std", [-1.5, 0.5])
def test_a_learnt_noise_meets_enumeration(log_std: float) -> None:
    joint = learnt(log_std)
    exact = Enumeration(2**15)(jax.random.key(6), joint)
    found = measure(jax.random.key(7), joint, budget_gflop=2.0, method="bracket")
    assert found.low - 2 * exact.stderr <= exact.bits <= found.high + 2 * exact.stderr
    assert 0 <= found.low and found.high <= joint.source.bits
    assert found.lower.kind == "lower" and found.upper.kind == "upper"


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [0.2, 0.6, 2.0])
def test_a_coupled_code_meets_enumeration(sigma: float) -> None:
    """14 bits through a random square matrix: no block is alone."""
    matrix = jax.random.normal(jax.random.key(8), (14, 14)) / 14**0.5
    source = FairBits.build(jax.random.key(9), 14, 14)
    joint = Joint(source, lambda x: matrix @ x, Gaussian(jnp.float32(sigma)))
    exact = Enumeration(2**13)(jax.random.key(10), joint)
    found = measure(jax.random.key(11), joint, budget_gflop=20.0, method="bracket")
    assert found.low - 2 * exact.stderr <= exact.bits <= found.high + 2 * exact.stderr
    assert found.width < 0.05 * exact.bits


@cache
def orthogonal_code() -> Bracket:
    source = FairBits.build(jax.random.key(12), 69, 69)
    joint = Joint(source, lambda x: x, Gaussian(jnp.float32(0.5**0.5)))
    return measure(jax.random.key(13), joint, budget_gflop=20.0)


def test_an_orthogonal_code_of_69_bits() -> None:
    """Independent bits under a rotation: 69 times the bits of one, at a size that no list reaches."""
    found = orthogonal_code()
    truth = 69 * ORTHOGONAL_BIT
    assert abs(truth - 49.780) < 1e-3
    assert found.low <= truth <= found.high
    assert found.width < 0.01 * truth


def test_the_trace_is_in_order_and_ends_at_the_bracket() -> None:
    found = orthogonal_code()
    assert [point.work for point in found.trace] == sorted(point.work for point in found.trace)
    assert 0 < found.trace[-1].work <= 20.0
    assert (found.trace[-1].low, found.trace[-1].high) == (float(found.low), float(found.high))
    assert all(point.low <= point.lower <= point.upper + 1e-3 for point in found.trace[-1:])


def test_the_same_key_gives_the_same_bracket() -> None:
    said: list[float] = []

    def listen(share: float, text: str) -> None:
        said.append(share)

    first, again = (
        measure(jax.random.key(14), three_bits(0.5), budget_gflop=0.1, method="bracket", progress=listen)
        for _ in range(2)
    )
    assert first == again
    assert said[-1] == 1.0 and said == said[: len(said) // 2] * 2


@pytest.mark.parametrize("noise", [1e-2, pytest.param(30.0, marks=pytest.mark.slow)])
def test_bounds_stay_between_nothing_and_the_source(noise: float) -> None:
    found = measure(jax.random.key(15), three_bits(noise), budget_gflop=0.1, method="bracket")
    assert 0 <= found.low <= found.high <= 3
    exact = Enumeration(2**15)(jax.random.key(16), three_bits(noise))
    assert found.low - 2 * exact.stderr <= exact.bits <= found.high + 2 * exact.stderr


@pytest.mark.slow
def test_a_gaussian_source_meets_the_closed_form() -> None:
    joint, truth = linear_gaussian(12, 0.3)
    found = measure(jax.random.key(17), joint, budget_gflop=2.0)
    # One key in twenty leaves a 95 % interval; one in a thousand goes past 3.3 standard errors.
    assert found.lower.bits - 3.3 * found.lower.stderr <= truth <= found.upper.bits + 3.3 * found.upper.stderr
    assert found.width < 0.05 * truth


@pytest.mark.parametrize("sigma", [0.1, 3.0])
def test_maximum_entropy_is_exact_for_a_linear_gaussian_code(sigma: float) -> None:
    joint, truth = linear_gaussian(6, sigma)
    found = MaximumEntropy()(jax.random.key(18), joint)
    assert abs(found.bits - truth) < 4 * found.stderr + 1e-3
    assert found.stderr < 0.02


def test_maximum_entropy_is_above_the_bits_of_a_discrete_code() -> None:
    """+-1 at a signal-to-noise ratio of 2: 1/2 log2(3) a bit, against 0.7215."""
    found = MaximumEntropy()(jax.random.key(19), three_bits(0.5**0.5))
    assert found.kind == "upper"
    np.testing.assert_allclose(found.bits, 3 * gaussian_capacity(2.0), atol=4 * float(found.stderr) + 1e-3)
    assert found.low > 3 * ORTHOGONAL_BIT


@pytest.mark.parametrize("budget_gflop", [0.0, -1.0, float("nan"), float("inf")])
def test_a_budget_that_is_none_is_refused(budget_gflop: float) -> None:
    with pytest.raises(ValueError, match="Expected a budget greater than 0"):
        measure(jax.random.key(0), three_bits(1.0), budget_gflop=budget_gflop)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected method to be one of auto, enumeration, bracket; got 'guess'"):
        measure(jax.random.key(0), three_bits(1.0), method="guess")


@pytest.mark.slow
def test_impossible_messages_beside_possible_ones_spoil_nothing() -> None:
    """358 rows of 512 in two blocks of digits: what no block can see, chains must not be led astray by."""
    joint = Joint(Codebook(jax.random.normal(jax.random.key(3), (358, 6))), lambda x: x, Gaussian(jnp.float32(1.5)))
    exact = Enumeration()(jax.random.key(0), joint)
    found = measure(jax.random.key(1), joint, method="bracket", budget_gflop=2.0)
    assert found.low <= exact.high and exact.low <= found.high


def test_an_upper_bound_that_no_chain_gave_leaves_the_other() -> None:
    lost, normal = (
        Estimate.from_normal(bits=np.inf, stderr=0.0, kind="upper"),
        Estimate.from_normal(bits=3.0, stderr=0.1, kind="upper"),
    )
    bound, taken = tighter_bound(lost, normal)
    assert taken and bound is normal


@pytest.mark.parametrize(("kind", "highest"), [("lower", 1), ("upper", -1)])
def test_of_two_bounds_the_tighter_interval_is_taken(kind: str, highest: int) -> None:
    """Not the higher figure: one that is higher by less than its interval is wider says less."""
    sure_one, vague = (
        Estimate.from_normal(bits=3.0, stderr=0.01, kind=kind),
        Estimate.from_normal(bits=3.0 + 0.1 * highest, stderr=0.5, kind=kind),
    )
    assert tighter_bound(vague, sure_one) == (sure_one, True)
    assert tighter_bound(sure_one, vague) == (sure_one, False)


@pytest.mark.slow
def test_a_decoder_that_is_better_than_short_chains_gives_the_lower_bound() -> None:
    """The exact posterior, by the list, beside 128 chains of 16 rungs a leg: more digits than a block takes."""
    weights = jax.random.normal(jax.random.key(0), (9, 3))
    encoder = jax.tree_util.Partial(lambda w, x: jnp.tanh(1.5 * x @ w), weights)
    joint = Joint(FairBits(jnp.eye(9)), encoder, Gaussian(jnp.float32(0.5)))
    codes = jax.vmap(joint.encoder)(joint.source.codebook()[0])

    def log_decoder(codes: jax.Array, message: jax.Array, z: jax.Array) -> jax.Array:
        log_posterior = jax.nn.log_softmax(jax.vmap(joint.conditional, (None, 0))(z, codes))
        return log_posterior[(message.astype(jnp.int32) << jnp.arange(8, -1, -1)).sum()]

    decoder = jax.tree_util.Partial(log_decoder, codes)
    found = measure(jax.random.key(1), joint, budget_gflop=0.01, log_decoder=decoder, method="bracket")
    exact = Enumeration(2**12)(jax.random.key(2), joint)
    assert "decoder below" in found.method
    assert found.low <= exact.high and exact.low <= found.high
    np.testing.assert_allclose(found.lower.bits, exact.bits, atol=0.03)


@pytest.mark.parametrize("bits, low, high", [(2.0, 1.9, 2.1), (4.2, 3.9, 4.0), (-0.3, 0.0, 0.1), (np.inf, 4.0, 4.0)])
def test_a_figure_that_is_cut_keeps_its_interval(bits: float, low: float, high: float) -> None:
    """Four bits that chance put at 4.2 +- 0.1 may still be 3.9; without the shift [4, 4] was promised."""
    for found in clipped_to_source(
        Estimate.from_normal(bits=bits, stderr=0.1 / 1.959964, kind="lower"),
        Estimate.from_normal(bits=bits, stderr=0.1 / 1.959964, kind="upper"),
        4.0,
    ):
        assert (float(found.low), float(found.high)) == pytest.approx((low, high), abs=1e-6)


def test_what_rare_messages_would_have_told_is_missed() -> None:
    """Ten digits of which none was 1: what they say less than the source's bits is how far a bracket must reach up."""
    rare = MarkovBits(jnp.eye(10), jnp.float32(1e-4), jnp.float32(0.3))
    zeros = jnp.zeros((50, 10), rare.sample(jax.random.key(0), 1).message.dtype)
    said = -float(rare.log_prob(zeros[0])) / np.log(2)
    assert (
        prior_shortfall(rare, zeros) == pytest.approx(rare.bits - said, rel=1e-4)
        and prior_shortfall(rare, zeros) > 0.5 * rare.bits
    )
    assert prior_shortfall(rare, zeros.at[:, 0].set(1)) == 0.0
    fair = FairBits(jnp.eye(10))
    assert prior_shortfall(fair, fair.sample(jax.random.key(1), 50).message) < 1e-5
    assert prior_shortfall(GaussianVectors(jnp.ones(3)), jnp.zeros((5, 3))) == 0.0


def test_units_that_some_message_leaves_without_noise_are_refused() -> None:
    """Noise in proportion to a unit that may be 0: a density says nothing of what is certain."""
    joint = Joint(FairBits(jnp.eye(24)), jax.nn.relu, GaussianDropout(jnp.float32(0.1)))
    with pytest.raises(ValueError, match="units with a density, for an annealed bracket; got gaussian_dropout"):
        measure(jax.random.key(0), joint, budget_gflop=1)
