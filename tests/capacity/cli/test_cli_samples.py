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
    assert out_file.read_text().splitlines()[0] == "column,other,bits,low,high,normalised,n,bound,saturated,note,kind"
    assert "symbols" in out and "real" in out


def test_a_bad_column_is_a_dash_and_a_line(command: Command, table: Path) -> None:
    frame = pd.read_csv(table).assign(still=1, when="2020-01-01", remark="<0.1")
    frame.loc[3, "remark"] = "7"
    frame.to_csv(table, index=False)
    status, out, err = command("pairwise", table, "--method", "auto", "--columns", "height,still,when,remark,kind")
    assert status == 0 and not err
    assert "Column 'still' has the same value (1) in every row" in out
    assert "got '2020-01-01' in line 2, column 'when'" in out and "got '<0.1' in line 2, column 'remark'" in out
    found = json.loads(command("pairwise", table, "--columns", "height,still,kind", "--json")[1])
    assert found["kinds"] == ["real", "unfit", "symbols"] and found["bits"][0][1] is None and found["bits"][0][2] > 0.5
    assert found["normalised"][0][2] == pytest.approx(found["bits"][0][2], rel=0.05) and "still" in found["note"][0][1]


def test_a_target_is_ranked(command: Command, table: Path) -> None:
    out_file, picture = table.parent / "r.csv", table.parent / "r.png"
    words = ("pairwise", table, "--target", "kind")
    status, out, _ = command(*words, "--out", out_file, "--plot", picture, "--columns", "weight,shoe,height")
    assert status == 0 and "bits about kind (symbols)" in out and picture.read_bytes().startswith(b"\x89PNG")
    assert out.index("height") < out.index("weight")
    assert out_file.read_text().splitlines()[0] == "column,bits,low,high,normalised,n,bound,saturated,note,kind"
    found = json.loads(command(*words, "--json")[1])
    assert found["target"] == "kind" and found["columns"][-1] == "weight" and found["bits"][0] >= found["bits"][1]


def test_rows_with_missing_values_are_refused_or_dropped(command: Command, table: Path) -> None:
    frame = pd.read_csv(table)
    frame.loc[:4, "height"], frame.loc[3:9, "kind"] = np.nan, None
    frame.to_csv(table, index=False)
    words = ("estimate", table, "--x", "height", "--y", "kind", "--method", "ross")
    status, _, err = command(*words)
    assert status == 2 and "row 0, column 'height'" in err and "in 5 of 400 rows" in err and "--missing drop" in err
    assert "Left out 10 rows in which a value is missing." in command(*words, "--missing", "drop")[1]
    assert json.loads(command(*words, "--missing", "drop", "--json")[1])["dropped"] == 10
    status, _, err = command("pairwise", table)
    assert status == 2 and "'height' in 5 rows, 'kind' in 7 rows" in err
    found = json.loads(command("pairwise", table, "--missing", "drop", "--json")[1])
    assert found["n"][0][found["columns"].index("kind")] == 390


def test_saturated_figures_are_marked_and_tables_without_any_are_refused(command: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 300, 400)
    pd.DataFrame({"a": codes, "b": codes, "c": rng.integers(0, 2, 400)}).to_csv(tmp_path / "t.csv", index=False)
    out = command("pairwise", tmp_path / "t.csv", "--method", "plugin")[1]
    assert "*" in out.splitlines()[1] and "* saturated" in out
    found = json.loads(command("pairwise", tmp_path / "t.csv", "--method", "plugin", "--json")[1])
    assert found["saturated"][0][1] is True and found["bound"][0][1] == "point"
    pd.DataFrame({"a": ["1,5", "2,5"], "b": [1, 1]}).to_csv(tmp_path / "t.csv", index=False, sep=";")
    status, shown, err = command("pairwise", tmp_path / "t.csv")
    assert status == 2 and not shown and "decimal point" in err and "1 more reasons" in err


STRANGE = ["a,b", "[red]c", ":smile: d", "tab\there", 'quo"te', "e$f$"]


def test_names_of_columns_print_as_they_are_and_can_be_typed(command: Command, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=(300, len(STRANGE)))
    pd.DataFrame(noise, columns=STRANGE).to_csv(tmp_path / "t.CSV", index=False)
    status, out, _ = command("pairwise", tmp_path / "t.CSV", "--method", "gaussian", "--plot", tmp_path / "h.png")
    assert status == 0
    for name in ["a,b", "[red]c", ":smile: d", "tab\\there", 'quo"te', "e$f$"]:
        assert out.count(name) == 2
    words = ("estimate", tmp_path / "t.CSV", "--method", "gaussian", "--json", "--y", "e$f$")
    bits = [
        json.loads(command(*words, "--x", typed)[1])["bits"]
        for typed in ("a,b", '"a,b"', "tab\there", "tab\\there", "[red]c")
    ]
    assert bits[0] == bits[1] and bits[2] == bits[3]
    both = [
        json.loads(command(*words, *typed)[1])["bits"]
        for typed in (("--x", '"a,b",[red]c'), ("--x", "a,b", "--x", "[red]c"))
    ]
    assert both[0] == both[1] and both[0] not in bits
    assert "each column once in --x" in command(*words, "--x", "[red]c,[red]c")[2]


def test_labels_that_look_like_numbers_are_said_to_be_labels(command: Command, table: Path) -> None:
    frame = pd.read_csv(table)
    frame["grade"] = np.where(frame.kind == "tall", "1", "A")
    frame.to_csv(table, index=False)
    words = ("estimate", table, "--x", "grade", "--y", "height", "--method", "ross")
    status, _, err = command(*words)
    assert status == 2 and "column 'grade'" in err and "--labels" in err
    assert command(*words, "--labels", "grade")[0] == 0
    data = table.parent / "d.csv"
    frame[["height", "weight"]].to_csv(data, index=False, header=False)
    assert "--no-header" in command("estimate", data, "--x", "0", "--y", "1")[2]
    assert command("estimate", data, "--x", "0", "--y", "1", "--no-header", "--method", "gaussian")[0] == 0


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
