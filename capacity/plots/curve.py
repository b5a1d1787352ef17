"""Capacity curves drawn: a dataset in, matplotlib Axes out; all it works out is mean and range.

Colours are those of Okabe & Ito (2008), told apart by colour-blind readers too. A system has the
same colour in every figure; what a theory says is black, grey or green in all of them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from capacity.curves.checks import sentence
from capacity.plots.style import (
    CEILING_COLOUR,
    LEAVES,
    LOST_COLOUR,
    ORANGE,
    PAM_COLOUR,
    PURPLE,
    SOURCE_COLOUR,
    colour,
    from_zero,
    legend_below,
    quiet_grid,
)
from capacity.runtime.files.atomic import write_atomic

HEADROOM = 1.08


def plot_bits(dataset: xr.Dataset, axes: Axes) -> None:
    """Total bits against the level, beside source, ceiling and hand-made code where known."""
    hue, level = colour(dataset.attrs["system"]), dataset.level.values
    if "ceiling" in dataset:
        axes.plot(
            level,
            dataset.ceiling,
            color=CEILING_COLOUR,
            lw=1.5,
            label="channel's ceiling" + _leaves(dataset.ceiling, dataset),
        )
    if np.isfinite(dataset.source_bits):
        source = float(dataset.source_bits)
        axes.axhline(source, color=SOURCE_COLOUR, lw=1.2, ls=(0, (6, 3)), label=f"source: {source:.4g} bits")
    if "pam_bits" in dataset:
        axes.plot(level, dataset.pam_bits, color=PAM_COLOUR, lw=1.5, ls="--", label="hand-made PAM code")
    if "random_coding_bits" in dataset:
        about = "random codes, on average at least"
        axes.plot(level, dataset.random_coding_bits, color=CEILING_COLOUR, lw=1.2, ls=(0, (1, 1.5)), label=about)
    if "closed_form" in dataset:
        about = "closed form, every unit injective"
        axes.plot(level, dataset.closed_form, color=PAM_COLOUR, lw=2.2, ls=":", label=about)
    if "rate" in dataset and "ceiling" not in dataset:
        rate = dataset.rate.mean("seed")
        axes.plot(
            level,
            rate,
            color=hue,
            lw=1.2,
            ls="-.",
            label="rate (upper bound), mean" + _leaves(rate, dataset),
        )
    if "bits" in dataset:
        _exact(dataset, axes, hue)
    else:
        _bracket(dataset, axes, hue)
    if "bits" in dataset and "decoder_bits" in dataset:
        _decoder(dataset, axes, hue)
    lost = _lost(dataset).any(1)
    if lost.any():
        place: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "clip_on": False, "zorder": 4}
        about = "level with a diverged lane, left out"
        axes.plot(level[lost], np.zeros(lost.sum()), color=LOST_COLOUR, lw=0, marker="X", ms=8, label=about, **place)
    from_zero(axes, *_lowest(dataset), top=_top(dataset))
    axes.set_ylabel("information through the units (bits)")
    axes.set_title("\n".join([dataset.attrs["title"], *sentence(dataset).split("; ")]).strip(), fontsize="medium")
    _finish(dataset, axes)


def plot_unit_bits(dataset: xr.Dataset, axes: Axes) -> None:
    """The three different figures in bits per unit against the level, means over seeds."""
    hue, level = colour(dataset.attrs["system"]), dataset.level.values
    axes.set_title("Bits per unit: three different figures", fontsize="medium")
    if "marginal_bits" not in dataset:
        axes.text(
            0.5,
            0.5,
            "not known:\nthe messages were not listed",
            ha="center",
            va="center",
            transform=axes.transAxes,
        )
        axes.set_axis_off()
        return
    kinds = (
        ("marginal_bits", ORANGE, "-", r"marginal $I(M;Z_j)$"),
        ("increment_bits", PURPLE, "--", r"increment $I(M;Z_j|Z_{<j})$"),
    )
    for name, kind_colour, style, label in kinds:
        units = dataset[name].mean("seed")
        for j in range(units.sizes["unit"]):
            line: dict[str, Any] = {"color": kind_colour, "lw": 0.9, "ls": style, "alpha": 0.75}
            axes.plot(
                level,
                units.isel(unit=j),
                label=f"_{label}, unit {j}" if j else f"{label}, a line a unit",
                **line,
            )
    joint = dataset.joint_bits_per_unit.mean("seed")
    axes.plot(level, joint, color=hue, lw=2.2, marker="o", ms=4, label=r"joint $I(M;Z)$ / units")
    from_zero(axes, *(dataset[name].mean("seed") for name, *_ in kinds), joint)
    axes.set_ylabel("information (bits per unit)")
    _finish(dataset, axes)


def plot_loss(dataset: xr.Dataset, axes: Axes) -> None:
    """Training loss of every lane against the step; the darker, the lower the level.

    A lane that diverged is drawn as far as the others' losses reach.
    """
    shades, lost = np.linspace(1.0, 0.25, dataset.sizes["level"]), _lost(dataset)
    losses, step = dataset.loss.transpose("level", "seed", "step").values, dataset.step.values
    hue = colour(dataset.attrs["system"])
    for i, level in enumerate(dataset.level.values):
        for j in range(dataset.sizes["seed"]):
            named = j == 0 and i in (0, len(shades) - 1)
            label = f"{_symbol(dataset)} = {level:.3g}" if named else f"_{_symbol(dataset)} = {level:.3g}, seed {j}"
            if lost[i, j]:
                label = "diverged" + LEAVES if (i, j) == tuple(np.argwhere(lost)[0]) else f"{label}, diverged"
                axes.plot(step, losses[i, j], color=LOST_COLOUR, lw=1.2, ls="--", label=label)
            else:
                axes.plot(step, losses[i, j], color=hue, alpha=shades[i], lw=0.7, label=label)
    if lost.any() and not lost.all():
        whole = losses[~lost]
        axes.set_ylim(whole.min() - 0.05 * np.ptp(whole), whole.max() + 0.05 * np.ptp(whole))
    axes.set_xlabel("step of the optimiser")
    axes.set_ylabel(f"training loss ({dataset.loss.attrs['units']})")
    axes.set_title(dataset.attrs["title"])
    _legend(axes)


def curve_figure(datasets: Mapping[str, xr.Dataset]) -> Figure:
    """One row for each system: total bits on the left, bits per unit on the right."""
    drawn = Figure(figsize=(12, 5.6 * len(datasets)), layout=ConstrainedLayoutEngine(h_pad=0.15, w_pad=0.1))
    for row, dataset in zip(drawn.subplots(len(datasets), 2, squeeze=False), datasets.values(), strict=True):
        plot_bits(dataset, row[0])
        plot_unit_bits(dataset, row[1])
    return drawn


def save_figure(path: str | os.PathLike[str], datasets: Mapping[str, xr.Dataset]) -> None:
    """Draw the curves as a PNG of 150 dots per inch; whole or not at all."""
    write_atomic(Path(path), lambda target: curve_figure(datasets).savefig(target, dpi=150, format="png"))


def _exact(dataset: xr.Dataset, axes: Axes, hue: str) -> None:
    level, bits = dataset.level.values, dataset.bits
    axes.fill_between(
        level,
        bits.min("seed"),
        bits.max("seed"),
        color=hue,
        alpha=0.2,
        lw=0,
        label="range over seeds",
    )
    axes.plot(level, bits.mean("seed"), color=hue, lw=1.8, label="measured I(M;Z), mean")
    for j in range(dataset.sizes["seed"]):
        one = dataset.isel(seed=j)
        reach = np.stack([one.bits - one.bits_low, one.bits_high - one.bits])
        label = f"_seed {j}, 95 % interval" if j else "one seed, 95 % interval"
        style: dict[str, Any] = {"fmt": "o", "ms": 3, "lw": 1, "capsize": 2, "mfc": "white"}
        axes.errorbar(level, one.bits, reach, color=hue, label=label, **style)


def _bracket(dataset: xr.Dataset, axes: Axes, hue: str) -> None:
    level = dataset.level.values
    low, high = dataset.lower_low.max("seed"), dataset.upper_high.max("seed")
    axes.fill_between(level, low, high, color=hue, alpha=0.2, lw=0, label="bracket of the best seed's bits, 95 %")
    for j in range(dataset.sizes["seed"]):
        one = dataset.isel(seed=j)
        for name, marker in (
            ("lower", "^"),
            ("upper", "v"),
        ):
            label = f"_{name} bound, seed {j}" if j else f"{name} bound, one seed, 95 % interval"
            reach = _reach(one, name)
            axes.errorbar(level, one[name], reach, color=hue, fmt=marker, ms=4, lw=1, mfc="white", label=label)


def _decoder(dataset: xr.Dataset, axes: Axes, hue: str) -> None:
    """The decoder's mean with its 95 % interval, which may reach above the measured bits: then its samples did."""
    known = np.isfinite(dataset.decoder_bits.values).sum(axis=1)
    reach = np.sqrt(np.nansum(_reach(dataset, "decoder_bits") ** 2, axis=2)) / np.maximum(known, 1)
    style: dict[str, Any] = {"fmt": "x", "ms": 5, "lw": 1, "capsize": 2}
    label = "decoder (lower bound), mean, 95 %"
    axes.errorbar(dataset.level.values, dataset.decoder_bits.mean("seed"), reach, color=hue, label=label, **style)


