"""Noises with nothing between them are one, and only where that is sure."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import Layer, Stack
from capacity.channels import BinarySymmetric, Chain, Dropout, Gaussian, SharedDropout
from capacity.channels.erased import Erased
from capacity.joint.fused import fused, is_identity, one_channel
from capacity.joint.stack import unchanged, unrolled
from synthetic import FairBits


def same(x: jax.Array) -> jax.Array:
    return x


def nearly_same(x: jax.Array) -> jax.Array:
    return 1.0 * x


def test_the_identity_is_told_by_its_program() -> None:
    assert is_identity(Layer(same, Gaussian(0.1))) and is_identity(Layer(unchanged, Gaussian(0.1)))
    assert not is_identity(Layer(nearly_same, Gaussian(0.1)))
    assert not is_identity(Layer(lambda x: x @ jnp.ones((4, 4)), Gaussian(0.1)))
    assert not is_identity(Layer(lambda x: x[:1], Gaussian(0.1)))


def test_one_channel_of_several() -> None:
    drop, noise = Dropout(0.2), Gaussian(0.5)
    assert one_channel([drop, noise]) == Chain(drop, noise)
    assert one_channel([noise, drop]) == Erased(noise, drop)
    assert one_channel([drop, noise, drop]) == Erased(Chain(drop, noise), drop)
    assert one_channel([noise, noise]) is None
    assert one_channel([drop, SharedDropout.of_layer(0.1, 2)]) is None


def test_what_ends_in_a_layer_is_one_where_it_can_be() -> None:
    source, flip = FairBits(jnp.eye(3)), BinarySymmetric(0.1)
    layers = (Layer(nearly_same, flip), Layer(same, flip), Layer(nearly_same, Gaussian(0.3)), Layer(same, Dropout(0.1)))
    stack = Stack(source, layers)
    whole, number = fused(stack, 2)
    assert number == 1 and whole.layers[0].channel == Chain(flip, flip)
    assert fused(stack, 3)[1] == 3
    whole, number = fused(stack, 4)
    assert number == 3 and isinstance(whole.layers[2].channel, Erased)
    assert [layer.channel.name for layer in whole.layers[:2]] == ["binary_symmetric"] * 2


def test_the_fused_law_is_the_stacks() -> None:
    stack = Stack(FairBits(jnp.eye(2)), (Layer(nearly_same, Gaussian(0.5)), Layer(same, Dropout(0.3))))
    whole, _ = fused(stack, 2)
    apart, one = (np.asarray(s.sample(jax.random.key(0), 20_000)[1][-1]) for s in (stack, whole))
    assert (apart == 0).mean() == pytest.approx((one == 0).mean(), abs=0.01)
    np.testing.assert_allclose(np.cov(apart.T), np.cov(one.T), atol=0.05)


def test_chains_inside_are_taken_apart() -> None:
    chain = Chain(Chain(BinarySymmetric(0.1), Dropout(0.2)), Gaussian(0.3))
    found = unrolled([Layer(nearly_same, chain)])
    assert [layer.channel.name for layer in found] == ["binary_symmetric", "dropout", "gaussian"]
    assert [is_identity(layer) for layer in found] == [False, True, True]
