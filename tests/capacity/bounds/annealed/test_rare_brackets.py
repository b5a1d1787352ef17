"""Brackets where an event in a few digits carries the bits, against closed forms; and what is refused."""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import Joint, measure
from capacity.bounds.annealed.controlled_bounds import ControlledBounds
from capacity.bounds.annealed.refusals import check_codes
from capacity.bounds.annealed.sampler import Sampler
from capacity.bounds.posterior.additive import AdditiveCode
from capacity.bounds.posterior.additive_fit import fit_additive
from capacity.channels import Gaussian, LearntGaussian, Posterior
from synthetic import Codebook, FairBits, GaussianVectors

DIGITS = 48
RARE, JACKPOT = 8, 9  # digits that must all be 1


@jax.tree_util.Partial
def gated(params: dict[str, jax.Array], x: jax.Array) -> jax.Array:
    """x times one scale where all digits of a mask are 1, times another elsewhere."""
    hit = (params["mask"] * (x - 1)).sum() > -0.5
    return x * jnp.where(hit, params["there"], params["elsewhere"])


def event_code(digits: int, there: float, elsewhere: float) -> jax.tree_util.Partial:
    mask = (jnp.arange(DIGITS) < digits).astype(jnp.float32)
    params = {"mask": mask, "there": jnp.float32(there), "elsewhere": jnp.float32(elsewhere)}
    return jax.tree_util.Partial(gated.func, params)


def sure_bits(digits: int, there: float) -> float:
    """Bits of a code that noise does not touch where it is +-1, and where 0 says that it is not."""
    p = 2.0**-digits
    gate = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    told = (1 - p) * (DIGITS + np.log2(1 - p)) if there == 0 else p * (DIGITS - digits)
    return float(told + gate)


@pytest.mark.slow
@pytest.mark.parametrize(("digits", "there"), [(RARE, 0.0), (JACKPOT, 1.0)])
def test_an_event_that_takes_or_gives_nearly_all_bits_is_held(digits: int, there: float) -> None:
    """In noise of 0.1 nothing else is lost: H(gate) + P(+-1) H(message | +-1)."""
    truth = sure_bits(digits, there)
    joint = Joint(FairBits(jnp.eye(DIGITS)), event_code(digits, there, 1 - there), Gaussian(jnp.float32(0.1)))
    found = measure(jax.random.key(1), joint, budget_gflop=0.5, method="bracket")
    assert found.low <= truth <= found.high
    assert found.width < 1


@cache
def erased() -> tuple[Joint, AdditiveCode, ControlledBounds]:
    """A code that one message in 256 erases, its approximation, and bounds of 2^13 samples."""
    joint = Joint(FairBits(jnp.eye(DIGITS)), event_code(RARE, 0.0, 1.0), Gaussian(jnp.float32(0.1)))
    approximation = fit_additive(jax.random.key(0), joint)
    return joint, approximation, ControlledBounds.simulate(jax.random.key(1), joint, approximation, 2**13)


def test_dear_samples_have_the_event_more_often_than_by_chance() -> None:
    """One in 256 erased: of 128 samples by chance none, with a probability of 61 %."""
    drawn = erased()[2].draw(jax.random.key(2), 128)
    gone = (drawn.code == 0).all(1)
    assert 8 <= gone.sum() <= 80
    np.testing.assert_allclose(drawn.weight.sum(), 1.0, atol=0.2)
    np.testing.assert_allclose(drawn.weight[gone].sum(), 2.0**-RARE, rtol=0.5)


def test_more_cheap_samples_are_those_there_are_and_others() -> None:
    joint, approximation, few = erased()
    many, at_once = few.with_samples(2**14), ControlledBounds.simulate(jax.random.key(1), joint, approximation, 2**14)
    assert few.with_samples(2**13) is few
    np.testing.assert_array_equal(many.first.z, at_once.first.z)
    np.testing.assert_array_equal(many.first.z[: 2**13], few.first.z)
    assert len(many.odds) == len(many.controls.learnt) == 2**14


def test_cheap_samples_are_bought_until_what_none_saw_is_faint() -> None:
    """Of 48 digits, each a unit: with twice 8,192 the rule of three reaches half as far as three standard errors."""
    joint = Joint(FairBits(jnp.eye(DIGITS)), lambda x: x, Gaussian(jnp.float32(0.7)))
    sampler = Sampler.pilot(jax.random.key(0), joint, fit_additive, (0.0, np.inf), 0.01, [], lambda *_: None)
    block, plan = len(sampler.controlled.odds), sampler.plan(0.01)
    assert block == 2**13
    few, enough, many = (sampler.more_samples(plan, room * block * sampler.cheap) for room in (0.9, 3.5, 99.0))
    assert few == 0 < enough == many <= 3 * block


def test_codes_that_are_no_numbers_are_refused() -> None:
    """log of a digit of -1, in unit 2; half of the messages."""
    joint = Joint(FairBits(jnp.eye(24)), lambda x: x.at[2].set(jnp.log(x[2])), Gaussian(jnp.float32(0.5)))
    with pytest.raises(ValueError, match=r"Expected finite codes; got a mean of nan .* in unit 2 for the message \["):
        measure(jax.random.key(0), joint, budget_gflop=1.0)


def test_noise_that_single_precision_does_not_resolve_is_refused() -> None:
    joint = Joint(FairBits(jnp.eye(24)), lambda x: 1e4 * x, Gaussian(jnp.float32(1e-4)))
    with pytest.raises(ValueError, match=r"noise of 0.0001 on unit \d+, whose code is -?10000 .*subtract the units"):
        measure(jax.random.key(0), joint, budget_gflop=1.0)


@pytest.mark.parametrize(
    "joint",
    [
        Joint(FairBits(jnp.eye(4)), lambda x: 100 * x, Gaussian(jnp.float32(0.01))),
        Joint(Codebook(jnp.eye(4)), lambda x: Posterior(x, -3 + 0 * x), LearntGaussian()),
        Joint(GaussianVectors(jnp.ones(3)), lambda x: x, Gaussian(jnp.float32(0.01))),
    ],
)
def test_codes_that_single_precision_holds_pass(joint: Joint) -> None:
    check_codes(jax.random.key(0), joint)


def test_a_code_without_a_number_that_only_the_fit_meets_is_refused() -> None:
    """One message in 16,384 has none: the check of 4,096 seldom meets it, a fit of more does."""
    digits = jnp.arange(24) < 14

    def encode(x: jax.Array) -> jax.Array:
        return jnp.where(jnp.all((x > 0) | ~digits), jnp.nan, x)

    with pytest.raises(ValueError, match="Expected finite codes; got some that are not, of messages too rare to be"):
        measure(0, Joint(FairBits(jnp.eye(24)), encode, Gaussian(0.3)), budget_gflop=1.0, method="bracket")
