"""Pi to a trillion digits plus noise keeps about three digits: I = log2(1/2e) + e/ln 2 bits for X uniform on [0, 1].

X = 10 * 0.d_k d_{k+1} ... is a number below ten written out in digits of pi from a random position on, as 3.14159...
is at the first; Y = X + N, N uniform on (-0.01, 0.01).  The same digits are then given to compressors and to a
network that learns to foretell them: both see log2 10 bits a digit in what is, but for the position, nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from flax import nnx
from jaxtyping import PyTree
from matplotlib.figure import Figure

from capacity.claims import answers as statistics
from capacity.claims.claim import Claim, Context, Evidence, Prediction
from capacity.claims.lab.experiment import (
    Figures,
    Lane,
    LaneFigures,
    exact,
    intervals,
    keys_of,
    labelled,
    rescaled,
    run_lanes,
)
from capacity.plots.style import BLACK, BLUE, GREEN, GREY, RED, legend_below, quiet_grid
from capacity.systems.networks import MLP
from capacity.systems.networks.running import merge
from capacity.training import cosine_adam, fit
from synthetic.pairs import AdditiveUniformPair, PiPlusNoise
from synthetic.pi import compressed_bits, pi_digits

DIGIT = math.log2(10)
NOISE = 0.01
LEVELS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # of the noise on a number below ten: half widths
CONTEXT = 16  # digits that the network sees
HELD_OUT = 20_000


class DigitsOfPi(Claim):
    """Measured on positions of pi by exact counting, the network on digits that it has not seen."""

    name = "digits_of_pi"
    former_name = "uniform"
    sentence = "π to a trillion digits plus noise in (−0.01, 0.01) keeps about three digits"
    source = (
        "Jang (2016), Why randomness is important for deep learning; closed form: Czyż et al. (2023), Beyond normal"
    )
    references = ("jang2016why", "czyz2023beyond")
    predictions = (
        Prediction("digits kept", "noise of ±0.01 leaves about three digits of a number below ten", 2.5, 3.5, "digits"),
        Prediction(
            "added by the digits past the third", "all digits after 3.14 together add less than one digit", high=DIGIT
        ),
        Prediction(
            "departure from the closed form", "the counted bits are log2(1/2ε) + ε/ln 2", -0.02, 0.02, instrument=True
        ),
        Prediction(
            "bits per digit, best compressor", "compressors see log2 10 in each digit", low=DIGIT, unit="bits per digit"
        ),
        Prediction(
            "bits per digit, network",
            "a network trained on earlier digits foretells nothing of later ones",
            low=DIGIT - 0.01,
            unit="bits per digit",
        ),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Count at every noise, compress, train."""
        keys = jax.random.split(key, 3)
        positions, n = (2**17, 40_000) if context.fast else (2**18, 1_000_000)
        noisy = context.part("noise", lambda: _noise(keys[0], positions, n))
        context.progress(0.3, "noise on stretches of pi")
        sizes = (1000, 10_000, 100_000)
        digits = pi_digits(max(sizes) + HELD_OUT + CONTEXT)
        packed = compressed_bits(digits[: max(sizes)])
        seen = run_lanes(
            context,
            "network",
            _predictor(400 if context.fast else 4000),
            {"key": keys_of(keys[1], np.arange(3)), "size": jnp.asarray(sizes, jnp.int32)},
            jnp.asarray(digits, jnp.int32),
            span=(0.3, 1.0),
        )
        at = LEVELS.index(NOISE)
        density = noisy["density"][at]
        answers = {
            "digits kept": rescaled(statistics.mean(density, context.miss_rate), 1 / DIGIT),
            "added by the digits past the third": statistics.mean(noisy["beyond"], context.miss_rate),
            "departure from the closed form": statistics.largest(
                [exact(float(np.abs(noisy["bits"] - _truth()).max()))]
            ),
            "bits per digit, best compressor": exact(min(packed.values()), max(sizes)),
            "bits per digit, network": statistics.mean(seen["held_out"][-1], context.miss_rate),
        }
        return Evidence(answers, _dataset(noisy, packed, sizes, seen))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Bits against noise, and bits per digit as compressors and a network see them."""
        left, right = figure.subplots(1, 2)
        left.plot(data.noise, data.truth, color=BLACK, lw=1.2, label="closed form, number uniform on [0, 10]")
        left.plot(data.noise, data.bits, "o", color=BLUE, mfc="white", label="counted on the digits of π")
        left.axvline(NOISE, color=GREY, lw=0.8, ls=":", label="_the sentence's noise")
        left.set_xscale("log")
        left.set_ylim(0)
        left.set_xlabel("half width of the noise (a number below ten)")
        left.set_ylabel("information kept (bits)")
        left.secondary_yaxis("right", functions=(lambda b: b / DIGIT, lambda d: d * DIGIT)).set_ylabel("decimal digits")
        left.set_title("What noise leaves of π, from a random digit on")
        right.axhline(DIGIT, color=GREY, lw=1.2, ls=(0, (6, 3)), label="log2 10: independent fair digits")
        right.plot(data["size"], data.train_bits, "o-", color=BLUE, label="network, digits it was trained on")
        low, high = data.held_out_bits - data.held_out_low, data.held_out_high - data.held_out_bits
        right.errorbar(
            data["size"], data.held_out_bits, [low, high], fmt="s-", color=RED, capsize=2, label="network, later digits"
        )
        for name, marker in zip(data.compressor.values, "^vD", strict=True):
            bits = float(data.compressed_bits.sel(compressor=name))
            right.plot(
                float(data["size"][-1]), bits, marker, color=GREEN, mfc="white", label=f"{name} on 100,000 digits"
            )
        right.set_xscale("log")
        right.set_xlabel("digits of π trained on")
        right.set_ylabel("bits per digit")
        right.set_title("What a learner sees in the digits")
        for axes in (left, right):
            quiet_grid(axes)
            legend_below(axes)


def _truth() -> np.ndarray:
    return np.array([AdditiveUniformPair(level / 10).bits for level in LEVELS])


def _noise(key: jax.Array, positions: int, n: int) -> dict[str, np.ndarray]:
    """Exact bits at every noise; single densities for the interval; and those that the first three digits leave."""
    pairs = [PiPlusNoise(level / 10, positions) for level in LEVELS]
    drawn = [pair.sample(k, n) for k, pair in zip(jax.random.split(key, len(pairs)), pairs, strict=True)]
    density = np.stack([pair.information_density(*xy) for pair, xy in zip(pairs, drawn, strict=True)])
    at = LEVELS.index(NOISE)
    coarse = _coarse_density(pairs[at], *drawn[at])
    return {
        "bits": np.array([pair.bits for pair in pairs]),
        "density": density,
        "beyond": density[at] - coarse,
    }


def _coarse_density(pair: PiPlusNoise, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """log2 p(y | the first three digits) / p(y), bits, shape (n,), by counting positions near y."""
    cell = np.floor(x[:, 0] * 1000)
    every = np.sort(pair.fractions)

    def count(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        return np.searchsorted(every, high, "right") - np.searchsorted(every, low, "left")

    low, high = y[:, 0] - pair.epsilon, y[:, 0] + pair.epsilon
    start, end = cell / 1000, np.nextafter((cell + 1) / 1000, 0)
    inside = count(np.maximum(low, start), np.minimum(high, end)) / count(start, end)
    density: np.ndarray = np.log2(inside / (count(low, high) / pair.positions))
    return density


def _predictor(steps: int) -> Callable[[Lane, jax.Array], LaneFigures]:
    """A lane that trains a network to foretell the next digit from 16, on the first `size` digits."""

    def build(rngs: nnx.Rngs) -> MLP:
        return MLP((10 * CONTEXT, 96, 10), "silu", rngs)

    def losses(params: PyTree, digits: jax.Array, at: jax.Array) -> jax.Array:
        window = jax.vmap(lambda i: jax.lax.dynamic_slice(digits, (i,), (CONTEXT + 1,)))(at)
        seen = jax.nn.one_hot(window[:, :-1], 10).reshape(at.shape[0], -1)
        logits = jax.vmap(merge(build, params))(seen)
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), window[:, -1:], axis=1)[:, 0]

    def lane(one: Lane, digits: jax.Array) -> LaneFigures:
        key_init, key_fit = jax.random.split(one["key"])

        def loss(params: PyTree, key: jax.Array, progress: jax.Array) -> jax.Array:
            return losses(params, digits, jax.random.randint(key, (256,), 0, one["size"])).mean()

        start = nnx.split(build(nnx.Rngs(key_init)))[1]
        params, _ = fit(key_fit, loss, start, cosine_adam(3e-3, steps), steps)
        later = digits.shape[0] - CONTEXT - HELD_OUT + jnp.arange(HELD_OUT)
        trained = jnp.arange(1000) * (one["size"] // 1000)
        return {
            "held_out": losses(params, digits, later) / jnp.log(2.0),
            "train": losses(params, digits, trained) / jnp.log(2.0),
        }

    return lane


def _dataset(noisy: Figures, packed: dict[str, float], sizes: tuple[int, ...], seen: Figures) -> xr.Dataset:
    later = intervals(seen["held_out"])
    return xr.Dataset(
        {
            "bits": labelled("noise", noisy["bits"], "information kept, counted on positions of pi"),
            "truth": labelled("noise", _truth(), "information kept of a number uniform on [0, 10]"),
            "compressed_bits": labelled("compressor", list(packed.values()), "compressed size", "bits per digit"),
            "train_bits": labelled("size", seen["train"].mean(1), "network on digits trained on", "bits per digit"),
            "held_out_bits": labelled("size", later["value"], "network on later digits", "bits per digit"),
            "held_out_low": labelled("size", later["low"], "95 % interval, low end", "bits per digit"),
            "held_out_high": labelled("size", later["high"], "95 % interval, high end", "bits per digit"),
        },
        {
            "noise": labelled("noise", LEVELS, "half width of the noise on a number below ten", "1"),
            "size": labelled("size", sizes, "digits trained on", "digits"),
            "compressor": ("compressor", list(packed), {"long_name": "compressor", "units": "1"}),
        },
    )
