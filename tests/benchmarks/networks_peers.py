"""A family's encoder as lanes of one program, and the same network as a PyTorch loop: time a lane and step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from capacity.systems.networks import MLP, NETWORKS
from capacity.training import fit, sweep
from capacity.training.precision import ROUNDED, fast_products, rounded_products
from synthetic import FairBits, Source, Sprites
from tests.benchmarks.sweeps_cases import RATE, SIGMA, least_in_turn

UNITS, HIDDEN, BATCH = 8, (64, 64), 256


@dataclass(frozen=True)
class Peer:
    """An encoder of a family, before a perceptron that decodes each digit.

    Attributes:
        name: of the family.
        widths: of the encoder.
        kind, bits, dim: the source.
        steps: of a run.
    """

    name: str
    widths: tuple[int, ...]
    kind: Any
    bits: int
    dim: int
    steps: int

    def source(self) -> Source:
        source: Source = self.kind.build(jax.random.key(0), self.bits, self.dim)
        return source


PEERS = (
    Peer("mlp", (128, 128), FairBits, 16, 32, 60),
    Peer("residual", (128, 128), FairBits, 16, 32, 60),
    Peer("attention", (32, 32), FairBits, 16, 32, 10),
    Peer("attention", (32, 32), FairBits, 16, 64, 4),
    Peer("recurrent", (32, 32), FairBits, 16, 32, 10),
    Peer("mixer", (32, 32), FairBits, 16, 32, 10),
    Peer("conv", (24, 24), Sprites, 12, 256, 10),
    Peer("conv", (24, 24), Sprites, 12, 1024, 4),
)


def lanes(peer: Peer, count: int, devices: int) -> Callable[[], Any]:
    """So many lanes, compiled."""
    source = peer.source()
    network = NETWORKS[peer.name]()

    def build(rngs: nnx.Rngs) -> nnx.List:
        encoder = network.encoder(source, UNITS, peer.widths, "silu")(rngs)
        return nnx.List([encoder, MLP((UNITS, *HIDDEN, source.message_dim), "silu", rngs)])

    def lane(key: jax.Array, source: Any) -> jax.Array:
        key_init, key_fit = jax.random.split(key)
        graph, params = nnx.split(build(nnx.Rngs(key_init)))

        def loss(params: Any, key: jax.Array, progress: jax.Array) -> jax.Array:
            with rounded_products(fast_products() == ROUNDED):
                return loss_of(nnx.merge(graph, params), source, key)

        return fit(key_fit, loss, params, optax.adam(RATE), peer.steps)[1][-1]

    keys = jax.random.split(jax.random.key(1), count)
    compiled = sweep(lane, devices).lower(keys, source).compile()
    return lambda: compiled(keys, source)


def loss_of(networks: Any, source: Any, key: jax.Array) -> jax.Array:
    key_source, key_noise = jax.random.split(key)
    batch = source.sample(key_source, BATCH)
    u = jax.vmap(networks[0])(batch.vector)
    u = u / jnp.sqrt(jnp.square(u).mean(0, keepdims=True) + 1e-8)
    logits = jax.vmap(networks[1])(u + SIGMA * jax.random.normal(key_noise, u.shape))
    return optax.sigmoid_binary_cross_entropy(logits, batch.message.astype(jnp.float32)).sum(1).mean()


def torch_encoder(peer: Peer, heads: int = 4) -> Any:
    """The same encoder in PyTorch, of its own layers."""
    import torch
    from torch import nn

    first = peer.widths[0]

    class Residual(nn.Module):
        def __init__(self, width: int, inner: Any):
            super().__init__()
            self.norm, self.inner = nn.LayerNorm(width), inner

        def forward(self, x: Any) -> Any:
            return x + self.inner(self.norm(x))

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.MultiheadAttention(first, heads, batch_first=True)

        def forward(self, x: Any) -> Any:
            return self.inner(x, x, x, need_weights=False)[0]

    class Turned(nn.Module):
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Any) -> Any:
            return self.inner(x.transpose(1, 2)).transpose(1, 2)

    class Places(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.places = nn.Parameter(torch.randn(peer.dim, first))

        def forward(self, x: Any) -> Any:
            return x + self.places

    class States(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.GRU(first, first, len(peer.widths), batch_first=True)

        def forward(self, x: Any) -> Any:
            return self.inner(x)[0]

    def two(width: int, hidden: int) -> Any:
        return nn.Sequential(nn.Linear(width, hidden), nn.SiLU(), nn.Linear(hidden, width))

    def stack(parts: Sequence[Any]) -> Any:
        lift = [nn.Unflatten(1, (peer.dim, 1)), nn.Linear(1, first)]
        return nn.Sequential(*lift, *parts, nn.Flatten(), nn.Linear(peer.dim * first, UNITS))

    blocks = range(len(peer.widths))
    if peer.name == "mlp":
        return perceptron((peer.dim, *peer.widths, UNITS))
    if peer.name == "residual":
        parts = [Residual(first, two(first, first)) for _ in blocks]
        return nn.Sequential(nn.Linear(peer.dim, first), *parts, nn.Linear(first, UNITS))
    if peer.name == "attention":
        parts = [Residual(first, inner) for _ in blocks for inner in (Attention(), two(first, first))]
        return stack([Places(), *parts, nn.LayerNorm(first)])
    if peer.name == "mixer":
        parts = [Residual(first, inner) for _ in blocks for inner in (Turned(two(peer.dim, first)), two(first, first))]
        return stack([*parts, nn.LayerNorm(first)])
    if peer.name == "recurrent":
        return stack([States()])
    side = round(peer.dim**0.5)
    convolve = [nn.Conv2d(1, first, 3, 2, 1), nn.SiLU(), nn.Conv2d(first, first, 3, 2, 1), nn.SiLU()]
    return nn.Sequential(
        nn.Unflatten(1, (1, side, side)), *convolve, nn.Flatten(), nn.Linear(first * (side // 4) ** 2, UNITS)
    )


def perceptron(sizes: Sequence[int]) -> Any:
    from torch import nn

    layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.SiLU())]
    return nn.Sequential(*layers[:-1])


def torch_loop(peer: Peer) -> Callable[[], None]:
    """The usual PyTorch loop, on all cores; the codebook is looked up."""
    import numpy as np
    import torch
    from torch import nn

    torch.manual_seed(0)
    source = peer.source()
    messages, vectors = (torch.tensor(np.asarray(a)) for a in (source.messages(), source.codebook()[0]))
    encoder, decoder = torch_encoder(peer), perceptron((UNITS, *HIDDEN, source.message_dim))
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=RATE)
    criterion = nn.BCEWithLogitsLoss(reduction="sum")

    def work() -> None:
        for _ in range(peer.steps):
            drawn = torch.randint(0, len(messages), (BATCH,))
            u = encoder(vectors[drawn])
            u = u / torch.sqrt((u**2).mean(0, keepdim=True) + 1e-8)
            loss = criterion(decoder(u + SIGMA * torch.randn_like(u)), messages[drawn].float()) / BATCH
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return work


def times_part(devices: int) -> Iterator[str]:
    yield f"Milliseconds a lane and step of {BATCH} vectors: an encoder before a perceptron that decodes digits,"
    yield f"as lanes on {devices} cores, and as a PyTorch loop on all cores, in turn; the least of several runs."
    yield ""
    yield "| encoder | widths | numbers of a vector | lanes, ms | PyTorch, ms | PyTorch over lanes |"
    yield "| :-- | :-- | --: | --: | --: | --: |"
    for peer in PEERS:
        works = [lanes(peer, 2 * devices, devices), torch_loop(peer)]
        ours, theirs = (seconds / peer.steps for seconds in least_in_turn(works, repeats=5))
        ours /= 2 * devices
        widths = ", ".join(map(str, peer.widths))
        yield (f"| {peer.name} | {widths} | {peer.dim} | {1e3 * ours:.2f} | {1e3 * theirs:.2f} | {theirs / ours:.2f} |")
