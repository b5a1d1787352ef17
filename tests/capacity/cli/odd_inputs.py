"""Broken, hostile and merely odd files, names and numbers, drawn by hypothesis."""

from __future__ import annotations

import io
import struct
import tempfile
import warnings
import zipfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from curve_examples import made_up
from hypothesis import strategies as st

from capacity.curves.files import write_curves
from capacity.runtime.files.atomic import write_atomic

Draw = Any  # hypothesis's function from a strategy to a value

ODD_NAMES = (
    "a", "b", "rate [/s]", "[bold]b[/bold]", "[/]", "x\x1b[31mred", "\x1b]0;title\x07", "=1+1", "a,b", 'q"q', " ", "",
    "π", "名前", ":smile:", "\u202eevil", "\x00", "a\nb", "n" * 300, "nan", "1", "-1", "%s {0}", "\x9b31m", "x", "y",
)  # fmt: skip
ODD_CELLS = (
    "0", "1", "2", "-1", "0.5", "1e3", "1e308", "1e999", "nan", "inf", "", "NA", "None", "x", "y", "1,5", "0x1F", "١",
    "2020-01-01", "true", "\x1b[2J", " 3 ", "9" * 40, "1_000", '"', "'", "[red]", "--", "1/2", "5 %",
)  # fmt: skip
ODD_NUMBERS = (
    "0", "-1", "1", "2", "3", "17", "256", "1e9", "nan", "inf", "-inf", "1e400", "2147483648", "1000000000000",
    "9" * 30, "0x10", "", " ", "٣", "1.5", "\x1b[31m", "None", "5" * 5000,
)  # fmt: skip
ODD_WORDS = ("gausian", "vae", "", " ", "\x1b[31mred", "[bold]", "ksg", "gaussian", "A", "a" * 5000, "../..", "π", "--")
FILE_NAMES = ("t", "sp ace", "e\x1b[31msc", "[b]", "new\nline", "-dash", "π", "x" * 100)


