"""How many bits does a network hold? Random labels that it was made to learn by heart, counted as a lower bound.

Before that the counting is held to what is known: Cover's chances, 2 bits per real weight and 0.833 per binary weight
of a perceptron.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from scipy import stats

from capacity.analysis.storage import (
    Noise,
    many_weights,
    memorise,
    parameter_count,
)
from capacity.claims import answers as statistics
from capacity.claims.claim import Answer, Claim, Context, Evidence, Prediction
from capacity.claims.lab.experiment import Figures, Lane, LaneFigures, grid, intervals, labelled, run_lanes, shifted
from capacity.claims.lab.perceptrons import PATTERNS, limit_answer, perceptron_figures
from capacity.claims.lab.training_figure import grid_and_legend
from capacity.plots.style import BLACK, BLUE, GREEN, GREY, RED
from capacity.results.estimate import NATS_PER_BIT
from capacity.theory.training import BINARY_PERCEPTRON_CAPACITY, PERCEPTRON_CAPACITY, separable

INPUTS = 10
WIDTHS = (3, 6, 12, 24, 50)  # 37 to 601 parameters
RATIOS = (0.5, 1.0, 1.5, 2.0, 3.0)  # labels per parameter
NOISY_WIDTH = 12
STRENGTHS = {
    "dropout": (0.02, 0.05, 0.1, 0.25, 0.5),
    "weight": (0.01, 0.03, 0.1, 0.3, 1.0),
    "gradient": (1e-6, 1e-5, 1e-4, 1e-3, 1e-2),
}
WORDS = {"dropout": "dropout of hidden units", "weight": "Gaussian noise on weights", "gradient": "gradient noise"}
COLOURS = {"dropout": RED, "weight": BLUE, "gradient": GREEN}


class Memorization(Claim):
    """Perceptrons; then two-layer networks of 37 to 601 parameters, and one of 145 under three noises."""

    name = "memorization"
    sentence = "a network holds a few bits per parameter, and fewer when it is trained with noise"
    source = (
        "Collins, Sohl-Dickstein & Sussillo (2017), Capacity and trainability in recurrent neural "
        "networks; perceptrons: Cover (1965), Gardner (1988), Krauth & Mézard (1989)"
    )
    references = ("collins2017capacity", "cover1965geometrical", "gardner1988space", "krauth1989storage")
    predictions = (
        Prediction(
            "chance of separability less Cover's", "at 40 patterns, 20 inputs", -0.05, 0.05, "1", instrument=True
        ),
        Prediction("perceptron", "real weights hold 2", 1.8, 2.2, "bits per weight", instrument=True),
        Prediction("binary perceptron", "weights +-1 hold 0.833", 0.73, 0.93, "bits per weight", instrument=True),
        Prediction(
            "binary perceptron by search",
            "201 weights are found for many patterns, never for more than can be",
            0.55,
            0.847,
            "patterns per weight",
            instrument=True,
        ),
        Prediction(
            "two layers", "at two random labels a parameter, the largest network", 1.2, 2.6, "bits per parameter"
        ),
        Prediction("growth with parameters", "in proportion: slope of log bits", 0.85, 1.15, "1"),
        Prediction("gain past saturation", "share kept of labels beyond 1.5 a parameter", high=0.25, unit="1"),
        Prediction("left by dropout", "less by the strongest dropout", high=0, unit="bits per parameter"),
        Prediction("left by weight noise", "less by the strongest weight noise", high=0, unit="bits per parameter"),
        Prediction("left by gradient noise", "less by the strongest gradient noise", high=0, unit="bits per parameter"),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Perceptrons on the host; networks as lanes, a program for each width."""
        keys = jax.random.split(key, 3)
        known = context.part("perceptrons", lambda: perceptron_figures(keys[0], context.fast))
        context.progress(0.2, "perceptrons")
        bits = _sizes(context, keys[1])
        noisy = _noises(context, keys[2])
        rate = context.miss_rate
        parameters = np.array([parameter_count(INPUTS, h) for h in WIDTHS])
        held = bits[:, RATIOS.index(2.0)]
        beyond = (bits[-1, RATIOS.index(3.0)] - bits[-1, RATIOS.index(1.5)]) / 1.5
        counted = statistics.proportion(int(known["separable"][1]), int(known["trials"]), rate)
        answers = {
            "chance of separability less Cover's": shifted(counted, -separable(PATTERNS[1], 20)),
            "perceptron": limit_answer(many_weights(*known["real"]), rate, known["real"].shape[1]),
            "binary perceptron": limit_answer(many_weights(*known["binary"]), rate, known["binary"].shape[1]),
            "binary perceptron by search": statistics.mean(known["search"], rate),
            "two layers": statistics.mean(held[-1], rate),
            "growth with parameters": slope(parameters, held * parameters[:, None], rate),
            "gain past saturation": statistics.mean(beyond, rate),
        }
        for name, word in (("dropout", "dropout"), ("weight", "weight noise"), ("gradient", "gradient noise")):
            answers[f"left by {word}"] = statistics.difference(noisy[name][-1, :, 0], noisy["none"][0, :, 0], rate)
        return Evidence(answers, _dataset(known, bits, noisy, parameters))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Bits per parameter against labels; bits against parameters; what noise leaves."""
        left, middle, right = figure.subplots(1, 3)
        shades = np.linspace(0.3, 1, data.sizes["width"])
        for i in range(data.sizes["width"]):
            label = f"{int(data.parameters[i])} parameters"
            y, reach = _spread(data.bits[i])
            left.errorbar(data.ratio, y, reach, fmt="o-", mfc="white", color=BLUE, alpha=shades[i], label=label)
        left.plot([0, 3], [0, 3], color=GREY, ls=(0, (6, 3)), lw=1.2, label="all labels")
        left.set_xlabel("random labels per parameter")
        left.set_ylabel("bits memorised per parameter (lower bound)")
        left.set_title("Rises, then saturates")
        total = data.bits.mean("run").max("ratio")
        middle.loglog(data.parameters, total * data.parameters, "o", mfc="white", color=BLUE, label="measured, best")
        for per in (1.2, 2.6):
            label = "1.2 and 2.6 bits per parameter" if per == 1.2 else "_"
            middle.loglog(data.parameters, per * data.parameters, color=GREY, ls=(0, (6, 3)), lw=1, label=label)
        middle.set_xlabel("parameters")
        middle.set_ylabel("bits memorised")
        for axis in (middle.xaxis, middle.yaxis):
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_locator(NullLocator())
        middle.set_title("In proportion to parameters")
        for name, hue in COLOURS.items():
            # What is on the gradient is gone once training is over: one reading is all there is.
            for reading, style in ((0, "o-"), (1, "s:"))[: 1 if name == "gradient" else 2]:
                label = WORDS[name] + (", left on" if reading else "")
                y, reach = _spread(data[f"left_{name}"][..., reading])
                right.errorbar(np.arange(1, 6), y, reach, fmt=style, ms=4, mfc="white", color=hue, label=label)
        quiet = float(data.left_none[0, :, 0].mean())
        right.axhline(quiet, color=BLACK, lw=1.2, label="no noise")
        right.set_ylim(min(0, -0.3), 1.15 * quiet)
        right.set_xticks(np.arange(1, 6), ["weakest", "2", "3", "4", "strongest"])
        right.set_xlabel("strength of the noise in training")
        right.set_ylabel("bits memorised per parameter")
        right.set_title("What noise in training leaves")
        grid_and_legend(left)
        grid_and_legend(middle, 1)
        grid_and_legend(right, 1)


def slope(parameters: np.ndarray, bits: np.ndarray, miss_rate: float) -> Answer:
    """Least squares slope of log bits on log parameters over independent runs (sizes, runs), Student's t."""
    x, y = np.log(np.repeat(parameters, bits.shape[1])), np.log(bits.ravel())
    found = stats.linregress(x, y)
    reach = stats.t.ppf(1 - miss_rate / 2, x.size - 2) * found.stderr
    return Answer(float(found.slope), float(found.slope - reach), float(found.slope + reach), x.size)