def _reach(dataset: xr.Dataset, name: str) -> np.ndarray:
    """How far a figure's interval reaches below and above it, (2, ...); nowhere where there is none."""
    value = dataset[name].values
    ends = [dataset[name + end].values if name + end in dataset else value for end in ("_low", "_high")]
    return np.stack([np.maximum(value - ends[0], 0.0), np.maximum(ends[1] - value, 0.0)])


def _leaves(figure: xr.DataArray, dataset: xr.Dataset) -> str:
    """What to add to a label where the axis ends below the figure."""
    return LEAVES if figure.max() > _top(dataset) else ""


def _lowest(dataset: xr.Dataset) -> list[np.ndarray]:
    """What is drawn and may be below 0."""
    names = ("bits", "lower", "decoder_bits", "pam_bits", "closed_form")
    return [dataset[n + end].values for n in names for end in ("", "_low") if n + end in dataset]


def _lost(dataset: xr.Dataset) -> np.ndarray:
    """Which lanes diverged, (levels, seeds)."""
    none = np.zeros([dataset.sizes[d] for d in ("level", "seed")], bool)
    return dataset.diverged.values.astype(bool) if "diverged" in dataset else none


def _top(dataset: xr.Dataset) -> float:
    """Upper end of the axis: a rate or ceiling without limit must not crush the rest."""
    names = [name for name in ("bits_high", "upper", "upper_high", "lower", "decoder_bits_high") if name in dataset]
    seen = [float(dataset[name].max()) for name in names] + [float(dataset.source_bits)]
    finite = [value for value in seen if np.isfinite(value)]
    return HEADROOM * max(finite, default=1.0) or 1.0


def _finish(dataset: xr.Dataset, axes: Axes) -> None:
    """A logarithmic axis of levels with plain numbers, and the legend."""
    axes.update_datalim(
        np.stack([dataset.level, np.zeros(dataset.sizes["level"])], 1), updatey=False
    )  # NaN has no place
    axes.set_xscale("log")
    ratio = float(dataset.level.max() / dataset.level.min())
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if ratio < 1000 else (1.0,)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    about = dataset.level.attrs
    units = "" if about["units"] == "1" else f" ({about['units']})"
    axes.set_xlabel(f"{about['long_name']} {_symbol(dataset)}{units}")
    quiet_grid(axes)
    _legend(axes)


def _legend(axes: Axes) -> None:
    """Below the axes, off the data."""
    legend_below(axes, 2, 0.13)


def _symbol(dataset: xr.Dataset) -> str:
    return str(dataset.level.attrs.get("symbol", "level"))
