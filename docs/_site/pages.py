"""Pages that follow from the code: the README as the start, a table of each kind of thing, notebooks, the reference."""

from __future__ import annotations

import base64
import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import references
from typeset import typeset

from capacity.channels import Constraint
from capacity.claims.outcome import region
from capacity.cli.catalogue import registries, summary

SKIP = ("capacity.__main__",)
OLD = "capacity.runtime.deprecated"
BIBLIOGRAPHY = Path("docs/references.bib")


def all_pages(root: Path) -> dict[str, str | bytes]:
    """Name and content of every page that is made, and of the pictures in the notebooks."""
    made: dict[str, str | bytes] = {
        "index.md": from_root(root, "README.md"),
        "changelog.md": from_root(root, "CHANGELOG.md"),
        "contributing.md": from_root(root, "CONTRIBUTING.md"),
        "references.md": references.page(references.read(root / BIBLIOGRAPHY)),
    }
    made |= {f"tables/{kind}s.md": table_page(kind) for kind in registries()}
    made |= {f"reference/{name}.md": page for name, page in reference_pages().items()}
    for file in sorted((root / "notebooks").glob("*.ipynb")):
        made |= notebook_page(file)
    return made


FROM_ROOT = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "docs/references.bib": "references.md",
}


def from_root(root: Path, name: str) -> str:
    """A page that stands at the repository's root, such as the README, its links turned to the site's pages."""
    text = (root / name).read_text()
    for file, page in FROM_ROOT.items():
        text = text.replace(f"]({file})", f"]({page})")
    text = re.sub(r"\[([^]]+)\]\((?!docs/|https?:|#)[\w./]+\.(?:cff|toml|txt)\)", r"`\1`", text)  # not on the site
    text = re.sub(r"\]\((notebooks/\w+)\.ipynb\)", r"](\1.md)", text)
    text = re.sub(r'\b(src|srcset)="docs/', r'\1="', text)
    return re.sub(r"\]\(docs/", "](", text)


def linked(root: Path, text: str) -> str:
    """Names of pages and notebooks in code ticks, as `docs/limits.md`, as links to them."""
    text = re.sub(r"`docs/(\w+)\.md`", r"[\1](\1.md)", text)
    text = text.replace("`CONTRIBUTING.md`", "[contributing](contributing.md)")
    return re.sub(r"`notebooks/(\w+)`", lambda m: _to_notebook(root, m[1]), text)


def _to_notebook(root: Path, name: str) -> str:
    found = (root / "notebooks" / f"{name}.ipynb").exists()
    return f"[{name}](notebooks/{name}.md)" if found else f"`notebooks/{name}`"


HEADS = {
    "system": "A named recipe: encoder, channel, decoder, loss, and which knob is the noise level.",
    "network": "A structure that encoder and decoders have, made from widths for any source.",
    "source": "A distribution of messages whose entropy is known exactly, and the vectors that carry them.",
    "channel": "The noise between a network's units: sampler, density, and a ceiling, or why there is none.",
    "code": "A code made by hand, to hold learnt ones against: `capacity curve --system handmade --set code=NAME`.",
    "bound": "Bits of a joint: exact, a lower or an upper bound.",
    "estimator": "Mutual information from samples: `estimator(key, x, y)`.",
    "claim": "A sentence from the literature, made into an experiment with a verdict.",
}


def table_page(kind: str) -> str:
    """A table of all of a kind, then each with its formula and source as its docstrings have them."""
    registry = registries()[kind]
    lines = [f"# {kind.capitalize()}s", "", HEADS[kind], "", "| name | what it is |", "| :-- | :-- |"]
    lines += [f"| [{name}](#{_anchor(name)}) | {_cell(summary(kind, member))} |" for name, member in registry.items()]
    for name, member in registry.items():
        lines += [
            "",
            f"## {name} {{: #{_anchor(name)} }}",
            "",
            *_facts(kind, member),
            *_prose(formula_and_source(member)),
        ]
        lines += ["", f"`{member.__module__}.{member.__qualname__}`"]
    return "\n".join(lines) + "\n"


def formula_and_source(member: Any) -> str:
    """The module's docstring, where it is the member's own file, and the member's."""
    module = inspect.getdoc(importlib.import_module(member.__module__)) or ""
    return f"{module}\n\n{inspect.getdoc(member) or ''}"


