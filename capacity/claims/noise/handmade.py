"""Learnt codes against hand-made ones on the same axes: bits through Gaussian noise at the same power.

Eight fair bits on four units.  Equally spaced levels (PAM) and points optimised by number on pairs of units have exact
bits by quadrature; principal components, Lloyd and Max's levels, repetition, Hamming's code and an even grid are
enumerated, as is what networks have learnt.  No code passes the ceiling, 2 log2(1 + 1/sigma^2) bits on four units.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from capacity.bounds.exact.enumeration import information
from capacity.bounds.exact.listing import list_codes
from capacity.channels import Gaussian
from capacity.claims import answers as statistics
from capacity.claims.claim import Answer, Claim, Context, Evidence, Prediction
from capacity.claims.lab.enumerated import enumerating_lane
from capacity.claims.lab.experiment import Figures, exact, grid, intervals, keys_of, labelled, run_lanes
from capacity.joint.joint import Joint
from capacity.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SKY, log_ticks, quiet_grid
from capacity.systems import Architecture, GaussianAutoencoder
from capacity.systems.codes import HANDMADE
from capacity.systems.codes.constellation import optimise, starts_of
from capacity.systems.codes.exact import points_information
from capacity.theory import gaussian_capacity, pam_information
from capacity.training import Training
from synthetic import FairBits

BITS, UNITS, DIM = 8, 4, 16
TESTED = (0.2, 0.4, 0.8, 1.2)  # noises of the predictions; the whole run measures others too
NOISES = (0.1, 0.14, 0.2, 0.28, 0.4, 0.56, 0.8, 1.2, 1.6)
ENUMERATED = tuple(name for name in HANDMADE if name not in ("pam", "constellation"))
HUES = {
    "learnt": BLUE, "pam": GREEN, "constellation": RED, "pca": PURPLE,
    "lloyd_max": ORANGE, "repetition": SKY, "hamming": "#8C564B", "fsq": "#666666",
}  # fmt: skip


_Two = tuple[jax.Array, jax.Array]  # bits and standard errors


class Handmade(Claim):
    """Networks trained at each noise against the best of seven hand-made codes there."""

    name = "handmade"
    sentence = "learnt codes beat hand-designed ones"
    source = "Bengio, Courville & Vincent (2013), Representation learning: learnt features instead of designed ones"
    references = ("bengio2013representation",)
    predictions = (
        *(
            Prediction(f"learnt less best hand-made, σ = {noise}", "the learnt code carries more bits", low=0.0)
            for noise in TESTED
        ),
        Prediction("PAM, enumerated less quadrature", "the measure is right", low=-0.03, high=0.03, instrument=True),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Train and enumerate; optimise constellations for every noise in one program."""
        noises, seeds = (TESTED, 5) if context.fast else (NOISES, 10)
        keys = jax.random.split(key, 3)
        source = FairBits.build(keys[0], BITS, DIM)
        hand = context.part("handmade", lambda: _handmade(keys[1], source, noises, context.fast))
        lanes = grid(noise=noises, seed=range(seeds))
        learner = GaussianAutoencoder(Architecture(UNITS))
        learnt = run_lanes(
            context,
            "learnt",
            enumerating_lane(Training(1200 if context.fast else 4000, receiver_steps=0), learner, 2048),
            {
                "key": keys_of(keys[2], np.arange(len(lanes["seed"]))),
                "level": jnp.asarray(lanes["noise"], jnp.float32),
            },
            source,
            span=(0.2, 1.0),
        )["bits"].reshape(len(noises), seeds)
        answers = {
            "PAM, enumerated less quadrature": statistics.largest(
                [_less(hand["check"][i], exact(hand["bits"][0, i])) for i in range(len(noises))]
            )
        }
        for noise in TESTED:
            i = noises.index(noise)
            best = max(range(len(hand["bits"])), key=lambda code: hand["bits"][code, i])
            mean, reach = statistics.mean(learnt[i], context.miss_rate), 3 * hand["stderr"][best, i]
            gap = mean.value - hand["bits"][best, i]
            answers[f"learnt less best hand-made, σ = {noise}"] = Answer(
                gap, mean.low - hand["bits"][best, i] - reach, mean.high - hand["bits"][best, i] + reach, mean.n
            )
        return Evidence(answers, _dataset(noises, hand, learnt))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """All codes against the noise; and how far each is from the best hand-made one."""
        left, right = figure.subplots(1, 2)
        best = data.handmade_bits.max("code")
        left.plot(data.noise, data.ceiling, color=BLACK, lw=1.5, label="ceiling")
        left.axhline(BITS, color=GREY, lw=1.2, ls=(0, (6, 3)), label=f"source: {BITS} bits")
        for code in data.code.values:
            bits = data.handmade_bits.sel(code=code)
            left.plot(data.noise, bits, "s--", ms=3, lw=1, color=HUES[code], label=code)
            right.plot(data.noise, bits - best, "s--", ms=3, lw=1, color=HUES[code], label=f"_{code}")
        learnt = data.learnt_bits
        left.plot(data.noise, learnt.mean("seed"), "o-", color=HUES["learnt"], label="learnt, mean")
        right.plot(data.noise, data.ceiling.clip(max=BITS) - best, color=BLACK, lw=1.5, label="_ceiling")
        reach = [learnt.mean("seed") - data.learnt_low, data.learnt_high - learnt.mean("seed")]
        more, words = learnt.mean("seed") - best, "_learnt, mean and 95 %"
        right.errorbar(data.noise, more, reach, fmt="o-", capsize=3, color=HUES["learnt"], label=words)
        left.set_ylim(0, BITS * 1.08)
        right.set_ylim(-1.5, 0.6)
        left.set_ylabel("information through the units (bits)")
        right.set_ylabel("information less that of the best hand-made code (bits)")
        left.set_title("Eight bits on four units of power 1")
        right.set_title("Against the best hand-made code (bars: 95 %)")
        for axes in (left, right):
            log_ticks(axes, data.noise.values, "small")
            axes.set_xlabel("noise standard deviation σ (one unit has power 1)")
            quiet_grid(axes)
        figure.legend(
            *left.get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize="small", frameon=False
        )


