"""Memory is that which this process may still take, not the machine's."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from capacity.runtime import memory
from capacity.runtime.memory import GIB, check_fits, free_memory, left_in_groups

OLD = {
    "memory.limit_in_bytes": "1000",
    "memory.usage_in_bytes": "900",
    "memory.stat": "inactive_file 5\ntotal_inactive_file 50",
}
NEW = {"memory.max": "1000", "memory.current": "900", "memory.stat": "anon 850\ninactive_file 50"}
CASES = {
    "version 2": ("0::/job", "job", NEW, 150),
    "version 2, no limit": ("0::/job", "job", {**NEW, "memory.max": "max"}, math.inf),
    "version 2, above": ("0::/batch/job", "batch", NEW, 150),
    "version 2, from inside a container": ("0::/elsewhere", "", NEW, 150),
    "version 2, without statistics": ("0::/job", "job", {**NEW, "memory.stat": ""}, 100),
    "version 2, beyond its limit": ("0::/job", "job", {**NEW, "memory.current": "2000"}, 0),
    "version 1": ("4:memory:/job", "memory/job", OLD, 150),
    "version 1, of cores alone": ("4:cpu,cpuacct:/job", "memory/job", OLD, math.inf),
    "both": ("4:memory:/job\n0::/job", "unified/job", NEW, 150),
    "none": ("", "job", NEW, math.inf),
}


@pytest.mark.parametrize("name", CASES)
def test_what_control_groups_have_left(tmp_path: Path, name: str) -> None:
    membership, group, files, left = CASES[name]
    (tmp_path / "cgroup").write_text(membership)
    directory = tmp_path / "mount" / group
    directory.mkdir(parents=True)
    for file, content in files.items():
        (directory / file).write_text(content)
    assert left_in_groups(tmp_path / "cgroup", tmp_path / "mount") == left


def test_the_least_of_machine_and_groups_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < free_memory() <= memory._of_machine() * 1.5
    monkeypatch.setattr(memory, "left_in_groups", lambda: 2 * GIB)
    monkeypatch.setattr(memory, "_of_machine", lambda: 64 * GIB)
    assert free_memory() == 2 * GIB
    check_fits(2 * GIB, "a plan", "Lower its sizes.")
    with pytest.raises(
        ValueError, match=r"a plan that fits .* 2.0 GiB are free; got .* 3.0 GiB or more. Lower its sizes"
    ):
        check_fits(3 * GIB, "a plan", "Lower its sizes.")
