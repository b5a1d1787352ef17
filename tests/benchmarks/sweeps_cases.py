"""A small autoencoder as lanes of one program, and what a lane costs: what the benchmarks of sweeps have in common."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from capacity.systems.networks import MLP
from capacity.training import fit, sweep
from capacity.training.precision import EXACT, ROUNDED, rounded_products
from synthetic import LinearCode

RATE, SIGMA = 1e-3, 0.5


@dataclass(frozen=True)
class Network:
    """An autoencoder of bits: dim -> hidden -> units -> noise -> hidden -> bits, at a batch."""

    name: str
    dim: int
    hidden: tuple[int, ...]
    units: int
    bits: int
    batch: int

    @property
    def encoder(self) -> tuple[int, ...]:
        return (self.dim, *self.hidden, self.units)

    @property
    def decoder(self) -> tuple[int, ...]:
        return (self.units, *self.hidden, self.bits)

    @property
    def products(self) -> float:
        """Operations of the matrix products of one step: forwards, and twice backwards but for the first input."""
        pairs = [*pairwise(self.encoder), *pairwise(self.decoder)]
        return 2.0 * self.batch * (3 * sum(a * b for a, b in pairs) - self.dim * self.encoder[1])


REFERENCE = Network("32-128-128-8-128-128-16, batch 512", 32, (128, 128), 8, 16, 512)
SMALL = Network("three layers of 32, batch 128", 16, (32,), 4, 8, 128)
WIDE = Network("32-512-512-8-512-512-16, batch 512", 32, (512, 512), 8, 16, 512)


def least(work: Callable[[], Any], repeats: int = 5) -> float:
    """Least wall time of several runs after one that warms up, in seconds."""
    work()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def least_in_turn(works: list[Callable[[], Any]], repeats: int = 3) -> list[float]:
    """The same of several, in turn: what else the machine does meets all of them alike."""
    times: list[list[float]] = [[] for _ in works]
    for turn in range(repeats + 1):
        for work, seen in zip(works, times, strict=True):
            started = time.perf_counter()
            work()
            if turn:
                seen.append(time.perf_counter() - started)
    return [min(seen) for seen in times]


def build(network: Network, key: jax.Array) -> nnx.List:
    rngs = nnx.Rngs(key)
    return nnx.List([MLP(network.encoder, "silu", rngs), MLP(network.decoder, "silu", rngs)])


def loss_of(networks: Any, source: Any, network: Network, key: jax.Array) -> jax.Array:
    key_source, key_noise = jax.random.split(key)
    batch = source.sample(key_source, network.batch)
    u = jax.vmap(networks[0])(batch.vector)
    u = u / jnp.sqrt(jnp.square(u).mean(0, keepdims=True) + 1e-8)
    logits = jax.vmap(networks[1])(u + SIGMA * jax.random.normal(key_noise, u.shape))
    return optax.sigmoid_binary_cross_entropy(logits, batch.message.astype(jnp.float32)).sum(1).mean()


def trained(network: Network, steps: int, key: jax.Array, source: Any, products: str) -> Any:
    """One lane: its parameters and losses."""
    key_init, key_fit = jax.random.split(key)
    graph, params = nnx.split(build(network, key_init))

    def loss(params: Any, key: jax.Array, progress: jax.Array) -> jax.Array:
        with rounded_products(products == ROUNDED):
            return loss_of(nnx.merge(graph, params), source, network, key)

    return fit(key_fit, loss, params, optax.adam(RATE), steps)


def program(network: Network, steps: int, devices: int, together: int = 1, products: str = EXACT) -> Any:
    """A compiled sweep: stacked keys -> the last loss of each lane."""

    def lane(key: jax.Array, source: Any) -> jax.Array:
        return trained(network, steps, key, source, products)[1][-1]

    return sweep(lane, devices, together)


def source_of(network: Network) -> LinearCode:
    return LinearCode.build(jax.random.key(0), network.bits, network.dim)


class Compiled(NamedTuple):
    """A sweep that is ready to run, and the seconds that it took to compile."""

    run: Callable[[], Any]
    seconds: float


def compiled_lanes(
    network: Network, steps: int, lanes: int, devices: int, together: int = 1, products: str = EXACT
) -> Compiled:
    keys, source = jax.random.split(jax.random.key(1), lanes), source_of(network)
    started = time.perf_counter()
    compiled = program(network, steps, devices, together, products).lower(keys, source).compile()
    return Compiled(lambda: compiled(keys, source), time.perf_counter() - started)


def lanes_time(network: Network, steps: int, lanes: int, devices: int, together: int = 1) -> tuple[float, float]:
    """Seconds a lane and step, and seconds of compilation."""
    run, compilation = compiled_lanes(network, steps, lanes, devices, together)
    return least(run, 3) / (lanes * steps), compilation
