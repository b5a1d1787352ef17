"""A trained model's code drawn: where its rate goes, unit by unit, against the number of points, and what units share.

Colours are those of Okabe & Ito (2008), told apart by colour-blind readers too.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from capacity.analysis.latent.latent import Latent
from capacity.analysis.latent.usage import ACTIVE, DEAD, IDLE
from capacity.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    at_least_zero,
    from_zero,
    legend_below,
    quiet_grid,
)
from capacity.results.intervals import Z95
from capacity.runtime.files.atomic import write_atomic

INFORMATION, TWICE, OFF_PRIOR, LIMIT = BLUE, PURPLE, ORANGE, BLACK
RATE, INCREMENT = RED, GREEN
POPULATION, BEYOND = SKY, GREY
MAX_DRAWN, MAX_TICKS = 64, 24
CUT = 3.0  # times the most bits: rates beyond are cut off


def plot_rate(latent: Latent, axes: Axes) -> None:
    """The rate in one bar: information, what units say more than once, and how far single units are from the prior.

    Where points are all told apart the last two are one: what of the rate is not information of these points.
    """
    information, twice = float(latent.information.bits), float(latent.total_correlation.bits)
    rate = float(latent.rate.bits)
    rest = rate - information
    parts = [("information I(point;Z)", information, INFORMATION)]
    if latent.told_apart:
        parts.append(("beyond these points: saturated, not known", rest, BEYOND))
    else:
        parts.append(("said more than once: total correlation", twice, TWICE))
        parts.append(("units off the prior: $\\Sigma_j$ KL", rest - twice, OFF_PRIOR))
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
    far = [1.05 * max(latent.limit, rate, left, float(latent.information.high))]
    ends = _population_ends(latent)
    if ends is not None:
        axes.plot(ends, [0.4, 0.4], color=POPULATION, lw=4, label=f"population: {ends[0]:.2f} to {ends[1]:.2f}")
        far.append(1.05 * ends[1])
    axes.set_yticks([])
    axes.set_ylim(-0.6, 0.6)
    axes.set_xlim(min(0.0, 1.05 * float(latent.information.low)), max(far))
    axes.set_xlabel("bits")
    near = "\nnear its limit: more points would show more" if latent.saturated else ""
    axes.set_title(f"Rate {rate:.2f} bits, information {information:.2f}{near}")
    _legend(axes, 1)


def plot_latent_units(latent: Latent, axes: Axes) -> None:
    """Units in the order of what they say alone: rate, bits alone, and bits added to the units before, by number.

    Idle units are light grey, dead ones grey; the line stands behind those that carry 95 % of the bits.  Bits are the
    population's brackets where there are any; what a saturated code adds is left out.
    """
    usage = latent.usage
    order = usage.order[:MAX_DRAWN]
    places = np.arange(len(order))
    for state, hue in ((IDLE, "#eeeeee"), (DEAD, "#cccccc")):
        for i, place in enumerate(places[usage.state[order] == state]):
            axes.axvspan(place - 0.5, place + 0.5, color=hue, lw=0, label=f"{'_' * bool(i)}{state}")
    rate, most = latent.unit_rate[order], CUT * max(float(usage.high.max()), 0.01)
    words = "rate (cut off)" if (rate > most).any() else "rate"
    axes.bar(places, np.minimum(rate, most), color=RATE, alpha=0.35, width=0.8, label=words)
    alone = r"alone, $I(X;Z_j)$, 95 %"
    _reaches(axes, places - 0.12, usage.low[order], usage.high[order], INFORMATION, alone)
    low, high, known = _added(latent)
    told = known[order]
    if told.any():
        added = r"added, $I(X;Z_j|Z_{<j})$, 95 %"
        _reaches(axes, places[told] + 0.12, low[order][told], high[order][told], INCREMENT, added)
    if usage.carriers:
        axes.axvline(usage.carriers - 0.5, color=LIMIT, lw=1, ls=":", label=f"95 % of bits: {usage.carriers}")
    from_zero(axes, usage.low[order], low[order][told])
    axes.set_xlim(-0.6, len(order) - 0.4)
    ticks = places[:: max(1, -(-len(order) // MAX_TICKS))]
    axes.set_xticks(ticks, [str(order[place]) for place in ticks], fontsize="small")
    axes.set_xlabel("unit, those with most bits first")
    axes.set_ylabel("bits")
    counts = ", ".join(f"{len(usage.of_state(state))} {state}" for state in (ACTIVE, IDLE, DEAD))
    some = f"\nthe {len(order)} with most bits" if len(order) < latent.units else ""
    axes.set_title(f"{latent.units} units: {counts}{some}")
    _legend(axes, 2)


def _reaches(axes: Axes, places: np.ndarray, low: np.ndarray, high: np.ndarray, hue: str, words: str) -> None:
    middle = (low + high) / 2
    axes.errorbar(places, middle, (high - low) / 2, color=hue, label=words, fmt="o", ms=3, lw=1.4, capsize=0)


def _added(latent: Latent) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ends of what every unit adds, and whether they say anything."""
    wide = latent.population
    if wide is not None and np.isfinite(wide.increment.high).all():
        return np.asarray(wide.increment.low), np.asarray(wide.increment.high), wide.increment_known
    low, high = (np.asarray(end, np.float64) for end in (latent.increment.low, latent.increment.high))
    return low, high, np.full(latent.units, not latent.told_apart)


