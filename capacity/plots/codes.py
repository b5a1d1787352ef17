"""A discrete code drawn: bits of each position, use of the codebook, bits of the whole, and what positions share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from capacity.analysis.codes import Codes
from capacity.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, SKY, from_zero, legend_below, quiet_grid
from capacity.runtime.files.atomic import write_atomic

POINTS, POPULATION, LIMIT, UNIFORM, USED, SUM = BLUE, SKY, BLACK, GREY, GREEN, ORANGE
MAX_DRAWN, MAX_TICKS = 64, 16
POPULATION_WORDS = "population, 95 %"


def plot_positions(codes: Codes, axes: Axes) -> None:
    """Bits of each position, those with most first: of these points, and the population's bracket."""
    bits = np.asarray(codes.marginal.bits, np.float64)
    order = np.argsort(-bits, kind="stable")[:MAX_DRAWN]
    places = np.arange(len(order))
    low, high = (np.asarray(end, np.float64)[order] for end in (codes.population.marginal.low, _high(codes)))
    axes.bar(places, bits[order], color=POINTS, alpha=0.35, width=0.8, label="these points")
    if np.isfinite(high).all():
        middle = (low + high) / 2
        axes.errorbar(
            places, middle, (high - low) / 2, color=POINTS, fmt="o", ms=3, lw=1.4, label="population, 95 %"
        )  # fmt: skip
    most = np.log2(codes.use.sizes[order])
    axes.step(np.r_[places - 0.5, places[-1] + 0.5], np.r_[most, most[-1]], where="post", color=LIMIT, lw=1.2, ls="--",
              label="codebook: log2 of its symbols")  # fmt: skip
    from_zero(axes, low, top=1.08 * float(max(most.max(), bits.max(), 0.01)))
    axes.set_xlim(-0.6, len(order) - 0.4)
    ticks = places[:: max(1, -(-len(order) // MAX_TICKS))]
    axes.set_xticks(ticks, [str(order[place]) for place in ticks], fontsize="small")
    axes.set_xlabel("position, those with most bits first")
    axes.set_ylabel("bits")
    dead = f", {len(codes.use.constant)} dead" if codes.use.constant else ""
    some = f"\nthe {len(order)} with most bits" if len(order) < codes.positions else ""
    axes.set_title(f"{codes.positions} positions{dead}{some}")
    legend_below(axes, 2, 0.14)


def plot_codebook(codes: Codes, axes: Axes) -> None:
    """Shares of the symbols in order, against the uniform law; those that never came are dead."""
    use = codes.use
    for i, share in enumerate(use.shares[:MAX_TICKS]):
        some = np.sort(share[share > 0])[::-1]
        axes.plot(np.arange(1, len(some) + 1), some, color=USED, lw=1.4, alpha=1 if use.shared else 0.5,
                  marker="o", ms=3 if len(some) <= 64 else 0, label=f"{'_' * bool(i)}symbols that came")  # fmt: skip
    size = max(len(share) for share in use.shares)
    if use.shared:
        axes.axhline(1 / size, color=UNIFORM, lw=1.2, ls="--", label=f"all of {size:,} alike")
    axes.set_xlim(0, size + 1)
    axes.set_yscale("log")
    axes.set_xlabel("symbol, by rank")
    axes.set_ylabel("share of draws")
    dead = sum(len(row) for row in use.dead)
    words = f"perplexity {use.perplexity[0]:.0f}" if use.shared else f"{len(use.shares)} codebooks"
    axes.set_title(f"Codebook: {dead:,} of {sum(map(len, use.shares)):,} symbols dead, {words}")
    quiet_grid(axes)
    legend_below(axes, 2, 0.14)


def plot_whole(codes: Codes, axes: Axes) -> None:
    """Bits of the whole code: of these points, of the population, and what positions would say were none alike."""
    figures = [
        ("these points", 0.0, float(codes.information.bits), POINTS),
        ("sum of positions", 0.0, float(np.sum(codes.marginal.bits)), SUM),
        ("codebook", 0.0, codes.use.limit, UNIFORM),
    ]
    wide = codes.population.information
    low, high = float(wide.low), float(wide.high)
    if np.isfinite(high):
        figures.insert(1, (POPULATION_WORDS, low, high, POPULATION))
    for i, (words, left, right, hue) in enumerate(figures):
        ends = f"{left:.2f} to {right:.2f}" if words == POPULATION_WORDS else f"{right:.2f}"
        axes.barh([i], [max(right - left, 0.0)], left=left, color=hue, height=0.55, label=f"{words}: {ends}")
    axes.axvline(codes.limit, color=LIMIT, lw=1.2, ls="--", label=f"most that N points can show: {codes.limit:.2f}")
    axes.set_yticks([])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.05 * max(codes.limit, *(right for _, _, right, _ in figures)))
    axes.set_xlabel("bits")
    near = "\nnear log2 N: more points would show more" if codes.saturated else ""
    axes.set_title(f"Bits of the whole code{near}")
    legend_below(axes, 2, 0.14)


def plot_shared_positions(codes: Codes, axes: Axes) -> None:
    """Bits that every two positions share in the population, at least."""
    shared = codes.population.shared
    if shared is None:
        axes.set_axis_off()
        axes.set_title("Shared bits: one position, or too few points")
        return
    matrix = shared.matrix()
    top = max(float(np.nanmax(matrix)), 0.01)
    image = axes.imshow(np.ma.masked_invalid(matrix), cmap="viridis", vmin=0.0, vmax=top)
    ticks = range(0, len(shared.units), max(1, len(shared.units) // 12))
    names = [str(shared.units[i]) for i in ticks]
    axes.set_xticks(ticks, names)
    axes.set_yticks(ticks, names)
    axes.set_xlabel("position")
    axes.set_ylabel("position")
    some = "" if len(shared.units) == codes.positions else f"\nthe {len(shared.units)} positions with most bits"
    axes.set_title(f"Bits that two positions share, at least{some}")
    axes.figure.colorbar(image, ax=axes, label="bits")


def codes_figure(codes: Codes) -> Figure:
    """All four in one."""
    drawn = Figure(figsize=(12, 9), layout="constrained")
    axes = drawn.subplots(2, 2)
    panels = (plot_whole, plot_positions, plot_codebook, plot_shared_positions)
    for draw, place in zip(panels, axes.flat, strict=True):
        draw(codes, place)
    return drawn


def save_codes(path: Path, codes: Codes) -> None:
    """Draw all four into a file (.png, .pdf or .svg), whole or not at all."""
    write_atomic(path, lambda target: codes_figure(codes).savefig(target, dpi=150))


def _high(codes: Codes) -> np.ndarray:
    return np.asarray(codes.population.marginal.high)
