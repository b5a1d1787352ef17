"""What a killed writer left is removed by the next one in that place; a living writer's, and anybody else's, stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from capacity.runtime.files import temporary
from capacity.runtime.files.atomic import write_atomic
from capacity.runtime.files.store import Store
from capacity.runtime.files.temporary import remove_leftovers, temporary_file

KILLED = """
import os, signal, sys
from pathlib import Path
from capacity.runtime.files.atomic import write_atomic

def write(target):
    target.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)

write_atomic(Path(sys.argv[1]), write)
"""


def left_by_a_killed_writer(folder: Path, name: str = "figures.csv") -> Path:
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder / name)])
    assert done.returncode == -signal.SIGKILL
    (left,) = folder.glob(".capacity-*")
    return left


def test_a_killed_writers_file_is_removed_by_the_next_write_there(tmp_path: Path) -> None:
    left = left_by_a_killed_writer(tmp_path)
    assert left.name.endswith(".tmp.csv") and left.read_text() == "half"

    def write(target: Path) -> None:
        target.write_text("whole")

    write_atomic(tmp_path / "other.png", write)
    assert [path.name for path in tmp_path.iterdir()] == ["other.png"]


def test_a_living_writers_file_stays(tmp_path: Path) -> None:
    own = temporary_file(tmp_path, ".nc")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        theirs = own.with_name(own.name.replace(f"-{os.getpid()}-", f"-{other.pid}-"))
        theirs.touch()
        remove_leftovers(tmp_path)
        assert own.exists() and theirs.exists()
        other.kill()
        other.wait()
    remove_leftovers(tmp_path)
    assert own.exists() and not theirs.exists()


@pytest.mark.parametrize("other", ["boot", "node", "processes"])
def test_a_file_of_another_machine_or_container_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """Whatever process has that number here: on a shared directory nobody knows who lives over there."""
    left = left_by_a_killed_writer(tmp_path)
    temporary._here.cache_clear()
    with monkeypatch.context() as elsewhere:
        if other == "boot":
            (tmp_path / "boot_id").write_text("another")
            elsewhere.setattr(temporary, "BOOT", tmp_path / "boot_id")
        elif other == "node":
            elsewhere.setattr("platform.node", lambda: "another")
        else:
            (tmp_path / "pid").symlink_to("pid:[1]")
            elsewhere.setattr(temporary, "TABLE", tmp_path / "pid")
        remove_leftovers(tmp_path)
        assert left.exists()
    temporary._here.cache_clear()
    remove_leftovers(tmp_path)
    assert not left.exists()


def test_whatever_is_not_surely_ours_stays(tmp_path: Path) -> None:
    left = left_by_a_killed_writer(tmp_path)
    names = [".x.tmp.csv", "capacity.csv", left.name[1:], f"{left.name}.old.tmp", left.name.replace(".tmp", ".mine")]
    names += [left.name.replace("-", "_"), f".capacity-{temporary._here()}-0-x.tmp", f".capacity-{temporary._here()}"]
    names += [f".capacity-{temporary._here()}-{'9' * 40}-x.tmp.csv"]
    for name in names:
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def test_a_folder_that_is_read_only_or_missing_is_no_obstacle(tmp_path: Path) -> None:
    remove_leftovers(tmp_path / "nowhere")
    temporary._remove_once(tmp_path / "nowhere")


def test_what_cannot_be_removed_stays_and_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / f".capacity-{temporary._here()}-999999999-folder.tmp").mkdir()
    remove_leftovers(tmp_path)
    Store.open(tmp_path / "run", {}).close()
    (tmp_path / "run" / f".capacity-{temporary._here()}-999999999-folder.tmp").mkdir()
    Store.open(tmp_path / "run", {}).close()
