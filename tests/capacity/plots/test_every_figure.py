"""Every public figure, also of data that are hard to draw: all has words, one legend, nothing cut off, 0 is 0."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from curve_examples import made_up
from figure_checks import faults
from matplotlib.figure import Figure

import capacity.plots
from capacity.analysis.codes import Codes, CodesPopulation
from capacity.analysis.codes.codebook import use_of_symbols
from capacity.analysis.latent.latent import Growth, Latent
from capacity.analysis.latent.pairs import SharedBracket
from capacity.analysis.latent.population import Population
from capacity.analysis.latent.shared import SharedBits
from capacity.curves.checks import with_checks
from capacity.curves.grid_dataset import combine
from capacity.estimators.neighbours.profile import Profile
from capacity.plots.bracket import plot_trace
from capacity.plots.codes import codes_figure, plot_codebook, plot_positions, plot_shared_positions, plot_whole
from capacity.plots.curve import curve_figure, plot_bits, plot_loss, plot_unit_bits
from capacity.plots.grid import grid_figure, plot_grid_panel
from capacity.plots.latent import latent_figure, plot_growth, plot_latent_units, plot_rate, plot_shared
from capacity.plots.samples import plot_heat_map, plot_profile, plot_ranking
from capacity.plots.style import at_least_zero
from capacity.results.estimate import Bracket, Estimate, TracePoint

Draw = Callable[[Figure], object]


def estimate(bits: object, stderr: object = 0.02, limit: float = np.inf) -> Estimate:
    return Estimate.from_normal(bits=np.asarray(bits), stderr=np.asarray(stderr), kind="exact", limit=limit)


def code(information: float = 2.0, stderr: float = 0.02, below: float = 0.0) -> Latent:
    """A code of three units; `below` takes bits from its smaller figures, as noise may."""
    share = np.array([1.2, 0.9, 0.0]) - below
    shared = SharedBits(
        np.arange(3), np.array([0, 0, 1]), np.array([1, 2, 2]), estimate([0.1, 0.0, 0.0] - np.array(below))
    )
    points = np.array([16, 32, 64, 128])
    growth = Growth(points, estimate(information * np.array([0.7, 0.8, 0.9, 1.0]), stderr * np.ones(4)))
    one = estimate(information, stderr, limit=7.0)
    return Latent(
        128, one, information + 0.1 - below, estimate(0.1), estimate(0.05 - below), information / 3,
        estimate(share, stderr * np.ones(3)), estimate(share, stderr * np.ones(3)), np.array([1.3, 1.0, 0.01]),
        np.array([1.0, 1.0, 0.0]), shared, growth,
    )  # fmt: skip


def wide_code(units: int, high: float) -> Latent:
    """Many units, told apart, with a population's brackets: the last are dead."""
    bits = np.where(np.arange(units) < units - 3, 2.0, 0.0)
    alone = Bracket(estimate(bits, 0.002 * np.ones(units)), estimate(bits, 0.002 * np.ones(units)), "made up")
    first, second = np.array([0, 0, 1]), np.array([1, 2, 2])
    shared = SharedBracket(
        np.arange(3), first, second, Bracket(estimate([0.1, 0, 0]), estimate([0.2, 0, 0]), "made up")
    )
    whole = Bracket(estimate(9.0), estimate(high), "made up")
    prefix = estimate(np.minimum(np.cumsum(bits), 7.0), 0.001 * np.ones(units), 7.0)
    wide = Population(128, whole, alone, alone, Bracket(estimate(0.0), estimate(high), "made up"), prefix, shared)
    one = code(6.98)
    return replace(
        one,
        marginal=estimate(bits),
        increment=estimate(bits),
        unit_rate=bits + 0.2,
        mean_variance=bits,
        population=wide,
    )