def _facts(kind: str, member: Any) -> list[str]:
    if kind == "channel":
        # Both are a property where they depend on the channel's own parameters: the docstring then tells.
        presumes = member.presumes.words if isinstance(member.presumes, Constraint) else ""
        about = [("the ceiling presumes", presumes), ("no ceiling", member.no_ceiling_because)]
    elif kind == "estimator":
        about = [("takes", member.takes), ("unchanged by", ", ".join(sorted(member.unchanged_by)) or "nothing")]
    elif kind == "network":
        about = [("choices", ", ".join(f"{field.name} = {field.default}" for field in fields(member)))]
    elif kind == "system":
        about = [("level", f"{member.level_name} {member.level_symbol}")]
    elif kind == "claim":
        says = "; ".join(f"{p.name} {region(p)}{'' if p.unit == '1' else f' {p.unit}'}" for p in member.predictions)
        about = [("who says so", member.source), ("predictions, decided before the run", says)]
    else:
        return []
    shown = [(name, value) for name, value in about if isinstance(value, str) and value]
    return [f"- *{name}*: {_escape(value)}" for name, value in shown] + [""]


def _prose(text: str) -> list[str]:
    """A docstring as it is laid out: paragraphs flow, what is indented is a formula or a list and stays."""
    lines: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        rows = paragraph.split("\n")
        indented = all(row.startswith("    ") or not row.strip() for row in rows)
        titled = re.match(r"(Args|Attributes|Raises|Returns)[^\n]*:$", rows[0])
        if indented or titled:
            lines += ["", "```text", *rows, "```"]
        else:
            lines += ["", _escape(paragraph)]
    return lines


def _escape(text: str) -> str:
    """Signs that Markdown would take for its own, and formulas set, but not those inside code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if i % 2 else typeset(_escape_words(part)) for i, part in enumerate(parts))


def _escape_words(text: str) -> str:
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), ("$", "&#36;"), ("|", "&#124;")):
        text = text.replace(sign, entity)
    text = re.sub(r"([*_\[\]])", r"\\\1", text)
    return re.sub(r"\\\[(@[\w-]+(?:; @[\w-]+)*)\\\]", r"[\1]", text)  # a citation stays one


def _cell(text: str) -> str:
    return _escape(" ".join(text.split()))


def _anchor(name: str) -> str:
    return f"the-{name.replace('_', '-')}"


def modules() -> Iterator[str]:
    """Every public module of both packages."""
    for package in ("capacity", "synthetic"):
        yield package
        for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if found.name not in SKIP and not any(part.startswith("_") for part in found.name.split(".")):
                yield found.name


def public_names() -> dict[str, dict[str, Any]]:
    """Every package that says what it offers (`__all__`), with what that is; subpackages and the version left out."""
    offering = {name: importlib.import_module(name) for name in modules() if not name.startswith(OLD)}
    return {
        name: {
            member: getattr(module, member)
            for member in sorted(module.__all__, key=str.lower)
            if not member.startswith("_") and not inspect.ismodule(getattr(module, member))
        }
        for name, module in offering.items()
        if "__all__" in vars(module)
    }


def reference_pages() -> dict[str, str]:
    """A page for each package that says what it offers; what is on two is described where it comes first."""
    made: dict[str, str] = {}
    described: dict[str, str] = {}
    for package, members in public_names().items():
        parts = [f"# {package}\n\n{inspect.getdoc(importlib.import_module(package)) or ''}"]
        for name, member in members.items():
            home = _home(package, name, member)
            text = f"::: {home}\n    options:\n      show_root_heading: false\n      show_root_toc_entry: false"
            if home in described:
                text = f"See [{home}]({described[home]}.md#{_reference_anchor(described[home], home)})."
            parts.append(f"## `{package}.{name}` {{: #{_reference_anchor(package, home)} }}\n\n{text}")
            described.setdefault(home, package)
        made[package] = "\n\n".join(parts) + "\n"
    return made


def _home(package: str, name: str, member: Any) -> str:
    """Where something is defined, or where it is offered if it is no class and no function."""
    if inspect.isclass(member) or inspect.isfunction(member):
        return f"{member.__module__}.{member.__qualname__}"
    return f"{package}.{name}"


def _reference_anchor(package: str, home: str) -> str:
    return f"{package}-{home.rpartition('.')[2]}".replace(".", "-")


def notebook_page(file: Path) -> dict[str, str | bytes]:
    """An executed notebook as Markdown, with its pictures beside it."""
    cells = json.loads(file.read_text())["cells"]
    parts: list[str] = []
    made: dict[str, str | bytes] = {}
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        if source.strip() and source.strip() != "%matplotlib inline":
            parts.append(f"```python\n{source}\n```")
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                name = f"{file.stem}-{sum(n.endswith('.png') for n in made)}.png"
                made[f"notebooks/{name}"] = base64.b64decode(data["image/png"])
                parts.append(f"![figure]({name})")
            else:
                text = output.get("text") or data.get("text/plain") or ""
                if output.get("name") != "stderr" and "".join(text).strip() and "<Figure" not in text:
                    parts.append(f"```text\n{''.join(text).rstrip()}\n```")
    return made | {f"notebooks/{file.stem}.md": "\n\n".join(parts) + "\n"}
