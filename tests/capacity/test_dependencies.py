"""The page of dependencies: exactly those of pyproject.toml, at the versions that CI pins, each of them imported."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from capacity.runtime.executors import executor_pool
from capacity.runtime.files.parquet_tables import read_parquet
from capacity.runtime.files.safetensors_files import read_safetensors

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
IMPORTED_AS = {"scikit-learn": "sklearn", "orbax-checkpoint": "orbax"}


def rows(heading: str) -> list[list[str]]:
    """Cells of the rows of the table under a heading."""
    page = (ROOT / "docs" / "dependencies.md").read_text()
    part = page.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("| `")
    ]


def named(lines: list[str]) -> list[str]:
    return sorted(Requirement(line).name for line in lines)


def test_the_table_has_exactly_the_direct_dependencies() -> None:
    assert sorted(row[0].strip("`") for row in rows("Always")) == named(PROJECT["dependencies"])


def test_the_other_has_exactly_those_of_the_extras() -> None:
    listed = sorted((row[1], row[0].strip("`")) for row in rows("Extras"))
    extras = PROJECT["optional-dependencies"]
    assert listed == sorted((extra, name) for extra, lines in extras.items() for name in named(lines))


def test_each_is_said_with_a_use_a_licence_and_the_version_that_is_pinned() -> None:
    pins = (ROOT / "constraints.txt").read_text().lower()
    for heading in ("Always", "Extras"):
        for row in rows(heading):
            name, version = row[0].strip("`"), row[-3 if heading == "Always" else -2].split(",")[0]
            assert all(row[:-1]), name
            assert f"\n{name}=={version}" in pins, name


def test_each_is_imported_and_what_is_imported_is_asked_for() -> None:
    files = [file for package in ("capacity", "synthetic") for file in (ROOT / package).rglob("*.py")]
    found = {name.split(".")[0] for file in files for name in _imports(file)}
    own = {"capacity", "synthetic", *sys.stdlib_module_names}
    always = {IMPORTED_AS.get(name, name) for name in named(PROJECT["dependencies"])}
    optional = {name for lines in PROJECT["optional-dependencies"].values() for name in named(lines)}
    assert always <= found
    assert found - own - always <= optional | {"jaxlib", "ml_dtypes", "click", "orbax"}  # these come with jax and typer


def _imports(file: Path) -> list[str]:
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return plain + [
        node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level
    ]


@pytest.mark.parametrize("extra", ["distributed", "parquet", "safetensors"])
def test_an_extra_that_is_missing_is_named_with_its_line(
    extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("distributed", "pyarrow", "pyarrow.parquet", "safetensors"):
        monkeypatch.setitem(sys.modules, module, None)
    line = re.escape(f"pip install 'infocapacity[{extra}]'")
    with pytest.raises((ValueError, ImportError), match=line):
        if extra == "distributed":
            executor_pool("dask", scheduler="tcp://127.0.0.1:1")
        elif extra == "safetensors":
            read_safetensors(tmp_path / "arrays.safetensors")
        else:
            read_parquet(tmp_path / "table.parquet")


def test_sizes_are_printed_for_each(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_site"))
    import sizes

    monkeypatch.setattr(sys, "argv", ["sizes.py"])
    sizes.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == named(PROJECT["dependencies"])
    assert metadata.version("jax") in lines[4] and re.fullmatch(r"\d+ packages, \d+ MB", lines[-1])
