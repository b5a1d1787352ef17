"""The bibliography `docs/references.bib`: how it is read, its page, and links to it from `[@key]`.

A small reader for the form that the file has: one field a line, its value between braces.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape
from pathlib import Path

ENTRY = re.compile(r"^@(\w+)\{([\w-]+),\n(.*?)^\}$", re.DOTALL | re.MULTILINE)
FIELD = re.compile(r"^  (\w+) = \{(.*)\},$")
TAG = re.compile(r"(<[^>]*>)")
ASIDE = re.compile(r"<(/?)(?:a|code|pre|script|style|svg|h[1-6])\b")  # where nothing becomes a link
CITATION = re.compile(r"\[(@[\w-]+(?:; @[\w-]+)*)\]")  # [@key] or [@one; @other]
VENUES = ("journal", "booktitle", "publisher", "institution", "howpublished", "note")

Entries = dict[str, dict[str, str]]


def read(file: Path) -> Entries:
    """Fields of every entry by its key, in the file's order.

    Raises:
        ValueError: for a line that is none of the file's form, and for a key that comes twice.
    """
    text = file.read_text()
    entries: Entries = {}
    for _, key, body in ENTRY.findall(text):
        if key in entries:
            raise ValueError(f"Expected every key of {file.name} once; got {key!r} twice.")
        entries[key] = {}
        for line in body.splitlines():
            match = FIELD.match(line)
            if match is None:
                raise ValueError(f"Expected '  name = {{value}},' in {key} of {file.name}; got {line!r}.")
            entries[key][match[1]] = match[2]
    rest = ENTRY.sub("", text)
    strange = [line for line in rest.splitlines() if line.strip() and not line.startswith("%")]
    if strange:
        raise ValueError(f"Expected entries and comments in {file.name}; got {strange[0]!r}.")
    return entries


def surnames(entry: dict[str, str]) -> list[str]:
    """Of its authors: what stands before the comma, without braces."""
    return [author.split(",")[0].strip(" {}") for author in entry["author"].split(" and ")]


def cited(text: str) -> list[str]:
    """The keys that a text cites."""
    return [key.removeprefix("@") for keys in CITATION.findall(text) for key in keys.split("; ")]


def short(entry: dict[str, str]) -> str:
    """Authors and year as a sentence cites them: one or two names, or the first et al."""
    names = surnames(entry)
    if len(names) > 2 or "others" in names:
        return f"{names[0]} et al. {entry['year']}"
    return f"{' & '.join(names)} {entry['year']}"


def page(entries: Entries) -> str:
    """All entries by author and year, each with an anchor of its key."""
    lines = [
        "# References",
        "",
        "What docstrings, pages and claims cite; `docs/references.bib` has the same for BibTeX.",
        "",
    ]
    for key in sorted(entries, key=lambda key: (surnames(entries[key])[0].lower(), entries[key]["year"], key)):
        lines += [f"{_line(entries[key])}\n{{: #{key} }}", ""]
    return "\n".join(lines)


def _line(entry: dict[str, str]) -> str:
    names = ["others" if name == "others" else _given(name) for name in entry["author"].split(" and ")]
    authors = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    venue = next((entry[field] for field in VENUES if field in entry), "")
    if "volume" in entry:
        venue += f" {entry['volume']}"
    if "eprint" in entry:
        venue = f"[arXiv:{entry['eprint']}](https://arxiv.org/abs/{entry['eprint']})"
    elif "url" in entry:
        venue = f"[{venue}]({entry['url']})"
    title = entry["title"].rstrip(".")
    return _plain(f"{authors} ({entry['year']}). *{title}*{'' if title.endswith('?') else '.'} {venue}.")


def _given(name: str) -> str:
    """`Surname, Given` the other way round; a name without a comma as it is."""
    last, _, first = name.partition(", ")
    return f"{first} {last}".strip()


def _plain(text: str) -> str:
    """Without BibTeX's braces and signs."""
    text = text.replace(r"$\sum \pm \lambda^n$", "Σ±λⁿ")
    return re.sub(r"[{}]", "", text).replace("`", "‘").replace("'", "’")


def linked(html: str, entries: Entries, up: str) -> str:
    """A built page with links to the references: from every `[@key]`, and from "Authors (year)" in its sentences.

    Args:
        html: the page.
        entries: the bibliography.
        up: the way from the page to the site's root, such as `../`.

    Raises:
        ValueError: for a key that is not in the bibliography.
    """

    def link(match: re.Match[str]) -> str:
        keys = match[1].replace("@", "").split("; ")
        for key in keys:
            if key not in entries:
                raise ValueError(f"Expected a key of docs/references.bib; got [@{key}].")
        return f"({'; '.join(_anchor(key, escape(short(entries[key])), up) for key in keys)})"

    pattern, keys = _sentences(entries)

    def link_year(match: re.Match[str]) -> str:
        key = keys.get((match[1], match[3]))
        return match[0] if key is None else f"{match[1]}{match[2]}{_anchor(key, match[3], up)}"

    parts, inside = TAG.split(html), 0
    for i, part in enumerate(parts):
        if i % 2 == 0:
            parts[i] = part if inside else CITATION.sub(link, pattern.sub(link_year, part))
        elif match := ASIDE.match(part):
            inside += -1 if match[1] else 1
    return "".join(parts)


def _anchor(key: str, text: str, up: str) -> str:
    return f'<a href="{up}references.html#{key}">{text}</a>'


def _sentences(entries: Entries) -> tuple[re.Pattern[str], dict[tuple[str, str], str | None]]:
    """What finds "Authors (year)" in a page, and the entry of each; None where two entries are cited alike."""
    keys: dict[tuple[str, str], str | None] = {}
    for key, entry in entries.items():
        for names in _as_cited(surnames(entry)):
            place = (names, entry["year"])
            keys[place] = None if keys.get(place, key) != key else key
    names = "|".join(re.escape(name) for name in sorted({names for names, _ in keys}, key=len, reverse=True))
    return re.compile(rf"(?<!\w)({names})((?:'s|’s)?,? \(?)((?:1[89]|20)\d\d)(?!\d)"), keys


def _as_cited(names: list[str]) -> set[str]:
    """The ways in which sentences have these names, in HTML: with and without accents, `&` or `and`, or et al."""
    found = {f"{names[0]} et al."}
    for sign in ("&amp;", "and"):
        found.add(names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {sign} {names[-1]}")
    return found | {plain(one) for one in found}


def plain(text: str) -> str:
    """Without accents, as docstrings write it: Verdu for Verdú, Stoegbauer for Stögbauer."""
    for sign, letters in (("ö", "oe"), ("ø", "o"), ("ł", "l")):
        text = text.replace(sign, letters)
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