def discrete(sizes: tuple[int, ...], high: float, shared: bool = True) -> Codes:
    """A discrete code whose last position is dead, made up; nothing is said of its population where high is inf."""
    n = len(sizes)
    symbols = np.random.default_rng(0).integers(1 << 20, size=(100, n)) % np.array(sizes)
    symbols[:, -1] = 0
    bits = np.append(0.9 * np.log2(sizes[:-1]), 0.0)
    ends = estimate(bits + (high - high if np.isfinite(high) else high), 0.01 * np.ones(n))
    alone = Bracket(estimate(bits, 0.01 * np.ones(n)), ends, "made up")
    first, second = np.triu_indices(min(n, 16), 1)
    some = np.linspace(0, 1, len(first))
    pairs = SharedBracket(
        np.arange(min(n, 16)), first, second, Bracket(estimate(some), estimate(some + 0.1), "made up")
    )
    whole = Bracket(estimate(6.0), estimate(high), "made up")
    wide = CodesPopulation(100, 6.6, 6.5, bits, whole, alone, whole, pairs if shared else None)
    use = use_of_symbols(symbols, np.array(sizes), True)
    return Codes(100, False, use, estimate(6.5, limit=6.6), estimate(bits), use.limit, estimate(1.0), wide)


DISCRETE = {
    "": discrete((512,) * 16, 40.0),
    "several": discrete((8, 5, 5, 5, 2), 9.0),
    "many": discrete((4,) * 100, 150.0),
    "few points": discrete((8, 8), np.inf, shared=False),
}
CODES = {
    "": code(),
    "wide": wide_code(8, 14.0),
    "wider": wide_code(70, 140.0),
    "noisy": code(0.05, 0.3, below=0.02),
    "full": code(6.98, 0.2),
    "none": code(0.0, 0.5),
}


def trace(first: float) -> Bracket:
    """Bounds of 5 bits whose first interval is so many bits wide."""
    points = tuple(TracePoint(10.0**i, 5 - w / 4, 5 + w / 4, 5 - w / 2, 5 + w / 2, "pilot")
                   for i, w in enumerate([first, 0.5, 0.4, 0.3]))  # fmt: skip
    return Bracket(estimate(4.9), estimate(5.1), "made up", points)


def profile(low: float = 0.0) -> Profile:
    bits = np.array([[0.2, 0.15, 0.1], [0.1, 0.08, 0.05]]) + low
    return Profile(np.array([3, 5]), np.array([250.0, 500.0, 1000.0]), bits, np.array([[0.05, 0.03, np.nan]] * 2))


def pairs(target: bool) -> xr.Dataset:
    """Figures of four columns, some of them below 0."""
    bits = np.array(
        [[np.nan, 1.0, -0.01, 0.3], [1.0, np.nan, 0.0, -0.03], [-0.01, 0, np.nan, 2], [0.3, -0.03, 2, np.nan]]
    )
    dims: tuple[str, ...] = ("column", "other")
    if target:
        bits, dims = bits[0], dims[:1]
    about = {"units": "bits"}
    kinds = ("column", ["real", "symbols", "unfit", "real"])
    variables = {n: (dims, bits + e, about) for n, e in (("bits", 0.0), ("low", -0.1), ("high", 0.02))}
    return xr.Dataset(
        variables | {"p_value": (dims, np.clip(bits, 0, 1), {"units": "1"}), "kind": kinds},
        {"column": ["a", "b", "c", "d"]}, {"method": "ksg", "target": "y"},
    )  # fmt: skip


def lost(where: object) -> xr.Dataset:
    """A curve whose lanes there diverged."""
    curve = made_up(steps=60)
    curve["diverged"][where] = True
    curve["loss"][where] = 1e30
    for name in ("bits", "bits_low", "bits_high", "decoder_bits", "decoder_bits_low", "decoder_bits_high"):
        curve[name][where] = np.nan
    return with_checks(curve.assign_attrs(trend="falls"))


def below(curve: xr.Dataset) -> xr.Dataset:
    """The same with every figure in bits moved down, some below 0."""
    names = [
        n
        for n in curve.data_vars
        if str(n).split("_")[0] in ("bits", "decoder", "lower", "upper", "marginal", "increment")
    ]
    return curve.assign({n: curve[n] - 1.0 for n in names})


CURVES = {
    "gaussian": made_up(),
    "vae": made_up("vae"),
    "not listed": made_up(listed=False),
    "below 0": below(made_up()),
    "bounds below 0": below(made_up(listed=False)),
    "one lane": made_up(levels=1, seeds=1, units=1),
    "lost": lost((3, 1)),
    "a level lost": lost(3),
    "endless": made_up(listed=False).assign(source_bits=np.inf),
    "decoder ahead": made_up().assign(decoder_bits=made_up().bits + 0.3, decoder_bits_high=made_up().bits + 1.3),
}  # fmt: skip


