"""What mkdocs asks of us while it builds: pages made from the code, formulas drawn, and the order of the pages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import formulas  # noqa: E402
import pages  # noqa: E402
import references  # noqa: E402
import typeset  # noqa: E402
from mkdocs.structure.files import File, Files  # noqa: E402

TASKS = {
    "The command line": "commands.md",
    "Two arrays": "two_arrays.md",
    "Your own network": "your_network.md",
    "Your own model, or VAE": "your_model.md",
    "Clusters": "clusters.md",
    "As a library": "library.md",
    "Extending": "extending.md",
    "Claims": "claims.md",
}
BACKGROUND = {
    "Which estimator for what": "choosing.md",
    "What the numbers do not mean": "limits.md",
    "Glossary": "glossary.md",
    "Design": "design.md",
    "What is trusted and promised": "security.md",
    "What it stands on": "dependencies.md",
    "References": "references.md",
    "Changes": "changelog.md",
    "Contributing": "contributing.md",
}


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that follow from the code, and the notebooks."""
    made = pages.all_pages(ROOT)
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    config["nav"] = _nav(files, set(made))
    return files


def _nav(files: Files, made: set[str]) -> list[dict[str, Any]]:
    """Pages by kind; a page that somebody adds to docs/ stands among the results."""
    markdown = sorted(file.src_uri for file in files.documentation_pages())
    of = {
        folder: [m for m in markdown if m.startswith(folder + "/")] for folder in ("notebooks", "tables", "reference")
    }
    named = {"index.md", *TASKS.values(), *BACKGROUND.values()}
    rest = [m for m in markdown if m not in named and "/" not in m and m not in made]
    return [
        {"Start": "index.md"},
        {"How to": [{title: page} for title, page in TASKS.items()]},
        {"Background": [{title: page} for title, page in BACKGROUND.items()]},
        {"What there is": of["tables"]},
        {"Notebooks": of["notebooks"]},
        {"Measured": rest},
        {"Reference": of["reference"]},
    ]


def on_page_markdown(markdown: str, page: Any, **about: Any) -> str:
    """Names of pages and notebooks become links, formulas between dollar signs drawings."""
    if "/" not in page.file.src_uri:
        markdown = pages.linked(ROOT, markdown)
    return formulas.drawn(markdown)


def on_page_content(html: str, page: Any, **about: Any) -> str:
    """Every `[@key]` becomes a link to the references, also in docstrings; formulas of these and of tables are set."""
    folder = page.file.src_uri.partition("/")[0]
    if folder != "notebooks":
        html = typeset.typeset_html(html) if folder == "reference" else typeset.typeset_cells(html)
    if page.file.src_uri == "references.md":
        return html
    return references.linked(html, references.read(ROOT / pages.BIBLIOGRAPHY), "../" * page.file.src_uri.count("/"))
