"""Does a unit of a binarised network hold one bit at most?  Always, and less where its sign can turn.

A unit of +-1 has H(Z_j) <= 1.  Through flips of probability p it passes 1 - h(p), and a chain of L such layers with
nothing mended between them 1 - h((1 - (1 - 2p)^L)/2): 0.5310, 0.3199, 0.0789 bits for p = 0.1, L = 1, 2, 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from capacity.channels import BinarySymmetric, Chain
from capacity.claims import answers as statistics
from capacity.claims.claim import Answer, Claim, Context, Evidence, Prediction
from capacity.claims.lab.enumerated import (
    PARTS,
    SAMPLES,
    absolute,
    draw_curve,
    estimates_of,
    label_axes,
    lane_answers,
    through,
    train_and_enumerate,
)
from capacity.claims.lab.experiment import Figures, labelled, rescaled
from capacity.joint.joint import Joint
from capacity.plots.style import BLACK, BLUE, GREY, RED
from capacity.results.estimate import Estimate
from capacity.systems import SYSTEMS, Architecture
from capacity.systems.codes import PAM
from capacity.training import Training
from synthetic import FairBits

BITS = UNITS = 8
FLIP, DEPTHS = 0.1, (1, 2, 5)
NO_FLIPS = 1e-4  # stands for none, since a level is greater than 0
FAST_FLIPS, FLIPS = (NO_FLIPS, 0.03, 0.1, 0.3), (NO_FLIPS, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4)


class BinaryUnits(Claim):
    """Eight bits on eight binary units, by sign and by coin, trained straight-through and enumerated."""

    name = "binary"
    sentence = "each unit of a binarised network holds one bit at most"
    source = (
        "Courbariaux et al. (2016), Binarized neural networks; a bit at most: Shannon (1948), A "
        "mathematical theory of communication"
    )
    references = ("courbariaux2016binarized", "shannon1948mathematical")
    predictions = (
        Prediction("most that one unit holds", "no unit holds more than a bit", high=1.01),
        Prediction("bits per unit with flips, over 1 − h(p), at most", "flips leave 1 − h(p) bits a unit", high=0.01),
        Prediction("chain of flips, departure from the closed form", "layers of flips add up", high=0.01),
        Prediction("bits per unit by sign, without flips", "training works", low=0.97, instrument=True),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Train by sign and by coin, and send the digits through chains of flips."""
        flips, seeds, steps = (FAST_FLIPS, 4, 800) if context.fast else (FLIPS, 6, 4000)
        keys, rate = jax.random.split(key, 4), context.miss_rate
        source = FairBits.build(keys[0], BITS, BITS)
        chain = context.part("chain", lambda: _chain(keys[1], source))
        training, found = Training(steps, 128, receiver_steps=0, learning_rate=1e-2), {}
        for i, stochastic in enumerate((False, True)):
            system = SYSTEMS["binary"](Architecture(UNITS, (64, 64)), stochastic=stochastic)
            name, span = ("coin" if stochastic else "sign"), (0.1 + 0.45 * i, 0.55 + 0.45 * i)
            found[name] = train_and_enumerate(
                context, name, keys[2 + i], source, system, flips, seeds, training, span=span, per_unit=True
            )
        ceiling = UNITS * flip_capacity(np.asarray(flips))
        over = [a for f in found.values() for a in lane_answers(f, ceiling, rate / len(found))]
        each = rate / len(DEPTHS)
        departures = [
            absolute(statistics.of_estimate(e, each, UNITS * t))
            for e, t in zip(estimates_of(chain, "chain"), chain_truth(), strict=True)
        ]
        answers = {
            "most that one unit holds": _most(found, rate),
            "bits per unit with flips, over 1 − h(p), at most": rescaled(statistics.largest(over), 1 / UNITS),
            "chain of flips, departure from the closed form": rescaled(statistics.largest(departures), 1 / UNITS),
            "bits per unit by sign, without flips": statistics.mean(found["sign"]["bits"][0] / UNITS, rate),
        }
        return Evidence(answers, _dataset(flips, found, chain))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Bits per unit against the flips, and against the depth of a chain."""
        left, right = figure.subplots(1, 2)
        p = np.linspace(1e-4, 0.5, 200)
        left.axhline(1.0, color=GREY, lw=1.2, ls=(0, (6, 3)), label="one bit")
        left.plot(p, flip_capacity(p), color=BLACK, lw=1.2, label="1 − h(p)")
        draw_curve(left, data.flip, data.sign_bits / UNITS, BLUE, "by sign, trained")
        draw_curve(left, data.flip, data.coin_bits / UNITS, RED, "by coin, trained", "s")
        left.set_ylim(0, 1.08)
        label_axes(
            left,
            "probability p that a sign is turned",
            "information (bits per unit)",
            "Eight bits, eight binary units",
        )
        depth = np.arange(1, 11)
        right.plot(depth, flip_capacity(0.5 - 0.5 * (1 - 2 * FLIP) ** depth), color=BLACK, lw=1.2, label="closed form")
        reach = 1.96 * data.chain_stderr / UNITS
        style: dict[str, Any] = {"fmt": "o", "color": BLUE, "mfc": "white", "capsize": 3}
        right.errorbar(data.depth, data.chain_bits / UNITS, reach, label="measured", **style)
        right.set_ylim(0, 0.6)
        label_axes(
            right, f"layers that each flip with probability {FLIP}", "information (bits per unit)", "A chain of flips"
        )


def flip_capacity(p: ArrayLike) -> np.ndarray:
    """1 - h(p) bits, elementwise."""
    q = np.clip(np.asarray(p, np.float64), 1e-300, 1 - 1e-16)
    return 1 + q * np.log2(q) + (1 - q) * np.log2(1 - q)


def chain_truth() -> np.ndarray:
    """Bits per unit after each depth of the chain."""
    return flip_capacity(0.5 - 0.5 * (1 - 2 * FLIP) ** np.array(DEPTHS))


def _most(found: Mapping[str, Figures], miss_rate: float) -> Answer:
    """The most that any unit of any lane holds, I(M;Z_j), at its share of the miss rate among all units."""
    bits, stderr = (
        np.concatenate([f[name].ravel() for f in found.values()]) for name in ("marginal", "marginal_stderr")
    )
    each = [
        Estimate.from_normal(bits=float(b), stderr=float(s), kind="exact", n=SAMPLES // 8)
        for b, s in zip(bits, stderr, strict=True)
    ]
    return statistics.largest([statistics.of_estimate(e, miss_rate / len(each)) for e in each])


def _chain(key: jax.Array, source: FairBits) -> dict[str, np.ndarray]:
    """The digits as +-1 units through chains of flips, enumerated."""
    code, flip, arrays = PAM().build(source, UNITS), jnp.float32(FLIP), {}
    found = []
    for k, depth in zip(jax.random.split(key, len(DEPTHS)), DEPTHS, strict=True):
        channel: Any = BinarySymmetric(flip)
        for _ in range(depth - 1):
            channel = Chain(channel, BinarySymmetric(flip))
        found.append(jax.jit(through)(k, Joint(source, code, channel)))
    for part in PARTS:
        arrays[f"chain_{part}"] = np.stack([np.asarray(getattr(one, part)) for one in found])
    return arrays


def _dataset(flips: tuple[float, ...], found: Mapping[str, Figures], chain: Figures) -> xr.Dataset:
    variables = {}
    for name, words in (("sign", "by sign"), ("coin", "by coin")):
        variables[f"{name}_bits"] = labelled(("flip", "seed"), found[name]["bits"], f"bits of eight units, {words}")
        variables[f"{name}_marginal"] = labelled(
            ("flip", "seed"), found[name]["marginal"].max(-1), f"most in one unit, {words}"
        )
    for part in ("bits", "stderr"):
        variables[f"chain_{part}"] = labelled("depth", chain[f"chain_{part}"], f"eight units after a chain, {part}")
    return xr.Dataset(
        variables,
        {
            "flip": labelled("flip", flips, "probability that a sign is turned", "1"),
            "depth": labelled("depth", DEPTHS, "layers of the chain", "layers"),
        },
    )