def grid(networks: int, **cells: xr.Dataset) -> xr.Dataset:
    """Curves as cells of a grid: a system for each, its curve in every network, of fewer units each time."""
    of = {
        f"bits.{system}.n{i}": curve.isel(unit=slice(None, curve.sizes["unit"] - i % 2))
        for system, curve in cells.items()
        for i in range(networks)
    }
    return combine(of)


GRIDS = {
    "two systems": grid(2, gaussian=CURVES["gaussian"], vae=CURVES["vae"]),
    "many networks": grid(9, gaussian=CURVES["gaussian"]),
    "listed or not": grid(2, gaussian=CURVES["not listed"], vae=CURVES["vae"]),
    "fewer levels": grid(3, gaussian=CURVES["gaussian"], vae=made_up("vae", levels=3)),
    "lost": grid(2, gaussian=CURVES["a level lost"]),
    "below 0": grid(2, gaussian=CURVES["bounds below 0"]),
    "one lane": grid(1, gaussian=CURVES["one lane"]),
    "endless": grid(2, gaussian=CURVES["endless"]),
}


def on_axes(plot: Callable[..., None], *arguments: object) -> Draw:
    return lambda figure: plot(arguments[0], figure.subplots(), *arguments[1:])


def side_by_side(plot: Callable[..., None], *data: object) -> Draw:
    def draw(figure: Figure) -> None:
        for one, axes in zip(data, np.ravel(figure.subplots(1, len(data))), strict=True):
            plot(one, axes)

    return draw


def cases() -> dict[str, tuple[str, Draw]]:
    """Name of a case: the function it draws with, and how."""
    found: dict[str, tuple[str, Draw]] = {}
    found |= {f"plot_bits, {n}": ("plot_bits", on_axes(plot_bits, c)) for n, c in CURVES.items()}
    for name in ("gaussian", "not listed", "below 0", "one lane"):
        found[f"plot_unit_bits, {name}"] = ("plot_unit_bits", on_axes(plot_unit_bits, CURVES[name]))
    for name in ("gaussian", "lost", "one lane"):
        found[f"plot_loss, {name}"] = ("plot_loss", on_axes(plot_loss, CURVES[name]))
    for plot in (plot_rate, plot_latent_units, plot_growth, plot_shared):
        found |= {f"{plot.__name__}, {n}": (plot.__name__, on_axes(plot, c)) for n, c in CODES.items()}
    for plot in (plot_positions, plot_codebook, plot_whole, plot_shared_positions):
        found |= {f"{plot.__name__}, {n}": (plot.__name__, on_axes(plot, c)) for n, c in DISCRETE.items()}
    found["two growths"] = ("plot_growth", side_by_side(plot_growth, code(), code(3.0)))
    found["two losses"] = ("plot_loss", side_by_side(plot_loss, made_up(), made_up()))
    for first in (1.0, 40.0):
        found[f"plot_trace, {first:g}"] = ("plot_trace", on_axes(plot_trace, trace(first), 5.0))
    found["plot_trace, truth far off"] = ("plot_trace", on_axes(plot_trace, trace(1.0), 12.0))
    for low in (0.0, -0.2):
        found[f"plot_profile, {low:g}"] = ("plot_profile", on_axes(plot_profile, profile(low)))
        arguments = (profile(low), estimate(0.06 + low), "KSG", 0.05)
        found[f"plot_profile, with truth, {low:g}"] = ("plot_profile", on_axes(plot_profile, *arguments))
    for figure in ("bits", "p_value"):
        found[f"plot_heat_map, {figure}"] = ("plot_heat_map", on_axes(plot_heat_map, pairs(False), figure))
    for name, one in GRIDS.items():
        found[f"plot_grid_panel, {name}"] = ("plot_grid_panel", on_axes(plot_grid_panel, one, "bits", "gaussian"))
    found["plot_ranking"] = ("plot_ranking", on_axes(plot_ranking, pairs(True)))
    return found


