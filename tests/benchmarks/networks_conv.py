"""Convolutions in two forms: flax's layer, and windows cut out and multiplied by the kernel in one product."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import product as combinations
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from capacity.systems.networks.conv import Convolutions
from capacity.training.lanes import UNSPLIT
from capacity.training.precision import product

BATCH, KERNEL, STRIDE, REPEATS = 256, 3, 2, 7


def windows(x: jax.Array) -> jax.Array:
    """What the kernel sees at every stride, padded with zeros: (side, side, c) -> (side / 2, side / 2, 9 c)."""
    counts = [-(-size // STRIDE) for size in x.shape[:-1]]
    needed = [(n - 1) * STRIDE + KERNEL - size for n, size in zip(counts, x.shape, strict=False)]
    padded = jnp.pad(x, [*((n // 2, n - n // 2) for n in needed), (0, 0)])
    seen = []
    for offsets in combinations(range(KERNEL), repeat=2):
        cuts = tuple(slice(o, o + (n - 1) * STRIDE + 1, STRIDE) for o, n in zip(offsets, counts, strict=True))
        seen.append(padded[cuts])
    return jnp.concatenate(seen, axis=-1)


def in_products(network: Any, x: jax.Array) -> jax.Array:
    """The same network, each of its convolutions as one product."""
    h = x.reshape(network.layout)
    for layer in network.layers:
        kernel = layer.kernel[...].reshape(-1, layer.kernel.shape[-1])
        h = jax.nn.silu(product(windows(h), kernel) + layer.bias[...])
    found: jax.Array = network.read(h.reshape(-1))
    return found


def slopes(call: Callable[[Any, jax.Array], jax.Array], side: int, channels: int) -> Callable[[], Any]:
    """Slopes of all parameters for a batch, compiled for one core's lane."""
    graph, params = nnx.split(Convolutions((side, side, 1), (channels,) * 2, 8, KERNEL, STRIDE, "silu", nnx.Rngs(0)))
    vectors = jax.random.normal(jax.random.key(0), (BATCH, side * side))

    def loss(params: Any, vectors: jax.Array) -> jax.Array:
        return jnp.square(jax.vmap(lambda x: call(nnx.merge(graph, params), x))(vectors)).mean()

    compiled = jax.jit(jax.grad(loss)).lower(params, vectors).compile(compiler_options=UNSPLIT)
    return lambda: jax.block_until_ready(compiled(params, vectors))


def convolutions_part(devices: int) -> Iterator[str]:
    yield f"Two layers of kernel {KERNEL} and stride {STRIDE}, {BATCH} images forwards and back: milliseconds of"
    yield f"processor time, the least of {REPEATS} runs in turn. Both forms have the same slopes up to rounding."
    yield ""
    yield "| image | channels | flax's convolution | windows, one product |"
    yield "| --: | --: | --: | --: |"
    for side, channels in ((16, 24), (16, 48), (32, 24), (32, 64)):
        works = [slopes(call, side, channels) for call in (lambda network, x: network(x), in_products)]
        first, second = (jax.tree.leaves(work()) for work in works)
        assert all(jnp.allclose(a, b, rtol=1e-3, atol=1e-5) for a, b in zip(first, second, strict=True))
        seconds: list[list[float]] = [[], []]
        for _ in range(REPEATS):
            for work, seen in zip(works, seconds, strict=True):
                started = time.process_time()
                work()
                seen.append(time.process_time() - started)
        least = " | ".join(f"{1e3 * min(seen):.1f}" for seen in seconds)
        yield f"| {side} x {side} | {channels} | {least} |"
