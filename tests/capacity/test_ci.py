"""The browser that `.ci/run` asks for: installed where that is possible, and nowhere a reason to stop."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None, reason="no bash")


def run(tmp_path: Path, **programs: str) -> tuple[int, str, list[str]]:
    """Status, words and calls of apt-get of the function `browser`, with these programs and no others but coreutils."""
    places = tmp_path / "bin"
    places.mkdir()
    for name in ("grep", "tail", "timeout", "sh", "cat"):
        (places / name).symlink_to(str(shutil.which(name)))
    for name, body in programs.items():
        (places / name.replace("_", "-")).write_text(f"#!{BASH}\n{body}\n")
        (places / name.replace("_", "-")).chmod(0o755)
    text = (ROOT / ".ci" / "run").read_text()
    found = re.search(r"^browser\(\) \{\n.*?^\}\n", text, re.MULTILINE | re.DOTALL)
    assert found and "\nbrowser\n" in text
    system = tmp_path / "os-release"
    system.write_text("ID=debian\n")
    script = (
        f"set -euo pipefail\nscratch={tmp_path}\n"
        + found[0].replace("/etc/os-release", str(system))
        + "browser\necho on\n"
    )
    assert BASH is not None
    done = subprocess.run(
        [BASH, "-c", script], env={"PATH": str(places)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    calls = tmp_path / "calls"
    return done.returncode, done.stdout, calls.read_text().splitlines() if calls.exists() else []


def test_one_that_is_there_is_taken(tmp_path: Path) -> None:
    assert run(tmp_path, chromium="exit 1", id="echo 0") == (0, "on\n", [])


def test_root_with_apt_installs_it(tmp_path: Path) -> None:
    status, words, calls = run(tmp_path, id="echo 0", apt_get=f'echo "$@" >> {tmp_path}/calls')
    assert status == 0 and "Installing Chromium" in words and words.endswith("on\n")
    assert [re.search(r"update|install.* chromium$", call) is not None for call in calls] == [True, True]


@pytest.mark.parametrize(
    "programs", [{"id": "echo 1000", "apt_get": "exit 0"}, {"id": "echo 0"}], ids=["no root", "no apt"]
)
def test_where_it_cannot_be_installed_that_is_said(tmp_path: Path, programs: dict[str, str]) -> None:
    status, words, calls = run(tmp_path, **programs)
    assert status == 0 and "untested in a browser" in words and words.endswith("on\n") and calls == []


def test_where_apt_fails_that_is_said(tmp_path: Path) -> None:
    status, words, _ = run(tmp_path, id="echo 0", apt_get="echo E: no network >&2; exit 100")
    assert status == 0 and "E: no network" in words and "could not be installed" in words and words.endswith("on\n")
