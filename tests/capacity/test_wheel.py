"""The wheel: it holds every file of both packages, and runs where the repository is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("capacity", "synthetic")
SOURCES = ("pyproject.toml", "README.md", "LICENSE")
HERE = """
import sys
from importlib.metadata import distributions
from pathlib import Path

place = sys.argv[1]
sys.path.insert(0, place)
import capacity, synthetic

for package in (capacity, synthetic):
    assert Path(package.__file__).is_relative_to(place), package.__file__
(commands,) = [found.entry_points.select(name="capacity") for found in distributions(path=[place])]
(main,) = [command.load() for command in commands]
sys.argv = ["capacity", "list"]
main()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that the repository stays as it is."""
    copy, place = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in SOURCES:
        shutil.copy(ROOT / name, copy / name)
    pip("wheel", "--no-deps", *isolation(), "--wheel-dir", str(place), str(copy))
    (found,) = place.glob("*.whl")
    return found


def isolation() -> list[str]:
    """Setuptools as installed where it is new enough; else pip fetches one."""
    return ["--no-build-isolation"] if int(version("setuptools").split(".")[0]) >= 77 else []


def pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def test_the_wheel_holds_every_file(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    wanted = {
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert wanted - held == set()
    assert {"capacity/py.typed", "synthetic/py.typed", "capacity/report/page.css"} <= held


def unpack(wheel: Path, place: Path) -> None:
    """All that an installer does for a wheel of Python alone, but for scripts."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)


def install(wheel: Path, place: Path) -> None:
    pip("install", "--no-deps", "--no-compile", "--target", str(place), str(wheel))


@pytest.mark.parametrize("put", [unpack, pytest.param(install, marks=pytest.mark.slow)])
def test_the_wheel_runs_without_the_repository(put: Callable[[Path, Path], None], wheel: Path, tmp_path: Path) -> None:
    place, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    put(wheel, place)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-I", "-c", HERE, str(place)],
        capture_output=True, text=True, timeout=300, check=False, cwd=elsewhere, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "gaussian_dropout" in done.stdout and "digits_of_pi" in done.stdout
