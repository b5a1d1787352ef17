"""A file is told that was made for another run, or is not as it was written; what is no signature is not called one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from capacity.runtime.files import seals
from capacity.runtime.files.atomic import OtherRunError, StoreError, unseal, write_atomic
from capacity.runtime.files.seals import (
    digest_of,
    digest_of_part,
    read_configuration,
    read_record,
    write_configuration,
    write_record,
)

CONFIGURATION: dict[str, Any] = {"curve": {"levels": [0.1, 1.0], "key": [0, 7], "source": {"bits": float("inf")}}}
RECORD: dict[str, Any] = {"verdict": "supported", "findings": [{"low": 0.5, "n": 3, "p_value": None}], "fast": True}


def others(values: Any) -> list[Any]:
    """JSON values with one leaf changed, or one name left out, wherever there is one."""
    if isinstance(values, dict):
        changed = [{**values, name: one} for name, value in values.items() for one in others(value)]
        return changed + [{k: v for k, v in values.items() if k != name} for name in values]
    if isinstance(values, list):
        return [[*values[:i], one, *values[i + 1 :]] for i, value in enumerate(values) for one in others(value)]
    return ["other"]


def test_whatever_is_in_a_configuration_is_in_its_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    all_others = others(CONFIGURATION)
    digests = {digest_of(one) for one in [CONFIGURATION, *all_others]}
    assert len(digests) == 1 + len(all_others) > 5
    in_another_order = {"curve": dict(reversed(CONFIGURATION["curve"].items()))}
    assert digest_of(in_another_order) == digest_of(CONFIGURATION)
    assert digest_of_part("a", "x") != digest_of_part("a", "y") and digest_of_part("a", "x") != digest_of_part("b", "x")
    before = digest_of(CONFIGURATION)
    monkeypatch.setattr(seals, "FORMAT", 2)
    assert digest_of(CONFIGURATION) != before


def test_a_configuration_comes_back_and_tells_every_change(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    write_configuration(path, CONFIGURATION)
    kept = json.loads(path.read_text())
    assert read_configuration(path) == kept == CONFIGURATION | {"digest": digest_of(CONFIGURATION)}
    for changed in others(kept):
        path.write_text(json.dumps(changed))
        with pytest.raises(StoreError, match="as it was written|without|with its digest"):
            read_configuration(path)


def test_a_record_comes_back_and_tells_every_change(tmp_path: Path) -> None:
    path, run = tmp_path / "verdict.json", digest_of(CONFIGURATION)
    write_record(path, RECORD, run)
    kept = json.loads(path.read_text())
    assert read_record(path) == read_record(path, run) == RECORD and RECORD.items() < kept.items()
    with pytest.raises(OtherRunError, match="made for another"):
        read_record(path, digest_of({}))
    for changed in others(kept):
        path.write_text(json.dumps(changed))
        with pytest.raises(StoreError, match="as it was written"):
            read_record(path, run)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"1", b'"' + b"[" * 100_000])
def test_what_is_no_record_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "verdict.json"
    with pytest.raises(StoreError, match="no such file"):
        read_record(path)
    path.write_bytes(content)
    for read in (read_record, read_configuration):
        with pytest.raises(StoreError, match="Expected .* to be JSON"):
            read(path)


@pytest.mark.parametrize("content", [b"", b"words", b"\nmade for:" + b"0" * 64])
def test_a_sealed_file_names_its_run(tmp_path: Path, content: bytes) -> None:
    path, run = tmp_path / "part.npz", digest_of(CONFIGURATION)

    def write(target: Path) -> None:
        target.write_bytes(content)

    write_atomic(path, write, sealed=True, made_for=run)
    assert unseal(path) == unseal(path, run) == content
    for other in (digest_of({}), ""):
        with pytest.raises(OtherRunError, match="another seed, configuration or version"):
            unseal(path, other)
    whole = path.read_bytes()
    for at in range(len(content), len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(StoreError, match="whole|as it was written"):
            unseal(path, run)


def test_a_file_that_names_no_run_is_of_none(tmp_path: Path) -> None:
    path = tmp_path / "curve.nc"

    def write(target: Path) -> None:
        target.write_text("words")

    write_atomic(path, write, sealed=True)
    assert unseal(path) == b"words"
    with pytest.raises(OtherRunError):
        unseal(path, digest_of(CONFIGURATION))