def _sizes(context: Context, key: jax.Array) -> np.ndarray:
    """Bits per parameter (widths, ratios, runs)."""
    runs, steps = (8, 1000) if context.fast else (24, 6000)
    found = []
    for i, hidden in enumerate(WIDTHS):
        parameters = parameter_count(INPUTS, hidden)
        lanes = grid(patterns=[int(r * parameters) for r in RATIOS], run=range(runs))
        keys = jax.random.split(jax.random.fold_in(key, hidden), lanes["run"].size)
        lane = _lane(hidden, int(max(RATIOS) * parameters), steps, noisy=False)
        name, span = f"width-{hidden}", (0.2 + 0.1 * i, 0.3 + 0.1 * i)
        out = run_lanes(
            context, name, lane, {"key": keys, "patterns": jnp.asarray(lanes["patterns"])}, group=10, span=span
        )
        found.append(out["bits"][:, 0].reshape(len(RATIOS), runs))
    return np.stack(found)


def _noises(context: Context, key: jax.Array) -> dict[str, np.ndarray]:
    """Bits per parameter (strengths, runs, readings without and with the noise) for each kind, and for none."""
    runs, steps = (6, 1000) if context.fast else (20, 6000)
    kinds = [("none", 0.0), *((kind, s) for kind, strengths in STRENGTHS.items() for s in strengths)]
    rows = [(kind, s) for kind, s in kinds for _ in range(runs)]
    patterns = 2 * parameter_count(INPUTS, NOISY_WIDTH)
    lanes: dict[str, Any] = {
        k: jnp.asarray([s if kind == k else 0.0 for kind, s in rows], jnp.float32) for k in STRENGTHS
    }
    lanes |= {"key": jax.random.split(key, len(rows)), "patterns": jnp.full(len(rows), patterns)}
    out = run_lanes(context, "noise", _lane(NOISY_WIDTH, patterns, steps, noisy=True), lanes, group=12, span=(0.7, 1.0))
    bits = out["bits"].reshape(len(kinds), runs, 2)
    names = [kind for kind, _ in kinds]
    return {kind: bits[[i for i, n in enumerate(names) if n == kind]] for kind in ("none", *STRENGTHS)}


