"""A layer's product against `x @ kernel`, and rounded against NumPy on operands that were rounded beforehand."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from capacity import Architecture, GaussianAutoencoder, Training, plan_curve
from capacity.curves.execute import run_plan
from capacity.systems.networks import MLP
from capacity.systems.networks.decoders import AutoregressiveBits
from capacity.training.precision import PRODUCTS, _rounded, fast_products, product, rounded_products
from synthetic import FairBits

SHAPES = {"wide": (96, 64), "narrowing": (96, 8), "widening": (8, 96), "narrowest": (5, 1)}
Product = Callable[[jax.Array, jax.Array], jax.Array]


def operands(inputs: int, outputs: int, rows: int = 40) -> tuple[jax.Array, jax.Array, jax.Array]:
    keys = jax.random.split(jax.random.key(inputs), 3)
    shapes = ((rows, inputs), (inputs, outputs), (rows, outputs))
    x, kernel, slope = (jax.random.normal(k, s) for k, s in zip(keys, shapes, strict=True))
    return x, kernel, slope


def matmul(x: jax.Array, kernel: jax.Array) -> jax.Array:
    return x @ kernel


@partial(jax.jit, static_argnums=0)
def slopes(of: Product, x: jax.Array, kernel: jax.Array, slope: jax.Array) -> Any:
    """What comes back from `slope`, for x and for the kernel."""
    return jax.vjp(of, x, kernel)[1](slope)


def bfloat16(x: Any) -> np.ndarray:
    return np.asarray(jnp.asarray(x).astype(jnp.bfloat16), np.float64)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_product_and_its_slopes_are_those_of_matmul(shape: tuple[int, int]) -> None:
    x, kernel, slope = operands(*shape)
    np.testing.assert_allclose(product(x, kernel), matmul(x, kernel), rtol=1e-5, atol=1e-5)
    for ours, theirs in zip(slopes(product, x, kernel, slope), slopes(matmul, x, kernel, slope), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("rounded", [False, True])
def test_one_row_after_another_is_a_batch(shape: tuple[int, int], rounded: bool) -> None:
    x, kernel, slope = operands(*shape)
    with rounded_products(rounded):
        batch = slopes(product, x, kernel, slope)
        mapped = slopes(jax.vmap(product, (0, None)), x, kernel, slope)
        twice = slopes(jax.vmap(jax.vmap(product, (0, None)), (0, None)), x[None], kernel, slope[None])
    for ours, theirs, third in zip(mapped, batch, twice, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_allclose(third.reshape(theirs.shape), theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("axes", [(0, 0), (None, 0)])
def test_many_kernels_at_once(axes: tuple[int | None, int], rounded: bool) -> None:
    x, kernel, slope = operands(*SHAPES["wide"])
    kernels = jnp.stack([kernel, 2 * kernel])
    xs = x if axes[0] is None else jnp.stack([x, -x])
    with rounded_products(rounded):
        found = jax.vmap(lambda x, kernel: slopes(product, x, kernel, slope), axes)(xs, kernels)
        single = [slopes(product, xs if axes[0] is None else xs[i], kernels[i], slope) for i in range(2)]
    for ours, theirs in zip(found, zip(*single, strict=True), strict=True):
        np.testing.assert_allclose(ours, jnp.stack(theirs), rtol=1e-5, atol=1e-5)


def test_rounded_products_sum_rounded_operands_in_float32() -> None:
    x, kernel, slope = operands(*SHAPES["wide"])
    with rounded_products(True):
        value = product(x, kernel)
        to_x, to_kernel = slopes(product, x, kernel, slope)
    a, b, c = bfloat16(x), bfloat16(kernel), bfloat16(slope)
    for ours, theirs in ((value, a @ b), (to_x, c @ b.T), (to_kernel, a.T @ c)):
        assert ours.dtype == jnp.float32
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-4)
    assert float(jnp.abs(value - x @ kernel).max()) > 1e-3


def test_only_wide_products_of_float32_are_rounded() -> None:
    for name, shape in SHAPES.items():
        x, kernel, _ = operands(*shape)
        with rounded_products(True):
            exact = bool((product(x, kernel) == product_of(x, kernel)).all())
        assert exact == (name != "wide"), name
    with jax.enable_x64(True), rounded_products(True):
        x, kernel = (np.asarray(a, np.float64) for a in operands(*SHAPES["wide"])[:2])
        np.testing.assert_allclose(product(jnp.asarray(x), jnp.asarray(kernel)), x @ kernel, rtol=1e-12, atol=1e-12)


def product_of(x: jax.Array, kernel: jax.Array) -> jax.Array:
    with rounded_products(False):
        return product(x, kernel)


def test_rounding_is_to_the_nearest_and_keeps_what_is_no_number() -> None:
    x = jax.random.normal(jax.random.key(0), (4096,)) * 10.0 ** jnp.linspace(-30, 30, 4096)
    ties = jnp.array([1 + 2.0**-8, 1 + 3 * 2.0**-8, -1 - 2.0**-8, 0.0, -0.0, jnp.inf, -jnp.inf, 3.4e38, 1e-40])
    x = jnp.concatenate([x, ties])
    np.testing.assert_array_equal(*(np.asarray(a).view(np.uint16) for a in (_rounded(x), x.astype(jnp.bfloat16))))
    with np.errstate(invalid="ignore"):
        made = jnp.array([np.nan, np.inf - np.inf, -np.nan])
    assert bool(jnp.isnan(_rounded(made).astype(jnp.float32)).all())


def test_a_compiled_function_knows_whether_to_round() -> None:
    x, kernel, _ = operands(*SHAPES["wide"])
    compiled = jax.jit(product)
    exact = compiled(x, kernel)
    with rounded_products(True):
        rounded = compiled(x, kernel)
    assert bool((exact != rounded).any())
    np.testing.assert_array_equal(compiled(x, kernel), exact)


def test_precision_is_of_where_the_product_is_written() -> None:
    x, kernel, _ = operands(*SHAPES["wide"])
    with jax.default_matmul_precision("highest"):
        traced = jax.jit(product).trace(x, kernel)
    assert "HIGHEST" in traced.lower().as_text()
    assert "HIGHEST" not in jax.jit(product).lower(x, kernel).as_text()


def test_second_and_forward_derivatives() -> None:
    x, kernel, _ = operands(*SHAPES["narrowing"], rows=3)

    def scalar(of: Product, x: jax.Array) -> jax.Array:
        return jnp.tanh(of(x, kernel)).sum()

    for derivative in (jax.hessian, jax.jacfwd, jax.jacrev):
        ours, theirs = (jax.jit(derivative(lambda x, of=of: scalar(of, x)))(x) for of in (product, matmul))
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shapes", [((3, 5), (4, 2)), ((3, 4), (4,)), ((), (4, 2))])
def test_shapes_that_do_not_fit_are_refused(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match=r"Expected x \(\.\.\., in\) and a kernel \(in, out\); got"):
        product(*(jnp.ones(shape) for shape in shapes))


def test_networks_round_between_hidden_layers_only() -> None:
    network = MLP((16, 64, 64, 4), "silu", nnx.Rngs(0))
    decoder = AutoregressiveBits(4, 6, (64, 64), "silu", nnx.Rngs(0))

    def kinds(of: Callable[..., Any], *args: Any) -> list[bool]:
        with rounded_products(True):
            equations = jax.make_jaxpr(of)(*args).jaxpr.eqns
        return [e.params["rounded"] for e in equations if e.primitive.name == "layer_product"]

    assert kinds(jax.vmap(network), jnp.ones((5, 16))) == [False, True, False]
    assert kinds(decoder.log_prob, jnp.ones(6), jnp.ones(4)) == [False, True, False]


@pytest.mark.slow
def test_what_was_trained_with_rounded_products_passes_the_same_bits() -> None:
    size = Architecture(4, (64, 64), (64, 64))
    key = jax.random.key(0)
    plans = [
        plan_curve(
            key,
            FairBits.build(key, 8, 16),
            GaussianAutoencoder(size),
            (0.3, 1.0),
            2,
            training=Training(steps=200, batch=128, receiver_steps=50, products=products),
        )
        for products in PRODUCTS
    ]
    rounded, exact = (run_plan(plan) for plan in plans)
    assert bool((rounded["loss"] != exact["loss"]).any())
    change = np.abs(rounded["bits"] - exact["bits"])
    assert bool((change <= (exact["bits_high"] - exact["bits_low"])).all()), change.values


def test_training_is_made_before_devices_are_chosen() -> None:
    program = "import jax; from capacity import Training; Training(); jax.config.update('jax_num_cpu_devices', 3)"
    shown = subprocess.run(
        [sys.executable, "-c", program + "; print(jax.local_device_count())"], capture_output=True, text=True
    )
    assert shown.stdout.strip() == "3", shown.stderr


def test_training_takes_either_and_says_which() -> None:
    assert Training().products == fast_products()
    assert Training(products="float32").configuration["products"] == "float32"
    with pytest.raises(ValueError, match="bfloat16, float32; got 'float16'"):
        Training(products="float16")
