"""A small convolutional VAE and a VQ-VAE, trained on digits, measured through the module and through saved arrays."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.lib.npyio import NpzFile
from sklearn.datasets import load_digits

from capacity import Codes, Latent, measure_latent
from capacity.frameworks import collect_module, load_posterior, measure_module, measure_posterior, save_posterior

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make test-torch")
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

POINTS, UNITS, SYMBOLS, GRID = 256, 3, 16, 2
IMAGES = (load_digits().images[:POINTS, None] / 16).astype(np.float32)
SAMPLES = 2048  # with 256 posteriors of three units, as of other tests, which share their programs


def convolutions(channels: int) -> list[nn.Module]:
    return [
        nn.Conv2d(1, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.1), nn.Conv2d(8, channels, 3, 2, 1)
    ]  # fmt: skip


class VAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(*convolutions(16), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2 * UNITS))
        self.decoder = nn.Sequential(nn.Linear(UNITS, 64), nn.ReLU(), nn.Linear(64, 64), nn.Unflatten(1, (1, 8, 8)))

    def encode(self, x: Any) -> tuple[Any, Any]:
        return self.encoder(x).chunk(2, dim=1)

    def forward(self, x: Any) -> tuple[Any, Any, Any]:
        mean, logvar = self.encode(x)
        z = mean + (0.5 * logvar).exp() * torch.randn_like(mean)
        return self.decoder(z), mean, logvar

    def loss(self, x: Any) -> Any:
        again, mean, logvar = self(x)
        rate = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).sum(1)
        return (10 * (again - x).square().flatten(1).sum(1) + rate).mean()


class VQVAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(*convolutions(4))
        self.book = nn.Embedding(SYMBOLS, 4)
        self.decoder = nn.Sequential(nn.Flatten(), nn.Linear(4 * GRID**2, 64), nn.Unflatten(1, (1, 8, 8)))

    def nearest(self, h: Any) -> Any:
        return torch.cdist(h.movedim(1, -1).flatten(1, 2), self.book.weight[None]).argmin(-1)

    def codes(self, x: Any) -> Any:
        """(N, positions) integers."""
        return self.nearest(self.encoder(x))

    def forward(self, x: Any) -> tuple[Any, Any, Any]:
        h = self.encoder(x)
        indices = self.nearest(h)
        q = self.book(indices).unflatten(1, (GRID, GRID)).movedim(-1, 1)
        loss = (q - h.detach()).square().mean() + 0.25 * (h - q.detach()).square().mean()
        return self.decoder(h + (q - h).detach()), indices, loss

    def loss(self, x: Any) -> Any:
        again, _, loss = self(x)
        return (again - x).square().mean() + loss


@cache
def trained(kind: type[nn.Module]) -> nn.Module:
    """After two hundred steps; in training mode, as a loop leaves it, its dropout alone switched off by hand."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = kind()
        optimiser = torch.optim.Adam(model.parameters(), 3e-3)
        x = torch.from_numpy(IMAGES)
        for _ in range(200):
            loss = model.loss(x[torch.randint(POINTS, (64,))])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    model.train()
    model.encoder[3].eval()
    return model


def loader(size: int = 64, **more: Any) -> DataLoader[Any]:
    return DataLoader(TensorDataset(torch.from_numpy(IMAGES), torch.arange(POINTS)), size, **more)


def by_hand(model: nn.Module) -> tuple[np.ndarray, np.ndarray]:
    """Means and log-variances by the lines that a person would write."""
    modes = [part.training for part in model.modules()]
    model.eval()
    with torch.no_grad():
        mean, logvar = model.encode(torch.from_numpy(IMAGES))
    for part, mode in zip(model.modules(), modes, strict=True):
        part.training = mode
    return mean.numpy(), logvar.numpy()


