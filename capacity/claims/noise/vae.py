"""Can one specify exactly how many bits pass?  Asked for bits against bits measured.

A VAE trained at 1, 2, 4, 8 and 12 bits, its information enumerated over all messages of a source of 13: within 2 % of
what was asked, or 0.05 bits where that is more.  The rate, what the VAE's loss counts, is larger by KL(q(z) || r(z)).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from capacity.bounds.exact.enumeration import information
from capacity.bounds.exact.listing import list_codes
from capacity.bounds.exact.rate import listed_rate
from capacity.claims import answers as statistics
from capacity.claims.claim import Answer, Claim, Context, Evidence, Prediction
from capacity.claims.lab.enumerated import PARTS, absolute, draw_curve, label_axes
from capacity.claims.lab.experiment import Figures, Lane, LaneFigures, grid, keys_of, labelled, run_lanes
from capacity.plots.style import BLACK, BLUE, GREY, RED
from capacity.results.estimate import Estimate
from capacity.systems import SYSTEMS, Architecture
from capacity.training import Training, measurement_key, sender
from synthetic import FairBits

BITS, UNITS = 13, 8
ASKED = (1.0, 2.0, 4.0, 8.0, 12.0)
RELATIVE_TOLERANCE, TOLERANCE = 0.02, 0.05  # of what was asked; in bits


class AskedBits(Claim):
    """A VAE under a constraint on its bits, at five numbers of them."""

    name = "vae"
    sentence = "with a variational autoencoder you can specify exactly how many bits pass"
    source = (
        "Jang (2016), Why randomness is important for deep learning; as a constraint: Rezende & Viola "
        "(2018), Taming VAEs; the rate: Alemi et al. (2018), Fixing a broken ELBO"
    )
    references = ("jang2016why", "rezende2018taming", "alemi2018fixing")
    predictions = tuple(
        Prediction(
            f"asked for {asked:g} bits, off by at most",
            "what is asked for passes, within 2 % or 0.05 bits",
            high=max(TOLERANCE, RELATIVE_TOLERANCE * asked),
        )
        for asked in ASKED
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Train, settle, enumerate with samples of their own."""
        seeds, steps = (2, 700) if context.fast else (6, 4000)
        keys = jax.random.split(key)
        source = FairBits.build(keys[0], BITS, BITS)
        lanes = grid(asked=ASKED, seed=range(seeds))
        found = run_lanes(
            context,
            "asked",
            _lane(Training(steps, 128, receiver_steps=0, learning_rate=1e-2), 4096 if context.fast else 16384),
            {
                "key": keys_of(keys[1], np.arange(len(lanes["seed"]))),
                "asked": jnp.asarray(lanes["asked"], jnp.float32),
            },
            source,
            group=2,
        )
        shaped = {name: values.reshape(len(ASKED), seeds) for name, values in found.items()}
        answers = {
            f"asked for {asked:g} bits, off by at most": _off(shaped, i, asked, context.miss_rate)
            for i, asked in enumerate(ASKED)
        }
        return Evidence(answers, _dataset(shaped))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Bits measured against bits asked for, and how far they are off."""
        left, right = figure.subplots(1, 2)
        left.plot([0, BITS], [0, BITS], color=BLACK, lw=1.2, label="as asked")
        left.axhline(BITS, color=GREY, lw=1.2, ls=(0, (6, 3)), label=f"source: {BITS} bits")
        draw_curve(left, data.asked, data.bits, BLUE, "information, measured")
        draw_curve(left, data.asked, data.rate, RED, "rate, what the loss counts", "s")
        left.set_ylim(0, 1.15 * float(data.rate.max()))
        label_axes(left, "bits asked for", "bits", "A VAE asked for bits")
        allowed = np.maximum(TOLERANCE, RELATIVE_TOLERANCE * data.asked)
        right.fill_between(data.asked, -allowed, allowed, color=GREY, alpha=0.25, lw=0, label="2 % or 0.05 bits")
        for i in range(data.sizes["seed"]):
            one = data.isel(seed=i)
            reach = [one.bits - one.low, one.high - one.bits]
            style: dict[str, Any] = {"fmt": "o", "color": BLUE, "mfc": "white", "capsize": 3}
            label = f"_seed {i}, 95 % interval" if i else "one seed, 95 % interval"
            right.errorbar(data.asked + 0.1 * (i - 0.5), one.bits - data.asked, reach, label=label, **style)
        right.axhline(0, color=BLACK, lw=1.2, label="_as asked")
        label_axes(right, "bits asked for", "bits measured less bits asked for", "How far off")


def _off(found: Figures, i: int, asked: float, miss_rate: float) -> Answer:
    """The most that any seed is off, in bits."""
    seeds = found["bits"].shape[1]
    each = [Estimate(**{part: float(found[part][i, j]) for part in PARTS}, kind="exact") for j in range(seeds)]
    return statistics.largest([absolute(statistics.of_estimate(e, miss_rate / seeds, asked)) for e in each])


def _lane(training: Training, samples: int) -> Callable[[Lane, FairBits], LaneFigures]:
    system = SYSTEMS["target_vae"](Architecture(UNITS, (64, 64)))

    def lane(one: Lane, source: FairBits) -> LaneFigures:
        params, _ = training.train(one["key"], source, system, one["asked"])
        joint = sender(one["key"], params, source, system, one["asked"])
        listed = list_codes(joint)
        found = information(measurement_key(one["key"]), joint, listed, samples)
        rate = listed_rate(listed, joint.channel, jnp.ones(()))
        return {part: jnp.asarray(getattr(found, part)) for part in PARTS} | {"rate": rate.bits}

    return lane


def _dataset(found: Figures) -> xr.Dataset:
    words = {"bits": "information, enumerated", "low": "95 % interval, low end", "high": "95 % interval, high end"}
    words["rate"] = "rate, an upper bound on the information"
    return xr.Dataset(
        {name: labelled(("asked", "seed"), found[name], about) for name, about in words.items()},
        {"asked": labelled("asked", ASKED, "bits asked for")},
    )
