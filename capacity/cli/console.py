"""What the command shows in a terminal: a table of a curve, and how far the work has come."""

from __future__ import annotations

import sys
import time
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TimeElapsedColumn,
)
from rich.text import Text

from capacity.cli.say import harmless, say_aside

PLAIN_LINES = 10


class HarmlessConsole(Console):
    """Shows every string as it is written, control characters as escapes: no markup, no names of emoji."""

    def render_str(self, text: str, **options: Any) -> Text:
        """As rich does, of a text that says nothing to the console."""
        return super().render_str(harmless(text), **(options | {"markup": False, "emoji": False}))


def output() -> Console:
    """Standard output: as wide as the terminal; in a pipe or file, no line is broken."""
    return HarmlessConsole() if sys.stdout.isatty() else HarmlessConsole(width=200)


def live_bar(*columns: ProgressColumn) -> Progress | None:
    """A bar of these columns on stderr; None where that is no terminal."""
    console = HarmlessConsole(stderr=True)
    return Progress(*columns, console=console) if console.is_terminal else None


class Words(ProgressColumn):
    """What is being done, as it is written."""

    def render(self, task: Task) -> Text:
        return Text(harmless(task.description))


class Meter:
    """Progress and time left, on stderr: a live bar in a terminal, else a line for each tenth.

    `total` counts all lanes, `kept` those of them that an earlier run has finished: they take no time.
    """

    def __init__(self, total: int, kept: int = 0, *, quiet: bool = False):
        self.total, self.kept, self.quiet = total, kept, quiet
        self.done = self.found = self.lines = 0
        self.started = self.last = time.monotonic()
        columns = Words(), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), _TimeLeft(self)
        self.bar = None if quiet else live_bar(*columns)
        if self.bar:
            self.task = self.bar.add_task("compiling", total=total)

    def __enter__(self) -> Self:
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Leave the bar as it is."""
        if self.bar:
            self.bar.stop()

    def update(self, done: int, message: str, found: int = 0) -> None:
        """Note how many lanes are done, how many of these were found on disk, and what was last."""
        self.done, self.found, self.last = done, found, time.monotonic()
        if self.bar:
            self.bar.update(self.task, completed=done, description=message)
        elif not self.quiet and self.lines < PLAIN_LINES * done // self.total:
            self.lines = PLAIN_LINES * done // self.total
            say_aside(f"{100 * done // self.total} % ({done} of {self.total} lanes), {message}, {self.left()}")

    def left(self) -> str:
        """Time left, in words: from the time that a lane took so far."""
        if self.done == self.total:
            return "done"
        trained = self.done - self.found
        if trained <= 0:
            return "time left not known yet"
        missing = self.total - self.kept - trained
        since = time.monotonic() - self.last
        seconds = (self.last - self.started) * missing / trained - since
        minutes, rest = divmod(round(max(seconds, 0.0)), 60)
        return f"{minutes}:{rest:02d} left"


class _TimeLeft(ProgressColumn):
    """The meter's own estimate: rich's takes lanes found on disk for speed."""

    def __init__(self, meter: Meter):
        super().__init__()
        self.meter = meter

    def render(self, task: Task) -> Text:
        return Text(self.meter.left())