def test_a_vae_by_its_module_and_by_saved_arrays(tmp_path: Path, command: Callable[..., Any]) -> None:
    model = trained(VAE)
    found = measure_module(0, model, loader(), encode="encode", samples=SAMPLES)
    save_posterior(tmp_path / "p.npz", collect_module(model, loader(), encode="encode"))
    saved = measure_posterior(0, load_posterior(tmp_path / "p.npz"), samples=SAMPLES)
    with np.load(tmp_path / "p.npz", allow_pickle=False) as arrays:
        assert isinstance(arrays, NpzFile)
        plain = measure_latent(0, arrays["means"], arrays["logvars"], samples=SAMPLES)
    assert isinstance(found, Latent) and isinstance(saved, Latent)
    truth = by_hand(model)
    for other in (saved, plain):
        assert float(other.information.bits) == float(found.information.bits) and other.rate == found.rate
        assert (np.asarray(other.marginal.bits) == np.asarray(found.marginal.bits)).all()
    np.testing.assert_allclose(arrays_of(model)["means"], truth[0], atol=1e-5)
    assert 2 < float(found.information.bits) <= np.log2(POINTS) and found.points == POINTS and found.units == UNITS
    status, out, err = command("latent", "--posterior", tmp_path / "p.npz", "--samples", SAMPLES, "--json")
    assert status == 0 and f'"rate": {float(found.rate)}' in out, err


def arrays_of(model: nn.Module) -> dict[str, np.ndarray]:
    return collect_module(model, loader(), encode="encode").arrays


def test_the_codes_of_a_vq_vae_by_its_module_and_by_saved_arrays(tmp_path: Path) -> None:
    model = trained(VQVAE)
    found = collect_module(model, loader(), encode="codes")
    model.eval()
    with torch.no_grad():
        _, indices, _ = model(torch.from_numpy(IMAGES))
    model.train()
    assert found.law == "codes" and found.arrays["codes"].shape == (POINTS, GRID**2)
    assert (found.arrays["codes"] == indices.numpy()).mean() > 0.99  # batches of another size may round otherwise
    assert len(np.unique(found.arrays["codes"])) > 2
    save_posterior(tmp_path / "codes.npz", found)
    assert (load_posterior(tmp_path / "codes.npz").arrays["codes"] == found.arrays["codes"]).all()
    measured = measure_module(0, model, loader(), encode="codes", codebook=SYMBOLS)
    saved = measure_posterior(0, load_posterior(tmp_path / "codes.npz"), codebook=SYMBOLS)
    assert isinstance(measured, Codes) and isinstance(saved, Codes) and measured.use.sizes.tolist() == [SYMBOLS] * 4
    assert (np.asarray(saved.marginal.bits) == np.asarray(measured.marginal.bits)).all()
    assert float(saved.information.bits) == float(measured.information.bits) > 2
    assert float(saved.population.information.high) == float(measured.population.information.high)
    by_function = collect_module(model, loader(), encode=lambda x: model(x)[1])
    assert (by_function.arrays["codes"] == found.arrays["codes"]).all()


def test_tensors_of_safetensors(tmp_path: Path) -> None:
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    from safetensors.torch import save_file

    mean, logvar = map(torch.from_numpy, by_hand(trained(VAE)))
    for name, scale, kind in (("whole", 1, torch.float32), ("half", 8, torch.bfloat16), ("16", 64, torch.float16)):
        named = {"encoder.mu": (scale * mean).to(kind), "encoder.log_var": (logvar - np.log(scale)).to(kind)}
        save_file({k: t.contiguous() for k, t in named.items()}, tmp_path / f"{name}.safetensors")
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            found = load_posterior(tmp_path / f"{name}.safetensors")
        assert (found.arrays["means"] == named["encoder.mu"].float().numpy()).all()
        words = [str(one.message) for one in said]
        assert ("resolution of " + str(kind).removeprefix("torch.") in "".join(words)) == (name != "whole"), words


