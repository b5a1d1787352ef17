"""For which run a file was made, and whether it is as it was written.

Every file that a run leaves and that is read again holds two digests.  One is of the configuration: of everything that
decides the figures, and of the format of files.  A file of another key, source or version is told by it, wherever it
was copied to.  The other one, the seal, is of the content: a flipped bit is told by it.

Neither is a signature.  Both are made without a secret, so whoever writes a file by this code can make it say anything:
they guard against accidents, and show what was passed off for something else, not who wrote it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from capacity.runtime.files.atomic import OtherRunError, StoreError, write_atomic

CONFIGURATION_FILE = "config.json"
FORMAT = 1  # of the files; it counts up when one of another form would be read wrongly
MADE_FOR, DIGEST, SEAL = "made_for", "digest", "sha256"


def digest_of(configuration: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, of a configuration and the format of files.

    Args:
        configuration: JSON values, all that decides the figures; in any order.
    """
    return _digest({"format": FORMAT, "configuration": configuration})


def digest_of_part(run: str, name: str) -> str:
    """The digest of one of a run's parts: a part under another's name is told as one of another run is.

    Args:
        run: the digest of its configuration.
        name: of the part.
    """
    return _digest({"run": run, "part": name})


def write_record(path: Path, record: Mapping[str, Any], made_for: str = "") -> None:
    """Write JSON that holds its own seal; whole or not at all.

    Args:
        path: the file's place.
        record: JSON values without NaN or infinity.
        made_for: the digest of the run's configuration, if it is of a run.
    """
    kept = dict(record) | ({MADE_FOR: made_for} if made_for else {})
    _write_text(path, json.dumps(kept | {SEAL: _digest(kept)}, indent=1, allow_nan=False))


def read_record(path: Path, made_for: str | None = None) -> dict[str, Any]:
    """The record of a file by `write_record`.

    Args:
        path: the file's place.
        made_for: the digest that it must have; None if any will do.

    Raises:
        StoreError: if the file is missing, not as it was written, or made for another run.
    """
    record = _read_json(path)
    seal = record.pop(SEAL, None)
    if seal != _digest(record):
        raise StoreError(f"Expected {path} as it was written; got other content (its checksum differs).")
    made = record.pop(MADE_FOR, "")
    if made_for is not None and made != made_for:
        raise OtherRunError(path)
    return record


def write_configuration(path: Path, configuration: Mapping[str, Any]) -> None:
    """Write a configuration and its digest as JSON; whole or not at all."""
    kept = dict(configuration) | {DIGEST: digest_of(configuration)}
    _write_text(path, json.dumps(kept, indent=1, sort_keys=True))  # where a source has infinite bits: Infinity


def read_configuration(path: Path) -> dict[str, Any]:
    """A configuration by `write_configuration`, with its `digest`.

    Raises:
        StoreError: if the file is missing, or not as it was written.
    """
    found = _read_json(path)
    if DIGEST not in found:
        raise StoreError(f"Expected {path} with its digest; got none (made by an earlier version, or damaged).")
    if found[DIGEST] != digest_of({key: value for key, value in found.items() if key != DIGEST}):
        raise StoreError(f"Expected {path} as it was written; got other content (its digest differs).")
    return found


def digest_in(directory: Path) -> str | None:
    """The digest of the run that a directory is of; None where it does not say: version 0.1 wrote none.

    Raises:
        StoreError: if its configuration is not as it was written.
    """
    path = directory / CONFIGURATION_FILE
    if not path.exists() or DIGEST not in _read_json(path):
        return None
    return str(read_configuration(path)[DIGEST])


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _write_text(path: Path, text: str) -> None:
    def write(target: Path) -> None:
        target.write_text(text + "\n")

    write_atomic(path, write)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.exists() and not path.is_file():  # a pipe is waited for, a device may have no end
            raise StoreError(f"Expected a plain file at {path}; got a directory, a device or a pipe.")
        found = json.loads(path.read_text())
    except FileNotFoundError:
        raise StoreError(f"Expected {path}; got no such file.") from None
    except StoreError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"Expected {path} to be JSON; got a file that is not ({error}).") from error
    if not isinstance(found, dict):
        raise StoreError(f"Expected {path} to be JSON with names; got a {type(found).__name__}.")
    return found
