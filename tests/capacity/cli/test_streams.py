"""Streams that are closed, full, or of an encoding without signs; platforms that are not there: one sentence each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

COMMAND = f"{sys.executable} -m capacity"


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, timeout=100, check=False, env=os.environ | environment
    )


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (f"{COMMAND} list >&-", 0),
        (f"{COMMAND} list >&- 2>&-", 0),
        (f"{COMMAND} list sytems >&- 2>&-", 2),
        (f"{COMMAND} list >/dev/full", 2),
        (f"set -o pipefail; {COMMAND} list systems claims | head -0", 141),
    ],
)
def test_streams_that_take_nothing(line: str, status: int) -> None:
    done = shell(line)
    assert done.returncode == status
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr and done.stderr.count("\n") <= 1
    if "full" in line:
        assert done.stderr == (
            "Error: Expected standard output, or a file, to take what is written; got: No space left on device.\n"
        )


def test_a_terminal_without_signs_is_given_escapes() -> None:
    done = shell(f"{COMMAND} list systems", LANG="C", LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0 and not done.stderr and done.stdout.isascii() and "gaussian" in done.stdout


@pytest.mark.slow
def test_a_platform_that_is_not_there(tmp_path: Path) -> None:
    for name in ("x", "y"):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(0).normal(size=(30, 2)))
    x, y = tmp_path / "x.npy", tmp_path / "y.npy"
    for words in (
        "--version", f"estimate {x} {y}", f"latent --means {x} --logvars {y} --given logvar", "claims gaussian --fast",
        "curve",
    ):  # fmt: skip
        done = shell(f"cd {tmp_path}; {COMMAND} {words}", JAX_PLATFORMS="rocm")
        assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
        assert "Expected JAX_PLATFORMS to name what JAX can run on here; got 'rocm'" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy", "y.npy"]