@pytest.mark.parametrize("fails", [False, True], ids=["ends", "fails"])
def test_the_module_is_left_as_it_was(fails: bool) -> None:
    model = trained(VAE)
    modes = {name: part.training for name, part in model.named_modules()}
    state = {name: value.clone() for name, value in model.state_dict().items()}
    random = torch.get_rng_state()
    assert modes["encoder.1"] and not modes["encoder.3"]

    def encode(x: Any) -> Any:
        assert not any(part.training for part in model.modules()) and not torch.is_grad_enabled()
        torch.rand(3)
        model.encoder[1].running_mean += 1  # what a careless forward does
        model.encoder[1].running_mean -= 1
        if fails and len(x) < 64:
            raise RuntimeError("at the last batch")
        return model.encode(x)

    if fails:
        with pytest.raises(RuntimeError, match="at the last batch"):
            collect_module(model, loader(shuffle=True), encode=encode)
    else:
        collect_module(model, loader(shuffle=True), encode=encode)
    assert {name: part.training for name, part in model.named_modules()} == modes
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random) and torch.is_grad_enabled()


def test_statistics_that_a_forward_moves_are_put_back() -> None:
    model = trained(VAE)
    before = model.encoder[1].running_mean.clone()

    def encode(x: Any) -> Any:
        found = model.encode(x)
        model.encoder[1].running_mean *= 1.0001
        return found

    collect_module(model, loader(), encode=encode)
    assert torch.equal(model.encoder[1].running_mean, before)


def test_a_shuffled_loader_gives_the_same_rows() -> None:
    model = trained(VAE)
    plain, shuffled = (collect_module(model, loader(shuffle=s), encode="encode").arrays["means"] for s in (False, True))
    assert not np.allclose(plain, shuffled)
    np.testing.assert_allclose(*(a[np.lexsort(a.round(4).T)] for a in (plain, shuffled)), atol=1e-4)


class Stubborn(nn.Dropout):
    """Stays on."""

    def train(self, mode: bool = True) -> Stubborn:
        return super().train(True)


def changed(change: Callable[[VAE], Any]) -> VAE:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = VAE()
        change(model)
    return model


