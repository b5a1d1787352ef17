"""The table of estimators on pairs of known information, made with estimators that are made up."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from capacity.results.estimate import Estimate
from synthetic.pairs import EXTRA_TASKS, PUBLIC_TASKS
from tests.benchmarks import mi_report, mi_tasks

TASKS = mi_tasks.chosen_tasks("1v1-*,student-identity-2-2-2,independent-3-3")
SEEDS = range(2)


def said(bits: float, kind: Any = "point", limit: float = math.inf) -> Estimate:
    return Estimate(bits, 0.05, bits - 0.1, bits + 0.1, limit, 100, kind=kind)


def oracle(key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
    return said(0.5963)


def low(key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
    return said(0.1, "lower", limit=0.15)


def choosy(key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
    if x.shape[1] > 1:
        raise ValueError("Expected one column; got more.")
    return said(float(x.mean()) + 0.6)


METHODS: dict[str, mi_tasks.Method] = {"oracle": oracle, "low": low, "choosy": choosy}


def records(path: Path) -> list[mi_tasks.Record]:
    return list(mi_tasks.run(path, METHODS, TASKS, SEEDS, n=100))


def test_runs_are_written_as_they_go_and_never_twice(tmp_path: Path) -> None:
    path = tmp_path / "new" / "runs.jsonl"
    going = mi_tasks.run(path, METHODS, TASKS, SEEDS, n=100)
    first = [next(going) for _ in range(4)]
    assert mi_tasks.load(path) == first
    # A crash within a line: it counts as not written, and is cut away before the next.
    with path.open("a") as file:
        file.write('{"estimator": "ora')
    assert mi_tasks.load(path) == first
    rest = records(path)
    assert len(first) + len(rest) == len(METHODS) * len(TASKS) * len(SEEDS)
    assert mi_tasks.load(path) == first + rest
    assert records(path) == []
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_samples_are_rescaled_seeded_and_read_where_given(tmp_path: Path) -> None:
    pair = PUBLIC_TASKS["half_cube-1v1-normal-0.75"]
    x, y, given = mi_tasks.samples(pair, 0, 50, tmp_path)
    assert not given and x.shape == (50, 1)
    assert (x != mi_tasks.samples(pair, 1, 50)[0]).all()
    assert (x != mi_tasks.samples(PUBLIC_TASKS["1v1-normal-0.75"], 0, 50)[0]).all()
    np.testing.assert_allclose(mi_tasks.rescale(x).std(axis=0), 1.0)
    np.savez(tmp_path / f"{pair.name}.npz", x=y.astype(np.float32), y=x)
    swapped, _, given = mi_tasks.samples(pair, 0, 20, tmp_path)
    assert given
    np.testing.assert_allclose(swapped, y[:20], rtol=1e-6)
    assert not mi_tasks.samples(pair, 1, 20, tmp_path)[2]
    with pytest.raises(ValueError, match="Expected at least 60 samples in .*; got 50"):
        mi_tasks.samples(pair, 0, 60, tmp_path)


def test_a_report_counts_what_was_said(tmp_path: Path) -> None:
    found = records(tmp_path / "runs.jsonl")
    table = mi_report.cells(found)
    normal = table["oracle"]["1v1-normal-0.75"]
    assert normal.close and normal.covered == normal.held == normal.runs == 2
    assert normal.error == pytest.approx(abs(0.5963 - PUBLIC_TASKS["1v1-normal-0.75"].bits) * math.log(2))
    # A lower bound of 0.1 bits is true of 2.5 bits but does not cover them, and it says that it is saturated.
    bound = table["low"]["1v1-additive-0.1"]
    assert (bound.covered, bound.held, bound.saturated, bound.close) == (0, 2, 2, False)
    refused = table["choosy"]["student-identity-2-2-2"]
    assert refused.refused == 2 and math.isnan(refused.error) and not refused.close
    # Nothing is within 10 % of no information.
    assert not table["oracle"]["independent-3-3"].close

    document = tmp_path / "docs" / "table.md"
    mi_tasks.main(["--out", str(tmp_path / "runs.jsonl"), "--report", str(document)])
    text = document.read_text()
    assert document.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert "| 1v1-normal-0.75 | 0.413 |" in text and "**0.413**" in text
    widths = [[line.count("|") for line in block.splitlines() if line.startswith("|")] for block in text.split("\n\n")]
    assert all(len(set(width)) <= 1 for width in widths)


def test_a_report_refuses_what_does_not_belong_together(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    with pytest.raises(ValueError, match="one sample size"):
        mi_report.cells([])
    found = records(path)
    with pytest.raises(ValueError, match="one sample size"):
        mi_report.cells([*found, found[0] | {"n": 7}])


def test_choices() -> None:
    assert list(mi_tasks.chosen_tasks("public")) == list(PUBLIC_TASKS)
    assert list(mi_tasks.chosen_tasks("extra,public")) == [*PUBLIC_TASKS, *EXTRA_TASKS]
    assert set(map(mi_report.group, PUBLIC_TASKS)) == set(mi_report.GROUPS) - {"others"}
    sizes = [sum(mi_report.group(task) == name for task in PUBLIC_TASKS) for name in mi_report.GROUPS]
    assert sizes == [8, 10, 5, 7, 4, 6, 0]
    with pytest.raises(ValueError, match="a pattern that fits a task; got 'nothing'"):
        mi_tasks.chosen_tasks("nothing")
    with pytest.raises(ValueError, match=r"got \['nobody'\]"):
        mi_tasks.chosen_methods("nobody")
