"""The benchmark of the traps, with children that answer as they are told to."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import traps, traps_report, traps_verdicts
from tests.benchmarks.mi_tasks import load
from tests.benchmarks.traps_child import Child
from tests.traps import tasks

# Says that it is ready, and of every request what the method's name tells.
ACTOR = """
import json, sys, time
print("ready", flush=True)
for line in sys.stdin:
    method = json.loads(line)["method"]
    if method == "slow":
        time.sleep(60)
    if method == "ends":
        sys.exit(3)
    print(json.dumps({"bits": 1.0, "low": 0.9, "high": 1.1, "kind": "point", "seconds": 0.1}), flush=True)
"""


def record(**parts: Any) -> dict[str, Any]:
    task = tasks()["signs-of-2-numbers"]
    one = traps.Run("auto", task, 500, 0).record()
    return one | {"bits": 1.0, "low": 0.9, "high": 1.1, "kind": "point", "saturated": False, "seconds": 1.0} | parts


def test_a_child_answers_and_is_ended_where_it_takes_too_long() -> None:
    child = Child(sys.executable, ACTOR)
    try:
        assert child.ask({"method": "plain"}, 10.0)["bits"] == 1.0
        first = child.process
        assert child.ask({"method": "slow"}, 0.5)["over_time"] == 0.5
        assert first is not None and first.poll() is not None
        assert "3" in child.ask({"method": "ends"}, 10.0)["crashed"]
        assert child.ask({"method": "plain"}, 10.0)["bits"] == 1.0
    finally:
        child.end()
    with pytest.raises(RuntimeError, match="Expected the worker to start"):
        Child(sys.executable, "raise SystemExit(1)").ask({"method": "plain"}, 1.0)


def test_runs_are_resumed_and_wide_tasks_have_sizes_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traps, "Child", lambda python: Child(python, ACTOR))
    chosen = traps.chosen_tasks("reported", ["wide", "sentinels"], ["*noisy*", "off-scale*"])
    assert set(chosen) == {"off-scale-readings", "500-noisy-columns-2-bits", "500-noisy-columns-4-bits"}
    runs = traps.planned(["auto"], chosen, [500, 1000, 10_000], range(2))
    assert len(runs) == len({one.same for one in runs}) == 2 * (3 + 2 + 2)
    path = tmp_path / "runs.jsonl"
    first = list(traps.run(path, runs[:5], 1, 10.0, sys.executable))
    rest = list(traps.run(path, runs, 2, 10.0, sys.executable))
    assert len(first) == 5 and len(rest) == len(runs) - 5
    assert sorted(json.dumps(r) for r in load(path)) == sorted(json.dumps(r) for r in first + rest)
    assert list(traps.run(path, runs, 1, 10.0, sys.executable)) == []
    with pytest.raises(ValueError, match="Expected families among .*; got nobody"):
        traps.chosen_tasks(None, ["nobody"], [])
    with pytest.raises(ValueError, match="Expected patterns that fit a task; got nothing"):
        traps.chosen_tasks(None, [], ["nothing"])


@pytest.mark.parametrize(
    ("parts", "held", "close", "honest", "wrong"),
    [
        ({}, True, True, True, False),
        ({"bits": 1.3, "low": 1.2, "high": 1.4}, False, False, False, True),
        ({"bits": 1.2, "low": 1.1, "high": 1.3}, False, False, False, False),
        ({"bits": 0.4, "low": 0.3, "high": 0.5, "kind": "lower"}, True, False, True, False),
        ({"bits": 0.4, "low": 0.3, "high": None, "saturated": True}, True, False, True, False),
        ({"bits": 1.4, "low": 1.3, "high": None, "saturated": True}, False, False, False, False),
        ({"bits": None, "low": 0.5, "high": None}, True, False, False, False),
        ({"bits": 0.5, "low": 0.4, "high": 0.6, "upper_only": True}, True, None, None, False),
    ],
)
def test_verdicts(parts: dict[str, Any], held: bool, close: bool | None, honest: bool | None, wrong: bool) -> None:
    one = record(**parts)
    assert traps_verdicts.held(one) is held
    assert traps_verdicts.close(one) is close and traps_verdicts.honest(one) is honest
    assert traps_verdicts.wrong(one) is wrong


def test_tallies_count_faults_apart() -> None:
    refused = {part: value for part, value in record(refused="no").items() if part not in ("bits", "low", "high")}
    found = traps_verdicts.tally([record(), record(bits=1.2), refused])
    assert (found.runs, found.answers, found.held, found.intervals, found.close) == (3, 2, 2, 2, 1)
    assert found.faults == (1, 0, 0)
    assert found.relative == pytest.approx(0.1) and found.width == pytest.approx(0.2)
    assert math.isnan(traps_verdicts.tally([refused]).relative)


def test_a_page_is_written_from_the_records(tmp_path: Path) -> None:
    every = tasks()
    records = []
    for method, more in (("auto", 0.0), ("ennemi", 0.3)):
        for name in ("signs-of-2-numbers", "independent-normal", "sine-1-turn", "off-scale-readings"):
            one = traps.Run(method, every[name], 500, 0)
            bits = every[name].bits + more
            ends = {"low": bits - 0.1, "high": bits + 0.1} if method == "auto" else {}
            records.append(one.record() | {"bits": bits, "seconds": 0.5} | ends)
    p_value = traps.Run("permutation", every["independent-normal"], 500, 0)
    records.append(p_value.record() | {"p_value": 0.4, "seconds": 0.1})
    page = tmp_path / "traps.md"
    traps_report.write(records, page)
    text = page.read_text()
    assert page.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    for words in (
        "## Beside others",
        "| ennemi | reported | 2 |",
        "## Independent pairs",
        "## p-values",
        "| **auto** | all | 2 |",
    ):
        assert words in text, words
    widths = [[line.count("|") for line in part.splitlines() if line.startswith("|")] for part in text.split("\n\n")]
    assert all(len(set(width)) <= 1 for width in widths)
    with pytest.raises(ValueError, match="at least one record"):
        traps_report.write([], page)
