"""A small convolutional VAE and a VQ-VAE of flax nnx, on digits, measured through the module and saved arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from sklearn.datasets import load_digits

from capacity import Codes, Latent
from capacity.frameworks import (
    collect_module,
    load_posterior,
    measure_module,
    measure_posterior,
    module,
    save_posterior,
)

POINTS, UNITS, SYMBOLS, WIDTH = 256, 3, 16, 4
IMAGES = (load_digits().images[:POINTS, ..., None] / 16).astype(np.float32)
SAMPLES = 2048  # with 256 posteriors of three units, as of other tests, which share their programs
STEPS = 60


class Encoder(nnx.Module):
    def __init__(self, out: int, rngs: nnx.Rngs):
        self.conv = nnx.Conv(1, 8, (3, 3), strides=2, rngs=rngs)
        self.norm = nnx.BatchNorm(8, rngs=rngs)
        self.dropout = nnx.Dropout(0.1, rngs=rngs)
        self.out = nnx.Linear(128, out, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.out(self.dropout(nnx.relu(self.norm(self.conv(x)))).reshape(len(x), -1))


class VAE(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.encoder = Encoder(2 * UNITS, rngs)
        self.decoder = nnx.Linear(UNITS, 64, rngs=rngs)
        self.rngs = rngs

    def encode(self, x: jax.Array) -> list[jax.Array]:
        return jnp.split(self.encoder(x), 2, axis=1)

    def sampled(self, x: jax.Array) -> list[jax.Array]:
        """What a person may give by mistake: a draw in the place of the means."""
        mean, logvar = self.encode(x)
        return [mean + jnp.exp(0.5 * logvar) * jax.random.normal(self.rngs.noise(), mean.shape), logvar]

    def by_a_fixed_key(self, x: jax.Array) -> list[jax.Array]:
        mean, logvar = self.encode(x)
        return [mean + jnp.exp(0.5 * logvar) * jax.random.normal(jax.random.key(0), mean.shape), logvar]

    def loss(self, x: jax.Array) -> jax.Array:
        mean, logvar = self.encode(x)
        z = mean + jnp.exp(0.5 * logvar) * jax.random.normal(self.rngs.noise(), mean.shape)
        rate = 0.5 * (mean**2 + jnp.exp(logvar) - 1 - logvar).sum(1)
        return (60 * jnp.square(self.decoder(z) - x.reshape(len(x), -1)).sum(1) + rate).mean()


class VQVAE(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.encoder = Encoder(2 * WIDTH, rngs)
        self.book = nnx.Embed(SYMBOLS, WIDTH, rngs=rngs)

    def codes(self, x: jax.Array) -> dict[str, jax.Array]:
        h = self.encoder(x).reshape(len(x), 2, 1, WIDTH)
        return {"z_e": h, "indices": jnp.square(h - self.book.embedding[None, None]).sum(-1).argmin(-1)}


@cache
def trained(kind: type[VAE]) -> VAE:
    """After some steps; in training mode, as a loop leaves it, its normalisation alone switched off by hand."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        model = kind(nnx.Rngs(0))
        optimizer = nnx.Optimizer(model, optax.adam(1e-2), wrt=nnx.Param)

        @nnx.jit
        def step(model: Any, optimizer: Any, x: jax.Array) -> None:
            optimizer.update(model, nnx.grad(lambda m: m.loss(x))(model))

        rng = np.random.default_rng(0)
        for _ in range(STEPS):
            step(model, optimizer, jnp.asarray(IMAGES[rng.integers(0, POINTS, 64)]))
    model.encoder.norm.use_running_average = True
    return model


def settled(kind: type[VQVAE]) -> VQVAE:
    """As it was drawn, but for the statistics of its normalisation, which have seen the images."""
    model = kind(nnx.Rngs(0))
    for _ in range(3):
        model.codes(jnp.asarray(IMAGES))
    model.encoder.norm.use_running_average = True
    return model


@pytest.fixture(autouse=True)
def as_flax_promotes() -> Any:
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def by_hand(model: VAE) -> list[np.ndarray]:
    """Means and log-variances by the lines that a person would write, on a copy."""
    copy = nnx.clone(model)
    copy.eval()
    return [np.asarray(a) for a in copy.encode(jnp.asarray(IMAGES))]


def test_a_vae_is_measured_by_what_its_module_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same arrays come to the measure from the module and from a file; what it makes of them is tested there."""
    asked: list[Any] = []
    monkeypatch.setattr(module, "measure_latent", lambda *given, **options: asked.append((given, options)))
    model = trained(VAE)
    save_posterior(tmp_path / "p.npz", collect_module(model, IMAGES, encode="encode"))
    measure_module(3, model, IMAGES, encode="encode", samples=SAMPLES)
    measure_posterior(3, load_posterior(tmp_path / "p.npz"), samples=SAMPLES)
    for (key, means, logvars), options in asked:
        assert key == 3 and options == {"given": None, "samples": SAMPLES, "progress": None}
        for array, truth in zip((means, logvars), by_hand(model), strict=True):
            np.testing.assert_allclose(array, truth, atol=1e-5)
    assert len(asked) == 2


@pytest.mark.slow
def test_a_vae_by_its_module_and_by_saved_arrays(tmp_path: Path) -> None:
    model = trained(VAE)
    truth = by_hand(model)
    save_posterior(tmp_path / "p.npz", collect_module(model, IMAGES, encode="encode"))
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        found = measure_module(0, model, IMAGES, encode=lambda x: _lenient(model.encode, x), samples=SAMPLES)
        saved = measure_posterior(0, load_posterior(tmp_path / "p.npz"), samples=SAMPLES)
    with np.load(tmp_path / "p.npz", allow_pickle=False) as arrays:
        np.testing.assert_allclose(arrays["means"], truth[0], atol=1e-5)
    assert isinstance(found, Latent) and isinstance(saved, Latent)
    assert float(saved.information.bits) == float(found.information.bits) and saved.rate == found.rate
    assert 1 < float(found.information.bits) <= np.log2(POINTS) and found.units == UNITS


def _lenient(call: Callable[..., Any], *given: Any) -> Any:
    """Flax promotes as NumPy does."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        return call(*given)


