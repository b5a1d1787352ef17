"""The additive code: a normalised start, sweeps that leave their target as it is, exact where it can be."""

from __future__ import annotations

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp
from scipy.stats import chi2

from capacity import Joint
from capacity.bounds.posterior.additive import AdditiveCode, BlockObservation
from capacity.bounds.posterior.additive_fit import fit_additive
from capacity.bounds.posterior.approximation import Sweep
from capacity.channels import Gaussian
from synthetic import Codebook, FairBits, GaussianVectors, MarkovBits

CHAINS = 2**15
PLACES = np.array([[0, 3, 1], [4, 2, 5]], np.int32)  # five digits in two blocks, the last place not filled


def uneven_book() -> Codebook:
    """22 rows: ten strings of five digits are no message."""
    probs = 1 / np.arange(1.0, 23)
    return Codebook(jax.random.normal(jax.random.key(3), (22, 5)), probs / probs.sum())


SOURCES: dict[str, Any] = {
    "fair": FairBits(jnp.eye(5)),
    "markov": MarkovBits(jnp.eye(5), 0.2, 0.4),
    "book": uneven_book(),
}


@cache
def fitted(name: str, bent: bool = True) -> tuple[Joint, AdditiveCode]:
    """A dense code onto four units; two blocks but for the book, which has one."""
    matrix = jax.random.normal(jax.random.key(11), (4, 5))

    def encoder(x: jax.Array) -> jax.Array:
        return jnp.tanh(matrix @ x) if bent else matrix @ x

    joint = Joint(SOURCES[name], encoder, Gaussian(jnp.float32(1.2)))
    with pytest.MonkeyPatch.context() as patch:
        if name != "book":
            patch.setattr("capacity.bounds.posterior.additive_fit.find_blocks", lambda *args: PLACES)
        return joint, fit_additive(jax.random.key(1), joint)


def everything(digits: int) -> jax.Array:
    return jnp.asarray((np.arange(2**digits)[:, None] >> np.arange(digits)) & 1, jnp.int8)


@jax.jit
def _listed(code: AdditiveCode, z: jax.Array) -> tuple[jax.Array, jax.Array]:
    observation = code.observe(z)

    def both(message: jax.Array) -> tuple[jax.Array, jax.Array]:
        state = code.state_of(observation, message)
        return code.log_start(observation, state), code.log_joint(observation, state)

    return jax.vmap(both)(everything(code.source.message_dim))


def listed(code: AdditiveCode, z: jax.Array) -> tuple[np.ndarray, np.ndarray]:
    """log q(m|z) and log f(m, z) of every string of digits."""
    start, joint = _listed(code, z)
    return np.asarray(start, np.float64), np.asarray(joint, np.float64)


@pytest.mark.parametrize("name", SOURCES)
def test_the_start_is_normalised(name: str) -> None:
    joint, code = fitted(name)
    for z in joint.sample(jax.random.key(2), 3)[2]:
        assert abs(logsumexp(listed(code, z)[0])) < 1e-4


def test_the_joint_of_a_linear_code_is_the_truth() -> None:
    joint, code = fitted("fair", bent=False)
    z = joint.sample(jax.random.key(2), 1)[2][0]
    truth = jax.jit(jax.vmap(lambda m: joint.log_prob(m, z)))(everything(5))
    np.testing.assert_allclose(listed(code, z)[1], truth, rtol=1e-4, atol=2e-3)


def test_the_joint_of_a_bent_code_meets_its_formula() -> None:
    """log p(m) + log N(z; centre + scale * sum of effects, scale^2), by NumPy in float64."""
    joint, code = fitted("markov")
    z = joint.sample(jax.random.key(2), 1)[2][0]
    digits = np.concatenate([np.asarray(everything(5)), np.zeros((32, 1), np.int8)], axis=1).astype(int)
    states = (digits[:, PLACES] << np.arange(3)).sum(-1)
    tables, centre, scale = (np.asarray(a, np.float64) for a in (code.tables, code.centre, code.scale))
    means = centre + scale * tables[np.arange(2), states].sum(1)
    density = -0.5 * (np.square((np.asarray(z) - means) / scale) + np.log(2 * np.pi * scale**2)).sum(1)
    prior = jax.jit(jax.vmap(joint.source.log_prob))(everything(5))
    np.testing.assert_allclose(listed(code, z)[1], density + np.asarray(prior), rtol=1e-5, atol=1e-3)


def test_one_block_is_the_truth_of_any_code() -> None:
    joint, code = fitted("book")
    z = joint.sample(jax.random.key(2), 1)[2][0]
    truth = np.asarray(jax.jit(jax.vmap(lambda m: joint.log_prob(m, z)))(joint.source.messages()), np.float64)
    start, target = listed(code, z)
    possible = target > -1e20
    assert possible.sum() == 22
    np.testing.assert_allclose(np.sort(target[possible]), np.sort(truth), rtol=1e-4, atol=2e-3)
    np.testing.assert_allclose(start[possible], log_softmax(target[possible]), atol=2e-3)