def _lane(hidden: int, most: int, steps: int, *, noisy: bool) -> Callable[[Lane, object], LaneFigures]:
    """Bits memorised per parameter, read without and with the noise, (2,)."""

    def lane(one: Lane, _: object) -> LaneFigures:
        noise = Noise(*(one[k] for k in STRENGTHS)) if noisy else None
        sizes = {"inputs": INPUTS, "hidden": hidden, "most": most, "steps": steps}
        recall = memorise(one["key"], one["patterns"], noise, **sizes)
        there = jnp.arange(most) < one["patterns"]
        kept = [jnp.where(there, 1 + log_probs / NATS_PER_BIT, 0.0).sum() for log_probs in recall]
        return {"bits": jnp.stack(kept) / parameter_count(INPUTS, hidden)}

    return lane


def _spread(bits: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over runs, and half the 95 % interval."""
    ends = intervals(bits)
    return ends["value"], ends["high"] - ends["value"]


def _dataset(known: Figures, bits: np.ndarray, noisy: Figures, parameters: np.ndarray) -> xr.Dataset:
    per = "bits per parameter"
    variables = {
        "bits": labelled(("width", "ratio", "run"), bits, "bits of random labels memorised, lower bound", per),
        "parameters": labelled("width", parameters, "parameters", "1"),
        "separable": labelled("patterns", known["separable"] / known["trials"], "chance of separability", "1"),
        "cover": labelled("patterns", [separable(p, 20) for p in PATTERNS], "the same by Cover (1965)", "1"),
        "search": labelled("instance", known["search"], "most patterns per binary weight found by search", "1"),
        "real": labelled(("figure", "real_size"), known["real"], "inputs, patterns per weight, standard error", "1"),
        "binary": labelled(("figure", "binary_size"), known["binary"], "weights, patterns per weight, error", "1"),
    }
    for kind, left in noisy.items():
        strength = "strength" if kind != "none" else "none"
        variables[f"left_{kind}"] = labelled((strength, "noisy_run", "reading"), left, f"bits left by {kind}", per)
    for kind, strengths in STRENGTHS.items():
        variables[f"strength_{kind}"] = labelled("strength", strengths, f"strength of {kind} noise", "1")
    coordinates = {
        "ratio": labelled("ratio", RATIOS, "random labels per parameter", "1"),
        "patterns": labelled("patterns", PATTERNS, "patterns of a perceptron with 20 inputs", "1"),
    }
    truths = {"perceptron": PERCEPTRON_CAPACITY, "binary_perceptron": BINARY_PERCEPTRON_CAPACITY}
    return xr.Dataset(variables, coordinates, truths)
