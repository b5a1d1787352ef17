"""Does dropping whole layers limit the bits?  Where a dropped layer kills the signal, yes; with identity skips, no.

Without skips the signal passes only if every block is kept: I = prod(keep) H.  With identity skips a dropped block lets
the units by, each pattern of blocks still tells the messages apart, and I = H: no limit follows.
"""

from __future__ import annotations

from collections.abc import Mapping

import jax
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from capacity.claims import answers as statistics
from capacity.claims.claim import Claim, Context, Evidence, Prediction
from capacity.claims.lab.enumerated import absolute, draw_curve, label_axes, lane_answers, train_and_enumerate
from capacity.claims.lab.experiment import Figures, labelled
from capacity.plots.style import BLACK, BLUE, GREY, RED
from capacity.systems import SYSTEMS, Architecture
from capacity.training import Training
from synthetic import FairBits

BITS, UNITS, BLOCKS = 6, 4, 2
FAST_RATES, RATES = (0.2, 0.5, 0.8), (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9)


class StochasticDepthNoise(Claim):
    """Two residual blocks, each dropped with probability p for all units at once, with skips and without."""

    name = "stochastic_depth"
    sentence = "dropping whole layers at random limits the bits that pass, as noise in the units does"
    source = (
        "Jang (2016), Why randomness is important for deep learning; the noise: Huang et al. (2016), Deep "
        "networks with stochastic depth"
    )
    references = ("jang2016why", "huang2016deep")
    predictions = (
        Prediction("no skips, bits less (∏ keep) H, at most", "a dropped layer takes its bits away", high=0.15),
        Prediction("identity skips, bits less (∏ keep) H at p = 0.5", "with skips as well", high=0.15),
        Prediction("no skips, departure from (∏ keep) H, largest", "the closed form holds", high=0.15, instrument=True),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Train both kinds at every rate, enumerate over all patterns of blocks."""
        rates, seeds, steps = (FAST_RATES, 4, 600) if context.fast else (RATES, 6, 4000)
        keys, rate = jax.random.split(key, 3), context.miss_rate
        source = FairBits.build(keys[0], BITS, BITS)
        training, found = Training(steps, 128, receiver_steps=0, learning_rate=1e-2), {}
        for i, skip in enumerate((False, True)):
            system = SYSTEMS["stochastic_depth"](Architecture(UNITS, (64, 64)), blocks=BLOCKS, skip=skip)
            name, span = ("skip" if skip else "plain"), (0.5 * i, 0.5 * i + 0.5)
            found[name] = train_and_enumerate(
                context, name, keys[1 + i], source, system, rates, seeds, training, span=span
            )
        truth, half = BITS * (1 - np.asarray(rates)) ** BLOCKS, rates.index(0.5)
        departures = lane_answers(found["plain"], truth, rate)
        answers = {
            "no skips, bits less (∏ keep) H, at most": statistics.largest(departures),
            "identity skips, bits less (∏ keep) H at p = 0.5": statistics.mean(
                found["skip"]["bits"][half] - truth[half], rate
            ),
            "no skips, departure from (∏ keep) H, largest": statistics.largest([absolute(a) for a in departures]),
        }
        return Evidence(answers, _dataset(rates, found))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Bits against the rate, with and without skips."""
        axes = figure.subplots()
        p = np.linspace(0, 1, 200)
        axes.axhline(BITS, color=GREY, lw=1.2, ls=(0, (6, 3)), label=f"source: {BITS} bits")
        axes.plot(p, BITS * (1 - p) ** BLOCKS, color=BLACK, lw=1.2, label="(∏ keep) H")
        draw_curve(axes, data.rate, data.plain_bits, BLUE, "no skips, trained")
        draw_curve(axes, data.rate, data.skip_bits, RED, "identity skips, trained", "s")
        axes.set_ylim(0, BITS * 1.08)
        label_axes(
            axes, "probability p that a block is dropped", "information through the blocks (bits)",
            f"{BITS} bits on {UNITS} units through {BLOCKS} blocks",
        )  # fmt: skip


def _dataset(rates: tuple[float, ...], found: Mapping[str, Figures]) -> xr.Dataset:
    words = {"plain": "no skips", "skip": "identity skips"}
    return xr.Dataset(
        {f"{n}_bits": labelled(("rate", "seed"), found[n]["bits"], f"bits enumerated, {w}") for n, w in words.items()},
        {"rate": labelled("rate", rates, "probability that a block is dropped", "1")},
    )
