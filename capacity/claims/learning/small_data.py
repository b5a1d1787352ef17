"""Little data: does a linear model beat a deep one at 80 samples, on handwritten digits, zeros against ones?

Both get N labelled images for everything: they choose among the same settings (weight decay x learning rate) by log
loss in cross-validation, as so few images give no validation set to rely on, and are then trained on all N with the
setting chosen.  Held-out bits per label are H(Y) + E log2 q(y|x), which asks for honest probabilities too; accuracy
asks for the sign alone.

Splits share one pool of 360 images: their intervals say what a fresh split of these images would show, not what other
images would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from capacity.claims import answers as statistics
from capacity.claims.claim import Claim, Context, Evidence, Prediction
from capacity.claims.lab.experiment import Figures, Lane, LaneFigures, grid, intervals, labelled, run_lanes
from capacity.claims.lab.folds import FOLDS, NO_FOLD, TEST, train_and_test
from capacity.claims.lab.training_figure import grid_and_legend
from capacity.plots.style import BLACK, BLUE, GREEN, RED, SOURCE_COLOUR, log_ticks

SIZES, POOL = (10, 20, 40, 80, 160, 260), 360
SPLITS, STEPS = (50, 200), (250, 2000)  # of the fast version, of the whole one
WIDTHS = {"linear": (), "deep": (32, 32)}
COLOURS = {"linear": BLUE, "deep": RED}
DECAYS, RATES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1), (3e-3, 3e-2)  # the same settings for both models
_Shared = tuple[jax.Array, jax.Array, jax.Array]  # images, labels, a key for each split


@dataclass(frozen=True)
class SmallData(Claim):
    """Logistic regression against two hidden layers of 32, tuned alike, N from 10 to all; 50 splits, or 200.

    Attributes:
        sizes: N, labelled images for training and tuning, rising from 10 at least to 260 at most, 80 among them.
        splits: how many, at least 2; by default those of the version that is run.
        steps: of each training, the same.

    Raises:
        ValueError: for sizes, splits or steps that are not so.
    """

    sizes: tuple[int, ...] = SIZES
    splits: int | None = None
    steps: int | None = None

    name = "small_data"
    sentence = "a linear model beats a deep one at 80 samples"
    source = (
        "Leek (2017), Don't use deep learning your data isn't that big; answered by Beam (2017), You can "
        "probably use deep learning even if your data isn't that big"
    )
    references = ("leek2017dont", "beam2017probably")
    predictions = (
        Prediction(
            "linear less deep in bits at 80", "linear tells more about held-out labels", low=0, unit="bits per label"
        ),
        Prediction("linear less deep in accuracy at 80", "linear has more labels right", low=0, unit="percent"),
    )

    def __post_init__(self) -> None:
        most = POOL - TEST
        rising = all(a < b for a, b in pairwise(self.sizes))
        if 80 not in self.sizes or not rising or not 10 <= min(self.sizes) <= max(self.sizes) <= most:
            raise ValueError(f"Expected rising sizes from 10 to {most}, 80 among them; got {self.sizes}.")
        if self.splits is not None and self.splits < 2:
            raise ValueError(f"Expected at least two splits; got {self.splits}.")
        if self.steps is not None and self.steps < 1:
            raise ValueError(f"Expected at least one step; got {self.steps}.")

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Tune, train again on all N, test; both models see the same splits."""
        images, labels = zeros_and_ones()
        sizes, whole = self.sizes, not context.fast
        splits, steps = self.splits or SPLITS[whole], self.steps or STEPS[whole]
        shared = (jnp.asarray(images), jnp.asarray(labels), jax.random.split(key, splits))
        found = {}
        for i, (model, widths) in enumerate(WIDTHS.items()):
            found[model] = _tuned(context, model, widths, sizes, grid(decay=DECAYS, rate=RATES), steps, shared, 0.5 * i)
        at = sizes.index(80)
        gap = {name: found["linear"][name] - found["deep"][name] for name in ("bits", "accuracy")}
        answers = {
            "linear less deep in bits at 80": statistics.mean(gap["bits"][at], context.miss_rate),
            "linear less deep in accuracy at 80": statistics.mean(100 * gap["accuracy"][at], context.miss_rate),
        }
        return Evidence(answers, _dataset(found, gap, sizes))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Bits and accuracy against N for both models, and their difference in bits."""
        for axes, name in zip(figure.subplots(1, 3), ("bits", "accuracy", "difference"), strict=True):
            for model in data.model.values if name != "difference" else ("",):
                low, value, high = (
                    data[f"{name}_{end}"].sel(model=model) if model else data[f"{name}_{end}"]
                    for end in ("low", "value", "high")
                )
                hue, label = COLOURS.get(model, GREEN), model or "linear less deep, paired"
                scale = 100 if name == "accuracy" else 1
                reach = scale * np.stack([value - low, high - value])
                axes.errorbar(
                    data["size"], scale * value, reach, fmt="o-", mfc="white", capsize=3, color=hue, label=label
                )
            log_ticks(axes, data["size"].values)
            axes.set_xlabel("labelled images N, for training and tuning")
        first, second, third = figure.axes
        first.axhline(float(data.entropy), color=SOURCE_COLOUR, ls=(0, (6, 3)), lw=1.2, label="H(Y): all of the label")
        first.set_ylabel("held-out bits per label")
        second.set_ylabel("held-out accuracy (%)")
        third.axhline(0, color=BLACK, lw=0.8, label="_both alike")
        third.axvline(80, color=SOURCE_COLOUR, lw=0.8, ls=":", label="80 samples")
        third.set_ylabel("difference in bits per label")
        said = [f"{model} ahead at N: {data.attrs[f'{model}_ahead_at'] or 'none'}" for model in WIDTHS]
        box = {"facecolor": "white", "edgecolor": "none"}
        third.text(0.97, 0.98, "\n".join(said), ha="right", va="top", transform=third.transAxes, bbox=box)
        for axes, title in zip(
            figure.axes, ("Information, means and 95 %", "Accuracy", "Above 0 linear wins"), strict=True
        ):
            axes.set_title(title)
            grid_and_legend(axes)


def zeros_and_ones() -> tuple[np.ndarray, np.ndarray]:
    """Images (360, 64) between -1 and 1, and labels (360,) of +-1: the digits that come with scikit-learn."""
    from sklearn.datasets import load_digits

    images, digits = load_digits(return_X_y=True)
    chosen = digits < 2
    return (images[chosen] / 8 - 1).astype(np.float32), np.where(digits[chosen] == 1, 1.0, -1.0).astype(np.float32)


def _tuned(
    context: Context,
    model: str,
    widths: tuple[int, ...],
    sizes: tuple[int, ...],
    settings: Figures,
    steps: int,
    shared: _Shared,
    start: float,
) -> dict[str, np.ndarray]:
    """Held-out bits and accuracy (sizes, splits) at the setting that each split's own cross-validation chose."""

    def lane(one: Lane, shared: _Shared) -> LaneFigures:
        images, labels, keys = shared

        def one_split(key: jax.Array, decay: jax.Array, rate: jax.Array) -> dict[str, jax.Array]:
            return train_and_test(key, images, labels, widths, {**one, "decay": decay, "rate": rate}, steps)

        return jax.vmap(one_split)(keys, one["decay"], one["rate"])

    count, splits = len(settings["decay"]), len(shared[2])
    at = grid(size=sizes, setting=range(count), fold=range(FOLDS))
    every = {name: np.repeat(values[at["setting"]][:, None], splits, 1) for name, values in settings.items()}
    tune = _lanes(at["size"], at["fold"], every)
    seen = run_lanes(context, f"{model}-tune", lane, tune, shared, group=12, span=(start, start + 0.4))
    best = seen["validation"].reshape(len(sizes), count, FOLDS, splits).sum(2).argmin(1)
    last = _lanes(np.asarray(sizes), np.full(len(sizes), NO_FOLD), {name: v[best] for name, v in settings.items()})
    return run_lanes(context, f"{model}-test", lane, last, shared, group=12, span=(start + 0.4, start + 0.5))


