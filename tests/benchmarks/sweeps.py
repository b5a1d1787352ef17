"""Lanes against peers, in one run:  python -m tests.benchmarks.sweeps [--parts peers modes lanes] [--report FILE]

`peers`: the same network, data and optimiser as lanes of one program, as a PyTorch loop, and as an `nnx.jit` loop, and
the share that the lanes reach of this machine's own matrix products.  `modes`: lanes one after another or batched, over
widths and numbers of lanes.  `lanes`: what a lane costs, and what the program needs, with 16 lanes and with 256.
Times are the least of several runs, wall time of all cores together; other work on the machine counts.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from capacity.models import MLP
from capacity.sealed import write_atomic
from capacity.training import fit, sweep
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


def program(network: Network, steps: int, devices: int, together: int = 1) -> Any:
    """A compiled sweep: stacked keys -> the last loss of each lane."""

    def lane(key: jax.Array, source: Any) -> jax.Array:
        key_init, key_fit = jax.random.split(key)
        graph, params = nnx.split(build(network, key_init))

        def loss(params: Any, key: jax.Array, progress: jax.Array) -> jax.Array:
            return loss_of(nnx.merge(graph, params), source, network, key)

        return fit(key_fit, loss, params, optax.adam(RATE), steps)[1][-1]

    return sweep(lane, devices, together)


def source_of(network: Network) -> LinearCode:
    return LinearCode.build(jax.random.key(0), network.bits, network.dim)


def lanes_time(network: Network, steps: int, lanes: int, devices: int, together: int = 1) -> tuple[float, float, int]:
    """Seconds a lane and step, seconds of compilation, and bytes that the program needs beside its arguments."""
    keys, source = jax.random.split(jax.random.key(1), lanes), source_of(network)
    started = time.perf_counter()
    compiled = program(network, steps, devices, together).lower(keys, source).compile()
    compilation = time.perf_counter() - started
    memory = compiled.memory_analysis()
    seconds = least(lambda: jax.block_until_ready(compiled(keys, source)), 3) / (lanes * steps)
    return seconds, compilation, int(memory.temp_size_in_bytes + memory.output_size_in_bytes)


def nnx_time(network: Network, steps: int) -> float:
    """Seconds a step of a Python loop around `nnx.jit`."""
    networks, source = build(network, jax.random.key(1)), source_of(network)
    optimizer = nnx.Optimizer(networks, optax.adam(RATE), wrt=nnx.Param)

    @nnx.jit
    def step(networks: Any, optimizer: Any, key: jax.Array) -> jax.Array:
        value, gradient = nnx.value_and_grad(lambda n: loss_of(n, source, network, key))(networks)
        optimizer.update(networks, gradient)
        return value

    keys = jax.random.split(jax.random.key(2), steps)

    def work() -> None:
        for key in keys:
            value = step(networks, optimizer, key)
        jax.block_until_ready(value)

    return least(work, 3) / steps


def torch_time(network: Network, steps: int) -> float:
    """Seconds a step of the usual PyTorch loop, on all cores."""
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

    return least(work, 3) / steps


def peak(devices: int, size: int = 1024, times: int = 8) -> float:
    """Operations a second of float32 matrix products, one chain of them on each device."""

    def one(matrix: jax.Array, _: Any) -> jax.Array:
        return jax.lax.fori_loop(0, times, lambda i, m: m @ matrix / size, matrix)

    matrices = jax.random.normal(jax.random.key(0), (devices, size, size))
    compiled = sweep(one, devices).lower(matrices, None).compile()
    return devices * times * 2.0 * size**3 / least(lambda: jax.block_until_ready(compiled(matrices, None)), 5)


def peers_part(devices: int) -> list[str]:
    best = peak(devices)
    lines = [
        f"Matrix products of this machine: {best / 1e9:.0f} billion operations a second.",
        "",
        "| network | ms a lane and step | share of the products' peak | PyTorch loop | nnx.jit loop |",
        "| :-- | --: | --: | --: | --: |",
    ]
    for network, steps in ((REFERENCE, 100), (SMALL, 600)):
        ours = lanes_time(network, steps, 4 * devices, devices)[0]
        theirs = torch_time(network, steps), nnx_time(network, steps)
        share = network.products / ours / best
        lines.append(
            f"| {network.name} | {1e3 * ours:.3f} | {100 * share:.0f} % | {theirs[0] / ours:.1f} times as long "
            f"| {theirs[1] / ours:.1f} times |"
        )
    return lines


def modes_part(devices: int) -> list[str]:
    lines = [
        "Milliseconds a lane and step, with `together` lanes of a device as one batched program; seconds to compile.",
        "",
        "| network | lanes | together | ms | compile s |",
        "| :-- | --: | --: | --: | --: |",
    ]
    for network, steps, counts in ((SMALL, 200, (2, 64, 1024)), (REFERENCE, 20, (2, 32, 256)), (WIDE, 4, (2, 16))):
        for lanes in counts:
            for together in (1, 4, 16):
                if together * devices <= max(lanes, devices):
                    seconds, compilation, _ = lanes_time(network, steps, lanes, devices, together)
                    lines.append(f"| {network.name} | {lanes} | {together} | {1e3 * seconds:.3f} | {compilation:.1f} |")
    return lines


def lanes_part(devices: int) -> list[str]:
    lines = [
        "| lanes | ms a lane and step | MiB of the program a lane | compile s |",
        "| --: | --: | --: | --: |",
    ]
    for lanes in (16, 64, 256):
        seconds, compilation, size = lanes_time(REFERENCE, 20, lanes, devices)
        lines.append(f"| {lanes} | {1e3 * seconds:.3f} | {size / lanes / 2**20:.2f} | {compilation:.1f} |")
    return lines


PARTS = {"peers": peers_part, "modes": modes_part, "lanes": lanes_part}
TITLES = {"peers": "Against peers", "modes": "One after another or batched", "lanes": "More lanes"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--report", type=Path)
    asked = parser.parse_args()
    cores = os.cpu_count() or 1
    jax.config.update("jax_num_cpu_devices", cores)
    jax.config.update("jax_enable_compilation_cache", False)
    where = f"{cores} cores, {platform.machine()}, {jax.default_backend()}, JAX {jax.__version__}"
    text = ["# Speed of a sweep", "", f"`python -m tests.benchmarks.sweeps`, on {where}; load before it "
            f"{os.getloadavg()[0]:.1f}.", ""]  # fmt: skip
    for part in asked.parts:
        print(part, flush=True)
        lines = PARTS[part](jax.local_device_count())
        print("\n".join(lines), flush=True)
        text += [f"## {TITLES[part]}", "", *lines, ""]
    if asked.report:
        write_atomic(asked.report, lambda path: _write(path, "\n".join(text)))


def _write(path: Path, text: str) -> None:
    path.write_text(text)


if __name__ == "__main__":
    main()
