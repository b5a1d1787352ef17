"""An nnx network's noisy layers: the same function, the same noise, what is refused."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from capacity import Layer, Stack, measure_layers
from capacity.channels import Dropout, Gaussian, SharedDropout
from capacity.frameworks import layers_of_module
from synthetic import FairBits


class Inside(nnx.Module):
    """A block with dropout inside."""

    def __init__(self, rngs: nnx.Rngs):
        self.linear = nnx.Linear(4, 4, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return x + self.dropout(self.linear(x))


class Own(nnx.Module):
    """Noise of a module's own making."""

    def __init__(self, rngs: nnx.Rngs):
        self.rngs = rngs.fork()

    def __call__(self, x: jax.Array) -> jax.Array:
        return x + jax.random.normal(self.rngs.noise(), x.shape)


def test_a_network_is_its_encoders_and_its_noises() -> None:
    rngs = nnx.Rngs(0)
    norm = nnx.BatchNorm(5, rngs=rngs)
    norm.mean[...] = jnp.arange(5.0)
    net = nnx.Sequential(
        nnx.Linear(4, 5, rngs=rngs), norm, nnx.relu, nnx.Dropout(0.2, rngs=rngs), nnx.Linear(5, 3, rngs=rngs),
        nnx.Sequential(jnp.tanh, Gaussian(0.3)), nnx.Linear(3, 2, rngs=rngs),
    )  # fmt: skip
    first, second = layers_of_module(net, 4)
    assert first.channel == Dropout(0.2) and second.channel == Gaussian(0.3)
    assert not norm.use_running_average and not net.layers[3].deterministic, "the module stays as it is"
    x = jax.random.normal(jax.random.key(0), (4,))
    expected = nnx.relu((net.layers[0](x[None])[0] - jnp.arange(5.0)) / jnp.sqrt(1 + norm.epsilon))
    np.testing.assert_allclose(first.encoder(x), expected, rtol=1e-5)
    kept = expected.at[1].set(0)
    np.testing.assert_allclose(second.encoder(kept), jnp.tanh(net.layers[4](kept / 0.8)), rtol=1e-5)


def test_masks_along_axes_are_groups() -> None:
    """Channels of an image, its rows, and the whole of it; a batch's axis is none of one example's."""
    rngs = nnx.Rngs(0)

    def groups(*axes: int) -> int:
        (layer,) = layers_of_module([nnx.Dropout(0.3, broadcast_dims=axes, rngs=rngs)], (4, 4, 3))
        assert isinstance(layer.channel, SharedDropout)
        x = jax.random.normal(jax.random.key(0), (48,))
        np.testing.assert_array_equal(layer.encoder(x), x)
        image = np.asarray(layer.channel(jax.random.key(1), x)).reshape(1, 4, 4, 3) != 0
        assert all((image == np.take(image, [0], axis)).all() for axis in axes)
        return len(layer.channel.members)

    assert groups(1, 2) == 3 and groups(-1) == 16 and groups(1, 2, 3) == 1 and groups(-2, -1) == 4
    (alone,) = layers_of_module([nnx.Dropout(0.3, broadcast_dims=(0,), rngs=rngs)], 5)
    assert alone.channel == Dropout(0.3)


def test_noise_upon_noise_waits_with_its_factors() -> None:
    rngs = nnx.Rngs(0)
    parts = [nnx.Dropout(0.2, rngs=rngs), nnx.Dropout(0.5, rngs=rngs), Layer(lambda x: 3 * x, Gaussian(0.1))]
    first, second, third = layers_of_module(parts, 2)
    x = jnp.array([1.0, -2.0])
    for layer, factor in ((first, 1.0), (second, 1.0), (third, 3 / 0.8 / 0.5)):
        np.testing.assert_allclose(layer.encoder(x), factor * x, rtol=1e-6)


@pytest.mark.slow
def test_bits_of_a_network() -> None:
    """Whole-layer dropout and units' own: what passes is known."""
    rngs = nnx.Rngs(0)
    whole, own = nnx.Dropout(0.2, broadcast_dims=(-1,), rngs=rngs), nnx.Dropout(0.5, rngs=rngs)
    net = nnx.Sequential(lambda x: x, whole, jnp.tanh, own)
    found = measure_layers(0, Stack(FairBits(jnp.eye(4)), layers_of_module(net, 4)), budget_gflop=1)
    for bracket, truth in zip(found, (0.8 * 4, 0.8 * 0.5 * 4), strict=True):
        assert bracket.low <= truth <= bracket.high and bracket.width < 1e-3


def test_refusals() -> None:
    rngs = nnx.Rngs(0)
    with pytest.raises(TypeError, match=r"Expected nnx.Sequential, nnx.List or a list of layers; got Inside"):
        layers_of_module(Inside(rngs), 4)
    with pytest.raises(ValueError, match=r"dropout inside part 1 \(Inside, dropout\)"):
        layers_of_module([Inside(rngs), Gaussian(0.1)], 4)
    with pytest.raises(ValueError, match="part 1 to be the same at each call; got one that draws random numbers"):
        layers_of_module([Own(rngs), Gaussian(0.1)], 4)
    quiet = nnx.Sequential(nnx.Linear(4, 4, rngs=rngs), nnx.Dropout(0.5, rngs=rngs))
    quiet.eval()
    with pytest.raises(ValueError, match="Expected noise between the layers"):
        layers_of_module(quiet, 4)
    with pytest.raises(TypeError, match="module, function or channel as part 1; got int"):
        layers_of_module([3, Gaussian(0.1)], 4)
