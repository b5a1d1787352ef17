"""The command: what it writes and prints, where it goes on, one sentence for what cannot work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import xarray as xr
from curve_examples import made_up
from matplotlib.figure import Figure

from capacity.cli import console, request
from capacity.cli.console import Meter
from capacity.cli.request_checks import parse_levels
from capacity.curves import execute
from capacity.curves.files import read_curves
from capacity.curves.parts import save_lanes
from capacity.curves.summary import curve_table, note
from capacity.plots import curve
from capacity.runtime.files.seals import digest_of

Command = Callable[..., tuple[int, str, str]]


class FakePlan:
    """Three lanes that take no time; stopped after `left` of them."""

    total = 3
    left = 3

    def __init__(self, key: Any, source: Any, system: Any, levels: Any, seeds: int, **more: Any):
        self.name = system.name
        self.configuration = {"levels": list(levels), "seeds": seeds, "bits": source.bits}
        curve = made_up(self.name, levels=self.total, seeds=1)
        self.curve = curve.assign_attrs(configuration=json.dumps(self.configuration))
        self.levels, self.keys = curve.level.values, jax.random.wrap_key_data(jax.numpy.asarray(curve.key.values))

    def run(self, store: Any, name: str, progress: Callable[[int, str], None], **_: Any) -> xr.Dataset:
        for i in range(self.total):
            if store.load(f"{name}-{i:04d}-1") is None:
                if i == self.left:
                    raise KeyboardInterrupt
                save_lanes(store, name, [i], [{"diverged": np.array(False)}], digest_of(self.configuration))
            progress((i + 1) / self.total, f"{name} lane {i}")
        return self.curve


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> type[FakePlan]:
    """Plans that take no time, and the figure as for use."""

    class Plan(FakePlan):
        pass

    monkeypatch.setattr(request, "plan_curve", Plan)
    monkeypatch.setattr(execute, "run_plan", lambda plan, *args, **options: plan.run(*args, **options))
    return Plan


@pytest.fixture
def fake(drawn: type[FakePlan], monkeypatch: pytest.MonkeyPatch) -> type[FakePlan]:
    """The same with nothing in the figure, which takes a second to draw."""
    monkeypatch.setattr(curve, "curve_figure", lambda datasets: Figure())
    return drawn


def test_curve_writes_prints_and_says_how_time_divides(command: Command, drawn: Any, tmp_path: Path) -> None:
    status, out, err = command("curve", "--out", tmp_path / "run")
    assert status == 0
    for name in ("curve.nc", "curve.csv", "curve.png", "config.json"):
        assert (tmp_path / "run" / name).stat().st_size > 0
    assert list(read_curves(tmp_path / "run" / "curve.nc")) == ["gaussian", "vae"]
    for words in ("gaussian: 16 bits in 32", "vae: 16 bits", "SNR dB", "ceiling", "PAM", "rate"):
        assert words in out
    assert "compile 3.0 s, train 40.0 s, measure 6.0 s, other" in out
    assert "100 % (6 of 6 lanes), vae lane 2, done" in err


def test_a_finished_curve_is_found_and_not_made_again(command: Command, fake: Any, tmp_path: Path) -> None:
    command("curve", "--out", tmp_path)
    before = (tmp_path / "curve.nc").read_bytes()
    fake.run = None
    status, out, _ = command("curve", "--out", tmp_path)
    assert status == 0 and "Complete already" in out
    assert (tmp_path / "curve.nc").read_bytes() == before


def test_stopping_keeps_what_has_finished(command: Command, fake: Any, tmp_path: Path) -> None:
    fake.left = 1
    status, _, err = command("curve", "--out", tmp_path)
    assert status == 130
    assert "the same command goes on from there" in err and "Traceback" not in err
    assert [p.name for p in (tmp_path / "parts").iterdir()] == ["gaussian-0000-1.npz"]
    fake.left = 3
    assert command("curve", "--out", tmp_path)[0] == 0


def test_quiet_is_quiet(command: Command, fake: Any, tmp_path: Path) -> None:
    assert command("curve", "--quiet", "--out", tmp_path) == (0, "", "")


def test_show_prints_and_draws_again(command: Command, drawn: Any, tmp_path: Path) -> None:
    command("curve", "--out", tmp_path)
    (tmp_path / "curve.png").unlink()
    status, out, _ = command("show", tmp_path)
    assert status == 0 and "vae: 16 bits" in out
    assert (tmp_path / "curve.png").exists()


REFUSALS = [
    (
        "--system gausian",
        "got 'gausian'. Did you mean 'gaussian",
    ),
    ("--source bit", "Did you mean 'bits'?"),
    ("--system dropout --set value=signs", "Expected --set to be one of floor, values; got 'value'"),
    ("--system dropout --set values=sign", "Expected values to be one of digits, real, signs; got 'sign'"),
    ("--system dropout --set floor=much", "with a value that is float; got 'floor=much'"),
    ("--system binary --set stochastic=yes", "with a value that is true or false; got 'stochastic=yes'"),
    ("--set power=2", "Expected --set with one --system; got 2 systems"),
    ("--system vae --set power=2", "Expected --set to be one of rate_start; got 'power'"),
    ("--system target_vae --set power=2", "Expected --set NAME=VALUE, of nothing; got 'power=2'"),
    ("--system gaussian --target-bits 1,2", "Expected --target-bits with --system vae alone"),
    ("--target-bits 16", "Expected fewer bits asked for than the source's 16; got 16"),
    ("--activation rel", "Did you mean 'relu'"),
    ("--measure enum", "Expected --measure to be one of auto, bracket, enumeration; got 'enum'"),
    ("--decode pictures", "Expected --decode to be one of bits, vector; got 'pictures'"),
    ("--system vae --levels 0,1", "greater than 0; got '0,1'"),
    ("--system vae --levels=-1", "greater than 0; got '-1'"),
    ("--system vae --levels nan", "greater than 0; got 'nan'"),
    ("--system vae --levels inf", "finite"),
    ("--system vae --levels 0:1:3", "greater than 0; got '0:1:3'"),
    ("--system vae --levels 1:2", "got '1:2'"),
    ("--system vae --levels 1:2:0", "got '1:2:0'"),
    ("--system vae --levels loud", "got 'loud'"),
    ("--system vae --levels 0.5,0.5", "distinct noise levels"),
    ("--levels 0.5", "Expected --levels with one --system"),
    ("--units 0", "Expected --units of at least 1, and below 2^31; got 0"),
    ("--units many", "'--units'"),
    ("--seeds 0", "at least one seed; got 0"),
    ("--steps 0", "--steps of at least 1, and below 2^31; got 0"),
    ("--batch 0", "--batch of at least 1, and below 2^31; got 0"),
    ("--samples 0", "at least 16 samples"),
    ("--learning-rate nan", "positive learning_rate"),
    ("--products half", "bfloat16, float32"),
    ("--width 0", "--width of at least 1"),
    ("--depth -1", "'--depth'"),
    ("--seed -1", "'--seed'"),
    ("--bits 0", "--bits of at least 1, and below 2^31; got 0"),
    ("--dim 4", "dim of at least bits = 16"),
    ("--bits 21 --measure enumeration", "at most 2**20 messages to enumerate"),
    ("--source gaussian --decode bits", "decode='vector' for a continuous source"),
    ("--speed 9", "No such option: --speed"),
]


@pytest.mark.parametrize(("words", "sentence"), REFUSALS, ids=[words for words, _ in REFUSALS])
def test_bad_input_is_one_sentence_before_any_work(command: Command, tmp_path: Path, words: str, sentence: str) -> None:
    status, out, err = command("curve", *words.split(), "--out", tmp_path / "run")
    assert status == 2
    assert out == "" and err.startswith("Error: ") and err.count("\n") == 1
    assert sentence in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("subcommand", "kept"),
    [
        ("show", 0), ("curve", 1000), ("show", -1),
        *(pytest.param(*p, marks=pytest.mark.slow) for p in (("curve", 0), ("show", 1000), ("curve", -1))),
    ],
)  # fmt: skip
def test_a_damaged_curve_is_refused_and_kept(
    command: Command, fake: Any, tmp_path: Path, subcommand: str, kept: int
) -> None:
    command("curve", "--out", tmp_path)
    damaged = (tmp_path / "curve.nc").read_bytes()[:kept]
    (tmp_path / "curve.nc").write_bytes(damaged)
    status, _, err = command(*(("show",) if subcommand == "show" else ("curve", "--out")), tmp_path)
    assert status == 2
    assert err.startswith("Error: Expected") and "whole" in err and err.count("\n") == 1
    assert (tmp_path / "curve.nc").read_bytes() == damaged
    (tmp_path / "curve.nc").unlink()
    assert command("curve", "--out", tmp_path)[0] == 0


def test_a_directory_of_another_configuration_is_refused(command: Command, fake: Any, tmp_path: Path) -> None:
    command("curve", "--out", tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    status, _, err = command("curve", "--seeds", 5, "--out", tmp_path)
    assert status == 2
    assert "curve.gaussian.seeds=3 (now 5)" in err and "Choose another --out" in err
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_show_of_nothing_is_refused(command: Command, tmp_path: Path) -> None:
    status, _, err = command("show", tmp_path)
    assert status == 2 and "no such file" in err


def test_list_has_a_line_for_everything(command: Command) -> None:
    status, out, _ = command("list")
    assert status == 0
    lines = {tuple(line.split()[:2]) for line in out.splitlines()}
    assert {
        ("system", "gaussian"),
        ("system", "vae"),
        ("source", "bits"),
        ("bound", "decoder"),
        ("estimator", "auto"),
    } <= lines
    assert {kind for kind, _ in lines} == {
        "kind",
        "system",
        "source",
        "network",
        "channel",
        "code",
        "bound",
        "estimator",
        "claim",
    }


def test_version(command: Command) -> None:
    status, out, _ = command("--version")
    assert status == 0 and out.startswith("infocapacity")


def test_choices_and_bits_asked_for(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[tuple[Any, Any]] = []

    def plan(key: Any, source: Any, system: Any, levels: Any, *rest: Any, **more: Any) -> Any:
        seen.append((system, levels))
        raise ValueError("seen")

    monkeypatch.setattr(request, "plan_curve", plan)
    command("curve", "--system", "gaussian", "--set", "power=none", "--out", tmp_path / "a")
    command("curve", "--system", "dropout", "--set", "values=signs", "--set", "floor=0.2", "--out", tmp_path / "b")
    command("curve", "--target-bits", "1,4", "--out", tmp_path / "c")
    assert seen[0][0].power is None
    assert (seen[1][0].values, seen[1][0].floor) == ("signs", 0.2)
    assert seen[2][0].name == "target_vae" and seen[2][1] == (1.0, 4.0)


def test_levels_in_equal_ratios() -> None:
    np.testing.assert_allclose(parse_levels("0.1:10:3", "--levels"), (0.1, 1, 10))
    assert parse_levels("0.1, 0.2", "--levels") == (0.1, 0.2)


def test_table_of_brackets_and_of_lanes_that_diverged() -> None:
    bracket = curve_table(made_up(listed=False))
    assert [c.header for c in bracket.columns][3:5] == ["at least", "at most"]
    lost = made_up(levels=2)
    lost["bits"][0] = np.nan
    lost["diverged"][0] = True
    assert curve_table(lost).row_count == 2
    assert "3 of 6 lanes diverged" in note(lost)


def test_meter_does_not_take_lanes_found_on_disk_for_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(console.time, "monotonic", lambda: now)
    meter = Meter(30, kept=10, quiet=True)
    meter.update(10, "found", found=10)
    assert meter.left() == "time left not known yet"
    now = 60.0
    meter.update(20, "trained", found=10)
    assert meter.left() == "1:00 left"
    now = 120.0
    meter.update(30, "trained", found=10)
    assert meter.left() == "done"


@pytest.mark.slow
def test_killed_and_run_again_ends_in_the_same_numbers(tmp_path: Path) -> None:
    words = "--system gaussian --bits 4 --dim 6 --units 2 --levels 0.3:1:4 --seeds 2"
    words += " --steps 400 --width 16 --samples 512 --devices"

    def start(out: Path, devices: int) -> subprocess.Popen[bytes]:
        line = [sys.executable, "-m", "capacity", "curve", *words.split(), str(devices)]
        return subprocess.Popen([*line, "--out", str(out)], stdout=subprocess.DEVNULL)

    straight, broken = tmp_path / "straight", tmp_path / "broken"
    assert start(straight, 2).wait(300) == 0
    process = start(broken, 1)
    while not list(broken.glob("parts/*0001-1.npz")):
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL
    assert not (broken / "curve.nc").exists()
    assert start(broken, 1).wait(300) == 0
    one, other = (read_curves(path / "curve.nc")["gaussian"] for path in (straight, broken))
    xr.testing.assert_equal(one, other)