RANDOM: dict[str, tuple[VAE, str | Callable[..., Any], str]] = {
    "dropout left on": (
        changed(lambda m: m.encoder.__setitem__(3, Stubborn(0.2))), "encode", r"Random is `encoder\.3` \(Stubborn\)"
    ),
    "two of them": (
        changed(lambda m: (m.encoder.__setitem__(3, Stubborn(0.2)), m.encoder.__setitem__(5, Stubborn(0.2)))),
        "encode", r"Random is `encoder\.3`",
    ),
    "a draw of its own": (
        VAE(), lambda x: (torch.randn(len(x), 2), torch.zeros(len(x), 2) - 1), "no submodule: it draws by itself"
    ),
    "batch statistics": (
        changed(lambda m: m.encoder.__setitem__(1, nn.BatchNorm2d(8, track_running_stats=False))), "encode",
        "Batch statistics in evaluation mode",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", RANDOM)
def test_an_encoder_that_is_no_function_of_its_input(kind: str) -> None:
    model, encode, words = RANDOM[kind]
    with pytest.raises(ValueError, match=words):
        collect_module(model, loader(), encode=encode)


def test_what_is_meant_is_asked_for_with_the_methods_that_there_are() -> None:
    with pytest.raises(ValueError, match="got 3 things. It has the methods encode, loss: encode='encode'"):
        collect_module(trained(VAE), loader())
    with pytest.raises(ValueError, match="Did you mean 'encode'"):
        collect_module(trained(VAE), loader(), encode="encod")


D = torch.distributions
MEAN, STD = torch.randn(20, UNITS, generator=torch.Generator().manual_seed(0)), torch.tensor(0.5)
LOGITS = torch.randn(20, 3, 5, generator=torch.Generator().manual_seed(1))
LAWS: dict[str, tuple[Callable[[Any], Any], dict[str, np.ndarray]]] = {
    "normal": (lambda i: D.Normal(MEAN[i], STD), {"means": MEAN.numpy(), "stds": np.full((20, UNITS), 0.5)}),
    "independent": (
        lambda i: D.Independent(D.Normal(MEAN[i], STD), 1), {"means": MEAN.numpy(), "stds": np.full((20, UNITS), 0.5)}
    ),
    "multivariate": (
        lambda i: D.MultivariateNormal(MEAN[i], torch.eye(UNITS)),
        {"means": MEAN.numpy(), "covariances": np.tile(np.eye(UNITS), (20, 1, 1))},
    ),
    "categorical": (lambda i: D.Categorical(logits=LOGITS[i]), {"probs": LOGITS.softmax(-1).numpy()}),
    "one-hot": (
        lambda i: D.Independent(D.OneHotCategorical(logits=LOGITS[i]), 1), {"probs": LOGITS.softmax(-1).numpy()}
    ),
    "bernoulli": (
        lambda i: D.Bernoulli(logits=MEAN[i]), {"probs": torch.stack([(-MEAN).sigmoid(), MEAN.sigmoid()], -1).numpy()}
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", LAWS)
def test_distributions(kind: str) -> None:
    make, truth = LAWS[kind]
    for module in (nn.Identity(), lambda x: x):
        found = collect_module(module, [torch.arange(20)], encode=make)
        assert found.arrays.keys() == truth.keys()
        for name, array in truth.items():
            np.testing.assert_allclose(found.arrays[name], array, atol=1e-6)


def test_a_distribution_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="got Gumbel. Give its parameters by name"):
        collect_module(nn.Identity(), [torch.zeros(20, 1)], encode=lambda x: D.Gumbel(x, 1.0))


def test_inputs_go_where_the_module_is_and_become_its_type() -> None:
    model = nn.Linear(4, 2 * UNITS, dtype=torch.float64)
    rows = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    found = collect_module(model, [rows], encode=lambda x: (model(x)[:, :UNITS], x.new_zeros(len(x), UNITS) - 1))
    assert found.arrays["means"].dtype == np.float64
    nested = {"a": [rows, torch.from_numpy(rows)]}
    seen: list[Any] = []
    collect_module(model, [(nested, 0)], encode=lambda d: seen.append(d) or (d["a"][0], d["a"][0].double() - 9))
    assert all(isinstance(one, torch.Tensor) for one in seen[0]["a"])
    meta = nn.Linear(4, 4, device="meta")
    with pytest.raises(Exception, match="meta"):  # there are no numbers, and inputs were sent there
        collect_module(meta, [rows], encode=lambda x: (meta(x), meta(x)))


def test_autocast_is_noticed() -> None:
    model = trained(VAE)

    def encode(x: Any) -> Any:
        with torch.autocast("cpu", torch.bfloat16):
            mean, logvar = model.encode(x)
        assert mean.dtype == torch.bfloat16
        return 8 * mean, logvar - 4

    with pytest.warns(UserWarning, match="resolution of bfloat16"):
        collect_module(model, loader(), encode=encode)


def test_keywords_as_transformers_take_them() -> None:
    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(9, 2 * UNITS)

        def forward(self, input_ids: Any, attention_mask: Any) -> dict[str, Any]:
            mean, logvar = (self.words(input_ids) * attention_mask[..., None]).sum(1).chunk(2, -1)
            return {"mu": mean, "logvar": logvar, "loss": None}

    batch = {"input_ids": torch.arange(60).reshape(20, 3) % 9, "attention_mask": torch.ones(20, 3), "labels": None}
    found = collect_module(Encoder(), [batch], inputs=("input_ids", "attention_mask"))
    assert found.arrays["means"].shape == (20, UNITS)


def test_nothing_is_loaded_before_it_is_needed() -> None:
    lines = "import sys, capacity.frameworks as f; f.collect_module(lambda x: (x, x - 9), [__import__('numpy').eye(4)])"
    check = "assert not {'torch', 'safetensors'} & sys.modules.keys()"
    done = subprocess.run([sys.executable, "-c", f"{lines}; {check}"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
