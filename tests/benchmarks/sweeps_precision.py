"""Would products in bfloat16 be faster, and would the bits be the same?

Mixed precision as usual: parameters, optimiser, sums and noise in float32; every product of a layer, forwards and back,
of operands rounded to bfloat16 (8 bits of mantissa).  The bits of what was trained are measured in float32 throughout,
by enumeration, of the same lanes (same keys) trained in either way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from scipy import stats

from capacity import Joint, measure
from capacity.channels import Gaussian
from capacity.training import fit, sweep
from tests.benchmarks.sweeps_cases import (
    RATE,
    REFERENCE,
    SIGMA,
    SMALL,
    WIDE,
    Network,
    build,
    least_in_turn,
    loss_of,
    source_of,
)

LANES, STEPS = 8, 1000
SHORT = {SMALL: 1000, REFERENCE: 50, WIDE: 6}
Linear = nnx.Linear


class Rounded(Linear):
    """A layer whose products are of operands in bfloat16, and whose result goes on in float32."""

    def __init__(self, *sizes: int, **options: Any):
        super().__init__(*sizes, dtype=jnp.bfloat16, **options)

    def __call__(self, x: jax.Array) -> jax.Array:
        return super().__call__(x).astype(jnp.float32)


def trainer(network: Network, steps: int, devices: int, rounded: bool) -> Any:
    """A compiled sweep: stacked keys -> parameters and histories."""
    source = source_of(network)

    def lane(key: jax.Array, source: Any) -> Any:
        key_init, key_fit = jax.random.split(key)
        graph, params = nnx.split(build(network, key_init))

        def loss(params: Any, key: jax.Array, progress: jax.Array) -> jax.Array:
            return loss_of(nnx.merge(graph, params), source, network, key)

        return fit(key_fit, loss, params, optax.adam(RATE), steps)

    with mock.patch.object(nnx, "Linear", Rounded if rounded else Linear):
        keys = jax.random.split(jax.random.key(1), LANES)
        compiled = sweep(lane, devices).lower(keys, source).compile()
    return lambda: jax.block_until_ready(compiled(keys, source))


def bits_of(network: Network, params: Any) -> tuple[np.ndarray, np.ndarray]:
    """Bits of every lane, and half of their 95 % intervals, (lanes,) each."""
    source, found = source_of(network), []
    graph = nnx.split(build(network, jax.random.key(0)))[0]
    vectors = source.codebook()[0]
    for i in range(LANES):
        networks = nnx.merge(graph, jax.tree.map(lambda leaf, i=i: leaf[i], params))
        scale = jnp.sqrt(jnp.square(jax.vmap(networks[0])(vectors)).mean(0))
        encoder = jax.tree_util.Partial(lambda scale, x, networks=networks: networks[0](x) / scale, scale)
        exact = measure(jax.random.key(i), Joint(source, encoder, Gaussian(SIGMA)), method="enumeration")
        found.append((0.5 * (exact.low + exact.high), 0.5 * (exact.high - exact.low)))
    middle, half = np.array(found).T
    return middle, half


def precision_part(devices: int) -> Iterator[str]:
    yield "| network | ms a lane and step, float32 | bfloat16 | float32 over bfloat16 |"
    yield "| :-- | --: | --: | --: |"
    ratios = []
    for network, steps in SHORT.items():
        seconds = least_in_turn([trainer(network, steps, devices, rounded) for rounded in (False, True)])
        each = [1e3 * s / LANES / steps for s in seconds]
        ratios.append(seconds[0] / seconds[1])
        yield f"| {network.name} | {each[0]:.3f} | {each[1]:.3f} | {ratios[-1]:.2f} |"
    yield ""
    (full, half), (rounded, other) = (
        bits_of(REFERENCE, trainer(REFERENCE, STEPS, devices, rounded)()[0]) for rounded in (False, True)
    )
    change = rounded - full
    spread = stats.t.isf(0.025, LANES - 1) * change.std(ddof=1) / LANES**0.5
    yield f"{LANES} lanes of {REFERENCE.name}, after {STEPS:,} steps, bits of {REFERENCE.bits}, mean of lanes and of"
    yield f"their 95 % intervals: {full.mean():.3f} ± {half.mean():.3f} in float32, {rounded.mean():.3f} ±"
    yield f"{other.mean():.3f} with products in bfloat16. A lane's change, with the same key: {change.mean():+.4f}"
    yield f"± {spread:.4f} on average, {np.abs(change).max():.4f} at most."
    within = int((np.abs(change) <= half + other).sum())
    yield f"In {within} of {LANES} lanes the two intervals meet."
    yield ""
    best = max(ratios)
    if best < 1:
        yield f"The time is not less, at best {best:.2f} of the speed: lanes stay in float32 on this machine."
    else:
        yield f"Products in bfloat16 are up to {best:.2f} times as fast here."
