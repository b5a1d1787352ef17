"""`.safetensors` files, as Hugging Face keeps tensors: names, types, shapes and numbers; never a program.

safetensors is the extra that reads and writes them.  bfloat16, which NumPy lacks, becomes float32: every number of it
is one of float32's.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np

from capacity.runtime.files.atomic import write_atomic
from capacity.runtime.memory import check_fits
from capacity.runtime.names import brief, shown

TYPES: dict[str, str] = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "?",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1",
}  # fmt: skip
"""NumPy's types for those of the format; bfloat16 as the bits that it has."""


def read_safetensors(file: Path) -> dict[str, np.ndarray]:
    """The arrays of a `.safetensors` file by their names.

    Raises:
        ValueError: if it cannot be read, is larger than memory, or has a type that NumPy lacks; and if safetensors is
            not installed.
    """
    library = _library(file, "read")
    check_fits(2.0 * file.stat().st_size, f"a file {file}", "Save the arrays alone that are asked for.")
    try:
        tensors = library.deserialize(file.read_bytes())
    except library.SafetensorError as error:
        said = brief(shown(str(error)))
        raise ValueError(
            f"Expected {file} to be a whole .safetensors file; got one that cannot be read ({said})."
        ) from None
    return {
        name: _array(tensor["dtype"], tensor["shape"], tensor["data"], name, file) for name, tensor in sorted(tensors)
    }


def write_safetensors(file: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by their names, whole or not at all.

    Args:
        file: to be written.
        arrays: of numbers or booleans.

    Raises:
        ValueError: for other types, and if safetensors is not installed.
        StoreError: if the disk does not take it.
    """
    library = _library(file, "write")
    for name, array in arrays.items():
        if array.dtype.newbyteorder("<") not in map(np.dtype, TYPES.values()):
            raise ValueError(f"Expected numbers that .safetensors can hold in {name}; got {array.dtype}.")
    content = import_module(f"{library.__name__}.numpy").save({k: np.ascontiguousarray(a) for k, a in arrays.items()})
    write_atomic(file, lambda path: _put(path, content))


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _library(file: Path, verb: str) -> ModuleType:
    try:
        import safetensors
    except ImportError:
        raise ValueError(
            f"Expected safetensors to {verb} {file}; it is not installed: pip install 'infocapacity[safetensors]'."
        ) from None
    library: ModuleType = safetensors
    return library


def _array(kind: str, shape: list[int], content: bytes, name: str, file: Path) -> np.ndarray:
    if kind not in TYPES:
        raise ValueError(
            f"Expected numbers of a type that NumPy has in '{brief(shown(name))}' of {file}; got {kind}. Save F32."
        )
    array = np.frombuffer(content, TYPES[kind]).reshape(shape)
    if kind == "BF16":  # the upper half of a float32
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(array.dtype.newbyteorder("="))
