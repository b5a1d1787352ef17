"""Runs on real file systems: one that is full, one that another machine writes to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import xarray as xr

from capacity.curves.files import read_curves
from capacity.runtime.files.lock import DirectoryLock

ROOT = Path(__file__).parents[3]
CURVE = "curve --system gaussian --bits 4 --dim 6 --units 2 --width 16 --steps 100 --levels 0.3:1:4 --seeds 2 --quiet"


TINY = """
set -e
place=$1; python=$2; shift 2
mount -t tmpfs -o size=$SIZE none "$place"
set +e
"$python" -m capacity "$@"
echo "status $?"
ls -A "$place/run" "$place/run/parts"
set -e
mount -o remount,size=64m "$place"
"$python" -m capacity "$@"
cp -r "$place/run" "$KEEP"
"""


def mounted(script: str, folder: Path, more: dict[str, str]) -> tuple[subprocess.CompletedProcess[str], xr.Dataset]:
    """Run a curve on a real file system that a script mounts and changes: what was printed, and the dataset."""
    place = folder / "disk"
    place.mkdir()
    words = [*CURVE.split(), "--devices", "2", "--out", str(place / "run")]
    done = subprocess.run(
        [*APART, "bash", "-c", script, "bash", str(place), sys.executable, *words],
        env=os.environ | {"KEEP": str(folder / "kept"), "PYTHONPATH": str(ROOT)} | more,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return done, read_curves(folder / "kept" / "curve.nc")["gaussian"]


def pages(*files: Path) -> int:
    """Kilobytes that files take in memory."""
    return sum(-(-file.stat().st_size // 4096) * 4 for file in files)


APART = ("unshare", "--user", "--mount", "--map-root-user")
CHECKPOINTS = """
import pathlib, subprocess, sys
import jax.numpy as jnp
from capacity.runtime.files.checkpoints import Checkpoints
from capacity.runtime.files.store import StoreError

place = pathlib.Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "none", place], check=True)
kept, state = Checkpoints(place, "curve"), {"a": jnp.arange(1000.0), "step": jnp.int32(1)}
kept.save(0, 10, state)
larger = {"a": jnp.sin(jnp.arange(500_000.0)), "step": jnp.int32(2)}
for lane in (0, 1):
    try:
        kept.save(lane, 20, larger)
    except StoreError as error:
        assert "Expected room and leave to write" in str(error) and "No space left" in str(error), error
    else:
        raise SystemExit("a full disk took a checkpoint")
assert int(kept.load(0, state)["step"]) == 1 and kept.load(1, larger) is None
assert [p.name for p in place.rglob("step-*")] == ["step-10"], list(place.rglob("*"))
subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)
kept.save(1, 20, larger)
assert (kept.load(1, larger)["a"] == larger["a"]).all()
print("as it should be")
"""


@pytest.fixture(scope="module")
def apart() -> None:
    """Only where a process may mount file systems that it alone sees."""
    if not shutil.which("unshare") or subprocess.run([*APART, "mount", "-t", "tmpfs", "none", "/mnt"]).returncode:
        pytest.skip("this system lets nobody mount a file system of their own")


@pytest.mark.slow
@pytest.mark.usefixtures("apart")
def test_a_checkpoint_on_a_real_full_disk(tmp_path: Path) -> None:
    words = [*APART, sys.executable, "-c", CHECKPOINTS, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    assert "as it should be" in done.stdout, done.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("apart")
def test_a_real_disk_that_is_full(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "capacity", *CURVE.split(), "--out", tmp_path / "a"], check=True, cwd=ROOT)
    reference = read_curves(tmp_path / "a" / "curve.nc")["gaussian"]
    lanes = pages(*(tmp_path / "a" / "parts").iterdir())
    before = pages(*(tmp_path / "a" / name for name in ("config.json", "command.txt")))
    for stage, size in (("lanes", before + lanes // 2), ("netcdf", before + lanes + 4)):
        folder = tmp_path / stage
        folder.mkdir()
        done, found = mounted(TINY, folder, {"SIZE": f"{size}k"})
        out, err = done.stdout, done.stderr
        assert "status 2" in out and "No space left on device" in err and "goes on from there" in err
        assert "Traceback" not in err
        assert ".tmp" not in out and "curve.nc" not in out and "config.json" in out
        assert 0 < out.count(".npz") < 4 if stage == "lanes" else out.count(".npz") == 4
        xr.testing.assert_equal(found, reference)


@pytest.mark.slow
@pytest.mark.usefixtures("apart")
def test_a_second_machine_is_refused_while_the_first_one_writes(tmp_path: Path) -> None:
    """Names of machines and numbers of processes differ, the directory is the same."""
    out = tmp_path / "run"
    script = 'hostname other; "$@"'
    other = ["unshare", "--user", "--map-root-user", "--uts", "--pid", "--fork", "bash", "-c", script, "bash"]
    out.mkdir()
    with closing(DirectoryLock.take(out)):
        words = [sys.executable, "-m", "capacity", *CURVE.split(), "--out", str(out)]
        done = subprocess.run([*other, *words], capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 2 and "in use" in done.stderr, done.stderr
        assert [path.name for path in out.iterdir()] == [".lock"]
