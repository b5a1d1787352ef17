"""Long lines kept as numbers: no extreme is lost, values come back, and a thousand lanes stay a small page."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest
from curve_examples import made_up
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke

from capacity.curves.checks import with_checks
from capacity.curves.files import write_curves
from capacity.report import write_report
from capacity.report.drawing import drawing_of
from capacity.report.series import GAP, LONG, ROUNDING, STEPS, AxisSpan, Series, extremes, take_series

BYTES = 3_000_000


def series_of(values: np.ndarray, most: int = 10**6, **scales: str) -> Series:
    figure = Figure()
    axes = figure.subplots()
    for one in np.atleast_2d(values):
        axes.plot(np.arange(1, len(one) + 1), one, label="_a lane")
    axes.set(**scales)
    figure.draw_without_rendering()
    return take_series(figure, most)


def values_of(side: AxisSpan, steps: np.ndarray) -> np.ndarray:
    """As the page reads them."""
    at = side.low + (side.high - side.low) * steps / STEPS
    return 10**at if side.log else at


@pytest.mark.parametrize("most", [8, 30, 100, 999])
@pytest.mark.parametrize("shape", ["noise", "peak", "gap", "falls"])
def test_whatever_is_left_out_the_extremes_stay(shape: str, most: int) -> None:
    rng = np.random.default_rng(most)
    y = rng.normal(size=1000)
    y[rng.integers(1000)] = {"peak": 1e6}.get(shape, 0.0)
    y = np.sort(y)[::-1] if shape == "falls" else y
    if shape == "gap":
        y[400:420] = np.nan
    points = np.stack([np.arange(1000.0), y], 1)
    kept = points[extremes(points, most)]
    assert len(kept) <= most + 4
    assert (np.nanmin(kept[:, 1]), np.nanmax(kept[:, 1])) == (np.nanmin(y), np.nanmax(y))
    assert np.isnan(kept).any() == (shape == "gap")
    assert kept[0, 0] == 0 and kept[-1, 0] == 999 and (np.diff(kept[:, 0]) > 0).all()


def test_of_a_line_that_turns_back_the_outermost_stay_too() -> None:
    turn = np.linspace(0, 2 * np.pi, 2000)
    points = np.stack([np.cos(turn), np.sin(turn)], 1)
    kept = points[extremes(points, 80)]
    np.testing.assert_allclose([kept.min(0), kept.max(0)], [points.min(0), points.max(0)])


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_values_come_back_within_the_rounding_that_is_said(scale: str) -> None:
    y = np.exp(np.random.default_rng(0).normal(size=(3, 200)))
    found = series_of(y, yscale=scale)
    frame = found.frames[0]
    written = y.min(), y.max()
    length = np.ptp(np.log10(written) if scale == "log" else written) * 1.1  # with the axis' margins
    for line, truth in zip(found.lines, y, strict=True):
        back = values_of(frame.y, line.points[:, 1])
        error = np.log10(back / truth) if scale == "log" else back - truth
        assert np.abs(error).max() <= ROUNDING * length
        np.testing.assert_array_equal(np.round(values_of(frame.x, line.points[:, 0])), np.arange(1, 201))
    assert line.words == "a lane" and found.note() == ""


def test_a_lane_that_diverged_costs_the_others_no_digit() -> None:
    y = np.random.default_rng(0).uniform(1, 2, (2, 100))
    y[1, 50:] = 1e30
    found = series_of(y, ylim=(0.9, 2.1))
    back = values_of(found.frames[0].y, found.lines[0].points[:, 1])
    assert np.abs(back - y[0]).max() <= ROUNDING * 1.2
    assert values_of(found.frames[0].y, found.lines[1].points[-1:, 1])[0] > 3  # off the axis, as it was


def test_gaps_are_gaps_and_what_has_no_logarithm_lies_below_the_axis() -> None:
    y = np.linspace(0, 1, 100)
    y[10] = np.nan
    found = series_of(y, yscale="log", ylim=(0.01, 1.0))
    steps = found.lines[0].points[:, 1]
    assert np.flatnonzero(steps == GAP).tolist() == [10]
    assert values_of(found.frames[0].y, steps[0]) < 0.01


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("power", [-200, -30, 0, 200])
@pytest.mark.parametrize("shape", ["constant", "infinite", "far above", "far below", "nothing", "one"])
def test_what_is_told_inside_the_panel_is_so_and_nothing_else_is_told_there(shape: str, power: int, scale: str) -> None:
    y = np.random.default_rng(0).uniform(1.0, 2.0, 60)
    y[[3, 7, 11]] = {"infinite": (np.inf, -np.inf, np.nan)}.get(shape, (1.1, 1.2, 1.3))
    y = {"constant": np.full(60, 1.5), "nothing": np.full(60, np.nan)}.get(shape, y)
    if shape == "one":
        y[np.arange(60) != 20] = np.nan
    factor = {"far above": 1e4, "far below": 1e-4}.get(shape, 1.0)
    if shape == "far below" and scale == "linear":
        factor = -1e4
    y = y * factor * 10.0**power
    low, high = 0.5 * 10.0**power, 2.5 * 10.0**power
    found = series_of(y, yscale=scale, ylim=(low, high))
    side, steps = found.frames[0].y, found.lines[0].points[:, 1]
    told = np.where(steps == GAP, np.nan, values_of(side, np.minimum(steps, STEPS)))
    drawn = np.isfinite(y) & (y >= low) & (y <= high)
    np.testing.assert_array_equal((told >= low) & (told <= high), drawn)
    np.testing.assert_allclose(told[drawn], y[drawn], rtol=1e-3)
    np.testing.assert_array_equal(steps == GAP, ~np.isfinite(y))


def test_a_line_that_is_not_one_path_of_the_drawing_is_left_alone() -> None:
    """The page looks for the path of each: without one its script would end there, with two one would stay a stub."""
    figure = Figure()
    left, right = figure.subplots(1, 2)
    many = np.arange(500)
    left.plot(many, many, linestyle="none")
    left.plot(many, many, path_effects=[Stroke(linewidth=3), Normal()])
    left.plot(many, many, rasterized=True)
    right.plot(many, many)
    right.set_visible(False)
    figure.draw_without_rendering()
    assert take_series(figure).lines == []


def test_short_and_marked_lines_stay_in_the_drawing() -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.plot(np.arange(LONG), np.arange(LONG))
    axes.plot(np.arange(500), np.arange(500), marker="o")
    axes.axhline(3)
    figure.draw_without_rendering()
    assert take_series(figure).lines == []


def test_the_page_says_what_it_left_out() -> None:
    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for one in range(10):
            axes.plot(np.arange(1000), np.arange(1000.0) * one)

    assert drawing_of("whole", "w", draw).series.note() == ""
    part = drawing_of("part", "p", draw, most=1000)
    assert part.series.note().startswith("10 lines of up to 1,000 points: of every 20 in a row, the lowest")
    assert part.svg.count('<path d="" clip-path') == 10 and len(part.svg) < 60_000
    record = json.loads(json.dumps(part.series.record()))
    assert sum(line[3] for line in record["lines"]) * 4 == len(base64.b64decode(record["data"]))


@pytest.mark.parametrize(
    ("levels", "seeds"),
    [(50, 20), pytest.param(2, 500, marks=pytest.mark.slow), pytest.param(1000, 1, marks=pytest.mark.slow)],
)
def test_a_thousand_lanes_take_less_than_three_megabytes(tmp_path: Path, levels: int, seeds: int) -> None:
    curve = with_checks(made_up(levels=levels, seeds=seeds, steps=2000).assign_attrs(trend="falls"))
    write_curves(tmp_path / "curve.nc", {"gaussian": curve})
    page = write_report(tmp_path)
    text = page.read_text()
    assert page.stat().st_size < BYTES
    lanes = {f"σ = {level:.3g}, seed {seed}" for level in curve.level.values for seed in range(seeds)}
    named = set(re.findall(r"σ = [\d.]+, seed \d+", text))
    first = {f"σ = {curve.level.values[i]:.3g}, seed 0" for i in (0, -1)}  # these two have their level as words
    assert lanes - first <= named
