"""`.npy` and `.npz` files, looked at before they are read: what they declare must be in them, and fit into memory.

A header of a few bytes may declare terabytes, and two megabytes of zeros unpack to gigabytes; neither is taken on
trust.  Never a pickle.
"""

from __future__ import annotations

import lzma
import math
import struct
import tokenize
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import IO

import numpy as np

from capacity.runtime.memory import check_fits
from capacity.runtime.names import listed, shown

NPY, ZIP = b"\x93NUMPY", b"PK"
DAMAGED = (
    ValueError,
    TypeError,
    KeyError,
    OverflowError,
    OSError,
    EOFError,
    RuntimeError,  # zipfile's of encrypted members, and of compressions that it lacks
    struct.error,
    SyntaxError,
    tokenize.TokenError,  # both of headers that are no Python
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


class _RefusedError(ValueError):
    """A sentence that says all."""


def read_npy(file: Path) -> np.ndarray:
    """The array of an `.npy` file.

    Raises:
        ValueError: if it is no such file, damaged, larger than memory, or holds pickled objects.
    """
    try:
        with file.open("rb") as opened:
            _check_kind(opened, NPY, file, "an .npy file")
            size = file.stat().st_size
            check_fits(size, f"a file {file}", "Take some of its rows.")
            _check_array(opened, size, str(file))
            opened.seek(0)
            array: np.ndarray = np.load(opened, allow_pickle=False)
            return array
    except DAMAGED as error:
        raise _unreadable(file, error) from error


def read_npz(file: Path) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file by their names.

    Raises:
        ValueError: as `read_npy` does, and for an archive that is encrypted or holds something else than arrays.
    """
    try:
        with file.open("rb") as opened:
            _check_kind(opened, ZIP, file, "an .npz archive")
            with zipfile.ZipFile(opened) as archive:
                whole = sum(member.file_size for member in archive.infolist())
                check_fits(whole, f"a file {file}, unpacked,", "Take some of its rows, or fewer arrays.")
                if twice := sorted(name for name, times in Counter(archive.namelist()).items() if times > 1):
                    raise _RefusedError(f"Expected each array of {file} once; got {listed(twice)} several times.")
                for member in archive.infolist():
                    with archive.open(member) as inner:
                        _check_array(inner, member.file_size, f"{member.filename} in {file}")
            opened.seek(0)
            with np.load(opened, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
    except DAMAGED as error:
        raise _unreadable(file, error) from error


def _check_kind(opened: IO[bytes], start: bytes, file: Path, what: str) -> None:
    found = opened.read(len(NPY))
    opened.seek(0)
    if found.startswith(start):
        return
    others = {NPY: "an .npy file", ZIP: "an .npz archive"}
    got = next((f"{kind} by another name" for magic, kind in others.items() if found.startswith(magic)), "")
    raise _RefusedError(f"Expected {file} to be {what} of NumPy; got {got or 'something else, by its first bytes'}.")


def _check_array(opened: IO[bytes], size: int, name: str) -> None:
    """Refuse an array whose header declares more than the `size` bytes that there are, header and numbers."""
    version = np.lib.format.read_magic(opened)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = header(opened)
    if dtype.hasobject:
        raise _RefusedError(
            f"Expected numbers, booleans or strings in {name}; got pickled Python objects, never loaded."
        )
    if any(length < 0 for length in shape):
        raise _RefusedError(f"Expected {name} with a shape; got {shape}.")
    declared, there = math.prod(shape) * dtype.itemsize, size - opened.tell()
    if declared > there:
        raise _RefusedError(f"Expected {name} whole; got {there:,} bytes of numbers, where it declares {declared:,}.")


def _unreadable(file: Path, error: Exception) -> ValueError:
    if isinstance(error, _RefusedError) or str(error).startswith("Expected "):
        return ValueError(str(error))
    if "encrypted" in str(error):
        return ValueError(f"Expected {file} without a password; got an encrypted archive. Save it without.")
    said = shown(str(error))
    return ValueError(f"Expected {file} to be a whole NumPy file; got one that cannot be read ({said[:300]}).")
