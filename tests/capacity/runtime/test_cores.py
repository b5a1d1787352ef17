"""Cores are counted in one place: those that this process may use, not those of the machine."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

import pytest

from capacity.runtime import cores as counting
from capacity.runtime.cores import cores, quota
from capacity.runtime.devices import workers
from capacity.runtime.executors import executor_pool

ROOT = Path(__file__).parents[3]
affinity = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system has no affinity")


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """An affinity of 16 of 64 cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)))
    monkeypatch.setattr(os, "cpu_count", lambda: 64)


@affinity
@pytest.mark.parametrize("count", [1, 3, 12])
def test_every_count_follows_the_affinity(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(counting, "quota", lambda: math.inf)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(count)))
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert cores() == count
    assert workers() == min(count, 8)
    assert executor_pool("processes").window == 2 * count


@affinity
@pytest.mark.parametrize(
    ("share", "count"), [(0.05, 1), (1.0, 1), (1.5, 2), (2.0, 2), (2.01, 3), (40.0, 16), (math.inf, 16)]
)
def test_a_quota_is_rounded_up_and_never_beyond_the_affinity(
    monkeypatch: pytest.MonkeyPatch, many: None, share: float, count: int
) -> None:
    monkeypatch.setattr(counting, "quota", lambda: share)
    assert cores() == count
    assert workers() == min(count, 8)
    assert executor_pool("processes").window == 2 * count


def groups(tmp_path: Path, membership: str, files: dict[str, str]) -> float:
    """The quota where these are the process's groups and their files."""
    (tmp_path / "cgroup").write_text(membership)
    for name, content in files.items():
        (tmp_path / "mount" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mount" / name).write_text(content)
    return quota(tmp_path / "cgroup", tmp_path / "mount")


V1 = "4:memory:/a\n3:cpu,cpuacct:/docker/a\n"


@pytest.mark.parametrize(
    ("membership", "files", "found"),
    {
        "version 2, in a container": ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        "version 2, no limit": ("0::/\n", {"cpu.max": "max 100000\n"}, math.inf),
        "version 2, the least of all above": (
            "0::/slice/job/step\n",
            {"slice/cpu.max": "400000 100000", "slice/job/cpu.max": "50000 100000", "slice/job/step/cpu.max": "max 1"},
            0.5,
        ),
        "version 2, a path of outside": ("0::/docker/not/here\n", {"cpu.max": "300000 100000"}, 3.0),
        "version 2 beside version 1": ("1:cpu:/\n0::/a\n", {"unified/a/cpu.max": "200000 100000"}, 2.0),
        "version 1": (
            V1,
            {
                "cpu,cpuacct/docker/a/cpu.cfs_quota_us": "250000\n",
                "cpu,cpuacct/docker/a/cpu.cfs_period_us": "100000\n",
            },
            2.5,
        ),
        "version 1, a path of outside": (
            V1, {"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "50000"}, 2.0
        ),
        "version 1, no limit": (V1, {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, math.inf),
        "another controller's": ("3:cpuset:/\n", {"cpu/cpu.cfs_quota_us": "1", "cpu/cpu.cfs_period_us": "1"}, math.inf),
        "damaged": ("0::/\n", {"cpu.max": "many"}, math.inf),
        "a period of nothing": ("0::/\n", {"cpu.max": "100000 0"}, math.inf),
        "no groups at all": ("", {}, math.inf),
    }.values(),
)  # fmt: skip
def test_the_quota_is_that_of_the_groups(tmp_path: Path, membership: str, files: dict[str, str], found: float) -> None:
    assert groups(tmp_path, membership, files) == found


def test_a_system_without_groups_has_no_quota(tmp_path: Path) -> None:
    assert quota(tmp_path / "none", tmp_path / "none") == math.inf


def test_nobody_else_counts() -> None:
    count = re.compile(r"cpu_count|sched_getaffinity|multiprocessing\.cpu")
    folders = [ROOT / name for name in ("capacity", "synthetic", "notebooks", "docs", "tests")]
    own = {Path(__file__), Path(counting.__file__), ROOT / "tests/craft.py"}
    others = [file for folder in folders for file in folder.rglob("*.py") if file not in own]
    assert [str(file) for file in others if count.search(file.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("limit", ["", "max", "x y", "1", "-1 5", "5 0", "5 -5", "9" * 400 + " 1", "1.5 1", "\0"])
def test_a_limit_that_is_none_limits_nothing(tmp_path: Path, limit: str) -> None:
    assert groups(tmp_path, "0::/a\n", {"a/cpu.max": limit}) == math.inf
    assert groups(tmp_path, "junk\n::\n0::/a\0b\n", {"a/cpu.max": "1 1"}) == math.inf
