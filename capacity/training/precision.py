"""The product of a layer, rows times a kernel, in the forms that a CPU computes fast, forwards and back.

Mathematically it is `x @ kernel`.  Two of its derivatives' products are slow as XLA writes them for a CPU, and a
rounded one is slow in all but a single form (figures in `docs/speed.md`):

- the slopes of a kernel that narrows are summed over the batch into (out, in) and turned afterwards: up to four times
  faster than into (in, out);
- within `rounded_products(True)`, products of float32 between layers of at least `WIDE` nodes take operands rounded to
  bfloat16 (8 bits of mantissa, to the nearest, ties to even) and sum in float32.  Processors with instructions for it
  do twice as many of them; the gain is lost unless operands lie in memory row by row and are rounded by integers.

A primitive, not a `custom_vjp`: over a batch that `vmap` brings in, slopes are summed within one product.
"""

from __future__ import annotations

from pathlib import Path

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

WIDE = 64  # narrower products are no faster when rounded; and codes and logits, which are narrow, stay exact
PRODUCTS = ROUNDED, EXACT = "bfloat16", "float32"

rounded_products = jax.make_user_context(False)  # of the program that is being traced; jit knows it


def product(
    x: jax.Array, kernel: jax.Array, _: object = None, precision: lax.PrecisionLike = None, **__: object
) -> jax.Array:
    """`x @ kernel`; takes what `nnx.Linear` passes.

    Within `rounded_products(True)`, operands of float32 with at least `WIDE` inputs and outputs are rounded to
    bfloat16; so are those of the products that their derivatives need.

    Args:
        x: (..., in).
        kernel: (in, out), of the same type.
        precision: of the product, by default as `jax.default_matmul_precision` has it where this is traced.

    Raises:
        ValueError: for other shapes.
    """
    if kernel.ndim != 2 or x.ndim < 1 or x.shape[-1] != kernel.shape[0]:
        raise ValueError(f"Expected x (..., in) and a kernel (in, out); got {x.shape} and {kernel.shape}.")
    rounded = bool(rounded_products.value) and x.dtype == jnp.float32 and min(kernel.shape) >= WIDE
    # As it is where this is written, not where it is compiled.
    precision = precision or jax.config.jax_default_matmul_precision  # type: ignore[attr-defined]
    result: jax.Array = product_p.bind(x, kernel, rounded=rounded, precision=precision)
    return result


def fast_products() -> str:
    """What this machine multiplies faster: "bfloat16" where its processor has AVX512-BF16 or AMX, as Linux names them.

    Else "float32".  Neither JAX nor a device is asked: a `Training` may be made before devices are chosen, and the
    host's processor decides where a GPU trains too; there, choose.
    """
    try:
        flags = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return EXACT
    return ROUNDED if flags & {"avx512_bf16", "amx_bf16"} else EXACT


def _product(x: jax.Array, kernel: jax.Array, *, rounded: bool, precision: lax.PrecisionLike) -> jax.Array:
    rows = x.reshape(-1, x.shape[-1])
    if rounded:
        rows, kernel = _rounded(rows), _rounded(kernel)
    return _dot(rows, kernel, 1, 0, precision).reshape(*x.shape[:-1], kernel.shape[1])


def _to_rows(
    slope: jax.Array, x: object, kernel: jax.Array, *, rounded: bool, precision: lax.PrecisionLike
) -> jax.Array:
    """Slope (..., out) of the result -> that of x (..., in)."""
    rows = slope.reshape(-1, slope.shape[-1])
    if rounded:
        rows, kernel = _rounded(rows), _rounded(kernel)
    return _dot(rows, kernel, 1, 1, precision).reshape(*slope.shape[:-1], kernel.shape[0])


def _to_kernel(
    slope: jax.Array, x: jax.Array, kernel: object, *, rounded: bool, precision: lax.PrecisionLike
) -> jax.Array:
    """Slope (..., out) of the result -> that of the kernel (in, out), summed over rows."""
    rows, slopes = x.reshape(-1, x.shape[-1]), slope.reshape(-1, slope.shape[-1])
    if rounded:
        return _dot(_turned(_rounded(rows)), _rounded(slopes), 1, 0, precision)
    if slopes.shape[1] < rows.shape[1]:
        turned: jax.Array = lax.optimization_barrier(_dot(slopes, rows, 0, 0, precision)).T
        return turned
    return _dot(rows, slopes, 0, 0, precision)


def _dot(a: jax.Array, b: jax.Array, over_a: int, over_b: int, precision: lax.PrecisionLike) -> jax.Array:
    dtype = jnp.float32 if a.dtype == jnp.bfloat16 else a.dtype
    dimensions = (((over_a,), (over_b,)), ((), ()))
    return lax.dot_general(a, b, dimensions, precision=precision, preferred_element_type=dtype)


def _rounded(x: jax.Array) -> jax.Array:
    """float32 to the nearest bfloat16, ties to even, by integers: on a CPU three times faster than `astype`.

    Infinity stays, and so does NaN as arithmetic makes it: only one whose upper mantissa bits are all set would not.
    """
    word = lax.bitcast_convert_type(x, jnp.uint32)
    word = (word + jnp.uint32(0x7FFF) + ((word >> 16) & jnp.uint32(1))) >> 16
    return lax.bitcast_convert_type(word.astype(jnp.uint16), jnp.bfloat16)


def _turned(x: jax.Array) -> jax.Array:
    """The transpose, laid out anew: by way of one axis, or XLA keeps the old layout and multiplies in float32."""
    flat: jax.Array = lax.optimization_barrier(x.T.reshape(-1))
    return flat.reshape(x.shape[::-1])


@jax.custom_vjp
def _rounded_product(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """A rounded product where each item has a kernel of its own."""
    return _product(x, kernel, rounded=True, precision=None)


_rounded_product.defvjp(
    lambda x, kernel: (_rounded_product(x, kernel), (x, kernel)),
    lambda saved, slope: (
        _to_rows(slope, *saved, rounded=True, precision=None),
        _to_kernel(slope, *saved, rounded=True, precision=None),
    ),
)


def _batched(
    args: tuple[jax.Array, jax.Array], axes: tuple[int, int | None], *, rounded: bool, precision: lax.PrecisionLike
) -> tuple[jax.Array, int]:
    (x, kernel), (axis, axis_kernel) = args, axes
    if axis_kernel is None:
        return product_p.bind(jnp.moveaxis(x, axis, 0), kernel, rounded=rounded, precision=precision), 0

    def each(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return _rounded_product(x, kernel) if rounded else jnp.matmul(x, kernel, precision=precision)

    return jax.vmap(each, axes)(x, kernel), 0


product_p = Primitive("layer_product")
product_p.def_impl(jax.jit(_product, static_argnames=("rounded", "precision")))
product_p.def_abstract_eval(lambda x, kernel, **_: x.update(shape=(*x.shape[:-1], kernel.shape[1])))
ad.defbilinear(product_p, _to_rows, _to_kernel)
batching.primitive_batchers[product_p] = _batched
mlir.register_lowering(product_p, mlir.lower_fun(_product, multiple_results=False))
