"""Noise on the inputs as augmentation: bits per label on held-out pictures, against the dose and the size of the data.

The label is a sprite's shape, 2 bits; place, size and angle are not asked for.  Training pictures get fresh Gaussian
noise of the dose at every step, held-out ones none.  The dose that helps most is chosen on some seeds and its gain
measured on others, so that the best of many noisy figures is not taken for a gain.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from capacity.claims import answers as statistics
from capacity.claims.claim import Answer, Claim, Context, Evidence, Prediction
from capacity.claims.lab.classifier import ClassifierTraining, Examples, Split, held_out_bits
from capacity.claims.lab.experiment import Figures, Lane, LaneFigures, grid, intervals, keys_of, labelled, run_lanes
from capacity.plots.style import BLACK, BLUE, GREEN, RED, legend_below, quiet_grid
from synthetic import Sprites

SIZES = (64, 256, 1024)
FAST_DOSES = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 6.4)
DOSES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2, 1.6, 3.2, 6.4)
CHOOSING = 3  # seeds that choose the dose
VALID = 512
HUES = (RED, GREEN, BLUE)


class InputNoise(Claim):
    """Three sizes of data, doses from none to more than the picture's own contrast."""

    name = "input_noise"
    sentence = "noisy data augmentation helps in the right dose and harms past it"
    source = "Bishop (1995), Training with noise is equivalent to Tikhonov regularization"
    references = ("bishop1995training",)
    predictions = (
        *(
            Prediction(f"gain by the right dose, N = {n}", "the right dose helps", low=0.0, unit="bits per label")
            for n in SIZES
        ),
        *(
            Prediction(f"change by the largest dose, N = {n}", "too much harms", high=0.0, unit="bits per label")
            for n in SIZES
        ),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Train at every size, dose and seed; the same seed has the same pictures at every dose."""
        doses, seeds = (FAST_DOSES, 8) if context.fast else (DOSES, 15)
        recipe = ClassifierTraining(4) if context.fast else ClassifierTraining(4, steps=1920, checks=48)
        lanes = grid(size=SIZES, dose=doses, seed=range(seeds))
        found = run_lanes(
            context,
            "dose",
            _lane(recipe),
            {
                "key": keys_of(key, lanes["seed"]),
                "size": jnp.asarray(lanes["size"], jnp.int32),
                "dose": jnp.asarray(lanes["dose"], jnp.float32),
            },
            _pictures(),
            group=24,
        )
        shape = (len(SIZES), len(doses), seeds)
        bits = {name: values.reshape(shape) for name, values in found.items()}
        return Evidence(answers_of(bits["bits"], context.miss_rate), _dataset(bits, doses))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Dose and response for every size, and the gap between the bits of training and held-out pictures."""
        left, right = figure.subplots(1, 2)
        place = np.arange(data.sizes["dose"])
        for i, hue in enumerate(HUES):
            one = data.isel(size=i)
            reach = [one.bits_mean - one.bits_low, one.bits_high - one.bits_mean]
            size = int(one["size"])
            left.errorbar(place, one.bits_mean, reach, fmt="o-", color=hue, capsize=2, label=f"{size:,} pictures")
            left.axhline(float(one.bits_mean[0]), color=hue, lw=0.8, ls=":", label="_without noise")
            best = float(one.bits_mean[int(one.chosen)])
            left.plot(int(one.chosen), best, "o", color=hue, ms=12, mfc="none", label="_the dose chosen")
            right.plot(place, (one.train - one.bits).mean("seed"), "o-", color=hue, label=f"{size:,} pictures")
            if int(one.harmful) < data.sizes["dose"]:
                harm = int(one.harmful)
                bits, words = float(one.bits_mean[harm]), "_the first dose that harms"
                left.plot(harm, bits, "x", color=BLACK, ms=9, mew=2, zorder=5, label=words)
        left.set_ylabel("held-out bits per label (of 2)")
        left.set_title("Dose and response; ring: chosen, cross: first that harms")
        right.set_ylabel("bits per label, trained on less held out")
        right.set_title("What was learnt by heart")
        for axes in (left, right):
            axes.set_xticks(place, [f"{d:g}" for d in data.dose.values])
            axes.set_xlabel("standard deviation of the noise (share of the contrast)")
            quiet_grid(axes)
            legend_below(axes)


def answers_of(bits: np.ndarray, miss_rate: float) -> dict[str, Answer]:
    """The answers from held-out bits (sizes, doses, seeds), dose 0 first; the dose chosen on the first seeds only."""
    answers = {}
    for i, size in enumerate(SIZES):
        gain = bits[i, :, CHOOSING:] - bits[i, :1, CHOOSING:]  # pairs: a seed's pictures are the same at every dose
        answers[f"gain by the right dose, N = {size}"] = statistics.mean(gain[chosen_dose(bits[i])], miss_rate)
        answers[f"change by the largest dose, N = {size}"] = statistics.mean(gain[-1], miss_rate)
    return answers


def chosen_dose(bits: np.ndarray) -> int:
    """The number of the dose above 0 that helps most on the choosing seeds, from bits (doses, seeds)."""
    return 1 + int(bits[1:, :CHOOSING].mean(1).argmax())


def harmful_from(bits: np.ndarray) -> int:
    """The number of the first dose from which on all are worse than none, at 95 % each, from bits (doses, seeds)."""
    gain = bits[1:, CHOOSING:] - bits[:1, CHOOSING:]
    worse = [statistics.mean(row, 0.05).high < 0 for row in gain]
    return 1 + next((i for i in range(len(worse)) if all(worse[i:])), len(worse))


def _pictures() -> Examples:
    source = Sprites()
    vectors, _ = source.codebook()
    return Examples(vectors, (source.messages()[:, :2].astype(jnp.int32) * jnp.array([2, 1])).sum(1))


def _lane(recipe: ClassifierTraining) -> Callable[[Lane, Examples], LaneFigures]:
    def lane(one: Lane, pictures: Examples) -> LaneFigures:
        key_split, key_fit = jax.random.split(one["key"])
        order = jax.random.permutation(key_split, pictures.labels.shape[0])
        ends = (max(SIZES), max(SIZES) + VALID)
        split = Split(*(Examples(pictures.inputs[part], pictures.labels[part]) for part in jnp.split(order, ends)))

        def augment(key: jax.Array, inputs: jax.Array) -> jax.Array:
            return inputs + one["dose"] * jax.random.normal(key, inputs.shape)

        return held_out_bits(key_fit, recipe, split, one["size"], augment)

    return lane


def _dataset(bits: Figures, doses: tuple[float, ...]) -> xr.Dataset:
    all_dims = ("size", "dose", "seed")
    ends = intervals(bits["bits"])
    unit = "bits per label"
    return xr.Dataset(
        {
            "bits": labelled(all_dims, bits["bits"], "held-out bits, stopped by validation", unit),
            "final": labelled(all_dims, bits["final"], "held-out bits at the end of training", unit),
            "train": labelled(all_dims, bits["train"], "bits on the pictures trained on", unit),
            "bits_mean": labelled(all_dims[:2], ends["value"], "mean over seeds", unit),
            "bits_low": labelled(all_dims[:2], ends["low"], "95 % interval, low end", unit),
            "bits_high": labelled(all_dims[:2], ends["high"], "95 % interval, high end", unit),
            "harmful": labelled(
                "size", [harmful_from(b) for b in bits["bits"]], "number of the first dose that harms", "1"
            ),
            "chosen": labelled("size", [chosen_dose(b) for b in bits["bits"]], "dose chosen, its number", "1"),
        },
        {
            "size": labelled("size", SIZES, "pictures trained on", "pictures"),
            "dose": labelled("dose", doses, "standard deviation of the noise on a picture's grey in [0, 1]", "1"),
            "seed": labelled("seed", np.arange(bits["bits"].shape[2]), "seed", "1"),
        },
    )
