"""Manners: JSON and silence from every command, exit codes, no colour in a pipe, versions, notebooks, progress."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import typer
from curve_examples import made_up

from capacity import Bracket
from capacity.cli.app import app
from capacity.cli.interrupts import STOPPED
from capacity.curves.checks import with_checks
from capacity.curves.files import write_curves
from capacity.results.estimate import Estimate
from capacity.runtime import devices, progress

Command = Callable[..., tuple[int, str, str]]


def test_every_command_takes_json_and_quiet() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert {"curve", "grid", "show", "estimate", "pairwise", "claims", "latent", "report", "list"} <= set(commands)
    for name, command in commands.items():
        options = {word for parameter in command.params for word in parameter.opts}
        assert {"--json", "--quiet"} <= options, name


def test_a_curve_as_json(command: Command, tmp_path: Path) -> None:
    curve = made_up("gaussian", levels=2, seeds=1)
    curve.bits[0, 0] = np.nan
    write_curves(tmp_path / "curve.nc", {"gaussian": with_checks(curve.assign_attrs(trend="falls"))})
    status, out, err = command("show", tmp_path, "--json")
    found = json.loads(out)["curves"]["gaussian"]
    assert status == 0 and not err
    assert found["figures"]["bits"]["values"][0] == [None] and found["figures"]["bits"]["units"] == "bits"
    assert "loss" not in found["figures"] and "lanes inside" in found["checks"]
    assert command("show", tmp_path, "--quiet") == (0, "", "")


def test_lists_as_json_and_as_names(command: Command) -> None:
    found = json.loads(command("list", "--json")[1])
    assert found["estimator"]["ksg"] and found["system"]["gaussian"]
    names = command("list", "--quiet")[1].splitlines()
    assert "estimator ksg" in names and len(names) == sum(map(len, found.values()))


def test_lists_of_some_kinds(command: Command) -> None:
    names = command("list", "systems", "claim", "--quiet")[1].splitlines()
    assert {line.split()[0] for line in names} == {"system", "claim"}
    status, out, err = command("list", "sytems")
    assert status == 2 and not out and "got 'sytem'. Did you mean 'system'?" in err


def test_help_is_there_for_whoever_asks(command: Command) -> None:
    for words in ([], ["-h"], ["--help"]):
        status, out, err = command(*words)
        assert status == 0 and not err and "pairwise" in out
    for name in ("curve", "list"):
        assert command(name, "-h") == command(name, "--help")


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (("--out", "t.csv"), "another file than what is read"),
        (("--out", "link.csv"), "another file than what is read"),
        (("--out", "nowhere/t.csv"), "a folder that is there"),
        (("--plot", "nowhere/t.png"), "a folder that is there"),
        (("--out", "."), "to be a file"),
        (("--plot", "t.bmp"), "to end in .png"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_any_work(
    words: tuple[str, str], refusal: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    table = Path("t.csv")
    table.write_text("a,b\n" + "1,x\n" * 50)  # which no method can take: it is not looked at
    Path("link.csv").symlink_to(table)
    status, out, err = command("pairwise", table, *words)
    assert status == 2 and not out and refusal in err and words[0] in err
    assert table.read_text().startswith("a,b") and len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("more", [(), ("--target", "age")])
def test_no_name_is_a_formula_in_a_table_of_figures(command: Command, tmp_path: Path, more: tuple[str, ...]) -> None:
    rng, names = np.random.default_rng(0), ["age", "=1+1", "@b", "+c", "-d"]
    rows = "".join(",".join(map(str, row)) + "\n" for row in rng.normal(size=(60, 5)))
    (tmp_path / "t.csv").write_text(",".join(names) + "\n" + rows)
    words = ("pairwise", tmp_path / "t.csv", "--method", "gaussian", *more, "--out", tmp_path / "o.csv", "--quiet")
    assert command(*words) == (0, "", "")
    found = pd.read_csv(tmp_path / "o.csv")
    assert {"'=1+1", "'@b", "'+c", "'-d"} <= set(found.column) <= {"age", "'=1+1", "'@b", "'+c", "'-d"}
    assert found.bits.min() < 0 or found.low.min() < 0  # numbers stay numbers


def test_pairwise_as_json(command: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savetxt(tmp_path / "t.csv", rng.normal(size=(100, 2)), delimiter=",", header="a,b", comments="")
    words = ("pairwise", tmp_path / "t.csv", "--method", "gaussian")
    found = json.loads(command(*words, "--json")[1])
    assert found["columns"] == ["a", "b"] and found["bits"][0][0] is None and found["bits"][0][1] == found["bits"][1][0]
    assert command(*words, "--quiet", "--out", tmp_path / "b.csv") == (0, "", "")
    assert (tmp_path / "b.csv").exists()


def test_the_version_names_jax_and_devices(command: Command) -> None:
    status, out, _ = command("--version")
    assert status == 0 and out.startswith("infocapacity")
    assert f"jax {jax.__version__}" in out and f"devices: {jax.device_count()} ×" in out


def test_interrupted_is_130(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(kind: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("capacity.cli.listing.enrolled", stop)
    assert command("list") == (130, "", f"{STOPPED}\n")


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "capacity", *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, env={**os.environ, **environment}, check=False
    )


@pytest.mark.parametrize(
    ("typed", "found"),
    [("curve --system gau", ["gaussian"]), pytest.param("la", ["latent"], marks=pytest.mark.slow)],
)
def test_the_shell_completes_commands_and_names(typed: str, found: list[str]) -> None:
    words = {"COMP_WORDS": f"capacity {typed}", "COMP_CWORD": str(len(typed.split()))}
    said = run(**words, _CAPACITY_COMPLETE="complete_bash").stdout.split()
    assert set(found) <= set(said) and all(word.startswith(typed.split()[-1]) for word in said)


COLOURFUL = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


@pytest.mark.slow
def test_no_colour_in_a_pipe() -> None:
    shown = run("--help", **COLOURFUL)
    assert shown.returncode == 0 and "\x1b" not in shown.stdout


def test_no_colour_in_a_pipe_that_is_closed_and_no_traceback() -> None:
    line = f"{sys.executable} -m capacity list | head -1"
    environment = {**os.environ, **COLOURFUL}
    closed = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, timeout=300, env=environment, check=False
    )
    assert "Traceback" not in closed.stderr and closed.stdout.startswith("kind")


def test_an_unused_gpu_is_pointed_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "nvidia0").touch()
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    monkeypatch.setattr(devices, "GPUS", {"NVIDIA": ((str(tmp_path / "nvidia0"),), "jax[cuda12]")})
    devices.hint_at_gpu(quiet=False)
    assert "pip install 'jax[cuda12]'" in capsys.readouterr().err
    devices.hint_at_gpu(quiet=True)
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    devices.hint_at_gpu(quiet=False)
    monkeypatch.delenv("JAX_PLATFORMS")
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert devices.unused_gpu() == "" and capsys.readouterr().err == ""


def test_results_show_themselves_in_a_notebook() -> None:
    one = Estimate.from_normal(bits=1.5, stderr=0.1, kind="lower", limit=1.6, n=100)
    assert "1.5000" in one._repr_html_() and "saturated" in one._repr_html_()
    many = jax.vmap(lambda v: Estimate.from_samples(nats=v, kind="exact"))(
        jax.random.normal(jax.random.key(0), (30, 16))
    )
    assert many._repr_html_().count("<tr>") == 21 and "the first 20 of 30" in many._repr_html_()
    bracket = Bracket(one, Estimate.from_normal(bits=jnp.inf, stderr=0.0, kind="upper"), "walks & <more>")
    assert "∞" in bracket._repr_html_() and "walks &amp; &lt;more&gt;" in bracket._repr_html_()


def test_progress_is_a_line_a_tenth_in_a_file(capsys: Any) -> None:
    bar = progress.Bar(40)
    for done in range(41):
        bar(done, "lane")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10 and lines[0].startswith("10 %, lane, about") and lines[-1].endswith("done")
    assert progress.reporter(None) is None and isinstance(progress.reporter(True), progress.Bar)
    assert progress.reporter(bar) is bar


def test_progress_in_a_notebook_is_one_bar_that_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    display = pytest.importorskip("IPython.display")
    shown: list[str] = []

    class Handle:
        def update(self, page: Any) -> None:
            shown.append(page.data)

    def first(page: Any, display_id: bool) -> Handle:
        shown.append("first " + page.data)
        return Handle()

    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(display, "display", first)
    bar = progress.Bar(2)
    bar(1, "a <b>")
    bar(2, "b")
    assert shown[0].startswith("first <progress") and "a &lt;b&gt;" in shown[0] and "value='1.0000'" in shown[1]
