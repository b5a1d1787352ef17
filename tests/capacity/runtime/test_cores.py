"""Cores are counted in one place: those that this process may use, not those of the machine."""

from __future__ import annotations

import os

import pytest

from capacity.runtime.devices import cores, workers
from capacity.runtime.executors import executor_pool


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system has no affinity")
@pytest.mark.parametrize("count", [1, 3, 12])
def test_every_count_follows_the_affinity(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(count)))
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert cores() == count
    assert workers() == min(count, 8)
    assert executor_pool("processes").window == 2 * count
