"""The script that kills and resumes curves, at one kill; all of it is `python tests/kill_and_resume.py`."""

from __future__ import annotations

import itertools
import signal
from pathlib import Path

import pytest

from tests.benchmarks import kills
from tests.kill_and_resume import SMALLEST, finish_all, killed_between_parts, parts_of, study


@pytest.mark.long
def test_killed_curves_end_in_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed with a part there and others not: none is lost or made twice."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    before = killed_between_parts(tmp_path / "killed", SMALLEST)
    found, reference = finish_all(tmp_path / "killed", tmp_path / "reference", more=SMALLEST)
    after = parts_of(tmp_path / "killed")
    assert 1 <= len(before) < len(after) and all(part in after for part in before)
    assert sorted(itertools.chain(*after)) == list(range(reference.bits.size))
    assert found.equals(reference)


@pytest.mark.slow
def test_ten_killed_curves_end_in_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    kills, different = study(10, 1, tmp_path)
    assert kills >= 10 and different == 0


@pytest.mark.slow
def test_curves_stopped_by_every_signal_end_in_the_same_bits(tmp_path: Path) -> None:
    """All commands, many times: `python -m tests.benchmarks.kills`."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        found = kills.trials(tmp_path, 1, 60.0, {"curve": kills.CURVE})
        records = list(itertools.islice(found, len(kills.SIGNALS)))
    finally:
        signal.signal(signal.SIGINT, before)
    assert [record["signal"] for record in records] == list(kills.SIGNALS)
    assert all(record["kills"] for record in records)
    assert not [record for record in records if record["different"] or record["wrong"]]
