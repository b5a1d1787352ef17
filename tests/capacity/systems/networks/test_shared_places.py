"""Convolutional codes whose places share weights: windows, lengths, decoders that add up to 1, and what is refused."""

from __future__ import annotations

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.systems import Architecture, GaussianAutoencoder
from capacity.systems.networks import ConvNetwork
from capacity.systems.networks.running import fresh, run_one
from capacity.training import Training, sender
from synthetic import PlainBits, Sprites

NETWORK = ConvNetwork(kernel=3, read="places")


def _system(units: int) -> GaussianAutoencoder:
    return GaussianAutoencoder(Architecture(units, (6, 5), network=NETWORK))


@pytest.mark.parametrize("units", [6, 12, 24])
def test_a_unit_sees_its_window_alone(units: int) -> None:
    source = PlainBits(12, 12)
    build = NETWORK.encoder(source, units, (6, 5), "silu")
    state = fresh("encoder", build, jax.random.key(0))
    slopes = np.asarray(jax.jacobian(lambda x: run_one(build, state, lambda m, x: m(x), x))(jnp.ones(12)))
    assert slopes.shape == (units, 12)
    seen = np.abs(slopes) > 0
    assert seen.any(1).all() and (seen.sum(1) <= 5).all()


def test_the_same_weights_at_every_length() -> None:
    short, long = (
        jax.eval_shape(lambda k, n=n: _system(n // 2).init(k, PlainBits(n, n)), jax.random.key(0)) for n in (64, 4096)
    )
    assert jax.tree.map(lambda leaf: leaf.shape, short) == jax.tree.map(lambda leaf: leaf.shape, long)


@pytest.mark.parametrize("units", [2, 4, 8])
def test_the_message_decoder_adds_up_to_one(units: int) -> None:
    source = PlainBits(4, 4)
    build = NETWORK.message(source, units, (6, 5), "silu")
    state = fresh("message", build, jax.random.key(0))
    z = jax.random.normal(jax.random.key(1), (units,))
    messages = jnp.array(list(product((0, 1), repeat=4)), jnp.int8)
    log_q = jax.vmap(lambda m: run_one(build, state, lambda d, m, z: d.log_prob(m, z), m, z))(messages)
    assert float(jax.nn.logsumexp(log_q)) == pytest.approx(0.0, abs=1e-5)


def test_long_codes_are_trained_on_short_messages() -> None:
    source, system = PlainBits(512, 512), _system(256)
    short, rehearsed = system.rehearsal(source)
    assert (short.message_dim, rehearsed.architecture.units) == (256, 128)
    assert system.rehearsal(PlainBits(256, 256))[1] == system
    training = Training(steps=2, batch=4, receiver_steps=1, receiver_batch=4)
    params, history = training.train(0, source, system, 0.5)
    joint = sender(0, params, source, system, 0.5)
    assert np.isfinite(history).all()
    assert joint.encoder(joint.source.sample(jax.random.key(0), 1).vector[0]).shape == (256,)


def test_what_has_no_places_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected read to be one of all, places"):
        ConvNetwork(read="some")
    with pytest.raises(ValueError, match="Expected a sequence"):
        NETWORK.encoder(Sprites.build(jax.random.key(0), 4, 64), 4, (6,), "silu")
    with pytest.raises(ValueError, match="Expected units a whole number of times the places"):
        fresh("encoder", NETWORK.encoder(PlainBits(12, 12), 5, (6,), "silu"), jax.random.key(0))
