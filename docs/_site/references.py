"""The bibliography `docs/references.bib`: how it is read, its page, and links to it from `[@key]`.

A small reader for the form that the file has: one field a line, its value between braces.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

ENTRY = re.compile(r"^@(\w+)\{([\w-]+),\n(.*?)^\}$", re.DOTALL | re.MULTILINE)
FIELD = re.compile(r"^  (\w+) = \{(.*)\},$")
CITATION = re.compile(r"\[@([\w-]+)\]")
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
    """A built page with every `[@key]` as authors and year, linked to the references; `up` is the way to the root.

    Raises:
        ValueError: for a key that is not in the bibliography.
    """

    def link(match: re.Match[str]) -> str:
        key = match[1]
        if key not in entries:
            raise ValueError(f"Expected a key of docs/references.bib; got [@{key}].")
        return f'(<a href="{up}references.html#{key}">{escape(short(entries[key]))}</a>)'

    return CITATION.sub(link, html)
