"""`capacity latent --codes` and `--probs`: tables, JSON, pictures, and refusals before any work."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    codes = rng.integers(5, size=(90, 3))
    codes[:, 2] = 0
    np.save(tmp_path / "codes.npy", codes)
    np.savetxt(tmp_path / "codes.csv", codes, fmt="%d", delimiter=",", header="a,b,c", comments="")
    np.savez(tmp_path / "codes.npz", codes=codes)
    np.save(tmp_path / "probs.npy", rng.dirichlet(np.ones(4), (90, 2)))
    np.save(tmp_path / "negative.npy", codes - 1)
    return tmp_path


def test_codes_as_a_table_and_a_picture(command: Command, folder: Path) -> None:
    status, out, err = command("latent", "--codes", folder / "codes.npy", "--codebook", 8, "--plot", folder / "a.png")
    assert status == 0 and not err and (folder / "a.png").read_bytes()
    for words in ("90 codes", "Codebook of 8 symbols", "5 of 8 used", "3 dead (never used): 5, 6, 7",
                  "dead positions (one symbol alone): 2", "I(X;Z) = H(Z)", "Drew"):  # fmt: skip
        assert words in out, words
    assert "inferred" not in out and "inferred" in command("latent", "--codes", folder / "codes.npz")[1]
    status, out, _ = command("latent", "--codes", folder / "codes.npy", "--codebook", "5,6,7")
    assert status == 0 and "position 1: 5 of 6 used" in out


def test_codes_as_json_are_the_same_from_all_files(command: Command, folder: Path) -> None:
    files = [folder / f"codes.{end}" for end in ("npy", "npz", "csv")]
    found = [json.loads(command("latent", "--codes", file, "--json")[1]) for file in files]
    assert found[0] == found[1] == found[2]
    assert found[0]["positions"] == 3 and found[0]["codebook"]["dead"] == [[]] and not found[0]["stochastic"]
    assert found[0]["by_position"][2]["information"] == 0 and len(found[0]["population"]["shared"]) == 3
    assert command("latent", "--codes", folder / "codes.npy", "--quiet") == (0, "", "")


def test_probabilities(command: Command, folder: Path) -> None:
    status, out, err = command("latent", "--probs", folder / "probs.npy", "--samples", 256)
    assert status == 0 and not err and "90 stochastic codes" in out and "exact by enumeration" in out
    found = json.loads(command("latent", "--probs", folder / "probs.npy", "--json", "--given", "probs")[1])
    assert found["stochastic"] and found["population"]["information"]["low"] <= found["rate"] + 0.5


def test_points_that_are_there_twice_are_said(command: Command, folder: Path) -> None:
    codes = np.random.default_rng(1).integers(500, size=(100, 4))
    for copies, words in (
        (5, "5 of the codes came before"),
        (70, "not known: some codes came as often as draws do not"),
    ):
        np.save(folder / "twice.npy", np.vstack([codes, codes[:copies]]))
        assert words in " ".join(command("latent", "--codes", folder / "twice.npy")[1].split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--codes", "codes.npy", "--probs", "probs.npy"), "one of .* got --codes and --probs"),
        (("--codes", "codes.npy", "--means", "codes.npy"), "one of .* got --means and --logvars and --codes"),
        (("--codebook", "8"), "got --codebook alone"),
        ((), "--means with --logvars or --channel, or --codes, or --probs; got none"),
        (("--means", "codes.npy"), "got --means"),
        (("--codes", "codes.npy", "--given", "std"), "--given with --logvars or --probs"),
        (("--probs", "probs.npy", "--codebook", "4"), "--codebook with --codes alone"),
        (("--codes", "codes.npy", "--codebook", "8;5"), "--codebook as a number"),
        (("--codes", "codes.npy", "--codebook", "4"), "below 4, the codebook's size"),
        (("--codes", "negative.npy"), "codes from 0; got -1"),
        (("--codes", "probs.npy"), "shape"),
        (("--probs", "codes.npy"), "shape"),
        (("--probs", "probs.npy", "--given", "std"), "one of logits, probs"),
        (("--codes", "nowhere.npy"), "no such file"),
        (("--codes", "codes.npy", "--plot", "a.gif"), "--plot to end in"),
        (("--codes", "codes.npy", "--kind", "laplace"), "--kind with --means, not with --codes"),
        (("--codes", "codes.npy", "--prior", "normal", "--levels", "1,2"), "--levels and --prior with --means"),
        (("--probs", "probs.npy", "--channel", "gaussian", "--level", "1"), "--channel and --level with --means"),
        (("--probs", "probs.npy", "--weights", "probs.npy"), "--weights with --means"),
    ],
)
def test_refusals(command: Command, folder: Path, words: tuple[str, ...], said: str) -> None:
    there = [str(folder / word) if "." in word else word for word in words]
    status, out, err = command("latent", *there)
    assert status == 2 and not out and err.startswith("Error: Expected") and err.count("\n") == 1
    assert re.search(said, err), err
