"""Chains both ways against enumerated log p(z): the identities that bounds rest on, and the bounds themselves.

Forwards E[w] = p(z) and in reverse E[1/w] = 1/p(z), exactly, on any ladder and from any start.
"""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import Joint
from capacity.bounds.annealed.chains import STRETCHES, Chains, dissipation, run_chains
from capacity.bounds.annealed.ladder import STRIDE, even_ladder
from capacity.bounds.annealed.legs import LANES, Samples
from capacity.bounds.exact.densities import log_densities
from capacity.bounds.exact.listing import list_codes
from capacity.bounds.posterior.additive_fit import fit_additive
from capacity.bounds.posterior.gaussian import GaussianPosterior, fit_gaussian
from capacity.channels import Gaussian, LearntGaussian, Posterior
from synthetic import FairBits, GaussianVectors, MarkovBits

CHAINS = 4
SOURCES = {"fair": FairBits(jnp.eye(6)), "markov": MarkovBits(jnp.eye(6))}
slow_markov = pytest.mark.parametrize("name", ["fair", pytest.param("markov", marks=pytest.mark.slow)])


def encoder(matrix: jax.Array, bend: jax.Array, x: jax.Array) -> Posterior:
    """Linear on a bend of 0; else with interactions, and with noise that the message sets."""
    return Posterior(matrix @ x + bend * jnp.tanh(2 * matrix @ jnp.roll(x, 1)), -0.3 + 0.3 * bend * x)


def joint_of(name: str, bend: float) -> Joint:
    """Six digits onto six units, dense where bent and separate where not."""
    matrix = 0.6 * jax.random.normal(jax.random.key(1), (6, 6)) if bend else jnp.eye(6)
    return Joint(SOURCES[name], jax.tree_util.Partial(encoder, matrix, jnp.float32(bend)), LearntGaussian())


@cache
def annealed(name: str, bend: float = 1.0) -> tuple[Chains, np.ndarray]:
    """Chains of 512 samples on a coarse ladder, and the enumerated log p(z) of their noisy codes.

    In blocks that cut through what interacts: one block of six digits would leave nothing to anneal.
    """
    joint = joint_of(name, bend)
    with pytest.MonkeyPatch.context() as patch:
        places = np.array([[0, 1, 2], [3, 4, 5]], np.int32)
        patch.setattr("capacity.bounds.posterior.additive_fit.find_blocks", lambda *args: places)
        approximation = fit_additive(jax.random.key(2), joint)
    samples = Samples.simulate(jax.random.key(4), joint, 4 * LANES)
    ran = run_chains(jax.random.key(3), joint, approximation, samples, even_ladder(STRIDE, 2 * STRIDE), CHAINS)
    log_p = log_densities(jax.jit(list_codes)(joint), joint.channel, jnp.asarray(ran.samples.z)).joint
    return ran, np.asarray(log_p, np.float64)


def error(values: np.ndarray) -> float:
    return float(values.std() / len(values) ** 0.5)


@slow_markov
def test_weights_have_their_exact_means(name: str) -> None:
    ran, log_p = annealed(name)
    for ratio in (*np.exp(ran.forward - log_p[None]), np.exp(log_p - ran.reverse)):
        assert abs(ratio.mean() - 1) < 4 * error(ratio)
        assert ratio.std() < 3


@slow_markov
@pytest.mark.parametrize("chains", [1, CHAINS])
def test_bounds_hold_log_p_between_them(name: str, chains: int) -> None:
    ran, log_p = annealed(name)
    truth = ran.conditional - log_p
    above, below = ran.upper(chains) - truth, truth - ran.lower(chains)
    assert above.mean() > -3 * error(above)
    assert below.mean() > -3 * error(below)
    gap = above + below
    assert gap.mean() > 3 * error(gap)


@slow_markov
def test_more_chains_narrow_the_gap(name: str) -> None:
    ran, _ = annealed(name)
    one, four = (ran.upper(k) - ran.lower(k) for k in (1, CHAINS))
    assert four.mean() < one.mean()


