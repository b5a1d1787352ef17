"""The script that kills and resumes curves, at a few runs; all of it is `python tests/kill_and_resume.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kill_and_resume import study


@pytest.mark.long
def test_killed_curves_end_in_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    kills, different = study(1, 5, tmp_path)
    assert kills >= 1 and different == 0


@pytest.mark.slow
def test_ten_killed_curves_end_in_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    kills, different = study(10, 1, tmp_path)
    assert kills >= 10 and different == 0