CASES = cases()
WHOLE = {
    "one": lambda: curve_figure({"gaussian": made_up()}),
    "two": lambda: curve_figure({"gaussian": made_up(), "vae": made_up("vae")}),
    "two alike": lambda: curve_figure({"gaussian": made_up(), "again": made_up()}),
    "lost": lambda: curve_figure({"lost": lost((3, slice(None)))}),
} | {f"latent {name}": lambda one=one: latent_figure(one) for name, one in CODES.items()}
WHOLE |= {f"codes {name}": lambda one=one: codes_figure(one) for name, one in DISCRETE.items()}
WHOLE |= {f"grid {name}": lambda one=one: grid_figure(one) for name, one in GRIDS.items()}


@pytest.mark.parametrize("case", CASES)
def test_all_has_words_and_nothing_is_cut_off_or_said_twice(case: str) -> None:
    figure = Figure(figsize=(9, 6), dpi=50, layout="constrained")
    CASES[case][1](figure)
    assert faults(figure) == []


@pytest.mark.parametrize("case", WHOLE)
def test_whole_figures_keep_to_the_same(case: str) -> None:
    assert faults(WHOLE[case]()) == []


def test_every_public_figure_is_tried() -> None:
    modules = [
        importlib.import_module(m.name) for m in pkgutil.iter_modules(capacity.plots.__path__, "capacity.plots.")
    ]
    public = {
        name
        for module in modules
        for name in vars(module)
        if name.startswith("plot_") or (name.endswith("_figure") and not name.startswith("save_"))
    }
    assert public == {name for name, _ in CASES.values()} | {
        "curve_figure",
        "grid_figure",
        "latent_figure",
        "codes_figure",
    }


def test_a_lower_bound_beside_an_exact_figure_has_its_interval() -> None:
    axes = Figure().subplots()
    plot_bits(CURVES["decoder ahead"], axes)
    decoder = next(c for c in axes.containers if "decoder" in str(c.get_label()))
    low, high = np.array([segment[:, 1] for segment in decoder.lines[2][0].get_segments()]).T
    assert (high > low).all()


def test_what_leaves_an_axis_is_said_and_only_that() -> None:
    labels = []
    for first in (1.0, 40.0):
        axes = Figure().subplots()
        plot_trace(trace(first), axes)
        labels.append(axes.get_legend_handles_labels()[1][0])
    assert labels == ["95 % interval", "95 % interval (leaves the axis)"]


@pytest.mark.parametrize(("bits", "words"), [(-0.01, "0.00"), (-0.004, "0.00"), (0.0, "0.00"), (1.239, "1.24")])
def test_no_negative_words_on_a_scale_from_zero(bits: float, words: str) -> None:
    assert at_least_zero(bits) == words


def test_faults_are_found() -> None:
    """The check itself: each fault that it looks for."""
    figure = Figure(layout="constrained")
    first, second = figure.subplots(1, 2)
    for axes in (first, second):
        axes.plot([0, 1], [-1, 2], label="a line")
        axes.plot([0, 1], [0, 1])
        axes.set_ylim(0, 1)
        axes.legend()
    second.set_ylim(0, 1)
    second.set_yticks([0, 1], ["-0.01", "1"])
    words = " ".join(faults(figure))
    assert all(kind in words for kind in ("unnamed", "cropped", "legend twice", "negative tick"))


DRAWS = {"plot", "errorbar", "axhline", "axvline", "axhspan", "axvspan", "bar", "barh", "hlines", "vlines", "scatter",
         "fill_between", "step", "stem", "semilogx", "semilogy", "loglog"}  # fmt: skip


def test_every_call_that_draws_gives_words() -> None:
    """Of claims too: a label for the legend, or one behind an underscore for who points at it in a report."""
    root = Path(capacity.__file__).parent
    silent = [
        f"{file.relative_to(root)}:{node.lineno}"
        for file in sorted(root.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in DRAWS
        and not any(keyword.arg in ("label", None) for keyword in node.keywords)
        and not re.match(r"(self\.|self$|claim|fit|part|super)", ast.unparse(node.func.value))
    ]  # fmt: skip
    assert silent == []


def test_no_label_is_none_for_some() -> None:
    root = Path(capacity.__file__).parent
    none = [
        f"{file.relative_to(root)}:{node.lineno}"
        for file in sorted(root.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if (isinstance(node, ast.keyword) and node.arg == "label")
        or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "label")
        if isinstance(node.value, ast.IfExp) and "None" in map(ast.unparse, (node.value.body, node.value.orelse))
    ]
    assert none == []