def test_what_is_dissipated_is_the_spread_among_the_chains_of_a_code() -> None:
    """Normal work of variance s^2 in a stretch loses s^2 nats up and down, whatever its mean over the codes."""
    rng = np.random.default_rng(6)
    s = np.linspace(0.1, 0.4, STRETCHES)
    works = 3 * rng.normal(size=(1, 2 * LANES, STRETCHES)) + s * rng.normal(size=(CHAINS, 2 * LANES, STRETCHES))
    lost = dissipation(works, 4 * STRETCHES)
    assert lost.shape == (4 * STRETCHES,)
    np.testing.assert_allclose(lost.reshape(STRETCHES, 4).sum(1), s**2, rtol=0.25)
    assert not dissipation(works[:1], STRETCHES).any()


def test_what_is_dissipated_is_part_of_the_gap() -> None:
    ran, _ = annealed("fair")
    total = sum(leg.sum() for leg in ran.dissipated)
    assert 0.1 < total / (ran.reverse[None] - ran.forward).mean() < 1.0
    assert [len(leg) for leg in ran.dissipated] == [STRIDE, 2 * STRIDE]
    assert ((ran.accepted >= 0) & (ran.accepted <= 1)).all() and ran.accepted.shape == (2 * STRIDE,)


def test_conditionals_belong_to_their_samples() -> None:
    ran, _ = annealed("fair")
    joint = joint_of("fair", 1.0)
    codes = jax.vmap(lambda m: joint.encoder(joint.source.embed(m)))(jnp.asarray(ran.samples.message))
    np.testing.assert_allclose(codes, ran.samples.code, rtol=1e-5, atol=1e-5)
    conditional = jax.vmap(joint.channel.log_prob)(jnp.asarray(ran.samples.z), codes).sum(1)
    np.testing.assert_allclose(ran.conditional, conditional, rtol=1e-4, atol=1e-4)


def test_a_separable_code_has_no_gap() -> None:
    """The start is the posterior: every chain's weight is p(z), but for rounding."""
    ran, log_p = annealed("fair", 0.0)
    np.testing.assert_allclose(ran.forward[0], log_p, atol=5e-3)
    np.testing.assert_allclose(ran.reverse, log_p, atol=5e-3)


@cache
def linear_gaussian() -> tuple[Joint, GaussianPosterior]:
    joint = Joint(GaussianVectors(jnp.asarray([1.0, 0.3])), lambda x: x, Gaussian(0.5))
    return joint, fit_gaussian(jax.random.key(2), joint)


def gaussian_chains(key: int) -> Chains:
    joint, approximation = linear_gaussian()
    samples = Samples.simulate(jax.random.key(key), joint, 2 * LANES)
    return run_chains(jax.random.key(key), joint, approximation, samples, even_ladder(STRIDE, STRIDE))


def test_a_linear_gaussian_code_has_almost_no_gap() -> None:
    """All that is left is the fit's own error, a few thousandths of a nat."""
    ran, variance = gaussian_chains(3), np.array([1.25, 0.55])
    log_p = (-0.5 * (np.square(ran.samples.z) / variance + np.log(2 * np.pi * variance))).sum(1)
    assert abs((ran.forward[0] - log_p).mean()) < 5e-3
    assert abs((ran.reverse - log_p).mean()) < 5e-3


def test_the_key_decides_everything() -> None:
    first, again, other = (gaussian_chains(key) for key in (3, 3, 4))
    jax.tree.map(np.testing.assert_array_equal, first, again)
    assert (first.forward != other.forward).any()


@pytest.mark.parametrize(("n", "chains"), [(100, 1), (0, 1), (LANES, 0)])
def test_refusals(n: int, chains: int) -> None:
    joint, approximation = linear_gaussian()
    drawn = Samples.simulate(jax.random.key(0), joint, 1)
    samples = jax.tree.map(lambda leaf: np.repeat(leaf, n, axis=0), drawn)
    with pytest.raises(ValueError, match=f"multiple of {LANES} and chains of at least 1; got {n} and {chains}"):
        run_chains(jax.random.key(0), joint, approximation, samples, even_ladder(STRIDE, STRIDE), chains)
