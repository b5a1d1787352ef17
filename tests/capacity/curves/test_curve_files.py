"""Curves on disk: read as they were written, damage and strangers' files told, and the table beside them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from curve_examples import made_up

from capacity.curves.files import read_curves, write_csv, write_curves
from capacity.runtime.files.atomic import write_atomic
from capacity.runtime.files.store import StoreError


@pytest.fixture(scope="module")
def curves() -> dict[str, xr.Dataset]:
    return {"gaussian": made_up(), "vae": made_up("vae")}


@pytest.fixture(scope="module")
def whole(curves: dict[str, xr.Dataset], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "curve.nc"
    write_curves(path, curves)
    return path.read_bytes()


def test_curves_come_back_as_they_were(whole: bytes, curves: dict[str, xr.Dataset], tmp_path: Path) -> None:
    path = tmp_path / "curve.nc"
    path.write_bytes(whole)
    again = read_curves(path)
    path.unlink()
    assert list(again) == ["gaussian", "vae"]
    for name, dataset in curves.items():
        assert again[name].identical(dataset)


def test_a_curve_is_plain_netcdf_to_others(whole: bytes, curves: dict[str, xr.Dataset], tmp_path: Path) -> None:
    path = tmp_path / "curve.nc"
    path.write_bytes(whole)
    with xr.open_dataset(path, group="vae", engine="h5netcdf") as dataset:
        xr.testing.assert_identical(dataset.load(), curves["vae"])


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_table_is_a_formula_and_numbers_stay_numbers(tmp_path: Path, sign: str) -> None:
    name, cell = f"{sign}1+1", f"'{sign}".replace("\r", "\n")  # a bare carriage return would end the line
    curve = made_up(levels=2, seeds=2)
    text = np.array([[name, "plain"], [f"{sign}x", ""]])
    curve = curve.assign({name: (("level", "seed"), text), "loss_change": -curve.bits})
    write_csv(tmp_path / "curve.csv", {name: curve})
    with (tmp_path / "curve.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert not [cell for cell in rows[0] if cell.startswith(sign)] and f"{cell}1+1" in rows[0]
    read = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert [row["system"] for row in read] == [f"{cell}1+1"] * 4
    assert [row[f"{cell}1+1"] for row in read] == [f"{cell}1+1", "plain", f"{cell}x", ""]
    assert [float(row["loss_change"]) for row in read] == pytest.approx((-curve.bits.values).ravel().tolist())


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.1, 0.5, 0.9, 0.999, -1, -73, -200])
def test_a_truncated_curve_is_told(whole: bytes, tmp_path: Path, kept: float) -> None:
    path = tmp_path / "curve.nc"
    path.write_bytes(whole[: int(kept) if kept < 0 else int(kept * len(whole))])
    with pytest.raises(StoreError, match=r"Expected .* whole; got"):
        read_curves(path)


@pytest.mark.parametrize("place", [0, 100, 0.3, 0.6, 0.9, -100])
def test_a_flipped_bit_is_told(whole: bytes, tmp_path: Path, place: float) -> None:
    content = bytearray(whole)
    content[int(place * len(whole)) if 0 < place < 1 else int(place)] ^= 4
    path = tmp_path / "curve.nc"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="its checksum differs"):
        read_curves(path)


def test_a_missing_curve_and_a_file_of_another_kind_are_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such file"):
        read_curves(tmp_path / "curve.nc")
    path = tmp_path / "text.nc"

    def write(target: Path) -> None:
        target.write_text("words")

    write_atomic(path, write, sealed=True)
    with pytest.raises(StoreError, match="to be netCDF-4"):
        read_curves(path)


def sealed(path: Path, make: Callable[[h5py.File], None]) -> Path:
    def write(target: Path) -> None:
        with h5py.File(target, "w") as file:
            make(file)

    write_atomic(path, write, sealed=True)
    return path


def external_storage(file: h5py.File) -> None:
    group = file.create_group("gaussian")
    group.create_dataset("bits", (4,), "u1", external=[("/etc/hostname", 0, 4)])


def external_link(file: h5py.File) -> None:
    file["gaussian"] = h5py.ExternalLink("other.nc", "/gaussian")


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.nc", "bits", (4,))
    file.create_group("gaussian").create_virtual_dataset("bits", layout)


def soft_link(file: h5py.File) -> None:
    file["gaussian"] = h5py.SoftLink("/elsewhere")


def terabytes(file: h5py.File) -> None:
    file.create_group("gaussian").create_dataset("bits", (2**40,), "f4", chunks=(2**20,))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (external_storage, "gaussian/bits, which are in other files"),
        (virtual, "gaussian/bits, which are in other files"),
        (external_link, "a link to another place, gaussian"),
        (soft_link, "a link to another place, gaussian"),
        (terabytes, "4,398,046,511,104 bytes of numbers in"),
        (lambda file: None, "a group for each system; got none"),
        (lambda file: file.create_group("gaussian"), "got gaussian without level, seed, source_bits"),
    ],
    ids=["external storage", "virtual", "external link", "soft link", "terabytes", "nothing", "an empty group"],
)
def test_a_sealed_file_of_somebody_else_is_looked_at_first(
    make: Callable[[h5py.File], None], words: str, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match=words):
        read_curves(sealed(tmp_path / "curve.nc", make))


def test_csv_has_a_row_for_each_lane(curves: dict[str, xr.Dataset], tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    write_csv(path, curves)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 12 * 3
    row, dataset = rows[4], curves["gaussian"].isel(level=1, seed=1)
    assert (row["system"], row["seed"]) == ("gaussian", "1")
    assert float(row["level"]) == float(dataset.level)
    assert np.float32(row["bits"]) == dataset.bits.values
    assert float(row["ceiling"]) == float(dataset.ceiling)
    assert float(row["marginal_bits_unit7"]) == float(dataset.marginal_bits[7])
    assert float(row["source_bits"]) == 16
    assert rows[-1]["system"] == "vae" and rows[-1]["ceiling"] == ""
    assert not any("loss" in column for column in row)
