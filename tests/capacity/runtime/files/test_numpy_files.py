"""`.npy` and `.npz` files are looked at before they are read: nothing is taken on trust, nothing unpacked in vain."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from capacity.runtime import memory
from capacity.runtime.files.arrays import read_arrays, read_one
from capacity.runtime.files.numpy_files import read_npy, read_npz

HUGE = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"


def header(text: str) -> bytes:
    head = text.encode("latin1").ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + bytes(64)


def archive(content: bytes, **changes: int) -> bytes:
    """A zip of one member, with bytes of its entry in the directory changed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("x.npy", content)
    whole = bytearray(stream.getvalue())
    entry = whole.rfind(b"PK\x01\x02")
    for offset, value in changes.items():
        whole[entry + int(offset[1:])] = value
    return bytes(whole)


def saved(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.npy", header("{'descr': '<f8', 'fortran_order': False, 'shape': (10**12,), }"), "cannot be read"),
        (
            "a.npy",
            header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"),
            "it declares 8,000,",
        ),
        ("a.npy", header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }"), "with a shape"),
        ("a.npy", header("{"), "cannot be read"),
        ("a.npy", header("(" * 110), "cannot be read"),
        ("a.npy", b"", "something else"),
        ("a.npy", archive(saved(np.ones(3))), "got an .npz archive by another name"),
        ("a.npz", saved(np.ones(3)), "got an .npy file by another name"),
        ("a.npz", b"PK\x03\x04", "cannot be read"),
        ("a.npz", archive(b"text"), "cannot be read"),
        ("a.npz", archive(saved(np.ones(3)), _8=1), "got an encrypted archive"),
        ("a.npz", archive(saved(np.ones(3)), _10=97), "cannot be read"),
    ],
)
def test_what_is_no_whole_file_is_refused(name: str, content: bytes, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(ValueError, match=sentence) as refusal:
        read_one(file)
    assert str(refusal.value).startswith("Expected ")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_array_that_is_in_an_archive_twice(tmp_path: Path) -> None:
    """Of which the last would be read, and nobody told."""
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as zipped:
        for number in range(2):
            zipped.writestr("x\x1b.npy", saved(np.full(3, number)))
    with pytest.raises(ValueError, match=r"Expected each array of .* once; got x\\x1b\.npy several times"):
        read_npz(tmp_path / "a.npz")


def test_what_unpacks_to_more_than_memory_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "zeros.npz", x=np.zeros(2**21))
    np.save(tmp_path / "zeros.npy", np.zeros(2**21))
    assert (tmp_path / "zeros.npz").stat().st_size < 2**16 and len(read_arrays(tmp_path / "zeros.npz")["x"]) == 2**21
    monkeypatch.setattr(memory, "free_memory", lambda: 2.0**20)
    monkeypatch.setattr(np, "load", lambda *_, **__: pytest.fail("it was unpacked"))
    for read, name in ((read_npz, "zeros.npz"), (read_npy, "zeros.npy")):
        with pytest.raises(ValueError, match=r"fits into memory, of which 0.0 GiB are free.*Take some of its rows"):
            read(tmp_path / name)


def test_whole_files_are_read_as_they_are(tmp_path: Path) -> None:
    for array in (np.ones((3, 2)), np.arange(4), np.array(["a", "bc"]), np.zeros((0, 3)), np.array(1.0)):
        np.save(tmp_path / "a.npy", array)
        np.savez(tmp_path / "a.npz", array)
        np.testing.assert_array_equal(read_npy(tmp_path / "a.npy"), array)
        np.testing.assert_array_equal(read_npz(tmp_path / "a.npz")["arr_0"], array)
