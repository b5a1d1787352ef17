"""Is finite precision a noise?  A unit of b levels passes log2 b bits at most, whatever is learnt.

Eight bits on three units rounded to b levels, trained straight-through: below the ceiling 3 log2 b everywhere, and at
the source's bits where the ceiling is well above them.
"""

from __future__ import annotations

import jax
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from capacity.claims import answers as statistics
from capacity.claims.claim import Claim, Context, Evidence, Prediction
from capacity.claims.lab.enumerated import draw_curve, label_axes, lane_answers, train_and_enumerate
from capacity.claims.lab.experiment import Figures, labelled
from capacity.plots.style import BLACK, BLUE, GREY, log_ticks
from capacity.systems import SYSTEMS, Architecture
from capacity.training import Training
from synthetic import FairBits

BITS, UNITS = 8, 3
FAST_LEVELS, LEVELS = (2.0, 4.0, 8.0, 32.0), (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 11.0, 16.0, 32.0)


class Quantization(Claim):
    """Networks whose units are rounded, at numbers of levels from two to many."""

    name = "quantized"
    sentence = "finite precision is a noise too: it limits the bits that pass"
    source = (
        "Hubara et al. (2018), Quantized neural networks; the limit: Shannon (1948), A mathematical "
        "theory of communication"
    )
    references = ("hubara2018quantized", "shannon1948mathematical")
    predictions = (
        Prediction("bits over units × log2 levels, at most", "the levels limit", high=1e-3),
        Prediction("bits with 2 levels less than with 32", "coarser units pass fewer bits", high=-1.0),
        Prediction("trend of bits with levels", "more levels, more bits", low=0.5, unit="rank correlation"),
        Prediction("share of 3 bits at 2 levels", "training works", low=0.9, unit="1", instrument=True),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Train at every number of levels, enumerate."""
        levels, seeds, steps = (FAST_LEVELS, 5, 800) if context.fast else (LEVELS, 8, 4000)
        keys, rate = jax.random.split(key), context.miss_rate
        source = FairBits.build(keys[0], BITS, BITS)
        system = SYSTEMS["quantized"](Architecture(UNITS, (64, 64)))
        training = Training(steps, 128, receiver_steps=0, learning_rate=1e-2)
        found = train_and_enumerate(context, "rounded", keys[1], source, system, levels, seeds, training)
        bits, ceiling = found["bits"], UNITS * np.log2(levels)
        answers = {
            "bits over units × log2 levels, at most": statistics.largest(lane_answers(found, ceiling, rate)),
            "bits with 2 levels less than with 32": statistics.mean(bits[0] - bits[-1], rate),
            "trend of bits with levels": statistics.rank_correlation(np.repeat(levels, seeds), bits.ravel(), rate),
            "share of 3 bits at 2 levels": statistics.mean(bits[0] / UNITS, rate),
        }
        return Evidence(answers, _dataset(levels, found))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Bits against the number of levels."""
        axes = figure.subplots()
        axes.axhline(BITS, color=GREY, lw=1.2, ls=(0, (6, 3)), label=f"source: {BITS} bits")
        axes.plot(data.level, UNITS * np.log2(data.level), color=BLACK, lw=1.5, label="ceiling: 3 log2 b")
        draw_curve(axes, data.level, data.bits, BLUE, "trained, mean and 95 % interval")
        axes.set_ylim(0, BITS * 1.15)
        log_ticks(axes, data.level.values)
        label_axes(
            axes, "levels b of a unit", "information through the units (bits)", f"{BITS} bits on {UNITS} rounded units"
        )


def _dataset(levels: tuple[float, ...], found: Figures) -> xr.Dataset:
    return xr.Dataset(
        {"bits": labelled(("level", "seed"), found["bits"], "bits, enumerated")},
        {"level": labelled("level", levels, "levels of a unit", "levels")},
    )
