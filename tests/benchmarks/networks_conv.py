"""Convolutions in two forms: flax's layer, and windows cut out and multiplied by the kernel in one product."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from capacity.systems.networks.conv import Convolutions
from capacity.training.lanes import UNSPLIT

BATCH, KERNEL, STRIDE, STEPS, REPEATS = 256, 3, 2, 4, 5


def by_flax(network: Any, x: jax.Array) -> jax.Array:
    """The same network, each of its convolutions as flax has it."""
    h = x.reshape(network.layout)
    for layer in network.layers:
        outputs = layer.kernel.shape[-1]
        convolve = nnx.Conv(h.shape[-1], outputs, (KERNEL, KERNEL), STRIDE, rngs=nnx.Rngs(0))
        convolve.kernel[...] = layer.kernel[...].reshape(KERNEL, KERNEL, -1, outputs)
        convolve.bias[...] = layer.bias[...]
        h = jax.nn.silu(convolve(h))
    found: jax.Array = network.read(h.reshape(-1))
    return found


def descent(call: Callable[[Any, jax.Array], jax.Array], side: int, channels: int, steps: int) -> Callable[[], Any]:
    """So many steps of a batch in one compiled loop, or without a loop a single one; for one core."""
    graph, params = nnx.split(Convolutions((side, side, 1), (channels,) * 2, 8, KERNEL, STRIDE, "silu", nnx.Rngs(0)))
    vectors = jax.random.normal(jax.random.key(0), (BATCH, side * side))

    def loss(params: Any) -> jax.Array:
        return jnp.square(jax.vmap(lambda x: call(nnx.merge(graph, params), x))(vectors)).mean()

    def step(_: Any, params: Any) -> Any:
        return jax.tree.map(lambda p, slope: p - 1e-3 * slope, params, jax.grad(loss)(params))

    def run(params: Any) -> Any:
        return jax.lax.fori_loop(0, steps, step, params) if steps > 1 else step(0, params)

    compiled = jax.jit(run).lower(params).compile(compiler_options=UNSPLIT)
    return lambda: jax.block_until_ready(compiled(params))


def convolutions_part(devices: int) -> Iterator[str]:
    yield f"Two layers of kernel {KERNEL} and stride {STRIDE}, {BATCH} images: milliseconds of processor time a step,"
    yield f"alone and in a compiled loop of {STEPS}, the least of {REPEATS} runs in turn. Both forms end in the same"
    yield "parameters up to rounding."
    yield ""
    yield "| image | channels | flax's, alone | windows, alone | flax's, in a loop | windows, in a loop |"
    yield "| --: | --: | --: | --: | --: | --: |"
    for side, channels in ((16, 24), (16, 48), (32, 24)):
        forms = (by_flax, lambda network, x: network(x))
        works = [descent(form, side, channels, steps) for steps in (1, STEPS) for form in forms]
        first, second = (jax.tree.leaves(work()) for work in works[2:])
        assert all(jnp.allclose(a, b, rtol=1e-3, atol=1e-5) for a, b in zip(first, second, strict=True))
        seconds: list[list[float]] = [[] for _ in works]
        for _ in range(REPEATS):
            for work, seen in zip(works, seconds, strict=True):
                started = time.process_time()
                work()
                seen.append(time.process_time() - started)
        least = [min(seen) / steps for seen, steps in zip(seconds, (1, 1, STEPS, STEPS), strict=True)]
        yield f"| {side} x {side} | {channels} | {' | '.join(f'{1e3 * each:.1f}' for each in least)} |"
