"""Does dropout inside a network limit its bits as its own layer says, H (1 - p^groups), and no more?

Hidden nodes are real-valued, so a group of them that survives tells the messages apart: what passes the dropped layer
itself is known, whatever was learnt.  What comes out of the network, past a linear layer and noise, is at most that and
at most what the same network carries without dropout.  A deterministic network cannot know which nodes will be dropped
(Srivastava et al. 2014); the sentence says that this costs nothing beyond the layer's own limit.

Not blind: one training of each structure at p = 0.5 had been looked at before the predictions were written.
"""

from __future__ import annotations

import jax
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from capacity.claims import answers as statistics
from capacity.claims.claim import Answer, Claim, Context, Evidence, Prediction
from capacity.claims.lab.enumerated import draw_curve, label_axes
from capacity.claims.lab.experiment import Figures, labelled
from capacity.claims.lab.inner_dropout import InnerDropout
from capacity.plots.style import BLUE, GREEN, GREY, RED
from synthetic import FairBits

BITS, DIM, HIDDEN = 6, 8, 8
GROUPS = {"elements": HIDDEN, "groups": 2, "layer": 1}  # how many groups of the eight nodes are dropped, each together
HUES, MARKERS = {"elements": BLUE, "groups": GREEN, "layer": RED}, {"elements": "o", "groups": "^", "layer": "s"}
FAST_RATES, RATES, TESTED = (0.25, 0.5), (0.05, 0.1, 0.25, 0.4, 0.5, 0.65, 0.8), 0.5
SAME = 0.05  # a smaller share of the limit is no difference that matters
EXACT = 0.001  # bits: past the layer itself, listed


class InnerDropoutNoise(Claim):
    """Networks trained with nodes, groups of nodes or a whole layer dropped; messages and masks listed."""

    name = "inner_dropout"
    sentence = "dropout inside a network limits the bits as its place and structure say, H (1 − p^groups), and no more"
    source = (
        "Srivastava et al. (2014), Dropout: a simple way to prevent neural networks from overfitting; groups: Tompson "
        "et al. (2015), Efficient object localization using convolutional networks; layers: Huang et al. (2016), Deep "
        "networks with stochastic depth"
    )
    references = ("srivastava2014dropout", "tompson2015efficient", "huang2016deep")
    predictions = (
        *(
            Prediction(
                f"{name}: bits that come out over the limit, p = {TESTED}", "nothing is lost beyond the limit",
                low=1 - SAME, unit="1",
            )
            for name in GROUPS
        ),
        Prediction(
            "departure from H (1 − p^groups) past the layer itself, largest", "the closed form holds", high=EXACT,
            instrument=True,
        ),
    )  # fmt: skip

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Train at every rate and list; without dropout once for all rates."""
        rates, seeds = (FAST_RATES, 6) if context.fast else (RATES, 12)
        key_source, key_lanes = jax.random.split(key)
        source = FairBits.build(key_source, BITS, DIM)
        keys = jax.random.split(key_lanes, seeds)
        tasks = [("none", 0, 0.0), *((name, count, rate) for name, count in GROUPS.items() for rate in rates)]
        found: dict[tuple[str, float], Figures] = {}
        for number, (name, count, rate) in enumerate(tasks):
            context.progress(number / len(tasks), f"{name}, p = {rate}")

            def make(count: int = count, rate: float = rate) -> dict[str, np.ndarray]:
                each = [InnerDropout(count, rate, HIDDEN).bits(one, source) for one in keys]
                return {end: np.stack([ends[i] for ends in each]) for i, end in enumerate(("low", "high"))}

            found[name, rate] = context.part(f"{name}-{rate}", make)
        free = _middle(found["none", 0.0])[:, 1]
        passed = np.array([[_middle(found[name, rate])[:, 0] for rate in rates] for name in GROUPS])
        out = np.array([[_middle(found[name, rate])[:, 1] for rate in rates] for name in GROUPS])
        closed = np.array([[BITS * (1 - rate**count) for rate in rates] for count in GROUPS.values()])
        limit = np.minimum(closed[..., None], free)
        at = rates.index(TESTED)
        answers = {
            f"{name}: bits that come out over the limit, p = {TESTED}": statistics.mean(
                out[i, at] / limit[i, at], context.miss_rate
            )
            for i, name in enumerate(GROUPS)
        }
        answers["departure from H (1 − p^groups) past the layer itself, largest"] = _departure(found, rates, closed)
        return Evidence(answers, _dataset(rates, passed, out, closed, free))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Bits that come out against the rate, beside what the dropped layer itself lets by."""
        axes = figure.subplots()
        p = np.linspace(0, 1, 200)
        axes.axhline(float(data.free_bits.mean()), color=GREY, lw=1.2, ls=(0, (6, 3)), label="without dropout, mean")
        for name, count in GROUPS.items():
            axes.plot(p, BITS * (1 - p**count), color=HUES[name], lw=1.2, label=f"{name}: past the dropout, exact")
            bits = data.out_bits.sel(structure=name)
            draw_curve(axes, data.rate, bits, HUES[name], f"{name}: what comes out", MARKERS[name])
        axes.set_ylim(0, BITS * 1.08)
        label_axes(
            axes, "probability p that a node, a group or the layer is dropped", "information (bits)",
            f"{BITS} bits through {HIDDEN} hidden nodes with dropout, then 4 units in noise",
        )  # fmt: skip


def _middle(ends: Figures) -> np.ndarray:
    """Middles of brackets, (seeds, layers)."""
    return 0.5 * (ends["low"] + ends["high"])


def _departure(found: dict[tuple[str, float], Figures], rates: tuple[float, ...], closed: np.ndarray) -> Answer:
    """How far the farthest bracket of the dropped layer lies from the closed form, at most and at least."""
    each = []
    for i, name in enumerate(GROUPS):
        for j, rate in enumerate(rates):
            low, high = (found[name, rate][end][:, 0] - closed[i, j] for end in ("low", "high"))
            most, least = np.maximum(np.abs(low), np.abs(high)), np.maximum(np.maximum(low, -high), 0.0)
            each += [Answer(float(m), float(n), float(m), len(low)) for m, n in zip(most, least, strict=True)]
    return statistics.largest(each)


def _dataset(
    rates: tuple[float, ...], passed: np.ndarray, out: np.ndarray, closed: np.ndarray, free: np.ndarray
) -> xr.Dataset:
    dims = ("structure", "rate", "seed")
    return xr.Dataset(
        {
            "passed_bits": labelled(dims, passed, "bits past the dropout itself, listed"),
            "out_bits": labelled(dims, out, "bits that come out of the network, listed"),
            "closed_form": labelled(dims[:2], closed, "H (1 - p^groups)"),
            "free_bits": labelled("seed", free, "bits that come out without dropout, listed"),
        },
        {
            "structure": ("structure", list(GROUPS), {"long_name": "what is dropped together", "units": "1"}),
            "rate": labelled("rate", rates, "probability of being dropped", "1"),
            "seed": labelled("seed", np.arange(len(free)), "seed", "1"),
        },
    )
