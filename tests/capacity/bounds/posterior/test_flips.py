"""Flips leave their law as it is, with and without a gradient to inform them; bounds that need no chain."""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import Joint
from capacity.bounds import Enumeration, MaximumEntropy, Mixture, Receiver
from capacity.bounds.annealed.chains import run_chains
from capacity.bounds.annealed.ladder import even_ladder
from capacity.bounds.annealed.legs import Samples
from capacity.bounds.posterior.flips import fit_flips
from capacity.channels import Gaussian
from capacity.results.estimate import Estimate
from synthetic import Codebook, FairBits


@cache
def truth() -> Estimate:
    """Exact bits of the nonlinear code."""
    return Enumeration()(jax.random.key(0), nonlinear())


@cache
def nonlinear(bits: int = 6, sigma: float = 0.5) -> Joint:
    weights = jax.random.normal(jax.random.key(0), (bits, 3))
    encoder = jax.tree_util.Partial(lambda w, x: 1.5 * jnp.tanh(1.5 * x @ w), weights)
    return Joint(FairBits(jnp.eye(bits)), encoder, Gaussian(jnp.float32(sigma)))


@pytest.mark.parametrize("gradient", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_flips_leave_the_tempered_posterior_as_it_is(gradient: bool) -> None:
    """Started from p(m) p(z|m)^w itself, 4,096 chains still show it after 8 moves (chi-square, 63 degrees)."""
    joint = nonlinear()
    if not gradient:  # a code by number has none
        source = Codebook(joint.source.codebook()[0], np.full(64, 1 / 64))
        joint = Joint(source, joint.encoder, joint.channel)
    flips, weight, chains = fit_flips(jax.random.key(1), joint), jnp.float32(0.7), 4096
    z = joint.sample(jax.random.key(2), 1)[2][0]
    messages = joint.source.messages()
    codes = jax.vmap(lambda m: joint.encoder(joint.source.embed(m)))(messages)
    log_law = weight * jax.vmap(joint.conditional, (None, 0))(z, codes)
    law = np.asarray(jax.nn.softmax(log_law), np.float64)
    starts = messages[jax.random.categorical(jax.random.key(3), log_law, shape=(chains,))]

    def chain(key: jax.Array, digits: jax.Array) -> tuple[jax.Array, jax.Array]:
        carried = flips.carry(joint, z, digits.astype(jnp.float32), z)
        moved = jnp.zeros((), bool)
        for turn, step in enumerate(jax.random.split(key, 8)):
            carried, accept = flips.move(step, joint, z, z, carried, weight, jnp.asarray(turn))
            moved = moved | accept
        return (carried.state.astype(jnp.int32) << jnp.arange(5, -1, -1)).sum(), moved

    ends, moved = jax.jit(jax.vmap(chain))(jax.random.split(jax.random.key(4), chains), starts)
    assert moved.mean() > 0.2
    seen, common = np.bincount(np.asarray(ends), minlength=64), law * chains > 5
    expected = np.append(law[common], law[~common].sum() + 1e-9) * chains
    counted = np.append(seen[common], seen[~common].sum())
    assert ((counted - expected) ** 2 / expected).sum() < len(expected) + 5 * (2 * len(expected)) ** 0.5


def test_chains_of_flips_hold_the_truth() -> None:
    joint, exact = nonlinear(), truth()
    samples, flips = Samples.simulate(jax.random.key(3), joint, 512), fit_flips(jax.random.key(2), joint)
    chains = run_chains(jax.random.key(1), joint, flips, samples, even_ladder(16, 64), chains=4)
    for values, sign in ((chains.upper(), 1), (chains.lower(), -1)):
        gap = sign * (values.mean() / np.log(2) - exact.bits)
        assert gap > -3 * values.std() / 512**0.5 / np.log(2)


def test_bounds_without_chains_lie_on_their_sides() -> None:
    joint, exact = nonlinear(), truth()
    assert Receiver(4096)(jax.random.key(1), joint).low < exact.high
    normal, mixture = (bound(jax.random.key(2), joint) for bound in (MaximumEntropy(2**13), Mixture(8, 2**13)))
    assert exact.low < mixture.high and mixture.bits < normal.bits
