"""Modules that cannot be trained or measured are refused before any work, in a sentence; odd ones are taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from capacity import Architecture, GaussianAutoencoder, Training, plan_curve
from capacity.systems.networks import Modules
from capacity.training.carried import training_pass
from synthetic import FairBits

SOURCE = FairBits.build(jax.random.key(7), 3, 4)
KEY = jax.random.key(0)
Layer = Callable[[nnx.Rngs], Any]
Between = Callable[[Any, jax.Array], Any]


def made(between: Between, layer: Layer | None = None) -> type[nnx.Module]:
    """Two layers, and between them what is tried, with a layer of its own."""

    class Tried(nnx.Module):
        def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs):
            self.first, self.last = nnx.Linear(inputs, 8, rngs=rngs), nnx.Linear(8, outputs, rngs=rngs)
            if layer is not None:
                self.own = layer(rngs)

        def __call__(self, x: jax.Array) -> jax.Array:
            return self.last(between(self, self.first(x)))

    return Tried


def encoded(make: type[nnx.Module], checking: bool = False, single: bool = False) -> jax.Array:
    """A batch in a step of training."""
    architecture = Architecture(2, (8,), network=Modules(make_encoder=make, single=single))
    state = architecture.init(KEY, SOURCE, 2)["encoder"]
    with training_pass(KEY, checking):
        return architecture.encode(state, SOURCE, SOURCE.sample(KEY, 4).vector, 2)


def traced(make: type[nnx.Module], single: bool = False) -> None:
    jax.eval_shape(lambda: encoded(make, single=single))


class Count(nnx.Variable):  # type: ignore[type-arg]
    """A kind of variable of somebody's own."""


def growing(module: Any, h: jax.Array) -> jax.Array:
    module.own.set_value(jnp.zeros(len(module.own[...]) + 1))
    return h


def late(module: Any, h: jax.Array) -> jax.Array:
    module.late = Count(jnp.zeros(2))
    return h


