"""A directory from a stranger: no link, pipe or device in it has this program write, or wait, elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from curve_examples import made_up

from capacity.claims.run import run_claims
from capacity.curves.files import load_curves, write_curves
from capacity.report import write_report
from capacity.report.command import read_command, save_command
from capacity.runtime.files.atomic import unseal
from capacity.runtime.files.places import plain_place
from capacity.runtime.files.seals import read_configuration, read_record, write_record
from capacity.runtime.files.store import Store, StoreError

CONFIGURATION = {"levels": [1.0]}


def mine(place: Path) -> Path:
    """A file of the user's, beside the directory that he was given."""
    file = place.parents[1] / "mine"
    file.write_text("mine")
    return file


def linked(place: Path) -> None:
    place.symlink_to(mine(place))


def linked_upwards(place: Path) -> None:
    mine(place)
    place.symlink_to(Path("..") / "mine")


def linked_to_what_is_not_there_yet(place: Path) -> None:
    place.symlink_to(mine(place).with_name("new"))


def linked_to_a_device(place: Path) -> None:
    place.symlink_to("/dev/zero")


def pipe(place: Path) -> None:
    os.mkfifo(place)


def folder(place: Path) -> None:
    place.mkdir()


LINKS = [linked, linked_upwards, linked_to_what_is_not_there_yet, linked_to_a_device]
every_trap = pytest.mark.parametrize("trap", [*LINKS, pipe, folder])


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """The directory of a stranger."""
    directory = tmp_path / "given"
    directory.mkdir()
    return directory


@every_trap
def test_what_is_no_plain_file_is_refused(given: Path, trap: Callable[[Path], None]) -> None:
    trap(given / "curve.png")
    with pytest.raises(StoreError, match=r"Expected a plain file at .*curve\.png, or none; got"):
        plain_place(given, "curve.png")


def test_plain_files_and_links_within_the_directory_are_taken(given: Path) -> None:
    assert plain_place(given, "new.png") == given / "new.png"
    (given / "a.png").touch()
    (given / "b.png").symlink_to("a.png")
    assert [plain_place(given, name) for name in ("a.png", "b.png")] == [given / "a.png", given / "b.png"]


@every_trap
@pytest.mark.parametrize("name", ["curve.png", "report.html"])
def test_nobody_shows_or_reports_into_it(
    given: Path, trap: Callable[[Path], None], name: str, command: Callable[..., tuple[int, str, str]]
) -> None:
    write_curves(given / "curve.nc", {"gaussian": made_up()})
    trap(given / name)
    before = sorted(path.name for path in given.parent.iterdir())
    if name == "report.html":
        with pytest.raises(StoreError, match="Expected a plain file"):
            write_report(given)
    else:
        status, _, said = command("show", str(given), "--quiet")
        assert status == 2 and "Expected a plain file" in said
    assert sorted(path.name for path in given.parent.iterdir()) == before
    assert not (given.parent / "mine").exists() or (given.parent / "mine").read_text() == "mine"


@pytest.mark.parametrize("trap", [*LINKS, pipe])
@pytest.mark.parametrize("name", ["curve.csv", "verdict.json", "command.txt"])
def test_no_run_goes_on_in_it(given: Path, trap: Callable[[Path], None], name: str) -> None:
    Store.open(given, CONFIGURATION).close()
    trap(given / name)
    with pytest.raises(StoreError, match="Expected a plain file"):
        Store.open(given, CONFIGURATION)


@pytest.mark.parametrize("trap", LINKS)
def test_no_lock_is_made_through_a_link(given: Path, trap: Callable[[Path], None]) -> None:
    trap(given / ".lock")
    with pytest.raises(StoreError, match="Expected a directory that can be written"):
        Store.open(given, CONFIGURATION)
    assert not (given.parent / "new").exists()


@pytest.mark.parametrize("trap", [linked_to_a_device, pipe, folder])
def test_nobody_waits_for_a_pipe_or_reads_a_device(given: Path, trap: Callable[[Path], None]) -> None:
    for name in ("curve.nc", "config.json", "command.txt"):
        trap(given / name)
    for read in (read_record, read_configuration, unseal):
        with pytest.raises(StoreError, match="Expected a plain file"):
            read(given / "config.json")
    (given / "config.json").rename(given / "elsewhere")
    with pytest.raises(StoreError, match="Expected a plain file"):
        load_curves(given)
    assert read_command(given) == ""


@pytest.mark.parametrize("content", ["", "{}", '{"mine": 1}', "claims: none", "\0\1"])
def test_claims_overwrite_nobodys_file(given: Path, content: str) -> None:
    (given / "claims.json").write_text(content)
    with pytest.raises(StoreError, match="Expected no file at"):
        run_claims(["digits_of_pi"], given, fast=True)
    assert [path.name for path in given.iterdir()] == ["claims.json"]
    assert (given / "claims.json").read_text() == content


@pytest.mark.parametrize("trap", [*LINKS, pipe])
def test_claims_follow_no_link_out(given: Path, trap: Callable[[Path], None]) -> None:
    trap(given / "claims.json")
    with pytest.raises(StoreError, match="Expected a plain file"):
        run_claims(["digits_of_pi"], given, fast=True)


@pytest.mark.parametrize("content", ["", "{}", '{"name": "an app"}', '{"digest": 5}', "[]", "no JSON"])
def test_nothing_is_written_where_the_configuration_is_somebody_elses(given: Path, content: str) -> None:
    (given / "config.json").write_text(content)
    with pytest.raises(StoreError):
        Store.open(given, CONFIGURATION)
    assert [path.name for path in given.iterdir()] == ["config.json"]


def test_nothing_is_written_for_another_configuration(given: Path) -> None:
    Store.open(given, CONFIGURATION).close()
    (given / ".lock").unlink()
    with pytest.raises(StoreError, match="same configuration"):
        Store.open(given, {"levels": [2.0]})
    assert [path.name for path in given.iterdir()] == ["config.json"]


def test_a_command_with_bytes_that_are_no_text_is_kept(given: Path) -> None:
    save_command(given, ["capacity", "curve", "--out", os.fsdecode(b"runs/\xff\xe9")])
    assert "runs/" in read_command(given)
    write_record(given / "record.json", {"name": os.fsdecode(b"\xff")})
    assert read_record(given / "record.json") == {"name": os.fsdecode(b"\xff")}
