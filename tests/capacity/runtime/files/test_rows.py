"""A user's own rows as a source: the same from every kind of file, checked, never a pickle; and a curve of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from capacity.cli.curve_options import RunOptions, SizeOptions, SourceOptions
from capacity.cli.request import plans_of
from capacity.curves.files import read_curves
from capacity.curves.plan import CurvePlan
from capacity.runtime.files.rows import as_rows, read_rows
from synthetic import Codebook

Command = Callable[..., tuple[int, str, str]]
ROWS = np.random.default_rng(0).normal(size=(50, 3))


def written(folder: Path) -> list[Path]:
    frame = pd.DataFrame(ROWS, columns=["a", "b", "c"])
    np.save(folder / "r.npy", ROWS)
    np.savez(folder / "r.npz", rows=ROWS)
    frame.to_csv(folder / "r.csv", index=False)
    return [folder / name for name in ("r.npy", "r.npz", "r.csv")]


def test_every_file_gives_the_same_rows(tmp_path: Path) -> None:
    for file in written(tmp_path):
        found = read_rows(file)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, ROWS, rtol=1e-6)
    assert Codebook.from_data(found).bits == pytest.approx(np.log2(50))


def test_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    pd.DataFrame({"a": ROWS[:, 0], "n": np.arange(50), "word": ["x"] * 50}).to_parquet(tmp_path / "r.parquet")
    found = read_rows(tmp_path / "r.parquet", ["a", "n"])
    np.testing.assert_allclose(found, np.stack([ROWS[:, 0], np.arange(50)], 1), rtol=1e-6)
    with pytest.raises(ValueError, match="numbers in column 'word'"):
        read_rows(tmp_path / "r.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(ValueError, match="to be a Parquet table"):
        read_rows(tmp_path / "broken.parquet")


def test_repeated_rows_merge_and_columns_are_chosen(tmp_path: Path) -> None:
    pd.DataFrame({"a": [0, 0, 1, 2], "b": [5, 6, 7, 8]}).to_csv(tmp_path / "t.csv", index=False)
    assert Codebook.from_data(read_rows(tmp_path / "t.csv", ["a"])).bits == pytest.approx(1.5)
    assert Codebook.from_data(read_rows(tmp_path / "t.csv")).bits == pytest.approx(2.0)


def test_standardised_columns_and_images_in_a_row() -> None:
    found = as_rows(1e6 + np.arange(24.0).reshape(4, 3, 2), standardize=True)
    assert found.shape == (4, 6)
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(found.std(0), 1, atol=1e-6)
    assert as_rows(np.array([[1.0, 2], [1, 3]]), standardize=True)[:, 0].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.array([[1.0, np.nan]]), "got nan in row 0, column 1"),
        (np.array(["a", "b"]), "real numbers"),
        (np.array([[1.0 + 2j]]), "real numbers"),
        (np.zeros((0, 3)), r"got shape \(0, 3\)"),
        (np.array([[1e60], [0]]), "within single precision"),
        (np.array([[1e9], [1e9 + 1]]), "--standardize"),
        (np.zeros((2**20 + 1, 1), np.int8), r"at most 2\^20"),
    ],
)
def test_refusals(array: np.ndarray, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        as_rows(array)


def test_never_a_pickle(tmp_path: Path) -> None:
    np.save(tmp_path / "o.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="pickled Python objects, never loaded"):
        read_rows(tmp_path / "o.npy")
    np.savez(tmp_path / "two.npz", first=ROWS, second=ROWS)
    with pytest.raises(ValueError, match="holds first, second"):
        read_rows(tmp_path / "two.npz")
    assert read_rows(tmp_path / "two.npz", ["second"]).shape == (50, 3)
    with pytest.raises(ValueError, match=r"Expected arrays alone; got .*\.pkl, by its ending a pickle"):
        read_rows(tmp_path / "data.pkl")
    with pytest.raises(ValueError, match=r"ends in \.npy, \.npz, \.safetensors, \.csv, \.parquet"):
        read_rows(tmp_path / "data.txt")


def request(**given: Any) -> dict[str, CurvePlan]:
    size = SizeOptions(units=8, width=16, depth=1)
    run = RunOptions(system=["gaussian"], levels=["0.5"], seeds=1, steps=10, batch=16, samples=64)
    return plans_of(source=SourceOptions(**given), size=size, run=run)


def test_a_request_takes_data_or_a_source_not_both(tmp_path: Path) -> None:
    file = written(tmp_path)[0]
    assert request(data=file)["gaussian"].source.bits == pytest.approx(np.log2(50))
    for name, value in (("bits", 8), ("source", "markov")):
        with pytest.raises(ValueError, match=f"got --{name} too"):
            request(data=file, **{name: value})
    with pytest.raises(ValueError, match="Expected --data FILE"):
        request(standardize=True)


@pytest.mark.slow
def test_a_curve_of_data_from_the_command_line(command: Command, tmp_path: Path) -> None:
    words = ("curve", "--data", written(tmp_path)[2], "--columns", "a,c", "--standardize", "--system", "gaussian")
    size = ("--units", 2, "--levels", "0.3", "--seeds", 1, "--steps", 30, "--batch", 32, "--width", 8, "--samples", 64)
    status, _, err = command(*words, *size, "--out", tmp_path / "run", "--quiet")
    assert status == 0, err
    curve = read_curves(tmp_path / "run" / "curve.nc")["gaussian"]
    assert float(curve.source_bits) == pytest.approx(np.log2(50)) and 0 < float(curve.bits.item()) < np.log2(50)
