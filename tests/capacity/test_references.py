"""The bibliography: every entry is whole, and every source that code and pages name is in it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs" / "_site"))

import pages  # noqa: E402
import references  # noqa: E402

from capacity.cli.catalogue import registries  # noqa: E402

ENTRIES = references.read(ROOT / pages.BIBLIOGRAPHY)
NAME = r"(?:van |von |de )*[A-ZÀ-Ž][\w'’-]+"
SENTENCE = re.compile(
    rf"{NAME}(?:(?:, | and | & |, and ){NAME})*(?:'s|’s| et al\.)?,? \(?((?:1[89]\d|20[0-2])\d)(?=[),;.: ]|$)"
)
NO_AUTHORS = {"JAX", "Python", "AdditiveCode"}  # stand before a number that is no year


def texts() -> Iterator[tuple[Path, str]]:
    """Every file that may cite, each as one line without comment signs."""
    files = [file for package in ("capacity", "synthetic") for file in (ROOT / package).rglob("*.py")]
    files += [*(ROOT / "docs").glob("*.md"), *(ROOT / "notebooks").glob("*.py")]
    files += [ROOT / name for name in ("README.md", "CONTRIBUTING.md")]
    for file in sorted(files):
        yield file, re.sub(r"\s*\n[\s#]*", " ", file.read_text())


def test_every_entry_has_authors_a_title_and_a_year() -> None:
    for key, entry in ENTRIES.items():
        assert all(entry.get(field, "").strip() for field in ("author", "title", "year")), key
        assert re.fullmatch(r"(1[89]|20)\d\d", entry["year"]) and entry["year"] in key, key


def test_every_key_that_is_cited_is_an_entry() -> None:
    cited = {(file.name, key) for file, text in texts() for key in references.cited(text)}
    cited |= {(name, key) for name, claim in registries()["claim"].items() for key in claim.references}
    assert {(where, key) for where, key in cited if key not in ENTRIES} == set()
    assert len(cited) >= 3


def test_every_source_that_a_sentence_names_is_an_entry() -> None:
    known = {(_plain(name), entry["year"]) for entry in ENTRIES.values() for name in references.surnames(entry)}
    missing = set()
    found = 0
    for file, text in texts():
        for match in SENTENCE.finditer(text):
            names = re.findall(NAME, text[max(0, match.start() - 60) : match.end()])
            if names[-1] in NO_AUTHORS:
                continue
            found += 1
            if not any((_plain(name), match[1]) in known for name in names):
                missing.add(f"{file.relative_to(ROOT)}: {match[0]}")
    assert missing == set()
    assert found > 150


def _plain(name: str) -> str:
    """The last word, without possessive and accents: docstrings write Verdu, the bibliography Verdú."""
    name = re.sub("['’]s?$", "", name).split()[-1]
    return references.plain(name)


def test_the_page_has_every_entry() -> None:
    page = references.page(ENTRIES)
    assert all(f"{{: #{key} }}" in page for key in ENTRIES)
    assert "{\\" not in page and "others" not in references.short(ENTRIES["shannon1948mathematical"])


def test_citations_become_links() -> None:
    html = references.linked("<p>by definition [@shannon1948mathematical]</p>", ENTRIES, "../")
    assert '(<a href="../references.html#shannon1948mathematical">Shannon 1948</a>)' in html
    assert references.short(ENTRIES["barber2003im"]) == "Barber & Agakov 2003"
    assert references.short(ENTRIES["czyz2023beyond"]) == "Czyż et al. 2023"
    sentence = references.linked(
        "<p>Stoegbauer; Kraskov et al. (2004), Verdu (1998)</p><code>Verdu (1998)</code>", ENTRIES, ""
    )
    assert sentence.count("<a ") == 2 and '(<a href="references.html#verdu1998multiuser">1998</a>)</p>' in sentence
    twice = references.linked("<p>Achille &amp; Soatto 2018</p>", ENTRIES, "")
    assert "<a" not in twice  # two papers of one year: which, no page can tell
    with pytest.raises(ValueError, match="Expected a key of docs/references.bib; got \\[@nobody1900\\]"):
        references.linked("[@nobody1900]", ENTRIES, "")


def test_a_damaged_bibliography_is_refused(tmp_path: Path) -> None:
    entry = "@book{one2000book,\n  author = {One, A.},\n  title = {Book},\n  year = {2000},\n}\n"
    file = tmp_path / "a.bib"
    file.write_text(entry)
    assert references.read(file)["one2000book"]["title"] == "Book"
    for damaged, words in (
        (entry + "\n" + entry, "got 'one2000book' twice"),
        (entry.replace("{2000},", "2000"), "got '  year = 2000'"),
        (entry + "@book{two2000", "got '@book{two2000'"),
    ):
        file.write_text(damaged)
        with pytest.raises(ValueError, match=re.escape(words)):
            references.read(file)
