"""The built site in Chromium, opened as files: search, formulas, figures and diagrams. `make docs` comes first."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SITE = ROOT / "build" / "site"
sys.path.insert(0, str(ROOT / "tests" / "capacity" / "report"))

import chromium  # noqa: E402

pytestmark = [
    pytest.mark.skipif(not (SITE / "index.html").exists(), reason="no site: make docs"),
    pytest.mark.skipif(chromium.find() is None, reason="no Chromium on this machine"),
]
WIDTHS = (390, 1440)
PAGES = sorted(str(page.relative_to(SITE)) for page in SITE.rglob("*.html") if page.name != "404.html")
PLAIN = re.compile(r"\$|\^|\+-|<=|(?<![\w-])(?:sigma|epsilon|log2)(?![\w-])")  # letters of a formula that was not set
LETTERS = 8.33 * 150 / 72  # pixels of the smallest letters of the start figure, drawn at 150 dots an inch


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Chromium]:
    with chromium.Chromium() as opened:
        yield opened


def wait_for(browser: chromium.Chromium, script: str) -> object:
    """The value of an expression once it is true; its last one if it never is."""
    end = time.monotonic() + 30
    while not (found := browser.run(script)) and time.monotonic() < end:
        time.sleep(0.1)
    return found


@pytest.mark.parametrize("words", ["data processing", "ceiling", "KSG"])
def test_search_answers_from_disk(browser: chromium.Chromium, words: str) -> None:
    browser.open(SITE / "index.html", 1440)
    browser.run("document.getElementById('__search').click()")
    browser.run("document.querySelector('.md-search__input').focus()")
    browser.send("Input.insertText", text=words)
    first = wait_for(browser, "document.querySelector('.md-search-result__item a')?.href")
    assert isinstance(first, str) and first.startswith("file:")
    page = first.removeprefix("file://").split("?")[0].split("#")[0]
    assert Path(page).is_file() and words.split()[0].lower() in Path(page).read_text(encoding="utf-8").lower()
    assert browser.complaints == []
    assert {url.split(":")[0] for url in browser.requests} <= {"file", "data", "about"}


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_the_window(browser: chromium.Chromium, width: int) -> None:
    wide = []
    for page in PAGES:
        browser.open(SITE / page, width)
        if browser.run("document.documentElement.scrollWidth") > width:
            wide.append(page)
    assert wide == [] and browser.complaints == []


def test_the_design_diagram_is_whole(browser: chromium.Chromium) -> None:
    browser.open(SITE / "design.html", 1440)
    assert browser.run("(c => c.scrollWidth - c.clientWidth)(document.querySelector('pre code'))") <= 0


@pytest.mark.parametrize("width", WIDTHS)
def test_letters_of_the_start_figure_can_be_read(browser: chromium.Chromium, width: int) -> None:
    browser.open(SITE / "index.html", width)
    share = wait_for(browser, "(i => i.clientWidth / i.naturalWidth)(document.querySelector('article img'))")
    assert isinstance(share, float | int)
    assert share * LETTERS >= (7 if width < 600 else 6.5)
    assert browser.run("document.querySelector('article img').currentSrc").endswith(
        "curve_narrow.png" if width < 600 else "curve.png"
    )


def test_formulas_in_tables_are_set_and_shared_names_kept_together(browser: chromium.Chromium) -> None:
    plain, split = [], []
    for page in PAGES:
        if page.startswith(("notebooks", "changelog")):
            continue
        browser.open(SITE / page, 1440)
        cells = browser.run(
            "[...document.querySelectorAll('td')].map(cell => { const own = cell.cloneNode(true);"
            " own.querySelectorAll('code, a, svg, sub').forEach(code => code.remove()); return own.textContent; })"
        )
        plain += [(page, cell) for cell in cells if PLAIN.search(cell)]
        names = browser.run(
            "[...document.querySelectorAll('.doc-section-item td:first-child')].map(d => d.textContent)"
        )
        split += [(page, name) for name in names if name.strip().endswith(",")]
    assert plain == [] and split == []
