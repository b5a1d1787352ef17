"""How far long work has come: a bar in a notebook, a line that rewrites itself in a terminal, else a line a tenth."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from html import escape
from importlib import import_module
from typing import Any, Literal, TypeAlias

from capacity.runtime.names import shown

Progress: TypeAlias = Callable[[float, str], None]
"""Called with how much is done, a share from 0 to 1, and what was just done."""
TENTHS = 10


class Bar:
    """Called with how much of `total` is done and what was just done; see `progress=` of `capacity.capacity_curve`.

    Args:
        total: what counts as all of it.
    """

    def __init__(self, total: float = 1.0):
        self.total, self.started, self.lines = total, time.monotonic(), 0
        self.handle: Any = None

    def __call__(self, done: float, text: str) -> None:
        """Show how much is done, in the unit of `total`, and what was done last."""
        share = min(max(done / self.total, 0.0), 1.0) if self.total else 1.0
        words = f"{100 * share:.0f} %, {shown(text)}, {self._left(share)}"
        if in_notebook():
            self._display(share, words)
        elif sys.stderr.isatty():
            end = "\n" if share == 1.0 else ""
            print(f"\r\033[K{words}", end=end, file=sys.stderr, flush=True)
        elif self.lines < int(TENTHS * share):
            self.lines = int(TENTHS * share)
            print(words, file=sys.stderr)

    def _display(self, share: float, words: str) -> None:
        display: Any = import_module("IPython.display")  # its functions are not typed
        page = display.HTML(f"<progress max='1' value='{share:.4f}' style='width:20em'></progress> {escape(words)}")
        if self.handle is None:
            self.handle = display.display(page, display_id=True)
        else:
            self.handle.update(page)

    def _left(self, share: float) -> str:
        if share >= 1.0:
            return "done"
        if share <= 0.0:
            return "time left not known yet"
        seconds = (time.monotonic() - self.started) * (1 - share) / share
        minutes, rest = divmod(round(seconds), 60)
        return f"about {minutes}:{rest:02d} left"


def reporter(progress: Progress | Literal[True] | None) -> Progress | None:
    """What a caller's `progress` means: True is a bar of its own, None is silence."""
    return Bar() if progress is True else progress


def in_notebook() -> bool:
    """Whether this runs in a notebook's kernel."""
    found = sys.modules.get("IPython")
    shell = found.get_ipython() if found is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"
