"""Ctrl-C ends in a sentence and exit status 130, at whatever module the program is; workers end with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from curve_examples import made_up

from capacity.cli.interrupts import STOPPED, InterruptError, leave_when_interrupted, raise_when_interrupted
from capacity.curves.files import write_curves

TINY = "curve --system gaussian --bits 4 --dim 6 --units 2 --width 16 --steps 100 --levels 0.3:1:4 --seeds 2 --quiet"


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Whoever runs the tests in the background (nohup, &) ignores SIGINT, and so would every process started here."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted_at(module: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command, sent SIGINT by itself as it begins to import a module."""
    script = f"""
import os, signal, sys
from capacity.__main__ import enter

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
sys.argv = ["capacity", *{list(words)!r}]
enter()
"""
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("capacity.cli.app", "list"),
        ("typer", "list"),
        ("capacity.cli.refusals", "curve"),
        ("jax", "curve"),
        *(pytest.param(module, "curve", marks=pytest.mark.slow) for module in ("jaxlib", "flax", "optax", "xarray")),
        pytest.param("capacity.claims.run", "claims", marks=pytest.mark.slow),
    ],
)
def test_while_modules_load_it_says_its_sentence(tmp_path: Path, module: str, command: str) -> None:
    done = interrupted_at(module, command, *([] if command == "list" else ["--out", str(tmp_path / "run")]))
    assert (done.returncode, done.stdout, done.stderr) == (130, "", f"{STOPPED}\n")
    assert not (tmp_path / "run").exists()


def test_at_the_very_end_it_changes_nothing() -> None:
    """While Python takes its modules down it has given signals back, and one that is not ignored kills."""
    script = """
import os, signal, sys
from capacity.__main__ import enter

class Late:
    def __del__(self, kill=os.kill, number=os.getpid(), sent=signal.SIGINT):
        kill(number, sent)

late = Late()
sys.argv = ["capacity", "--help"]
enter()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and "Usage: capacity" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.1, 0.2, 0.4, 0.8, 1.2, 1.6, 2.0, 3.0])
def test_at_any_delay_it_says_its_sentence(tmp_path: Path, delay: float) -> None:
    """Counted from where the program begins: before that it is Python that starts, and answers for itself."""
    words = ["capacity", *TINY.split(), "--out", str(tmp_path / "run")]
    script = f"""
import sys
from capacity.__main__ import enter
sys.argv = {words!r}
print("begun", flush=True)
enter()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=120)[1]
    assert "Traceback" not in said and "Stopped. " in said and process.returncode == 130


def test_once_work_has_begun_it_is_an_exception_and_the_second_time_the_end() -> None:
    script = """
import os, signal, sys
from capacity.cli.interrupts import leave_when_interrupted, raise_when_interrupted
leave_when_interrupted()
raise_when_interrupted()
try:
    exec("os.kill(os.getpid(), signal.SIGINT)")
except KeyboardInterrupt as stopped:
    print(type(stopped).__name__, flush=True)
os.kill(os.getpid(), signal.SIGINT)
print("lost")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "InterruptError\n", f"{STOPPED}\n")
    assert issubclass(InterruptError, KeyboardInterrupt)


@pytest.mark.parametrize("times", [1, 2])
def test_a_terminal_has_its_cursor_again(tmp_path: Path, times: int) -> None:
    """Under a progress bar, however often Ctrl-C comes."""
    script = f"""
import os, signal, time
from capacity.cli.interrupts import leave_when_interrupted, raise_when_interrupted, say_stopped
from capacity.cli.console import Meter
leave_when_interrupted()
with Meter(2, 0) as meter:
    try:
        raise_when_interrupted()
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        if {times} > 1:
            os.kill(os.getpid(), signal.SIGINT)
        meter.stop()
        say_stopped()
"""
    ours, theirs = os.openpty()
    with subprocess.Popen([sys.executable, "-c", script], stderr=theirs, env=os.environ | {"TERM": "xterm"}) as process:
        os.close(theirs)
        said = b""
        with suppress(OSError):  # the end of a terminal
            while more := os.read(ours, 4096):
                said += more
    os.close(ours)
    assert process.returncode == (0 if times == 1 else 130)
    assert b"\x1b[?25l" in said and said.rindex(b"\x1b[?25h") > said.rindex(b"\x1b[?25l")
    assert said.endswith(b"\r\n" + STOPPED.encode() + b"\r\n") or times == 1


def test_threads_still_at_work_do_not_abort_what_was_stopped() -> None:
    """A thread that is not Python's ends badly where Python has gone: nothing is taken down under it."""
    script = """
import atexit, signal, sys
from capacity.__main__ import enter
import capacity.cli.app as app

class Taken:
    def __del__(self):
        print("taken down")

def stopped():
    atexit.register(print, "tidied")
    app.kept = Taken()
    sys.exit(130)

app.main = stopped
enter()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "tidied\n", "")


def test_a_handler_of_somebody_else_and_none_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the background of a shell Ctrl-C is ignored; in a notebook it is the notebook's."""
    before = signal.getsignal(signal.SIGINT)
    try:
        for handler in (signal.SIG_IGN, lambda number, frame: None):
            signal.signal(signal.SIGINT, handler)
            leave_when_interrupted()
            raise_when_interrupted()
            assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, InterruptError])
def test_after_the_lanes_it_says_its_sentence_too_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Callable[..., tuple[int, str, str]], kind: type
) -> None:
    """While a figure is drawn, where no command waits for it: the command line's library ends without a word."""

    def interrupted(*_: object) -> None:
        raise kind

    write_curves(tmp_path / "curve.nc", {"gaussian": made_up()})
    monkeypatch.setattr("capacity.plots.curve.save_figure", interrupted)
    for _ in range(2):
        assert command("show", tmp_path) == (130, "", f"{STOPPED}\n")