def _lanes(sizes: np.ndarray, folds: np.ndarray, settings: Figures) -> dict[str, jax.Array]:
    counts = {"size": jnp.asarray(sizes, jnp.int32), "fold": jnp.asarray(folds, jnp.int32)}
    return counts | {name: jnp.asarray(values, jnp.float32) for name, values in settings.items()}


def _dataset(found: Mapping[str, Figures], gap: Figures, sizes: tuple[int, ...]) -> xr.Dataset:
    variables: dict[str, Any] = {}
    units = {"bits": "bits per label", "accuracy": "1", "difference": "bits per label"}
    rows = {name: np.stack([found[model][name] for model in WIDTHS]) for name in ("bits", "accuracy")}
    rows["difference"] = gap["bits"]
    for name, values in rows.items():
        dims = ("model", "size")[-values.ndim + 1 :]
        for end, figures in intervals(values).items():
            variables[f"{name}_{end}"] = labelled(dims, figures, f"held-out {name}, {end} (95 %)", units[name])
    _, labels = zeros_and_ones()
    share = float((labels > 0).mean())
    entropy = -(share * np.log2(share) + (1 - share) * np.log2(1 - share))
    variables["entropy"] = labelled((), entropy, "entropy of the label", "bits per label")
    coordinates = {
        "size": labelled("size", sizes, "labelled images", "images"),
        "model": ("model", list(WIDTHS), {"long_name": "model", "units": "1"}),
    }
    # Where the order turns: the N at which an interval leaves 0 on either side.
    ahead = {"linear": variables["difference_low"][1] > 0, "deep": variables["difference_high"][1] < 0}
    facts = {f"{model}_ahead_at": " ".join(str(n) for n in np.asarray(sizes)[here]) for model, here in ahead.items()}
    return xr.Dataset(variables, coordinates, facts)
