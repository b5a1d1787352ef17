"""A trained model's code drawn: where its rate goes, unit by unit, against the number of points, and what units share.

Colours are those of Okabe & Ito (2008), told apart by colour-blind readers too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from capacity.analysis.latent.latent import Latent
from capacity.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    RED,
    at_least_zero,
    from_zero,
    legend_below,
    quiet_grid,
)
from capacity.results.intervals import Z95
from capacity.runtime.files.atomic import write_atomic

INFORMATION, TWICE, OFF_PRIOR, LIMIT = BLUE, PURPLE, ORANGE, BLACK
RATE, INCREMENT = RED, GREEN


def plot_rate(latent: Latent, axes: Axes) -> None:
    """The rate in one bar: information, what units say more than once, and how far single units are from the prior."""
    information, twice = float(latent.information.bits), float(latent.total_correlation.bits)
    parts = (
        ("information I(point;Z)", information, INFORMATION),
        ("said more than once: total correlation", twice, TWICE),
        ("units off the prior: $\\Sigma_j$ KL", latent.rate - information - twice, OFF_PRIOR),
    )
    left = 0.0
    for words, bits, hue in parts:
        width = max(bits, 0.0)
        axes.barh([0], [width], left=left, color=hue, height=0.5, label=f"{words}, {at_least_zero(bits)}")
        left += width
    reach = [[information - float(latent.information.low)], [float(latent.information.high) - information]]
    axes.errorbar(
        [information], [0], xerr=np.maximum(reach, 0.0), color="black", lw=1, capsize=4, label="information, 95 %"
    )
    axes.axvline(latent.limit, color=LIMIT, lw=1.2, ls="--", label=f"most that N points can show: {latent.limit:.2f}")
    axes.set_yticks([])
    axes.set_ylim(-0.6, 0.6)
    axes.set_xlim(
        min(0.0, 1.05 * float(latent.information.low)),
        1.05 * max(latent.limit, latent.rate, left, float(latent.information.high)),
    )
    axes.set_xlabel("bits")
    near = "\nnear its limit: more points would show more" if latent.saturated else ""
    axes.set_title(f"Rate {latent.rate:.2f} bits, information {information:.2f}{near}")
    _legend(axes, 1)


def plot_latent_units(latent: Latent, axes: Axes) -> None:
    """Every unit's rate, its bits alone, and the bits that it adds; units that are not active in grey."""
    units = np.arange(latent.units)
    dead = ~latent.active
    for i, unit in enumerate(units[dead]):
        axes.axvspan(unit - 0.5, unit + 0.5, color="#dddddd", lw=0, label=f"{'_' * bool(i)}not active")
    axes.bar(units, latent.unit_rate, color=RATE, alpha=0.35, width=0.8, label="rate")
    ends = []
    for name, words, hue, shift, marker in (
        ("marginal", r"alone, $I(\mathrm{point};Z_j)$", INFORMATION, -0.12, "o"),
        ("increment", r"added to those before, $I(\mathrm{point};Z_j|Z_{<j})$", INCREMENT, 0.12, "s"),
    ):
        found = getattr(latent, name)
        reach = Z95 * np.asarray(found.stderr)
        style: dict[str, Any] = {"fmt": marker, "ms": 4, "lw": 1, "capsize": 0}
        axes.errorbar(units + shift, np.asarray(found.bits), reach, color=hue, label=words, **style)
        ends.append(np.asarray(found.bits) - reach)
    axes.axhline(latent.joint_per_unit, color=LIMIT, lw=1, ls=":", label=f"I/units, {latent.joint_per_unit:.2f}")
    from_zero(axes, *ends)
    axes.set_xlim(-0.6, latent.units - 0.4)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("unit")
    axes.set_ylabel("bits")
    axes.set_title(f"{int(latent.active.sum())} of {latent.units} units active")
    _legend(axes, 2)


def plot_growth(latent: Latent, axes: Axes) -> None:
    """Information against the number of data points: flat where these suffice, along log2 N where they do not."""
    points, found = latent.growth.points, latent.growth.information
    bits, reach = np.asarray(found.bits), Z95 * np.asarray(found.stderr)
    axes.plot(points, np.log2(points), color=LIMIT, lw=1.2, ls="--", label="log2 N, the most that N points can show")
    axes.errorbar(
        points, bits, reach, color=INFORMATION, marker="o", ms=4, lw=1.4, capsize=3, label="information, 95 %"
    )
    axes.set_xscale("log")
    axes.set_xticks(points)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    from_zero(axes, bits - reach, top=1.08 * max(float(np.log2(points).max()), float(np.max(bits + reach))))
    axes.set_xlabel("data points")
    axes.set_ylabel("bits")
    axes.set_title("Would more data show more?")
    quiet_grid(axes)
    _legend(axes, 1)


def plot_shared(latent: Latent, axes: Axes) -> None:
    """Bits that every two units share; those with the most bits of their own, where there are many."""
    shared = latent.shared
    matrix = np.maximum(shared.matrix(), 0.0)
    top = max(float(np.nanmax(matrix)) if len(shared.first) else 0.0, 0.01)
    image = axes.imshow(np.ma.masked_invalid(matrix), cmap="viridis", vmin=0.0, vmax=top)
    ticks = range(0, len(shared.units), max(1, len(shared.units) // 12))
    names = [str(shared.units[i]) for i in ticks]
    axes.set_xticks(ticks, names)
    axes.set_yticks(ticks, names)
    axes.set_xlabel("unit")
    axes.set_ylabel("unit")
    some = "" if len(shared.units) == latent.units else f" (the {len(shared.units)} with most bits)"
    axes.set_title(f"Bits that two units share{some}")
    axes.figure.colorbar(image, ax=axes, label="bits")


def latent_figure(latent: Latent) -> Figure:
    """All four in one."""
    drawn = Figure(figsize=(12, 9), layout="constrained")
    axes = drawn.subplots(2, 2)
    for draw, place in zip((plot_rate, plot_latent_units, plot_growth, plot_shared), axes.flat, strict=True):
        draw(latent, place)
    return drawn


def save_latent(path: Path, latent: Latent) -> None:
    """Draw all four into a file (.png, .pdf or .svg), whole or not at all."""
    write_atomic(path, lambda target: latent_figure(latent).savefig(target, dpi=150))


def _legend(axes: Axes, columns: int) -> None:
    legend_below(axes, columns, 0.14)