def _handmade(key: jax.Array, source: FairBits, noises: tuple[float, ...], fast: bool) -> dict[str, np.ndarray]:
    """Bits (codes, noises) of pam, constellation and the enumerated ones, with standard errors; and pam enumerated."""
    names = ("pam", *ENUMERATED)
    level = jnp.asarray(noises, jnp.float32)

    def figures(key: jax.Array, encoder: Callable[[jax.Array], jax.Array], sigma: jax.Array) -> _Two:
        joint = Joint(source, encoder, Gaussian(sigma))
        found = information(key, joint, list_codes(joint), 4096)
        return found.bits, found.stderr

    @jax.jit
    def enumerate_all() -> _Two:
        keys = jax.random.split(key, (len(names), len(noises)))
        vectors, _ = source.codebook()
        tables = [jax.vmap(HANDMADE[name]().build(source, UNITS))(vectors) for name in names]
        looked_up = [jax.tree_util.Partial(_nearest, vectors, table) for table in tables]
        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *looked_up)
        every: _Two = jax.lax.map(
            lambda one: jax.lax.map(lambda two: figures(two[0], one[1], two[1]), (one[0], level)), (keys, stacked)
        )
        return every

    bits, stderr = (np.asarray(a, np.float64) for a in enumerate_all())
    start = jnp.asarray(starts_of(16, 2, 6 if fast else 16), jnp.float32)
    steps = 250 if fast else 600
    points = jax.jit(lambda s: jax.lax.map(lambda sigma: optimise(start, sigma, steps=steps)[0], s))(level)
    optimised = [2 * points_information(p, sigma) for p, sigma in zip(np.asarray(points), noises, strict=True)]
    equal = [pam_information(BITS, UNITS, sigma) for sigma in noises]
    nothing = np.zeros(len(noises))
    return {
        "bits": np.stack([equal, optimised, *bits[1:]]),
        "stderr": np.stack([nothing, nothing, *stderr[1:]]),
        "check": np.stack([bits[0], bits[0] - 3 * stderr[0], bits[0] + 3 * stderr[0]], 1),
    }


def _nearest(vectors: jax.Array, units: jax.Array, x: jax.Array) -> jax.Array:
    """A code as a table: the units (units,) of the vector that is nearest to x."""
    return units[jnp.argmin(jnp.square(vectors - x[None]).sum(1))]


def _less(measured: np.ndarray, truth: Answer) -> Answer:
    """Enumerated bits, low and high, less a closed form, in absolute value."""
    value, low, high = (float(m) - truth.value for m in measured)
    return Answer(abs(value), max(low, -high, 0.0) if low * high > 0 else 0.0, max(-low, high), 4096)


def _dataset(noises: tuple[float, ...], hand: Figures, learnt: np.ndarray) -> xr.Dataset:
    ends = intervals(learnt)
    ceiling = UNITS * gaussian_capacity(np.asarray(noises) ** -2.0)
    return xr.Dataset(
        {
            "learnt_bits": labelled(("noise", "seed"), learnt, "bits of the learnt code, enumerated"),
            "learnt_low": labelled("noise", ends["low"], "mean over seeds, 95 % interval, low end"),
            "learnt_high": labelled("noise", ends["high"], "mean over seeds, 95 % interval, high end"),
            "handmade_bits": labelled(("code", "noise"), hand["bits"], "bits of a hand-made code"),
            "ceiling": labelled("noise", ceiling, "capacity of four units"),
        },
        {
            "noise": labelled("noise", noises, "noise standard deviation", "1"),
            "seed": labelled("seed", np.arange(learnt.shape[1]), "seed", "1"),
            "code": ("code", ["pam", "constellation", *ENUMERATED], {"long_name": "hand-made code", "units": "1"}),
        },
    )
