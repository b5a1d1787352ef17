"""Any callable as encoder: flax modules, NumPy functions and PyTorch models give what a traced function gives."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from capacity import Joint, measure
from capacity.channels import Channel, Gaussian, LearntGaussian, Posterior
from capacity.joint.encoders import traceable
from synthetic import Codebook, FairBits

POINTS = np.asarray(np.random.default_rng(0).normal(size=(200, 4)), np.float32)
MATRIX = np.asarray(np.random.default_rng(1).normal(size=(4, 3)), np.float32)


def bits(encoder: Any, channel: Channel | None = None) -> Any:
    joint = Joint(Codebook(jnp.asarray(POINTS)), encoder, channel or Gaussian(0.5))
    return measure(jax.random.key(2), joint).lower


@pytest.fixture(scope="module")
def truth() -> Any:
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        return bits(lambda x: jnp.tanh(x @ jnp.asarray(MATRIX)))


def agree(first: Any, second: Any) -> bool:
    return bool(abs(first.bits - second.bits) < 4 * np.hypot(first.stderr, second.stderr))


def test_numpy_in_numpy_out(truth: Any) -> None:
    calls = []

    def encoder(x: np.ndarray) -> np.ndarray:
        calls.append(x.shape)
        return np.tanh(np.asarray(x) @ MATRIX)

    assert agree(bits(encoder), truth)
    numpy_calls = [shape for shape in calls if shape[0] > 4]
    assert numpy_calls[0] == (200, 4) and len(calls) <= 6  # the list once, and the probes


def test_torch_by_two_lines(truth: Any) -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(4, 3, bias=False), torch.nn.Dropout(0.5), torch.nn.Tanh())
    with torch.no_grad():
        model[0].weight.copy_(torch.from_numpy(MATRIX.T.copy()))

    def encoder(x: np.ndarray) -> np.ndarray:
        return model(torch.from_numpy(x)).detach().numpy()

    with pytest.raises(ValueError, match=r"same code at each call .* eval\(\)"):
        bits(encoder)
    model.eval()
    assert agree(bits(encoder), truth)


def test_flax_modules_and_jitted_functions(truth: Any) -> None:
    layer = nnx.Linear(4, 3, use_bias=False, rngs=nnx.Rngs(0))
    layer.kernel[...] = jnp.asarray(MATRIX)
    assert agree(bits(nnx.Sequential(layer, jnp.tanh)), truth)
    assert agree(bits(jax.jit(lambda x: jnp.tanh(x @ jnp.asarray(MATRIX)))), truth)


def test_a_module_in_training_mode_is_told_to_stop() -> None:
    norm = nnx.Sequential(nnx.Linear(4, 3, rngs=nnx.Rngs(0)), nnx.BatchNorm(3, rngs=nnx.Rngs(1)))
    with pytest.raises(ValueError, match=r"same code at each call and in each batch"):
        bits(norm)
    norm.eval()
    assert float(bits(norm).bits) > 1


def test_a_pair_is_a_posterior_traced_or_not() -> None:
    def plain(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean = np.asarray(x)[:, :2]
        return mean, np.full_like(mean, -0.5)

    traced = bits(lambda x: (x[:2], jnp.full(2, -0.5)), LearntGaussian())
    named = bits(lambda x: Posterior(x[:2], jnp.full(2, -0.5)), LearntGaussian())
    assert float(traced.bits) == float(named.bits) and agree(bits(plain, LearntGaussian()), traced)


def test_probabilities_of_messages_are_kept() -> None:
    source = Codebook(jnp.asarray([[0.0], [1.0], [2.0]]), np.array([0.5, 0.25, 0.25]))
    found = measure(jax.random.key(3), Joint(source, lambda x: 100 * np.asarray(x), Gaussian(0.01)))
    assert float(found.lower.bits) == pytest.approx(1.5, abs=0.05)


def test_messages_that_cannot_be_listed_need_an_encoder_that_can_be_traced() -> None:
    joint = Joint(FairBits(jnp.eye(24)), lambda x: np.tanh(np.asarray(x)), Gaussian(0.5))
    with pytest.raises(ValueError, match=r"too many to list .* Tracer"):
        measure(jax.random.key(4), joint)


@pytest.mark.parametrize(
    ("encoder", "sentence"),
    [
        (lambda x: np.asarray(x)[:, 0], r"codes of shape \(200, units\).* got \(200,\)"),
        (lambda x: np.asarray(x)[:1], r"got \(1, 4\)"),
        (lambda x: np.asarray(x) * np.nan, "finite real codes"),
        (lambda x: x.cuda(), "tracing gave AttributeError.*a batch of .* gave AttributeError"),
        (lambda x: x[None], r"one code of shape \(units,\); got \(1, 4\)"),
    ],
)
def test_refusals(encoder: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        traceable(Joint(Codebook(jnp.asarray(POINTS)), encoder, Gaussian(0.5)))
