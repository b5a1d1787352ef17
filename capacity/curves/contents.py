"""What a file of curves may hold, looked at before any of it is read: a file may come from somebody else.

HDF5 lets a file name others: external links, external storage, virtual datasets.  Whoever reads such a file reads, and
may pass on, files of their own.  And it lets one declare numbers that it does not hold, which are made up while they
are read.
"""

from __future__ import annotations

import io
from typing import TypeAlias

import h5py
import numpy as np

from capacity.runtime.files.atomic import StoreError

Link: TypeAlias = h5py.HardLink | h5py.SoftLink | h5py.ExternalLink
PACKED = 1000  # bytes that one byte of a file may stand for: more than compression makes of figures
ROOM = 2**26  # bytes that any file may declare


def check_own(content: bytes, path: object) -> None:
    """Refuse a file that names other files, or declares more than it can hold.

    Args:
        content: of the file, an HDF5 one.
        path: its name, for the refusal.

    Raises:
        StoreError: naming what is refused.
        OSError, ValueError, KeyError: where it is no HDF5 file.
    """
    declared = 0

    def foreign(name: str, link: Link) -> str | None:
        nonlocal declared
        if not isinstance(link, h5py.HardLink):
            return f"a link to another place, {name}"
        found = file[name]
        if not isinstance(found, h5py.Dataset):
            return None
        if found.external or found.is_virtual:
            return f"{name}, which are in other files"
        declared += int(np.prod(found.shape or (), dtype=object)) * found.dtype.itemsize
        return None

    with h5py.File(io.BytesIO(content), "r") as file:
        got = file.visititems_links(foreign)  # stops where something is found
    if got is not None:
        raise StoreError(f"Expected {path} to hold its own numbers; got {got}.")
    if declared > ROOM + PACKED * len(content):
        raise StoreError(
            f"Expected {path} to hold what it declares; got {declared:,} bytes of numbers in {len(content):,}."
        )
