"""A child process that runs methods on traps, line by line, and is ended where it takes too long."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

Record = dict[str, Any]
ROOT = Path(__file__).parents[2]
START_SECONDS = 300.0
MAX_ANSWERS = 40  # compiled programs and what leaked are let go after so many
# Some tools install a package `tests` of their own, which would stand before this one.
START = """
import sys, types
sys.modules["tests"] = types.ModuleType("tests")
sys.modules["tests"].__path__ = ["tests"]
from tests.benchmarks.traps_worker import main
main()
"""


class Child:
    """One process of `tests.benchmarks.traps_worker` under a Python, started when it is first asked.

    Args:
        python: the program.
        start: what it is given to run; it says a line when it is ready, and answers every line with one.
    """

    def __init__(self, python: str, start: str = START) -> None:
        self.command = [python, "-c", start]
        self.process: subprocess.Popen[bytes] | None = None
        self.answers, self.rest = 0, b""

    def ask(self, request: Record, limit: float) -> Record:
        """The answer; `over_time` where there was none in so many seconds, `crashed` where the process ended."""
        if self.process is None or self.answers >= MAX_ANSWERS:
            self._start()
        assert self.process is not None and self.process.stdin is not None
        start = time.perf_counter()
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
            line = self._line(limit)
        except OSError:
            line = b""
        if line:
            self.answers += 1
            return dict(json.loads(line))
        seconds = time.perf_counter() - start
        if line is None:
            self.end()
            return {"over_time": limit, "seconds": seconds}
        code = self.process.wait()
        self.end()
        return {"crashed": f"the process ended with {code}", "seconds": seconds}

    def end(self) -> None:
        """End the process, if there is one, and what it started."""
        if self.process is not None:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()
        self.process, self.answers, self.rest = None, 0, b""

    def _start(self) -> None:
        self.end()
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = os.environ | {"PYTHONPATH": path}
        self.process = subprocess.Popen(self.command, cwd=ROOT, env=environment, start_new_session=True, **pipes)
        if not self._line(START_SECONDS):
            self.end()
            raise RuntimeError(f"Expected the worker to start under {self.command[0]}; it ended, or said nothing.")

    def _line(self, limit: float) -> bytes | None:
        """The next line; None where there is none in time, nothing where the process has ended."""
        assert self.process is not None and self.process.stdout is not None
        descriptor, deadline = self.process.stdout.fileno(), time.perf_counter() + limit
        while b"\n" not in self.rest:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.perf_counter()))
            if not ready:
                return None
            read = os.read(descriptor, 2**16)
            if not read:
                return b""
            self.rest += read
        line, _, self.rest = self.rest.partition(b"\n")
        return line
