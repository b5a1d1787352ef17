"""The same network as lanes, as a PyTorch loop and as an `nnx.jit` loop; and the machine's own matrix products."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import jax
import optax
from flax import nnx

from capacity.training import sweep
from capacity.training.precision import EXACT, WIDE, fast_products
from tests.benchmarks.sweeps_cases import (
    RATE,
    REFERENCE,
    SIGMA,
    SMALL,
    Network,
    build,
    compiled_lanes,
    least,
    least_in_turn,
    loss_of,
    source_of,
)


def nnx_loop(network: Network, steps: int) -> Callable[[], None]:
    """So many steps of a Python loop around `nnx.jit`."""
    networks, source = build(network, jax.random.key(1)), source_of(network)
    optimizer = nnx.Optimizer(networks, optax.adam(RATE), wrt=nnx.Param)

    @nnx.jit
    def step(networks: Any, optimizer: Any, key: jax.Array) -> jax.Array:
        value, gradient = nnx.value_and_grad(lambda n: loss_of(n, source, network, key))(networks)
        with jax.numpy_dtype_promotion("standard"):  # optax itself mixes integer counts with floats
            optimizer.update(networks, gradient)
        return value

    keys = jax.random.split(jax.random.key(2), steps)

    def work() -> None:
        for key in keys:
            value = step(networks, optimizer, key)
        jax.block_until_ready(value)

    return work


def torch_loop(network: Network, steps: int) -> Callable[[], None]:
    """So many steps of the usual PyTorch loop, on all cores."""
    import torch
    from torch import nn

    def stack(sizes: tuple[int, ...]) -> Any:
        layers: list[Any] = []
        for a, b in pairwise(sizes):
            layers += [nn.Linear(a, b), nn.SiLU()]
        return nn.Sequential(*layers[:-1])

    torch.manual_seed(0)
    encoder, decoder = stack(network.encoder), stack(network.decoder)
    matrix = torch.randn(network.bits, network.dim) / network.bits**0.5
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=RATE)
    criterion = nn.BCEWithLogitsLoss(reduction="sum")

    def work() -> None:
        for _ in range(steps):
            message = torch.randint(0, 2, (network.batch, network.bits)).float()
            u = encoder((2 * message - 1) @ matrix)
            u = u / torch.sqrt((u**2).mean(0, keepdim=True) + 1e-8)
            loss = criterion(decoder(u + SIGMA * torch.randn_like(u)), message) / network.batch
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return work


def products(devices: int) -> tuple[Callable[[], Any], float]:
    """Matrix products in float32, a chain of them on each device; and how many operations they are."""
    size, times = 1024, 8

    def one(matrix: jax.Array, _: Any) -> jax.Array:
        return jax.lax.fori_loop(0, times, lambda i, m: m @ matrix / size, matrix)

    matrices = jax.random.normal(jax.random.key(0), (devices, size, size))
    compiled = sweep(one, devices).lower(matrices, None).compile()
    return lambda: compiled(matrices, None), devices * times * 2.0 * size**3


def peers_part(devices: int) -> Iterator[str]:
    work, operations = products(devices)
    best = operations / least(work, 5)
    yield f"Matrix products of this machine: {best / 1e9:.0f} billion operations a second."
    yield ""
    yield "| network | lanes' products | ms a lane and step | share of the peak | PyTorch loop | nnx.jit loop |"
    yield "| :-- | :-- | --: | --: | --: | --: |"
    for network, steps in ((REFERENCE, 100), (SMALL, 600)):
        lanes = 4 * devices
        kinds = dict.fromkeys((EXACT, fast_products())) if min(network.hidden) >= WIDE else (EXACT,)
        works = [compiled_lanes(network, steps, lanes, devices, products=kind).run for kind in kinds]
        times = [s / steps for s in least_in_turn([*works, torch_loop(network, steps), nnx_loop(network, steps)])]
        for kind, together in zip(kinds, times, strict=False):
            ours, theirs = together / lanes, times[-2:]
            share = network.products / ours / best
            yield (
                f"| {network.name} | {kind} | {1e3 * ours:.3f} | {100 * share:.0f} % "
                f"| {theirs[0] / ours:.1f} times as long | {theirs[1] / ours:.1f} times |"
            )
    yield ""
    yield "The peak and both loops are in float32 throughout."
