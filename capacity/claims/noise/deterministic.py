"""How many bits one noiseless float32 unit carries: by a hand-made packing, by its distinct values, and as learnt.

A message of b fair digits (b from 1 to 24) goes through one unit of power 1.  Packed by hand on 2^24 equally spaced
levels it arrives whole: all levels differ in float32.  A trained network's unit too tells nearly all messages apart,
I(M;U) = H(U); but what its decoder has learnt to read, H(M) + E log2 q(m|u) on fresh messages, is another figure.
With noise sigma the same experiment can give 1/2 log2(1 + 1/sigma^2) bits and no more.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from flax import nnx
from jaxtyping import PyTree
from matplotlib.figure import Figure

from capacity.claims import answers as statistics
from capacity.claims.claim import Answer, Claim, Context, Evidence, Prediction
from capacity.claims.lab.experiment import Lane, LaneFigures, exact, grid, keys_of, labelled, run_lanes
from capacity.plots.style import BLACK, BLUE, GREEN, RED, legend_below, quiet_grid
from capacity.results.estimate import NATS_PER_BIT
from capacity.systems.codes.pam import gray_level
from capacity.systems.networks import MLP, AutoregressiveBits
from capacity.systems.networks.running import merge
from capacity.theory import gaussian_capacity
from capacity.training import Params, cosine_adam, fit

DIGITS = 24
LISTED = 14  # digits of which every message's unit is listed
FAST_BITS = (1, 4, 16, 24)
BITS = (1, 2, 3, 4, 6, 8, 12, 16, 20, 24)
NOISE = 0.1
FRESH = 8192
Moments = tuple[jax.Array, jax.Array]  # mean and standard deviation of the unit


class Deterministic(Claim):
    """One unit, no noise and some; messages of 1 to 24 digits."""

    name = "deterministic"
    sentence = "without noise a real-valued unit carries unlimited information, so that nothing need be compressed"
    source = (
        "Jang (2016), Why randomness is important for deep learning; infinite without noise: Saxe et al. "
        "(2018), On the information bottleneck theory of deep learning"
    )
    references = ("jang2016why", "saxe2018information")
    predictions = (
        Prediction("packed by hand, 24 bits of source", "a float32 unit carries all 24 bits", low=23.999),
        Prediction("told apart by a learnt unit, 14 bits of source", "a learnt unit carries all messages", low=13.9),
        Prediction("read from a learnt unit, 24 bits of source", "a network has no need to compress", low=23.0),
        Prediction("read through noise, over the capacity", "noise limits what one unit carries", high=0.0),
        Prediction("read from a learnt unit, 1 bit of source", "the training works", low=0.99, instrument=True),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Pack, train at every number of digits, with noise and without."""
        bits, seeds, steps = (FAST_BITS, 6, 1000) if context.fast else (BITS, 8, 8000)
        packed = context.part("packed", lambda: {"bits": np.asarray(packed_bits(DIGITS))})
        context.progress(0.1, "packed 24 digits")
        lanes = grid(noise=(0.0, NOISE), bits=bits, seed=range(seeds))
        found = run_lanes(
            context,
            "unit",
            _lane(steps),
            {
                "key": keys_of(key, np.arange(len(lanes["bits"]))),
                "bits": jnp.asarray(lanes["bits"], jnp.int32),
                "noise": jnp.asarray(lanes["noise"], jnp.float32),
            },
            group=8,
            span=(0.1, 1.0),
        )
        read, apart = (found[name].reshape(2, len(bits), seeds) for name in ("read", "apart"))
        ceiling, rate = float(gaussian_capacity(NOISE**-2)), context.miss_rate
        over = [statistics.mean(row - ceiling, rate / len(bits)) for row in read[1]]
        answers: dict[str, Answer] = {
            "packed by hand, 24 bits of source": exact(float(packed["bits"]), 2**DIGITS),
            "told apart by a learnt unit, 14 bits of source": statistics.mean(apart[0, bits.index(16)], rate),
            "read from a learnt unit, 24 bits of source": statistics.mean(read[0, bits.index(24)], rate),
            "read through noise, over the capacity": statistics.largest(over),
            "read from a learnt unit, 1 bit of source": statistics.mean(read[0, bits.index(1)], rate),
        }
        return Evidence(answers, _dataset(bits, read, apart))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Bits that arrive against bits sent."""
        axes = figure.subplots()
        axes.plot(data.bits, data.bits, color=GREEN, lw=1.5, ls="--", label="packed by hand: all of the source")
        axes.plot(
            data.listed,
            data.apart.mean("seed"),
            "^",
            color=GREEN,
            mfc="white",
            ms=8,
            label="told apart by the learnt unit",
        )
        for noise, hue, words in ((0, BLUE, "no noise"), (1, RED, f"noise σ = {NOISE}")):
            read = data.read.isel(noise=noise)
            axes.plot(data.bits, read.mean("seed"), "o-", color=hue, label=f"read by the learnt decoder, {words}, mean")
            for seed in range(data.sizes["seed"]):
                words_of_one = f"_{words}, seed {seed}"
                axes.plot(data.bits, read.isel(seed=seed), ".", color=hue, ms=4, alpha=0.6, label=words_of_one)
        axes.axhline(float(data.ceiling), color=BLACK, lw=1.2, label=f"capacity at σ = {NOISE}, power 1")
        axes.set_xlabel("source (bits)")
        axes.set_ylabel("information through one unit (bits)")
        axes.set_title("One float32 unit: what it could carry and what is learnt")
        axes.set_ylim(0, 25)
        quiet_grid(axes)
        legend_below(axes, 2, 0.1)


def packed_bits(digits: int) -> float:
    """I(M;U) in bits of `digits` fair digits packed on equally spaced levels of one float32: H(U) of all levels."""
    size = min(2**digits, 2**20)

    @functools.partial(jax.jit, static_argnums=1)
    def levels(start: jax.Array, count: int) -> jax.Array:
        labels = (start + jnp.arange(count))[:, None] >> jnp.arange(digits - 1, -1, -1)[None]
        return jax.vmap(gray_level)(labels & 1)

    found = np.concatenate([levels(jnp.int32(start), size) for start in range(0, 2**digits, size)])
    return bits_of_counts(np.unique(found, return_counts=True)[1])


def bits_of_counts(counts: np.ndarray) -> float:
    """Entropy in bits of equally likely messages, `counts` of which share a value."""
    share = counts / counts.sum()
    return float(-(share * np.log2(share)).sum())


def _lane(steps: int) -> Callable[[Lane, object], LaneFigures]:
    """Train one unit; what its decoder reads of fresh messages, and how far it tells the listed ones apart."""

    def encoder(rngs: nnx.Rngs) -> MLP:
        return MLP((DIGITS, 96, 96, 1), "silu", rngs)

    def decoder(rngs: nnx.Rngs) -> AutoregressiveBits:
        return AutoregressiveBits(1, DIGITS, (144, 144), "silu", rngs)

    def lane(one: Lane, _: object) -> LaneFigures:
        key_init, key_fit, key_fresh = jax.random.split(one["key"], 3)
        sent = jnp.arange(DIGITS) < one["bits"]

        def encoded(params: PyTree, messages: jax.Array) -> jax.Array:
            amplitude = jnp.where(sent[None], 2.0 * messages.astype(jnp.float32) - 1.0, 0.0)
            units: jax.Array = jax.vmap(merge(encoder, params))(amplitude)
            return units

        def draw(key: jax.Array, n: int) -> jax.Array:
            return (jax.random.bernoulli(key, 0.5, (n, DIGITS)) & sent[None]).astype(jnp.int8)

        def nats(params: Params, key: jax.Array, n: int, moments: Moments | None = None) -> tuple[jax.Array, Moments]:
            key_message, key_noise = jax.random.split(key)
            messages = draw(key_message, n)
            u = encoded(params["encoder"], messages)
            mean, std = (u.mean(), u.std() + 1e-6) if moments is None else moments
            z = (u - mean) / std + one["noise"] * jax.random.normal(key_noise, u.shape)
            log_q = jax.vmap(merge(decoder, params["decoder"]).log_prob)(messages, z)
            return -log_q.mean(), (mean, std)

        def loss(params: Params, key: jax.Array, progress: jax.Array) -> jax.Array:
            return nats(params, key, 256)[0]

        keys = jax.random.split(key_init)
        start = {
            "encoder": nnx.split(encoder(nnx.Rngs(keys[0])))[1],
            "decoder": nnx.split(decoder(nnx.Rngs(keys[1])))[1],
        }
        params, _ = fit(key_fit, loss, start, cosine_adam(5e-3, steps), steps)
        keys = jax.random.split(key_fresh)
        moments = nats(params, keys[0], FRESH)[1]  # the power of the unit, held in what follows
        read = one["bits"].astype(jnp.float32) - nats(params, keys[1], FRESH, moments)[0] / NATS_PER_BIT
        listed = (jnp.arange(2**LISTED)[:, None] >> jnp.arange(LISTED)[None]) & 1
        messages = jnp.where(sent[None], jnp.pad(listed, ((0, 0), (0, DIGITS - LISTED))), 0).astype(jnp.int8)
        u = jnp.sort((encoded(params["encoder"], messages)[:, 0] - moments[0]) / moments[1])
        return {"read": read, "apart": _entropy_of_sorted(u)}

    return lane


def _entropy_of_sorted(values: jax.Array) -> jax.Array:
    """Entropy in bits of equally likely values (n,) in order; equal ones are one."""
    n = values.shape[0]
    number = jnp.cumsum(jnp.concatenate([jnp.zeros(1, jnp.int32), (jnp.diff(values) > 0).astype(jnp.int32)]))
    share = jnp.zeros(n).at[number].add(1 / n)
    return -jnp.where(share > 0, share * jnp.log2(jnp.where(share > 0, share, 1.0)), 0.0).sum()


def _dataset(bits: tuple[int, ...], read: np.ndarray, apart: np.ndarray) -> xr.Dataset:
    return xr.Dataset(
        {
            "read": labelled(("noise", "bits", "seed"), read, "bits that the learnt decoder reads of fresh messages"),
            "apart": labelled(("bits", "seed"), apart[0], "H(U) of the learnt unit, first 14 digits, no noise"),
            "ceiling": labelled((), gaussian_capacity(NOISE**-2), "capacity of one unit of power 1 through the noise"),
        },
        {
            "noise": labelled("noise", [0.0, NOISE], "noise standard deviation", "1"),
            "bits": labelled("bits", bits, "bits of the source"),
            "listed": labelled("bits", np.minimum(bits, LISTED), "bits of the digits listed"),
            "seed": labelled("seed", np.arange(read.shape[2]), "seed", "1"),
        },
    )