@st.composite
def tables(draw: Draw) -> bytes:
    """A CSV, more or less."""
    plain = draw(st.booleans())
    width, rows = draw(st.integers(1, 4)), draw(st.sampled_from((24, 24, 24, 60, 60, 3, 1, 0)))
    names = list("abcd")[:width] if plain else draw(st.lists(st.sampled_from(ODD_NAMES), min_size=1, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    cells = [[f"{value:.4g}" for value in row] for row in rng.normal(size=(rows, len(names)))]
    for _ in range(0 if plain or not rows else draw(st.integers(0, 4))):
        row = draw(st.integers(0, rows - 1))
        cells[row][draw(st.integers(0, len(cells[row]) - 1))] = draw(st.sampled_from(ODD_CELLS))
    if rows and draw(st.integers(0, 9)) == 0:
        cells[-1] = cells[-1][:-1]
    mark = draw(st.sampled_from((",", ",", ";", "\t")))
    text = "\n".join(mark.join(row) for row in [names, *cells]) + "\n"
    content = text.encode(draw(st.sampled_from(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16"))))
    return content if plain else damaged(draw, content)


@st.composite
def arrays(draw: Draw) -> np.ndarray:
    """An array of any type and shape."""
    if draw(st.booleans()):
        return np.random.default_rng(draw(st.integers(0, 9))).normal(size=(24, draw(st.integers(1, 2))))
    shape = draw(
        st.sampled_from(((), (0,), (5,), (24,), (24, 1), (60, 3), (60, 3), (3, 60), (2, 3, 4), (0, 3), (24, 0)))
    )
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    array = rng.normal(size=shape)
    kinds = (
        "f8",
        "f8",
        "f8",
        "f4",
        "f2",
        ">f8",
        "i8",
        "u1",
        "?",
        "c16",
        "U5",
        "S3",
        "M8[s]",
        "m8[s]",
        "V4",
        "longdouble",
    )
    kind = draw(st.sampled_from(kinds))
    if kind in "U5 S3":
        array = (array * 3).astype("i8").astype(kind)
    elif kind[0] in "mM":
        array = (array * 1e6).astype("i8").astype(kind)
    elif kind == "V4":
        array = np.zeros(shape, [(draw(st.sampled_from([n for n in ODD_NAMES if n and "\x00" not in n])), "f4")])
    else:
        with np.errstate(all="ignore"):
            array = (array * draw(st.sampled_from((1.0, 3.0, 0.0, 1e300, 1e-300)))).astype(kind)
    if array.size and array.dtype.kind == "f" and draw(st.integers(0, 4)) == 0:
        array.flat[0] = draw(st.sampled_from((np.nan, np.inf, -np.inf)))
    return array


def save(stream: io.BytesIO, array: np.ndarray) -> None:
    """As NumPy does, which warns of names that older ones cannot read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        np.save(stream, array)


@st.composite
def npy(draw: Draw) -> bytes:
    """An `.npy` file, more or less: pickles and terabytes among them."""
    stream = io.BytesIO()
    what = draw(st.sampled_from(("pickle", "huge", "header", *("array",) * 12)))
    if what == "pickle":
        np.save(stream, np.array([{}, None], object), allow_pickle=True)
    elif what == "huge":
        shape = draw(st.sampled_from(((10**12,), (10**9, 10**9), (-5,), (2**63, 2), (10**400,))))
        stream.write(header_of(f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"))
    elif what == "header":
        said = ("{", "[]", "{'descr': 'f8'}", "{'descr': 1, 'fortran_order': 0, 'shape': 3}", "(" * 3000, "\x1b[31m")
        stream.write(header_of(draw(st.sampled_from(said))))
    else:
        save(stream, draw(arrays()))
    return damaged(draw, stream.getvalue())


def header_of(text: str) -> bytes:
    """The beginning of an `.npy` file of the first version."""
    head = text.encode("latin1").ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + bytes(64)


@st.composite
def npz(draw: Draw) -> bytes:
    """An `.npz` archive, more or less: encrypted ones and such as unpack to gigabytes among them."""
    stream = io.BytesIO()
    packed = draw(st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2)))
    names = ["x", "y"]
    if draw(st.booleans()):
        names = draw(st.lists(st.sampled_from(("x", "y", *ODD_NAMES)), min_size=0, max_size=3, unique=True))
    with zipfile.ZipFile(stream, "w", packed) as archive:
        for name in names:
            inner = io.BytesIO()
            save(inner, draw(arrays()))
            content = inner.getvalue() if draw(st.integers(0, 9)) else b"no array"
            archive.writestr(f"{name.replace(chr(0), '')}.npy", content)
    content = bytearray(stream.getvalue())
    what = draw(st.sampled_from(("encrypted", "bomb", "method", *("whole",) * 6)))
    at = content.rfind(b"PK\x01\x02")
    if at >= 0 and what == "encrypted":
        content[at + 8] |= 1
    elif at >= 0 and what == "bomb":
        content[at + 24 : at + 28] = struct.pack("<I", 2**32 - 2)
    elif at >= 0 and what == "method":
        content[at + 10] = 97
    return damaged(draw, bytes(content))


@st.composite
def curves(draw: Draw, folder: Path) -> None:
    """A folder as `capacity curve` leaves it, more or less."""
    what = draw(st.sampled_from(("nothing", "bytes", "sealed", "claims", *("curve",) * 6)))
    file = folder / "curve.nc"
    if what == "bytes":
        file.write_bytes(draw(st.binary(max_size=300)))
    elif what == "sealed":
        content = draw(st.binary(max_size=300))
        write_atomic(file, lambda path: _put(path, content), sealed=True)
    elif what == "curve":
        listed, seeds = draw(st.booleans()), draw(st.integers(1, 2))
        changes = draw(st.sampled_from((0, 0, 0, 1, 2)))
        name = draw(st.sampled_from(("gaussian", "gaussian", "vae", "x\x1b[31m", "[b]", "=1+1")))
        if changes:
            _write_changed(draw, file, name, small_curve(listed, seeds), changes)
        else:
            file.write_bytes(_content(name, listed, seeds))
        if file.exists() and draw(st.integers(0, 4)) == 0:
            file.write_bytes(damaged(draw, file.read_bytes(), always=True))
    elif what == "claims":
        (folder / "dropout").mkdir()
        (folder / "dropout" / "verdict.json").write_bytes(
            draw(st.sampled_from((b"", b"{}", b"[]", b'{"findings": []}', b'{"findings": 3}', b"\xff", b"null")))
        )
        if draw(st.booleans()):
            (folder / "dropout" / "data.nc").write_bytes(b"x")


def small_curve(listed: bool = True, seeds: int = 1) -> xr.Dataset:
    """A made-up curve of two levels, with no more than the table shows."""
    curve = made_up(levels=2, seeds=seeds, units=2, listed=listed, steps=3)
    figures = ["bits", "bits_low", "bits_high"] if listed else ["lower", "upper"]
    return curve[["source_bits", "loss", "diverged", "snr", "ceiling", "key", *figures]]


def _write_changed(draw: Draw, file: Path, name: str, curve: xr.Dataset, changes: int) -> None:
    for _ in range(changes):
        with suppress(ValueError, KeyError):  # what the one before has taken away
            curve = draw(changed_curves(curve))
    with suppress(ValueError, TypeError):  # what no netCDF file can hold
        write_curves(file, {name: curve})


@cache
def _content(name: str, listed: bool, seeds: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write_curves(Path(folder) / "curve.nc", {name: small_curve(listed, seeds)})
        return (Path(folder) / "curve.nc").read_bytes()


@st.composite
def changed_curves(draw: Draw, curve: Any) -> Any:
    """A curve in which something is missing, or of another type or shape."""
    what = draw(st.sampled_from(("drop", "attribute", "no attribute", "text", "transpose", "first", "level", "nan")))
    name = draw(st.sampled_from(sorted(map(str, curve.variables)) or ["level"]))
    if what == "drop":
        return curve.drop_vars(name)
    if what == "attribute":
        word = draw(st.sampled_from(("x\x1b[31mred", "[/]", "", 3, 1.5, "{", "[bold]")))
        return curve.assign_attrs({draw(st.sampled_from(sorted(curve.attrs) or ["title"])): word})
    if what == "no attribute":
        return curve.drop_attrs(deep=draw(st.booleans()))
    if what == "text" and name in curve.data_vars:
        return curve.assign({name: curve[name].astype(str)})
    if what == "transpose":
        return curve.transpose(..., "level")
    if what == "first":
        return curve.isel(seed=0)
    if what == "level":
        return curve.isel(level=slice(0, draw(st.integers(0, 1))))
    if what == "nan" and name in curve.data_vars and curve[name].dtype.kind == "f":
        return curve.assign({name: curve[name] * np.nan})
    return curve


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def damaged(draw: Draw, content: bytes, *, always: bool = False) -> bytes:
    """The content, sometimes cut off, with a byte changed, or none at all."""
    what = draw(st.sampled_from(("whole",) * (0 if always else 12) + ("cut", "flipped", "empty", "more")))
    if not content or what == "whole":
        return content
    if what == "empty":
        return b""
    # A share, since sizes are not the same each time: bytes of `longdouble` that hold nothing are packed too.
    at = draw(st.integers(0, 999_999)) * len(content) // 1_000_000
    if what == "cut":
        return content[:at]
    if what == "more":
        return content + b"\x00more"
    return content[:at] + bytes([content[at] ^ (1 << draw(st.integers(0, 7)))]) + content[at + 1 :]


@st.composite
def files(draw: Draw, folder: Path, endings: tuple[str, ...] = (".csv", ".npy", ".npz")) -> Path:
    """A file in the folder that ends as its content, or not; a folder; nothing."""
    ending = draw(st.sampled_from(endings))
    path = folder / f"{draw(st.sampled_from(FILE_NAMES))}{draw(st.integers(0, 9))}{ending}"
    if draw(st.integers(0, 19)) == 0:
        odd = (
            folder,
            folder / "missing.npy",
            folder / ("n" * 5000),
            Path(),
            Path("/dev/null"),
            folder / "missing" / "t",
        )
        return draw(st.sampled_from(odd))
    kind = draw(st.sampled_from(endings)) if draw(st.integers(0, 9)) == 0 else ending
    path.write_bytes(draw({".csv": tables(), ".npy": npy(), ".npz": npz()}[kind]))
    return path
