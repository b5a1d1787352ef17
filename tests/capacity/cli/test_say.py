"""Whatever others have written is shown harmlessly: raw escapes and markup in names of columns, arrays and files."""

from __future__ import annotations

import ast
import io
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from curve_examples import made_up
from matplotlib.figure import Figure
from rich.progress import Progress

import capacity.cli
from capacity.cli.console import HarmlessConsole, Meter, Words
from capacity.cli.say import harmless
from capacity.cli.streams import once_each
from capacity.curves.files import write_curves
from capacity.plots import curve
from capacity.runtime import progress

Command = Callable[..., tuple[int, str, str]]
HOSTILE = "a\x1b[31m\x1b]0;t\x07 [bold]rate [/s] :smile:\u202e\x9b"
RAW = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")
SHOWN = r"a\x1b[31m\x1b]0;t\x07 [bold]rate [/s] :smile:\u202e\x9b"


def test_one_function_shows_names() -> None:
    assert harmless(HOSTILE) == SHOWN and harmless("σ ≥ 1\n± 2") == "σ ≥ 1\n± 2"


def test_no_command_prints_past_it() -> None:
    """`say` and the console of tables are the only ways out."""
    found = []
    for file in Path(capacity.cli.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                found.append(file.name)
            if isinstance(node, ast.Name) and node.id == "Console" and file.name != "console.py":
                found.append(file.name)
    assert set(found) == {"say.py"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp_path = tmp_path_factory.mktemp("hostile")
    rng = np.random.default_rng(0)
    rows = "\n".join(",".join(f"{value:.3f}" for value in row) for row in rng.normal(size=(40, 3)))
    (tmp_path / "t.csv").write_text(f"{HOSTILE},b,c\n{rows}\n", encoding="utf-8")
    (tmp_path / "s.csv").write_text(f"{HOSTILE},b,c\n" + "1,,x\n" * 30, encoding="utf-8")
    np.savez(tmp_path / "t.npz", **{HOSTILE: rng.normal(size=40), "x": rng.normal(size=40), "y": rng.normal(size=40)})
    np.save(tmp_path / "v.npy", np.zeros(3, [(HOSTILE, "f4")]))
    bad = made_up("gaussian", levels=2, seeds=1).assign_attrs(title=HOSTILE, system=HOSTILE)
    (tmp_path / "run").mkdir()
    write_curves(tmp_path / "run" / "curve.nc", {HOSTILE.replace("/", ""): bad.assign(diverged=bad.diverged | True)})
    (tmp_path / "other").mkdir()
    write_curves(tmp_path / "other" / "curve.nc", {"gaussian": made_up(levels=2).rename(loss=HOSTILE.replace("/", ""))})
    return tmp_path


@pytest.fixture
def files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that the commands name, in the working directory."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(curve, "curve_figure", lambda datasets: Figure())


COMMANDS = {
    "a matrix": ("pairwise", "t.csv", "--method", "gaussian"),
    "a ranking": ("pairwise", "t.csv", "--method", "gaussian", "--target", SHOWN),
    "json": ("pairwise", "t.csv", "--method", "gaussian", "--json"),
    "missing values": ("pairwise", "s.csv"),
    "notes": ("pairwise", "s.csv", "--missing", "drop"),
    "a target": ("pairwise", "t.csv", "--target", HOSTILE + "x"),
    "columns": ("estimate", "t.csv", "--x", "q", "--y", "b"),
    "none": ("estimate", "t.csv"),
    "arrays": ("estimate", "t.npz", "--x", "q"),
    "a dtype": ("estimate", "v.npy", "v.npy"),
    "one array": ("latent", "--means", "t.npz", "--logvars", "t.npz"),
    "a file": ("estimate", f"{HOSTILE}.npy", "v.npy"),
    "an option": ("list", f"--{HOSTILE}"),
    "a command": (HOSTILE,),
    "a kind": ("list", HOSTILE),
    "a claim": ("claims", HOSTILE),
    "a system": ("curve", "--system", HOSTILE),
    "a choice": ("curve", "--system", "dropout", "--set", HOSTILE),
    "levels": ("curve", "--system", "vae", "--levels", HOSTILE),
    "data": ("curve", "--data", f"{HOSTILE}.csv"),
    "a folder": ("show", HOSTILE),
    "a page": ("report", HOSTILE),
    "a curve": ("show", "run"),
    "a curve as json": ("show", "run", "--json"),
    "no curve": ("show", "other"),
}


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("words", [pytest.param(words, id=name) for name, words in COMMANDS.items()])
def test_hostile_names_are_shown_harmlessly(words: tuple[str, ...], command: Command) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        status, out, err = command(*words)
    assert status in (0, 2) and not RAW.search(out) and not RAW.search(err), (out, err)
    assert (out + err).strip()


@pytest.mark.usefixtures("files")
def test_markup_stays_text(command: Command) -> None:
    out = command("pairwise", "t.csv", "--method", "gaussian")[1]
    assert SHOWN in out and "rate [/s]" in out
    assert "[bold]rate [/s] :smile:" in command("show", "run")[1]


def test_bars_and_warnings_are_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    progress.Bar(1)(1, HOSTILE)
    Meter(1).update(1, HOSTILE)
    console = HarmlessConsole(file=io.StringIO(), force_terminal=True, width=200, color_system=None)
    meter = Meter(2, quiet=True)
    with Progress(Words(), console=console) as bar:
        bar.add_task(HOSTILE, total=1)
    assert meter.left() and not RAW.search(capsys.readouterr().err)
    assert SHOWN in console.file.getvalue()  # type: ignore[attr-defined]
    write = once_each()
    assert write(HOSTILE) == f"Warning: {SHOWN}\n" and write(HOSTILE) == ""
