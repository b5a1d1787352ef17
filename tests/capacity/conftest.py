"""The command line run inside the tests' own process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from capacity.cli import claims as cli_claims
from capacity.cli import working as cli
from capacity.cli.app import main
from capacity.runtime import start

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*words: Any) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["capacity", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert isinstance(stopped.value.code, int)
        return stopped.value.code, *capsys.readouterr()

    # The tests' own process keeps the devices that it has, and no compiled programs.
    monkeypatch.setattr(cli, "set_devices", lambda asked: None)
    monkeypatch.setattr(start, "keep_compiled", lambda: None)
    monkeypatch.setattr(cli_claims, "set_devices", lambda asked: None)
    return run
