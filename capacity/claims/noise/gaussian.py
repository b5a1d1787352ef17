"""Does Gaussian noise in the units limit the bits that pass?  With their power held, yes; with it free, no.

Eight bits on four units.  At power 1 no code passes 4 x 1/2 log2(1 + 1/sigma^2) bits; an encoder whose units may grow
buys back what the noise takes.  Both are trained alike and enumerated, and the power that was used is reported.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from capacity.claims import answers as statistics
from capacity.claims.claim import Claim, Context, Evidence, Prediction
from capacity.claims.lab.enumerated import enumerating_lane
from capacity.claims.lab.experiment import Figures, grid, keys_of, labelled, run_lanes
from capacity.plots.style import BLACK, BLUE, GREY, RED, legend_below, log_ticks, quiet_grid
from capacity.systems import Architecture, GaussianAutoencoder
from capacity.theory import gaussian_capacity
from capacity.training import Training
from synthetic import FairBits

BITS, UNITS = 8, 4
FAST_NOISES = (0.4, 0.7, 1.0, 2.0)
NOISES = (0.1, 0.2, 0.3, 0.4, 0.55, 0.7, 1.0, 1.4, 2.0, 3.0)


class GaussianNoise(Claim):
    """Autoencoders at every noise, with units of power 1 and with free ones."""

    name = "gaussian"
    sentence = "noise in the units limits the bits that pass"
    source = (
        "Jang (2016), Why randomness is important for deep learning; the limit: Shannon (1948), A "
        "mathematical theory of communication"
    )
    references = ("jang2016why", "shannon1948mathematical")
    predictions = (
        Prediction("power 1, bits over the ceiling, at most", "no code passes the ceiling", high=0.02),
        Prediction("power 1, trend of bits with noise", "more noise, fewer bits", high=-0.5, unit="rank correlation"),
        Prediction("free power at σ = 1, bits over that ceiling", "noise limits whatever is learnt", high=0.0),
        Prediction("power 1, share of the ceiling at σ = 1", "training works", low=0.9, unit="1", instrument=True),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Train both kinds at every noise, enumerate."""
        noises, seeds, steps = (FAST_NOISES, 5, 900) if context.fast else (NOISES, 6, 4000)
        source = FairBits.build(jax.random.fold_in(key, 1), BITS, BITS)
        lanes = grid(noise=noises, seed=range(seeds))
        training = Training(steps, receiver_steps=0, learning_rate=1e-2)
        found = {}
        for i, (kind, asked) in enumerate((("held", 1.0), ("free", None))):
            found[kind] = run_lanes(
                context,
                kind,
                enumerating_lane(training, GaussianAutoencoder(Architecture(UNITS, (96, 96)), asked), 2048),
                {
                    "key": keys_of(jax.random.fold_in(key, 2 + i), np.arange(len(lanes["seed"]))),
                    "level": jnp.asarray(lanes["noise"], jnp.float32),
                },
                source,
                span=(0.5 * i, 0.5 * i + 0.5),
            )
        bits = {kind: f["bits"].reshape(len(noises), seeds) for kind, f in found.items()}
        power = {kind: f["power"].reshape(len(noises), seeds) for kind, f in found.items()}
        ceiling, at = UNITS * gaussian_capacity(np.asarray(noises) ** -2.0), noises.index(1.0)
        rate = context.miss_rate
        over = [statistics.mean(b - c, rate / len(noises)) for b, c in zip(bits["held"], ceiling, strict=True)]
        answers = {
            "power 1, bits over the ceiling, at most": statistics.largest(over),
            "power 1, trend of bits with noise": statistics.rank_correlation(
                lanes["noise"], bits["held"].ravel(), rate
            ),
            "free power at σ = 1, bits over that ceiling": statistics.mean(bits["free"][at] - ceiling[at], rate),
            "power 1, share of the ceiling at σ = 1": statistics.mean(bits["held"][at] / ceiling[at], rate),
        }
        return Evidence(answers, _dataset(noises, bits, power, ceiling))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Bits against noise for both kinds, and the power that each used."""
        left, right = figure.subplots(1, 2)
        left.plot(data.noise, data.ceiling, color=BLACK, lw=1.5, label="ceiling of power 1")
        left.axhline(BITS, color=GREY, lw=1.2, ls=(0, (6, 3)), label=f"source: {BITS} bits")
        for kind, hue, words in (("held", BLUE, "power held at 1"), ("free", RED, "power free")):
            for axes, name in ((left, "bits"), (right, "power")):
                one = data[f"{kind}_{name}"]
                axes.plot(data.noise, one.mean("seed"), color=hue, label=f"{words}, mean")
                noise, label = np.repeat(data.noise, data.sizes["seed"]), f"_{words}, a seed"
                axes.plot(noise, one.values.ravel(), "o", color=hue, mfc="white", ms=4, label=label)
        left.set_ylim(0, BITS * 1.08)
        left.set_ylabel("information through the units (bits)")
        left.set_title("Eight bits on four noisy units")
        right.set_yscale("log")
        right.set_ylabel("power E[u²] of a unit")
        right.set_title("What the bits were bought with")
        for axes in (left, right):
            log_ticks(axes, data.noise.values, "small")
            axes.set_xlabel("noise standard deviation σ")
            quiet_grid(axes)
            legend_below(axes)


def _dataset(noises: tuple[float, ...], bits: Figures, power: Figures, ceiling: np.ndarray) -> xr.Dataset:
    dims = ("noise", "seed")
    return xr.Dataset(
        {
            **{f"{kind}_bits": labelled(dims, bits[kind], f"bits, enumerated, power {kind}") for kind in bits},
            **{f"{kind}_power": labelled(dims, power[kind], f"mean power of a unit, {kind}", "1") for kind in power},
            "ceiling": labelled("noise", ceiling, "capacity of four units of power 1"),
        },
        {
            "noise": labelled("noise", noises, "noise standard deviation", "1"),
            "seed": labelled("seed", np.arange(bits["held"].shape[1]), "seed", "1"),
        },
    )
