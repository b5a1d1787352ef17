"""A user's own files: read with their types, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from capacity.runtime.files.arrays import read_pair
from capacity.runtime.tables.sides import pair_of, side_of


def test_two_files_one_archive_and_one_table_agree(tmp_path: Path) -> None:
    x, y = np.arange(12.0).reshape(6, 2) / 3, np.arange(6)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    np.savez(tmp_path / "both.npz", x=x, y=y)
    rows = "\n".join(f"{a!r},{b!r},{c}" for (a, b), c in zip(x.tolist(), y, strict=True))
    (tmp_path / "both.csv").write_text(f"a,b,label\n{rows}\n")
    (tmp_path / "both.csv").rename(tmp_path / "both.CSV")
    np.savez(tmp_path / "one.npz", anything=y)
    (tmp_path / "one.npz").rename(tmp_path / "one.NPZ")
    for found in (
        read_pair([tmp_path / "x.npy", tmp_path / "y.npy"]),
        read_pair([tmp_path / "x.npy", tmp_path / "one.NPZ"]),
        read_pair([tmp_path / "both.npz"]),
        read_pair([tmp_path / "both.CSV"], ["a", "b"], ["label"]),
        read_pair([tmp_path / "both.CSV"], ["a,b"], ["label"]),
    ):
        first, second = (side_of(side, "x").values for side in found)
        np.testing.assert_allclose(first, x, rtol=1e-15)
        assert first.dtype == np.float64 and second.dtype.kind == "i"
        np.testing.assert_array_equal(second.ravel(), y)


def test_words_are_symbols(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1.5,red\n2.5,green\n")
    _, colours = read_pair([tmp_path / "t.csv"], ["a"], ["b"])
    assert colours["b"].tolist() == ["red", "green"]  # type: ignore[call-overload]


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="pickled Python objects, never loaded"):
        read_pair([tmp_path / "x.npy", tmp_path / "x.npy"])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.npy", b"\x93NUMPY", "whole NumPy file"),
        ("x.npz", b"PK\x03\x04 no archive", "whole NumPy file"),
        ("x.csv", b"", "CSV table"),
        ("x.txt", b"1 2", "one .npz, .csv or .parquet"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    files = [tmp_path / name] * (2 if name.endswith("npy") else 1)
    with pytest.raises(ValueError, match=words):
        read_pair(files)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^Expected a file at \S+a.npy; got no such file.$"):
        read_pair([tmp_path / "a.npy", tmp_path / "b.npy"])
    with pytest.raises(ValueError, match=r"^Expected a file at \S+a.npz; got no such file.$"):
        read_pair([tmp_path / "a.npz"])
    (tmp_path / "t.csv").write_text("height,b\n1,2\n")
    with pytest.raises(ValueError, match="Did you mean 'height'"):
        read_pair([tmp_path / "t.csv"], ["heigth"], ["b"])
    with pytest.raises(ValueError, match="Expected --x and --y"):
        read_pair([tmp_path / "t.csv"])
    np.savez(tmp_path / "t.npz", x=np.ones(3), z=np.ones(3))
    with pytest.raises(ValueError, match="an array of"):
        read_pair([tmp_path / "t.npz"])
    with pytest.raises(ValueError, match="3 files"):
        read_pair([tmp_path / "t.npz"] * 3)


def test_an_archive_of_several_arrays_is_no_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", a=np.ones(3), b=np.ones(3))
    with pytest.raises(ValueError, match="Expected one array in .*; got a, b"):
        read_pair([tmp_path / "t.npz"] * 2)
    np.savez(tmp_path / "t.npz")
    with pytest.raises(ValueError, match="got none"):
        read_pair([tmp_path / "t.npz"] * 2)


def test_an_empty_cell_is_missing(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1.5,red\n2.5,\n")
    sides = read_pair([tmp_path / "t.csv"], ["a"], ["b"])
    with pytest.raises(ValueError, match="got nothing in y, row 1, column 'b'"):
        pair_of(*sides)
    assert pair_of(*sides, "drop")[2] == 1