def _population_ends(latent: Latent) -> tuple[float, float] | None:
    """Ends of the bracket on the population's information, where it has an upper one."""
    if latent.population is None or not np.isfinite(latent.population.information.high):
        return None
    return float(latent.population.information.low), float(latent.population.information.high)


def plot_growth(latent: Latent, axes: Axes) -> None:
    """Information against the number of data points: flat where these suffice, along log2 N where they do not."""
    points, found = latent.growth.points, latent.growth.information
    bits, reach = np.asarray(found.bits), Z95 * np.asarray(found.stderr)
    axes.plot(points, np.log2(points), color=LIMIT, lw=1.2, ls="--", label="log2 N, the most that N points can show")
    axes.errorbar(
        points, bits, reach, color=INFORMATION, marker="o", ms=4, lw=1.4, capsize=3, label="information, 95 %"
    )
    top = 1.08 * max(float(np.log2(points).max()), float(np.max(bits + reach)))
    ends = _population_ends(latent)
    if ends is not None:
        words = f"population, 95 %: {ends[0]:.2f} to {ends[1]:.2f}"
        axes.axhspan(*ends, color=POPULATION, alpha=0.35, lw=0, label=words)
        top = max(top, 1.04 * ends[1])
    axes.set_xscale("log")
    axes.set_xticks(points)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    from_zero(axes, bits - reach, top=top)
    axes.set_xlabel("data points")
    axes.set_ylabel("bits")
    axes.set_title("Would more data show more?")
    quiet_grid(axes)
    _legend(axes, 1)


def plot_shared(latent: Latent, axes: Axes) -> None:
    """Bits that every two units share; those with the most bits of their own, where there are many.

    At least so many in the population, where that is bracketed; else for these points, and pairs that tell nearly all
    of them apart are left white.
    """
    wide = None if latent.population is None else latent.population.shared
    shared = wide or latent.shared
    matrix = np.maximum(_told(latent) if wide is None else wide.matrix(), 0.0)
    top = max(float(np.nanmax(matrix, initial=0.0, where=np.isfinite(matrix))), 0.01)
    image = axes.imshow(np.ma.masked_invalid(matrix), cmap="viridis", vmin=0.0, vmax=top)
    ticks = range(0, len(shared.units), max(1, len(shared.units) // 12))
    names = [str(shared.units[i]) for i in ticks]
    axes.set_xticks(ticks, names)
    axes.set_yticks(ticks, names)
    axes.set_xlabel("unit")
    axes.set_ylabel("unit")
    some = "" if len(shared.units) == latent.units else f"\nthe {len(shared.units)} units with most bits"
    hidden = "\nwhite: saturated, not known" if wide is None and not latent.shared_known.all() else ""
    least = ", at least" if wide is not None else ""
    axes.set_title(f"Bits that two units share{least}{some}{hidden}")
    axes.figure.colorbar(image, ax=axes, label="bits")


def _told(latent: Latent) -> np.ndarray:
    """Shared bits (k, k); NaN where two units tell all points apart."""
    known = np.where(latent.shared_known, np.asarray(latent.shared.bits.bits, np.float64), np.nan)
    return latent.shared._replace(bits=replace(latent.shared.bits, bits=known)).matrix()


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
