"""The page of a directory: whole, escaped, without network; in Chromium without a complaint, values under the mouse."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import chromium
import jax
import numpy as np
import pytest
import xarray as xr
from curve_examples import made_up
from matplotlib.figure import Figure

from capacity.claims import CLAIMS, Answer, Claim, Context, Evidence, Prediction
from capacity.claims.run import run_claim
from capacity.curves.checks import with_checks
from capacity.curves.files import write_curves
from capacity.report import report, write_report
from capacity.report.command import save_command
from capacity.report.drawing import drawing_of

Command = Callable[..., tuple[int, str, str]]


class Line(Claim):
    """A claim with a figure of two panels, a colour bar, and a sentence that HTML must not take for its own."""

    name = "line"
    sentence = "a <b>line</b> & no more </script>"
    source = "Euclid (300 BC)"
    predictions = (Prediction("slope", "it rises", low=0.5, unit="1"),)

    def run(self, key: jax.Array, context: Context) -> Evidence:
        return Evidence({"slope": Answer(1.0, 0.9, 1.1, 5)}, xr.Dataset({"y": ("x", np.arange(5.0))}))

    def plot(self, data: xr.Dataset, figure: Any) -> None:
        first, second = figure.subplots(1, 2)
        first.errorbar(np.arange(5), data.y, 0.25, label="rising", marker="o")
        first.set(xlabel="step", ylabel="height (m)")
        figure.colorbar(second.imshow([[1.0, 2.0], [3.0, 4.0]]), ax=second)


class Tags(HTMLParser):
    """Open and closed tags, as they nest; void elements aside."""

    VOID = frozenset({"meta", "link", "br", "img", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def curve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("curve")
    examples = {name: made_up(name, units=3) for name in ("gaussian", "vae")}
    write_curves(folder / "curve.nc", {n: with_checks(c.assign_attrs(trend="falls")) for n, c in examples.items()})
    save_command(folder, ["capacity", "curve", "--bits", "16"])
    return write_report(folder)


@pytest.fixture
def claim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(CLAIMS, "line", Line)
    run_claim(Line(), tmp_path / "line", 3, True)
    return write_report(tmp_path)


def test_the_page_is_whole_and_asks_for_nothing(curve: Path) -> None:
    text, tags = curve.read_text(), Tags()
    tags.feed(text)
    assert tags.open == []
    assert all(link.startswith(("#", "data:")) for link in tags.links)
    assert not re.search(r"url\((?!#)", text) and "@import" not in text
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert text.index("<h2") == text.index('<h2 id="verdicts"') and "36 of 36 lanes" in text
    assert "capacity curve --bits 16" in text


def test_the_same_directory_gives_the_same_page(curve: Path) -> None:
    assert report(curve.parent) == curve.read_text()


def test_a_claim_says_its_verdict_and_nothing_escapes(claim: Path) -> None:
    text = claim.read_text()
    assert "“a &lt;b&gt;line&lt;/b&gt; &amp; no more &lt;/script&gt;”" in text and "supported, fast" in text
    assert "capacity claims line --fast --seed 3" in text and "slope" in text and "Bonferroni" in text
    tags = Tags()
    tags.feed(text)
    assert tags.open == []


def test_results_under_a_claims_old_name_are_read(claim: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Renamed(Line):
        name = "straight_line"
        former_name = "line"

    monkeypatch.delitem(CLAIMS, "line")
    monkeypatch.setitem(CLAIMS, "straight_line", Renamed)
    monkeypatch.setitem(CLAIMS.aliases, "line", "straight_line")
    assert "straight_line: supported" in report(claim.parent)


def test_what_cannot_be_read_or_drawn_is_said_and_the_rest_is_shown(
    claim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Changed(Line):
        predictions = (Prediction("another", "it asks something else now", low=0.5),)

    def plot(self: Any, data: xr.Dataset, figure: Any) -> None:
        raise KeyError("y of a later version")

    monkeypatch.setattr(Line, "plot", plot)
    assert "as kept; drawing it anew failed" in report(claim.parent) and "data:image/png" in report(claim.parent)
    monkeypatch.setitem(CLAIMS, "line", Changed)
    with pytest.raises(ValueError, match="Expected a claim that can be read"):
        report(claim.parent)
    monkeypatch.setitem(CLAIMS, "dot", Line)
    shutil.copytree(claim.parent / "line", claim.parent / "dot")
    assert "unreadable" in report(claim.parent) and "run it again" in report(claim.parent)


def test_marks_are_the_values_drawn_where_they_are_drawn() -> None:
    drawing = drawing_of(
        "one", "a figure", lambda figure: Line().plot(xr.Dataset({"y": ("x", np.arange(5.0))}), figure)
    )
    words = [mark.words for mark in drawing.marks]
    assert "rising: step 2; height (m) 2 [1.75, 2.25]" in words and "0, 1: 2" in words
    heights = [mark.y for mark in drawing.marks if mark.words.startswith("rising")]
    assert heights == sorted(heights, reverse=True) and np.ptp(np.diff(heights)) < 0.3
    assert len(drawing.panels) == 2  # the colour bar stays with its image
    for x, y, width, height in drawing.panels:
        assert x >= -8 and y >= -8 and x + width <= drawing.whole[2] + 8 and y + height <= drawing.whole[3] + 8


@pytest.mark.parametrize("power", [-300, -30, -13, 0, 30])
def test_short_lines_have_their_values_at_every_scale_and_under_any_identifier(power: int) -> None:
    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot([1, 2, 3], np.array([1.0, 2.0, 4.0]) * 10.0**power, gid="somebody's own")
        axes.set_yscale("log")

    told = [float(mark.words.rsplit("; ", 1)[1]) for mark in drawing_of("d", "d", draw).marks]
    np.testing.assert_allclose(told, np.array([1.0, 2.0, 4.0]) * 10.0**power, rtol=1e-3)


def test_wide_legends_are_not_cut_and_come_in_parts_for_a_phone() -> None:
    def one(figure: Figure) -> None:
        axes = figure.subplots()
        for i in range(4):
            axes.plot([0, 1], label=f"a label of many words, which takes its room, number {i}")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2)

    def two(figure: Figure) -> None:
        for axes in figure.subplots(1, 2):
            lines = [axes.plot([0, i], label=f"a rather long label {i}")[0] for i in range(8)]
        figure.legend(handles=lines, loc="outside lower center", ncols=4)

    assert drawing_of("wide", "one", one).whole[2] > 5.6 * 72
    panels = drawing_of("parts", "two", two).panels
    assert len(panels) >= 4 and all(width <= 5.9 * 72 for _, _, width, _ in panels)


def test_bars_and_lines_across_have_values() -> None:
    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.bar([0, 1], [2.0, 3.0], label="bars")
        axes.axhline(2.5, label="limit")
        axes.scatter([0.5], [1.5], label="dot")
        axes.set(xlabel="x", ylabel="y")

    words = [mark.words for mark in drawing_of("two", "bars", draw).marks]
    assert {"bars: x 1; y 3", "limit: y 2.5", "dot: x 0.5; y 1.5"} <= set(words)


def test_refusals(command: Command, tmp_path: Path, claim: Path) -> None:
    (tmp_path / "empty").mkdir()
    status, out, err = command("report", tmp_path / "empty")
    assert status == 2 and not out and "without curve.nc" in err and err.count("\n") == 1
    assert command("report", claim.parent, "--out", tmp_path / "p.pdf")[0] == 2
    status, out, _ = command("report", claim.parent, "--out", tmp_path / "new" / "p.html", "--json")
    assert status == 0 and Path(json.loads(out)["report"]).read_text() == claim.read_text()


needs_chromium = pytest.mark.skipif(chromium.find() is None, reason="no Chromium on this machine")


@needs_chromium
@pytest.mark.parametrize(
    "themes", [{390: "light", 1440: "dark"}, pytest.param({390: "dark", 1440: "light"}, marks=pytest.mark.slow)]
)
def test_chromium_has_no_complaint_and_shows_values_at_every_width(
    curve: Path, claim: Path, themes: dict[int, str]
) -> None:
    with chromium.Chromium() as browser:
        for page in (curve, claim):
            for width, scheme in themes.items():
                browser.open(page, width, scheme=scheme)
                assert browser.run("document.documentElement.scrollWidth") <= width
                assert browser.run("document.documentElement.dataset.theme") == scheme
                assert _tip_of_first_mark(browser)
                assert browser.run("Math.min(...[...document.querySelectorAll('svg.drawing')].map(letters))") >= 7
        assert browser.complaints == []
        assert {url.split(":")[0] for url in browser.requests} <= {"file", "data"}


def _tip_of_first_mark(browser: Any) -> str:
    """Point at the first mark of the first drawing that can be seen; and define `letters`, their height in pixels."""
    browser.run(
        "window.letters = (svg) => svg.getBoundingClientRect().width < 2 ? 99 :"
        " 10 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width"
    )
    script = """(() => {
        const [name, own] = Object.entries(JSON.parse(document.getElementById("marks").textContent))[0];
        for (const svg of document.querySelectorAll(`figure[data-drawing=${name}] svg.drawing`)) {
            const box = svg.viewBox.baseVal;
            const inside = own.find(m => m[0] > box.x && m[0] < box.x + box.width && m[1] > box.y);
            if (svg.getBoundingClientRect().width < 2 || !inside) continue;
            svg.scrollIntoView({block: "center"});
            const area = svg.getBoundingClientRect(), scale = area.width / box.width;
            return [area.left + (inside[0] - box.x) * scale, area.top + (inside[1] - box.y) * scale];
        }
    })()"""
    browser.point(*browser.run(script))
    return (
        ""
        if browser.run("document.getElementById('tip').hidden")
        else browser.run("document.getElementById('tip').textContent")
    )


@needs_chromium
def test_a_figure_zooms_and_comes_back(curve: Path) -> None:
    with chromium.Chromium() as browser:
        browser.open(curve, 1440)
        box = "document.querySelector('svg.drawing').getAttribute('viewBox')"
        whole = browser.run(box)
        press = "document.querySelector('.view .zoom button:nth-child({})').click()"
        browser.run(press.format(1))
        assert float(browser.run(box).split()[2]) < 0.7 * float(whole.split()[2])
        browser.run(press.format(3))
        assert browser.run(box) == whole


@needs_chromium
@pytest.mark.parametrize("width", [390, 1440])
def test_long_lines_are_drawn_and_told_from_the_same_numbers(tmp_path: Path, width: int) -> None:
    made = with_checks(made_up(levels=2, seeds=2, steps=200).assign_attrs(trend="falls"))
    made["loss"][1, 0, 77] = 14.0
    write_curves(tmp_path / "curve.nc", {"gaussian": made})
    with chromium.Chromium() as browser:
        browser.open(write_report(tmp_path), width)
        drawn = browser.run("[...document.querySelectorAll('[id*=-long] path')].map(p => p.getAttribute('d').length)")
        assert len(drawn) == 4 and min(drawn) > 1000
        place = """(() => {
            const path = document.querySelectorAll("[id*=-long] path")[2], svg = path.ownerSVGElement;
            const [x, y] = path.getAttribute("d").slice(1).split("L")[77].split(" ").map(Number);
            const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
            scrollTo(0, at.y - 200);
            return [at.x, 200];
        })()"""
        browser.point(*browser.run(place))
        tip = browser.run("document.getElementById('tip').textContent")
        assert tip == "σ = 2: step of the optimiser 77; training loss (bits) 14"
        assert browser.run("document.querySelectorAll('.lit').length") == 1
        assert browser.complaints == []