def test_states_and_messages_are_one_to_one() -> None:
    code = fitted("fair")[1]
    observation = code.observe(jnp.zeros(4))
    back = jax.jit(jax.vmap(lambda m: code.message_of(code.state_of(observation, m))))(everything(5))
    np.testing.assert_array_equal(back, everything(5))


def test_only_a_prior_across_blocks_is_coupled() -> None:
    assert [fitted(name)[1].coupled for name in SOURCES] == [False, True, False]


def test_the_start_is_the_posterior_of_an_orthogonal_code() -> None:
    source = FairBits.build(jax.random.key(5), 6, 6)
    joint = Joint(source, lambda x: x, Gaussian(0.8))
    code = fit_additive(jax.random.key(1), joint)
    assert code.moves == 2
    for z in joint.sample(jax.random.key(2), 3)[2]:
        start, target = listed(code, z)
        np.testing.assert_allclose(start, log_softmax(target), atol=2e-3)


@jax.jit
def swept(code: AdditiveCode, z: Any, numbers: Any, weight: Any, first: Any, backwards: Any) -> jax.Array:
    """Where the blocks from `first` on, drawn once, take each of many messages; as numbers."""
    observation: BlockObservation = code.observe(z)

    def move(key: jax.Array, message: jax.Array) -> jax.Array:
        state = code.state_of(observation, message)
        return code.message_of(code.sweep(key, observation, state, Sweep(weight, first, code.moves, backwards)))

    moved = jax.vmap(move)(jax.random.split(jax.random.key(7), len(numbers)), everything(5)[numbers])
    return (moved.astype(jnp.int32) << jnp.arange(5)[None]).sum(1)


@pytest.mark.parametrize("name", ["fair", "markov"])
@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_a_sweep_leaves_its_target_as_it_is(name: str, weight: float) -> None:
    """Chains that start in q^(1-w) f^w: where they come from and where they go, one sweep later.

    Counts of pairs are held against their mirror image: forwards from the target is backwards, reversed.
    """
    joint, code = fitted(name)
    z = joint.sample(jax.random.key(2), 1)[2][0]
    start, log_joint = listed(code, z)
    target = np.exp(log_softmax((1 - weight) * start + weight * log_joint))
    origin = np.random.default_rng(4).choice(32, CHAINS, p=target)
    ahead, back, second = (
        np.asarray(swept(code, z, jnp.asarray(origin, jnp.int32), jnp.float32(weight), *move))
        for move in ((0, False), (0, True), (1, False))
    )
    for arrived in (ahead, back, second):
        assert goodness_of_fit(np.bincount(arrived, minlength=32), CHAINS * target) > 1e-3
    assert (ahead != origin).mean() > 0.3
    pairs = [np.bincount(a * 32 + b, minlength=1024) for a, b in ((origin, ahead), (back, origin))]
    total = pairs[0] + pairs[1]
    seen = total > 10
    assert chi2.sf((np.square(pairs[0] - pairs[1])[seen] / total[seen]).sum(), seen.sum()) > 1e-3


def goodness_of_fit(counts: np.ndarray, expected: np.ndarray) -> float:
    """Pearson's test over the strings that are expected often enough for it."""
    often = expected > 5
    return float(chi2.sf((np.square(counts - expected)[often] / expected[often]).sum(), often.sum()))


def test_what_is_left_of_z_stays_in_step() -> None:
    code = fitted("fair")[1]
    observation = code.observe(jnp.asarray([0.3, -1.0, 0.4, 2.0]))
    state = code.sample(jax.random.key(2), observation)
    state = code.sweep(jax.random.key(3), observation, state, Sweep(jnp.float32(0.7), 0, code.moves, False))
    np.testing.assert_allclose(state.rest, code.refresh(observation, state).rest, atol=1e-4)


def test_no_message_is_ruled_out() -> None:
    """Rows of 9 digits in two blocks, 358 of 512: each must be possible under q, or no chain can come from it."""
    source = Codebook(jax.random.normal(jax.random.key(3), (358, 6)))
    code = fit_additive(jax.random.key(1), Joint(source, lambda x: x, Gaussian(1.5)))
    observation = code.observe(jnp.zeros(6))
    start_of = jax.jit(jax.vmap(lambda m: code.log_start(observation, code.state_of(observation, m))))
    start = start_of(source.messages())
    assert float(start.min()) > -1e20


def test_a_continuous_source_is_refused() -> None:
    with pytest.raises(ValueError, match="discrete source"):
        fit_additive(jax.random.key(0), Joint(GaussianVectors(jnp.ones(3)), lambda x: x, Gaussian(1.0)))
