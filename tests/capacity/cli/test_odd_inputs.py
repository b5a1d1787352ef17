"""Whatever is typed and whatever the files hold: a result or one sentence, never a traceback, nothing half done."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from odd_inputs import small_curve
from odd_words import COMMANDS

from capacity.analysis import codes as codes_room
from capacity.analysis.latent import latent as latent_room
from capacity.analysis.latent.latent import Growth, Latent
from capacity.analysis.latent.shared import SharedBits
from capacity.claims import run as claims_run
from capacity.cli import estimate, working
from capacity.cli.asked import Answered
from capacity.curves import execute
from capacity.estimators import pair_figures
from capacity.estimators.pair_figures import PairFigures
from capacity.plots import codes as codes_plot
from capacity.plots import curve as curve_plot
from capacity.plots import latent as latent_plot
from capacity.plots import samples as samples_plot
from capacity.report import curve_page
from capacity.results.estimate import Estimate
from capacity.runtime.tables.named_columns import named_columns

Command = Callable[..., tuple[int, str, str]]
RAW = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")  # what steers a terminal
LONGEST = 10.0  # seconds, of which one command may take so many
QUICK, MANY = 200, 2000


class _FakeDraws:
    """Answers of the right types that take no time, in the place of what is measured."""

    @staticmethod
    def answer(key: Any, sides: Any, method: str, asked: Any) -> Answered:
        return Answered(Estimate.from_normal(bits=0.5, stderr=0.1, kind="point", n=len(sides[0])), method)

    @staticmethod
    def pairwise(key: Any, table: Any, method: Any, *, target: str | None, missing: Any, **_: Any) -> Any:
        columns = named_columns(table, None, missing)
        found = PairFigures(0.5, 0.4, 0.6, 0.5, n=9, bound="point", note="a note on 'x\x1b[31m'")
        places = range(len(columns))
        if target is None:
            dataset = pair_figures.matrix_of(columns, {(i, j): found for i in places for j in places if i < j})
        else:
            j = [c.name for c in columns].index(target)
            dataset = pair_figures.ranking_of(columns, {(i, j): found for i in places if i != j})
            dataset = dataset.assign_attrs(target=target, target_kind="real")
        return dataset.drop_vars("p_value").assign_attrs(method=method)


def figures(*shape: int) -> Estimate:
    zero = np.zeros(shape)
    return Estimate(zero + 0.5, zero + 0.1, zero + 0.3, zero + 0.7, zero + 5, 30, kind="exact")


MEASURED = Latent(
    30, figures(), figures(), figures(), figures(), 0.25, figures(2), figures(2), np.ones(2), np.array([0.0, 1.0]),
    SharedBits(np.arange(2), np.array([0]), np.array([1]), figures(1)), Growth(np.array([4, 30]), figures(2)),
)  # fmt: skip
"""A code of two units, made up."""
DISCRETE = codes_room.measure_codes(0, [[0, 1], [1, 1], [1, 0]])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is measured and drawn takes no time: the options and files are looked at as for use."""
    monkeypatch.setattr(estimate, "answer", _FakeDraws.answer)
    monkeypatch.setattr("capacity.estimators.pairwise", _FakeDraws.pairwise)
    monkeypatch.setattr("capacity.estimators.lagged_information", _refused)
    monkeypatch.setattr(latent_room, "measure_latent", lambda *_, **__: MEASURED)
    for name in ("measure_codes", "measure_probs"):
        monkeypatch.setattr(codes_room, name, lambda *_, **__: DISCRETE)
    monkeypatch.setattr(execute, "run_plan", lambda plan, *_, **__: small_curve())
    monkeypatch.setattr(claims_run, "run_claims", lambda *_: [])
    monkeypatch.setattr(working, "join", lambda *_: None)
    for module, name in ((curve_plot, "curve_figure"), (latent_plot, "latent_figure"), (codes_plot, "codes_figure")):
        monkeypatch.setattr(module, name, lambda *_: Figure())
    for name in ("save_heat_map", "save_ranking"):
        monkeypatch.setattr(samples_plot, name, lambda path, found: path.write_text("drawn"))
    monkeypatch.setattr(estimate, "_draw", lambda path, *_: path.write_text("drawn"))
    monkeypatch.setattr(curve_page, "_drawings", lambda *_: [])


def _refused(*_: Any) -> Any:
    raise ValueError("Expected less; got lags.")


def tree(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def faults_of(status: int, out: str, err: str, seconds: float, before: Any, after: Any) -> list[str]:
    """What is wrong with how a command ended; empty where nothing is."""
    found = []
    if status not in (0, 2):
        found.append(f"status {status}")
    if RAW.search(out) or RAW.search(err):
        found.append(f"raw {RAW.search(out + err)!r}")
    if "Traceback" in out + err:
        found.append("traceback")
    if seconds > LONGEST:
        found.append(f"{seconds:.0f} s")
    if status == 2:
        sentences = [line for line in err.splitlines() if not line.startswith("Warning: ")]
        if len(sentences) != 1 or not sentences[0].startswith("Error: ") or len(sentences[0]) > 6000:
            found.append("not one sentence")
        if out:
            found.append("something on stdout")
        if before != after:
            found.append("something written")
    return found


@pytest.fixture
def counts() -> Iterator[Counter[str]]:
    """How the examples of a test ended; shown with `-s`."""
    counted: Counter[str] = Counter()
    yield counted
    print("\n" + ", ".join(f"{name} {count}" for name, count in sorted(counted.items())))


def try_commands(command: Command, counts: Counter[str], examples: int) -> None:
    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(data=st.data())
    def one(data: st.DataObject) -> None:
        folder = Path(tempfile.mkdtemp(prefix="odd-"))
        try:
            kind = data.draw(st.sampled_from(sorted(COMMANDS)))
            words = COMMANDS[kind](data.draw, folder)
            before, started = tree(folder), time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("always")
                status, out, err = command(*words)
            seconds = time.perf_counter() - started
            assert faults_of(status, out, err, seconds, before, tree(folder)) == [], (words, status, out, err)
            counts[f"{kind}: {'results' if status == 0 else 'refusals'}"] += 1
        finally:
            shutil.rmtree(folder)

    one()


@pytest.mark.usefixtures("quick")
def test_odd_words_and_files_end_in_a_result_or_a_sentence(command: Command, counts: Counter[str]) -> None:
    try_commands(command, counts, QUICK)


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_many_odd_words_and_files(command: Command, counts: Counter[str]) -> None:
    try_commands(command, counts, MANY)
    assert sum(counts.values()) >= MANY