def test_the_codes_of_a_vq_vae_by_its_module_and_by_saved_arrays(tmp_path: Path) -> None:
    model = settled(VQVAE)
    found = collect_module(model, [(IMAGES[:100], 1), (IMAGES[100:], 2)], encode="codes")
    copy = nnx.clone(model)
    copy.eval()
    truth = np.asarray(copy.codes(jnp.asarray(IMAGES))["indices"])
    assert found.law == "codes" and found.arrays["codes"].shape == (POINTS, 2)
    assert (found.arrays["codes"] == truth).mean() > 0.99 and len(np.unique(truth)) > 2
    save_posterior(tmp_path / "codes.npz", found)
    assert (load_posterior(tmp_path / "codes.npz").arrays["codes"] == found.arrays["codes"]).all()
    measured = measure_module(0, model, IMAGES, encode="codes", codebook=SYMBOLS)
    saved = measure_posterior(0, load_posterior(tmp_path / "codes.npz"), codebook=SYMBOLS)
    assert isinstance(measured, Codes) and isinstance(saved, Codes)
    assert float(saved.information.bits) == float(measured.information.bits) > 1
    assert (np.asarray(saved.marginal.bits) == np.asarray(measured.marginal.bits)).all()


@pytest.mark.parametrize("fails", [False, True], ids=["ends", "fails"])
def test_the_module_is_left_as_it_was(fails: bool) -> None:
    model = trained(VAE)
    state = jax.tree.map(np.array, nnx.to_pure_dict(nnx.state(model, nnx.Not(nnx.RngKey))))
    assert not model.encoder.dropout.deterministic and model.encoder.norm.use_running_average

    def encode(x: jax.Array) -> Any:
        assert model.encoder.dropout.deterministic and model.encoder.norm.use_running_average
        model.encoder.norm.mean[...] = model.encoder.norm.mean[...] * 1.0001  # what a careless forward does
        if fails and len(x) < 100:
            raise RuntimeError("at the last batch")
        return model.encode(x)

    batches = [IMAGES[:100], IMAGES[100:200], IMAGES[200:]]
    if fails:
        with pytest.raises(RuntimeError, match="at the last batch"):
            collect_module(model, batches, encode=encode)
    else:
        collect_module(model, batches, encode=encode)
    assert not model.encoder.dropout.deterministic and model.encoder.norm.use_running_average
    after = nnx.to_pure_dict(nnx.state(model, nnx.Not(nnx.RngKey)))
    assert jax.tree.all(jax.tree.map(np.array_equal, state, after))


def test_statistics_are_frozen_where_a_loop_left_them_on() -> None:
    model = nnx.clone(trained(VAE))
    model.train()
    found = collect_module(model, IMAGES, encode="encode")
    np.testing.assert_allclose(found.arrays["means"], by_hand(trained(VAE))[0], atol=1e-5)
    assert not model.encoder.norm.use_running_average


def stubborn(model: VAE) -> Callable[[jax.Array], Any]:
    """Its dropout on in whichever mode."""

    def encode(x: jax.Array) -> Any:
        h = model.encoder.dropout(x, deterministic=False).reshape(len(x), -1)
        return h[:, :UNITS], 0 * h[:, :UNITS] - 1

    return encode


def test_what_is_random_is_named_and_its_stream_put_back() -> None:
    model = trained(VAE)
    before = int(model.rngs.default.count[...])
    with pytest.raises(ValueError, match="the same means from two passes.*Random is `rngs.default` \\(VAE\\)"):
        collect_module(model, IMAGES, encode="sampled")
    with pytest.raises(ValueError, match=r"Random is `encoder\.dropout` \(Dropout\)"):
        collect_module(model, IMAGES, encode=stubborn(model))
    assert int(model.rngs.default.count[...]) == before
    with pytest.raises(ValueError, match="noise of a fixed seed or key on its place"):
        collect_module(model, IMAGES, encode="by_a_fixed_key")


def test_batches_of_pytorch_kind_and_bad_names() -> None:
    with pytest.raises(ValueError, match="Did you mean 'encode'"):
        collect_module(trained(VAE), IMAGES, encode="encod")
    with pytest.raises(TypeError, match="Expected a module, the name of its method, or a function; got VAE"):
        collect_module(trained(VAE), IMAGES)
