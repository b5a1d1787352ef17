"""Ctrl-C ends in a sentence and exit status 130, whatever the program is busy with.

While modules load, an exception may be lost in somebody else's `except`, or end in a traceback: so until work begins
the process leaves at once.  From then on Ctrl-C is an exception, so that whoever works can say what is kept; where that
is lost, the next one leaves at once.  This module imports little: it is there first.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import Never

INTERRUPTED = 130
SHOW_CURSOR = b"\x1b[?25h\r\n"
STOPPED = "Stopped. What is on disk is whole: the same command goes on from there, or starts again."


_said: list[str] = []


def say_stopped(sentence: str = STOPPED) -> None:
    """Say on stderr, once in a run of the command, that it was stopped: the first sentence knows best what is kept."""
    if not _said:
        _said.append(sentence)
        from capacity.cli.say import say_aside

        say_aside(sentence)


def forget() -> None:
    """Before a run of the command: nothing was said."""
    _said.clear()


class InterruptError(KeyboardInterrupt):
    """Of a class of its own: Python kills a process in which an `exec` has seen a plain one, whoever caught it."""


def leave_when_interrupted() -> None:
    """From now on, leave at once; where Ctrl-C is ignored or somebody's own, it stays so."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def raise_when_interrupted() -> None:
    """From now on, raise `InterruptError`, once; where `leave_when_interrupted` has not taken over, nothing changes."""
    if signal.getsignal(signal.SIGINT) in (_leave, _leave_work):
        signal.signal(signal.SIGINT, _raise)


def ignore_from_now() -> None:
    """All is done: while Python takes itself down it gives signals back, and Ctrl-C would kill without a word."""
    if signal.getsignal(signal.SIGINT) in (_leave, _leave_work, _raise):
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def leave() -> Never:
    """End here, tidily: where Python goes on to take itself down, JAX's threads, still at work, abort the process."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or none
            stream.flush()
    os._exit(INTERRUPTED)


def _leave(number: int, frame: FrameType | None) -> Never:
    with suppress(OSError):  # a closed stderr
        os.write(2, f"{STOPPED}\n".encode())
    os._exit(INTERRUPTED)


def _leave_work(number: int, frame: FrameType | None) -> Never:
    """As `_leave`, from under a progress bar: it has hidden the cursor, and its line is not at its end."""
    with suppress(OSError):
        if os.isatty(2):
            os.write(2, SHOW_CURSOR)
    _leave(number, frame)


def _raise(number: int, frame: FrameType | None) -> Never:
    signal.signal(signal.SIGINT, _leave_work)
    raise InterruptError
