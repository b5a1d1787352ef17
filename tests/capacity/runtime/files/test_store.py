"""Files are whole or not there, damage is told, a directory serves one configuration and run."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.curves import parts
from capacity.runtime.files import atomic, temporary
from capacity.runtime.files.atomic import write_atomic
from capacity.runtime.files.store import Store, StoreError, fingerprint

ROOT = Path(__file__).parents[4]
CONFIGURATION = {"gaussian": {"steps": 100, "levels": [0.1, 0.2]}}


def test_fingerprint_tells_numbers_types_shapes_structure_and_keys_apart() -> None:
    trees = [
        jnp.zeros(2),
        jnp.zeros((1, 2)),
        jnp.zeros(2, jnp.int32),
        [jnp.zeros(2)],
        {"a": jnp.zeros(2)},
        jnp.ones(2),
        jax.random.key(0),
        jax.random.key(1),
    ]
    assert len({fingerprint(tree) for tree in trees}) == len(trees)
    assert fingerprint(trees[0], steps=1) != fingerprint(trees[0], steps=2)
    assert fingerprint(trees[0], a=1, b=2) == fingerprint(np.zeros(2, np.float32), b=2, a=1)


def test_fingerprint_refuses_what_is_known_by_its_address() -> None:
    with pytest.raises(ValueError, match="Expected a tree of plain data"):
        fingerprint(jax.tree_util.Partial(lambda x: x))


def test_parts_come_back_as_they_were(tmp_path: Path) -> None:
    arrays = {"bits": np.float32(3.5), "loss": np.arange(5.0), "diverged": np.array(False)}
    with Store.open(tmp_path / "run", CONFIGURATION) as store:
        assert store.load("gaussian-0000") is None
        store.save("gaussian-0000", arrays)
    with Store.open(tmp_path / "run", CONFIGURATION) as store:
        again = store.load("gaussian-0000")
    assert again is not None and again.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(again[name], array, strict=False)
        assert again[name].dtype == array.dtype


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_part_is_put_aside(tmp_path: Path, damage: str) -> None:
    with Store.open(tmp_path, CONFIGURATION) as store:
        store.save("p", {"a": np.arange(100)})
        path = tmp_path / "parts" / "p.npz"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        kept = path.read_bytes()[:-1] if damage == "truncated" else bytes(content)
        path.write_bytes(b"" if damage == "empty" else kept)
        with pytest.warns(UserWarning, match="damaged and will be made again"):
            assert store.load("p") is None
        assert not path.exists() and path.with_name("p.corrupt").exists()
        store.save("p", {"a": np.arange(100)})
        assert store.load("p") is not None


def test_lanes_come_back_from_groups_of_any_size(tmp_path: Path) -> None:
    lanes = [{"bits": np.float32(i), "loss": np.arange(5.0) + i, "diverged": np.array(i == 3)} for i in range(6)]
    with Store.open(tmp_path, CONFIGURATION) as store:
        for group in ([0, 1], [4], [2, 3, 5]):
            parts.save_lanes(store, "gaussian", group, [lanes[i] for i in group])
        parts.save_lanes(store, "gaussian-more", [7], [lanes[0]])
        assert parts.count_lanes(store, "gaussian") == 6 and parts.count_lanes(store, "gaus") == 0
        (tmp_path / "parts" / "gaussian-0000-2.npz").write_bytes(b"")
        with pytest.warns(UserWarning, match="damaged"):
            found = parts.load_lanes(store, "gaussian")
    assert sorted(found) == [2, 3, 4, 5]
    for i, arrays in found.items():
        assert arrays.keys() == lanes[i].keys()
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, lanes[i][name])
            assert array.dtype == lanes[i][name].dtype and array.shape == lanes[i][name].shape


@pytest.mark.parametrize("name", ["", "a/b", "../a", ".hidden"])
def test_a_part_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    with Store.open(tmp_path, CONFIGURATION) as store, pytest.raises(ValueError, match="Expected"):
        store.save(name, {})


def test_another_configuration_is_refused_by_what_differs(tmp_path: Path) -> None:
    Store.open(tmp_path, CONFIGURATION).close()
    before = (tmp_path / "config.json").read_bytes()
    other = {"gaussian": {"steps": 200, "levels": [0.1, 0.2]}, "vae": {"steps": 200}}
    words = r"gaussian\.steps=100 \(now 200\), vae=absent \(now present\)\. Choose another --out"
    with pytest.raises(StoreError, match=words):
        Store.open(tmp_path, other)
    assert (tmp_path / "config.json").read_bytes() == before


def test_a_directory_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match=r"Expected an empty directory.*thesis\.txt"):
        Store.open(tmp_path, CONFIGURATION)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(StoreError, match="Expected a directory that can be written"):
        Store.open(tmp_path / "thesis.txt", CONFIGURATION)


def test_a_configuration_that_is_not_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(StoreError, match="to be JSON"):
        Store.open(tmp_path, CONFIGURATION)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with Store.open(tmp_path, CONFIGURATION):
        with pytest.raises(StoreError, match="no other run is using"):
            Store.open(tmp_path, CONFIGURATION)
    Store.open(tmp_path, CONFIGURATION).close()


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    path.write_text("before")

    def fail(target: Path) -> None:
        target.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, fail)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


KILLED_BETWEEN_WRITING_AND_RENAMING = """
import os, signal, sys
from pathlib import Path
import numpy as np
from capacity.runtime.files.store import Store
store = Store.open(sys.argv[1], {})
store.save("first", {"x": np.arange(3)})
Path.replace = lambda self, target: os.kill(os.getpid(), signal.SIGKILL)
store.save("second", {"x": np.arange(3)})
"""


def words(text: str) -> Callable[[Path], None]:
    def write(target: Path) -> None:
        target.write_text(text)

    return write


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664])
def test_what_is_there_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "figures.csv"
    path.write_text("old")
    path.chmod(mode)
    write_atomic(path, words("new"))
    assert path.read_text() == "new" and path.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_a_link(tmp_path: Path, there: bool) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "figures.csv", tmp_path / "link.csv"
    if there:
        target.write_text("old")
    link.symlink_to(target)
    write_atomic(link, words("new"))
    assert link.is_symlink() and target.read_text() == "new"
    assert [file.name for file in (tmp_path / "elsewhere").iterdir()] == ["figures.csv"]


def test_a_device_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    write_atomic(Path(os.devnull), words("new"))
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as threads:
        read = threads.submit(pipe.read_text)
        write_atomic(pipe, words("new"))
        assert read.result(60) == "new" and stat.S_ISFIFO(pipe.stat().st_mode)
    link = tmp_path / "null"
    link.symlink_to(os.devnull)
    write_atomic(link, words("new"))
    assert link.is_symlink() and stat.S_ISCHR(link.stat().st_mode)


def test_a_folder_is_no_place_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Is a directory"):
        write_atomic(tmp_path, words("new"))
    assert not list(tmp_path.iterdir())


def test_what_a_kill_leaves_half_way_is_no_part_and_is_swept(tmp_path: Path) -> None:
    assert subprocess.run([sys.executable, "-c", KILLED_BETWEEN_WRITING_AND_RENAMING, str(tmp_path)]).returncode == -9
    assert len(list((tmp_path / "parts").iterdir())) == 2
    with Store.open(tmp_path, {}) as store:
        assert store.names("") == ["first"] and store.load("second") is None
        assert [path.name for path in (tmp_path / "parts").iterdir()] == ["first.npz"]


@pytest.mark.parametrize("lanes", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_run_of_many_lanes_is_read_in_one_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lanes: int) -> None:
    """As many parts, each its own file; listing the directory for each of them would be four million names."""
    monkeypatch.setattr(atomic, "_flush", lambda path: None)
    listed = []
    monkeypatch.setattr(temporary, "remove_leftovers", lambda folder: listed.append(folder))
    temporary._remove_once.cache_clear()
    lane = {"bits": np.float32(1.5), "diverged": np.array(False)}
    with Store.open(tmp_path, CONFIGURATION) as store:
        for i in range(lanes):
            parts.save_lanes(store, "gaussian", [i], [lane], "plan")
        found = parts.load_lanes(store, "gaussian", "plan")
    assert sorted(found) == list(range(lanes)) and parts.count_lanes(store, "gaussian") == lanes
    assert len(listed) == len(set(listed)) == 2


def test_no_clock_that_can_be_set_decides_anything() -> None:
    """A jump of the clock, by a second or a year, changes no run: durations are by clocks that only go forward."""
    set_by_hand = re.compile(r"time\.time\(|datetime\.(now|today|utcnow)|st_mtime|st_ctime|date\.today")
    files = [path for folder in ("capacity", "synthetic") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 100
    assert [path for path in files if set_by_hand.search(path.read_text())] == []


def test_a_file_larger_than_the_process_may_write_is_a_full_disk(tmp_path: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
import numpy as np
from capacity.runtime.files.store import Store, StoreError
with Store.open(sys.argv[1], {}) as store:
    store.save("small", {"x": np.arange(3)})
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
    try:
        store.save("large", {"x": np.arange(100_000)})
    except StoreError as error:
        print(error)
    assert store.names("") == ["small"] and store.load("small") is not None
    print(len(list((Path(sys.argv[1]) / "parts").iterdir())))
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said, files = done.stdout.splitlines()
    assert "Expected room and leave to write" in said and "File too large" in said and files == "1"
