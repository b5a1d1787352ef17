"""Megabytes of each direct dependency, as `docs/dependencies.md` has them: `python docs/_site/sizes.py [EXTRA ...]`.

Of every package that pyproject.toml asks for: its version, its own size, and what would go with it, since nothing
else here needs it.
"""

from __future__ import annotations

import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def asked(extras: list[str]) -> list[Requirement]:
    """Requirements of pyproject.toml: the toolkit's own, or those of the extras named."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    lines = [line for extra in extras for line in optional[extra]] if extras else project["dependencies"]
    return [Requirement(line) for line in lines]


def closure(start: list[Requirement]) -> set[str]:
    """Names of all installed packages that these need, and they in their turn."""
    found: set[tuple[str, str]] = set()
    todo = [(canonicalize_name(r.name), extra) for r in start for extra in ("", *r.extras)]
    while todo:
        name, extra = todo.pop()
        if (name, extra) in found:
            continue
        try:
            lines = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        found.add((name, extra))
        needed = [Requirement(line) for line in lines]
        needed = [r for r in needed if r.marker is None or r.marker.evaluate({"extra": extra})]
        todo += [(canonicalize_name(r.name), e) for r in needed for e in ("", *r.extras)]
    return {name for name, _ in found}


def size(name: str) -> float:
    """Megabytes of a package's files, compiled modules included."""
    files = metadata.files(name) or []
    return sum(Path(str(f.locate())).stat().st_size for f in files if Path(str(f.locate())).is_file()) / 1e6


def main() -> None:
    """Print a line for each, and the sum."""
    extras = sys.argv[1:]
    own, base = asked(extras), closure(asked([])) if extras else set()
    everything = closure(own) - base
    print(f"{'package':24} {'version':12} {'MB':>6} {'alone brings':>14} {'MB':>6}")
    for one in sorted(own, key=lambda r: canonicalize_name(r.name)):
        name = canonicalize_name(one.name)
        brings = everything - closure([r for r in own if r is not one]) - {name}
        more = sum(size(other) for other in brings)
        print(f"{name:24} {metadata.version(name):12} {size(name):6.1f} {len(brings):14} {more:6.1f}")
    print(f"{len(everything)} packages{' more' * bool(extras)}, {sum(map(size, everything)):.0f} MB")


if __name__ == "__main__":
    main()
