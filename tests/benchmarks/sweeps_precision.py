"""Are products in bfloat16 faster, and are the bits the same?

Mixed precision: parameters, optimiser, sums and noise in float32; every product between hidden layers, forwards and
back, of operands rounded to bfloat16 (8 bits of mantissa; `capacity.training.precision`).  The bits of what was trained
are measured in float32 throughout, by enumeration, of the same lanes (same keys) trained in either way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from scipy import stats

from capacity import Joint, measure
from capacity.channels import Gaussian
from capacity.training import sweep
from capacity.training.precision import EXACT, ROUNDED, fast_products
from tests.benchmarks.sweeps_cases import (
    REFERENCE,
    SIGMA,
    SMALL,
    WIDE,
    Network,
    build,
    least_in_turn,
    source_of,
    trained,
)

LANES, STEPS = 8, 1000
SHORT = {SMALL: 1000, REFERENCE: 50, WIDE: 6}


def trainer(network: Network, steps: int, devices: int, products: str) -> Any:
    """A compiled sweep: stacked keys -> parameters and histories."""
    source = source_of(network)
    keys = jax.random.split(jax.random.key(1), LANES)
    lanes = sweep(lambda key, source: trained(network, steps, key, source, products), devices)
    compiled = lanes.lower(keys, source).compile()
    return lambda: compiled(keys, source)


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
        seconds = least_in_turn([trainer(network, steps, devices, products) for products in (EXACT, ROUNDED)])
        each = [1e3 * s / LANES / steps for s in seconds]
        ratios.append(seconds[0] / seconds[1])
        yield f"| {network.name} | {each[0]:.3f} | {each[1]:.3f} | {ratios[-1]:.2f} |"
    yield ""
    (full, half), (rounded, other) = (
        bits_of(REFERENCE, trainer(REFERENCE, STEPS, devices, products)()[0]) for products in (EXACT, ROUNDED)
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
    yield f"Products in bfloat16 are at best {max(ratios):.2f} times as fast here. Trained with them by default on this"
    yield f"machine: {'yes' if fast_products() == ROUNDED else 'no'} (`fast_products()`)."
