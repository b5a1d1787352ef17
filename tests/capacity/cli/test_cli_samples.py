"""`capacity estimate` and `capacity pairwise`: what they print, write and refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Height, a correlated weight, whole numbers and words."""
    noise = np.random.default_rng(0).normal(size=(400, 2))
    weight = 0.8 * noise[:, 0] + 0.6 * noise[:, 1]
    kind = np.where(noise[:, 0] > 0, "tall", "small")
    columns = {"height": noise[:, 0], "weight": weight, "shoe": np.round(3 * noise[:, 0]).astype(int), "kind": kind}
    pd.DataFrame(columns).to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


def test_a_table_by_default_and_why(command: Command, table: Path) -> None:
    status, out, err = command("estimate", table, "--x", "height", "--y", "weight")
    assert status == 0 and not err
    assert "95 % interval" in out and "held-out" in out


def test_json_holds_the_same_figures_for_the_same_seed(command: Command, table: Path) -> None:
    words = ("estimate", table, "--x", "height", "--y", "weight", "--method", "ksg", "--json")
    first, again = (json.loads(command(*words)[1]) for _ in range(2))
    assert first == again
    assert first["method"] == "ksg" and first["low"] <= 0.5 * np.log2(1 / 0.36) <= first["high"]
    assert first["kind"] == "point" and first["saturated"] is False and first["n"] == 400


def test_auto_in_json_says_why(command: Command, table: Path) -> None:
    found = json.loads(command("estimate", table, "--x", "kind", "--y", "shoe", "--json")[1])
    assert found["method"] == "plugin" and "symbols" in found["why"] and found["candidates"]


def test_a_profile_is_drawn(command: Command, table: Path) -> None:
    picture = table.parent / "p.png"
    assert command("estimate", table, "--x", "height", "--y", "weight", "--method", "ksg", "--plot", picture)[0] == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_pairwise_prints_writes_and_draws(command: Command, table: Path) -> None:
    out_file, picture = table.parent / "b.csv", table.parent / "h.png"
    status, out, _ = command("pairwise", table, "--out", out_file, "--plot", picture)
    assert status == 0 and "weight" in out and picture.exists()
    assert out_file.read_text().splitlines()[0] == "column,other,bits,low,high"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--x", "height", "--y", "weight", "--method", "kgs"), "Did you mean 'ksg'"),
        (("--x", "hight", "--y", "weight"), "Did you mean 'height'"),
        (("--x", "shoe", "--y", "weight", "--method", "ksg"), "--continuous"),
        (("--x", "height", "--y", "weight", "--discrete"), "whole numbers"),
        (("--x", "height", "--y", "weight", "--continuous", "--discrete"), "got both"),
        (("--x", "height", "--y", "weight", "--plot", "p.txt"), ".png, .pdf or .svg"),
    ],
)
def test_refusals_are_one_sentence(command: Command, table: Path, words: tuple[str, ...], sentence: str) -> None:
    status, out, err = command("estimate", table, *words)
    assert status == 2 and not out
    assert err.startswith("Error: ") and err.count("\n") == 1 and sentence in err


def test_scorer_serves_feature_selection() -> None:
    selection = pytest.importorskip("sklearn.feature_selection")
    import jax

    from capacity import information_scorer

    noise = np.random.default_rng(1).normal(size=(300, 4))
    target = (noise[:, 2] + 0.3 * noise[:, 3] > 0).astype(int)
    chosen = selection.SelectKBest(information_scorer(jax.random.key(0), "ross"), k=1).fit(noise, target)
    assert chosen.get_support().tolist() == [False, False, True, False]