REFUSED: dict[str, tuple[Between, Layer | None, str]] = {
    "dropout on": (lambda m, h: m.own(h, deterministic=False), lambda r: nnx.Dropout(0.5, rngs=r), "draws random.*own"),
    "batch statistics on": (
        lambda m, h: m.own(h, use_running_average=False),
        lambda r: nnx.BatchNorm(8, rngs=r),
        "moves own.mean",
    ),
    "wrong shape": (lambda m, h: jnp.concatenate([h, h]), None, r"Expected encoder to make \(1, 2\) of \(1, 4\); got"),
    "integer parameters": (lambda m, h: h, lambda r: nnx.Param(jnp.arange(3)), "real-valued parameters.*own of int32"),
    "half precision": (
        lambda m, h: h,
        lambda r: nnx.Param(jnp.zeros(3, jnp.float16)),
        "float32 or bfloat16",
    ),
    "growing state": (growing, lambda r: Count(jnp.zeros(2)), r"keep its variables.*float32\(2,\), then float32\(3,\)"),
    "late state": (late, None, "Make all variables where the module is made"),
    "plain array": (lambda m, h: h, lambda r: jnp.ones(8), "plain array in its attribute 'own'"),
    "key as state": (lambda m, h: h, lambda r: Count(jax.random.key(0)), "random key, own"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_work_is_refused_where_it_is_traced(case: str) -> None:
    between, layer, words = REFUSED[case]
    with pytest.raises(ValueError, match=words):
        traced(made(between, layer))


def test_state_of_a_module_of_single_items_is_refused() -> None:
    with pytest.raises(ValueError, match=r"without state.*own.mean, own.var"):
        traced(made(lambda m, h: m.own(h), lambda r: nnx.BatchNorm(8, rngs=r)), single=True)


@pytest.mark.parametrize(
    ("between", "words"),
    [
        (lambda m, h: h - h.mean(0, keepdims=True), "what it makes of it in a batch"),
        (lambda m, h: h * jnp.nan, "Expected finite numbers from encoder"),
        (lambda m, h: h + np.random.normal(size=h.shape).astype(np.float32), "another at the second call"),
    ],
)
def test_what_only_numbers_show_is_refused_before_training(between: Between, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        encoded(made(between), checking=True)


def planned(make: Any, **more: Any) -> None:
    system = GaussianAutoencoder(Architecture(2, (8,), network=Modules(make_encoder=make)), **more)
    short = Training(steps=2, batch=8, receiver_steps=1, receiver_batch=8)
    plan_curve(0, SOURCE, system, (0.5,), 1, training=short, samples=64)


def test_a_plan_refuses_what_is_another_program_each_time_and_what_calls_back() -> None:
    draws = made(lambda m, h: h + np.random.normal(size=8).astype(np.float32)[None])
    with pytest.raises(ValueError, match="same program each time"):
        planned(draws)
    shape = jax.ShapeDtypeStruct((1, 8), jnp.float32)
    calls = made(lambda m, h: h + jax.lax.stop_gradient(jax.pure_callback(lambda: np.zeros((1, 8), np.float32), shape)))
    with pytest.raises(ValueError, match="calls back into Python"):
        planned(calls)


@pytest.mark.parametrize(
    ("make", "words"), [(nnx.Linear(4, 2, rngs=nnx.Rngs(0)), "class of modules"), (lambda inputs: None, "rngs")]
)
def test_what_makes_no_modules_is_refused(make: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        Modules(make_encoder=make)


def shared(rngs: nnx.Rngs) -> nnx.List[nnx.Module]:
    layer = nnx.Linear(8, 8, rngs=rngs)
    return nnx.List([layer, layer])


TAKEN: dict[str, tuple[Between, Layer | None]] = {
    "a list that shares a layer": (lambda m, h: m.own[1](m.own[0](h)), shared),
    "computing in half precision": (
        lambda m, h: m.own(h).astype(jnp.float32),
        lambda r: nnx.Linear(8, 8, dtype=jnp.float16, rngs=r),
    ),
    "a NumPy array": (lambda m, h: h * m.own[None], lambda r: np.ones(8, np.float32)),
    "streams within streams": (
        lambda m, h: m.own(h),
        lambda r: nnx.Sequential(nnx.Dropout(0.3, rngs=r), nnx.Sequential(nnx.Dropout(0.2, rngs=nnx.Rngs(dropout=3)))),
    ),
    "layer norm": (lambda m, h: m.own(h), lambda r: nnx.LayerNorm(8, rngs=r)),
    "spectral norm": (lambda m, h: m.own(h), lambda r: nnx.SpectralNorm(nnx.Linear(8, 8, rngs=r), rngs=r)),
    "weight norm": (lambda m, h: m.own(h), lambda r: nnx.WeightNorm(nnx.Linear(8, 8, rngs=r), rngs=r)),
    "a recurrent carry": (lambda m, h: m.own(h[..., None])[:, -1], lambda r: nnx.RNN(nnx.GRUCell(1, 8, rngs=r))),
    "integers as state": (lambda m, h: h, lambda r: Count(jnp.arange(3))),
}


@pytest.mark.parametrize("case", TAKEN)
@jax.numpy_dtype_promotion("standard")
@jax.numpy_rank_promotion("allow")
def test_what_flax_offers_is_taken(case: str) -> None:
    traced(made(*TAKEN[case]))


def test_a_module_without_parameters_is_taken() -> None:
    class Cut(nnx.Module):
        def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs):
            self.outputs = outputs

        def __call__(self, x: jax.Array) -> jax.Array:
            return x[..., : self.outputs]

    np.testing.assert_array_equal(encoded(Cut), SOURCE.sample(KEY, 4).vector[:, :2])


def test_own_variables_count_steps() -> None:
    def counting(module: Any, h: jax.Array) -> jax.Array:
        module.own[...] = module.own[...] + 1
        return h

    architecture = Architecture(2, (8,), network=Modules(make_encoder=made(counting, lambda r: Count(jnp.int32(0)))))
    state = architecture.init(KEY, SOURCE, 2)["encoder"]
    with training_pass(KEY) as opened:
        for _ in range(2):
            architecture.encode(state, SOURCE, SOURCE.sample(KEY, 4).vector, 2)
    assert opened.states["encoder"]["own"][...] == 2 and state["own"][...] == 0
