"""What a reader of a figure needs is there: units, truth, ceiling, and nothing over the data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from curve_examples import made_up
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from PIL import Image

from capacity.plots.curve import curve_figure, plot_bits, plot_loss, plot_unit_bits, save_figure
from capacity.plots.style import colour


def labels(axes: Axes) -> str:
    legend = axes.get_legend()
    assert legend is not None
    return "\n".join(text.get_text() for text in legend.get_texts())


def test_bits_stand_beside_truth_and_ceiling() -> None:
    axes = Figure().subplots()
    plot_bits(made_up(), axes)
    for words in ("ceiling", "source: 16 bits", "PAM", "measured", "one seed, 95 %", "decoder"):
        assert words in labels(axes)
    assert "rate" not in labels(axes)
    assert axes.get_ylabel().endswith("(bits)")
    assert axes.get_xlabel() == "noise standard deviation σ"
    assert axes.get_xscale() == "log"


def test_a_rate_or_ceiling_beyond_all_bits_does_not_crush_them() -> None:
    for system in ("gaussian", "vae"):
        axes = Figure().subplots()
        plot_bits(made_up(system), axes)
        assert 16 < axes.get_ylim()[1] < 18
    assert "rate (upper bound), mean (leaves the axis)" in labels(axes)
    assert "ceiling" not in labels(axes)


def test_a_bracket_is_a_band_between_two_bounds() -> None:
    axes = Figure().subplots()
    plot_bits(made_up(listed=False), axes)
    for words in ("bracket", "lower bound", "upper bound"):
        assert words in labels(axes)
    assert "measured" not in labels(axes)
    assert sum(isinstance(drawn, PolyCollection) for drawn in axes.collections) == 1


def test_a_source_without_end_has_no_line() -> None:
    axes = Figure().subplots()
    plot_bits(made_up(listed=False).assign(source_bits=np.inf), axes)
    assert "source: " not in labels(axes)
    assert np.isfinite(axes.get_ylim()).all()


def test_the_three_figures_per_unit_are_named() -> None:
    axes = Figure().subplots()
    plot_unit_bits(made_up(), axes)
    for words in ("marginal", "increment", "joint"):
        assert words in labels(axes)
    assert "per unit" in axes.get_ylabel()
    assert len(axes.lines) == 2 * 8 + 1


def test_units_that_are_not_known_say_so() -> None:
    axes = Figure().subplots()
    plot_unit_bits(made_up(listed=False), axes)
    assert "not known" in axes.texts[0].get_text()


def test_loss_of_every_lane() -> None:
    axes = Figure().subplots()
    plot_loss(made_up(levels=4), axes)
    assert len(axes.lines) == 4 * 3
    assert axes.get_ylabel() == "training loss (bits)"


@pytest.mark.parametrize("curves", [("gaussian",), ("gaussian", "vae")])
def test_the_legend_covers_no_data_and_labels_do_not_meet(curves: tuple[str, ...]) -> None:
    drawn = curve_figure({name: made_up(name) for name in curves})
    drawn.draw_without_rendering()
    boxes = []
    for axes in drawn.axes:
        legend = axes.get_legend()
        assert legend is not None
        boxes.append(legend.get_window_extent())
    for axes in drawn.axes:
        boxes += [axes.get_window_extent(), axes.title.get_window_extent()]
        boxes.append(axes.xaxis.label.get_window_extent())
    inside = drawn.bbox
    for i, box in enumerate(boxes):
        assert inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])


def test_one_level_one_seed_and_a_lane_that_diverged_are_drawn(tmp_path: Path) -> None:
    lost = made_up(levels=3)
    lost["bits"][1, 0] = np.nan
    save_figure(tmp_path / "a.png", {"one": made_up(levels=1, seeds=1, units=1), "lost": lost})
    with Image.open(tmp_path / "a.png") as image:
        assert image.format == "PNG" and round(image.info["dpi"][0]) == 150
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_a_system_keeps_its_colour() -> None:
    assert colour("gaussian") != colour("vae")
    assert colour("dropout") == colour("dropout")
    axes = Figure().subplots()
    plot_bits(made_up("vae"), axes)
    assert colour("vae") in {line.get_color() for line in axes.lines}
