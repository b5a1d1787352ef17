"""`capacity estimate` asked for a p-value, for rows in time, for lags, and for bits beyond what a third side tells."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from capacity.cli.asked import lags_of

Command = Callable[..., tuple[int, str, str]]
N = 600


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Draws a, b (related by w alone) and a sum of bits; two unrelated series with memory, and one 3 rows later."""
    rng = np.random.default_rng(0)
    w, x, walk = rng.normal(size=N), rng.integers(0, 2, (2, N)), np.zeros((2, N))
    for t in range(1, N):
        walk[:, t] = 0.9 * walk[:, t - 1] + rng.normal(size=2)
    columns = {"a": w + 0.5 * rng.normal(size=N), "b": w + 0.5 * rng.normal(size=N), "w": w}
    columns |= {"p": x[0], "q": x[1], "sum": x[0] ^ x[1], "s": walk[0], "t": walk[1], "late": np.roll(w, 3)}
    columns["late"] = columns["late"] + 0.1 * rng.normal(size=N)
    pd.DataFrame(columns).to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


def test_a_p_value(command: Command, table: Path) -> None:
    words = ("estimate", table, "--x", "a", "--y", "b", "--method", "gaussian", "--test")
    found = json.loads(command(*words, "--json")[1])
    assert found["test"]["p_value"] <= 0.01 and found["rows"]["resemble"] is False
    assert "p = 0.001" in command(*words)[1]
    alone = json.loads(command(*words[:-1], "--json")[1])
    assert "test" not in alone and alone["bits"] == pytest.approx(found["bits"], abs=0.02)


def test_beyond_what_a_third_side_tells(command: Command, table: Path) -> None:
    words = ("estimate", table, "--x", "p", "--y", "q", "--json")
    assert json.loads(command(*words)[1])["bits"] < 0.05
    found = json.loads(command(*words, "--given", "sum", "--test")[1])
    assert found["low"] <= 1.0 <= found["high"] + 0.01 and found["test"]["p_value"] <= 0.01
    frame = pd.read_csv(table)
    for name in ("p", "q", "sum"):
        np.save(table.parent / f"{name}.npy", frame[name])
    files = [table.parent / f"{name}.npy" for name in ("p", "q", "sum")]
    by_files = json.loads(command("estimate", *files[:2], "--given", files[2], "--json")[1])
    assert by_files["bits"] == json.loads(command(*words, "--given", "sum")[1])["bits"]


def test_rows_in_time_are_asked_about_and_allowed_for(command: Command, table: Path) -> None:
    words = ("estimate", table, "--x", "s", "--y", "t", "--method", "gaussian")
    out = command(*words)[1]
    assert "Neighbouring rows resemble each other" in out and "--order time" in out
    plain, in_time = (json.loads(command(*words, *more, "--json")[1]) for more in ((), ("--order", "time", "--test")))
    assert in_time["high"] - in_time["low"] > plain["high"] - plain["low"] and in_time["low"] <= 0.0
    assert in_time["test"]["p_value"] > 0.01 and "rows" not in in_time


def test_the_automatic_choice_sees_rows_in_time_by_itself(command: Command, table: Path) -> None:
    words = ("estimate", table, "--x", "s", "--y", "t", "--json")
    seen, any_order = (json.loads(command(*words, *more)[1]) for more in ((), ("--order", "any")))
    assert seen["low"] <= 0.0 and seen["rows"]["resemble"] and "rows" not in any_order
    assert any_order["high"] - any_order["low"] < seen["high"] - seen["low"]


def test_lags(command: Command, table: Path) -> None:
    words = ("estimate", table, "--x", "w", "--y", "late", "--method", "gaussian", "--lags", "0:4")
    found = json.loads(command(*words, "--json")[1])
    assert found["lags"] == [0, 1, 2, 3, 4] and int(np.argmax(found["bits"])) == 3 and found["low"][3] > 1.0
    out = command(*words)[1]
    assert out.startswith("rows later") and len(out.splitlines()) == 6
    assert lags_of("-2:1") == [-2, -1, 0, 1] and lags_of("0,7,14") == [0, 7, 14]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--order", "space"), "--order to be time"),
        (("--given", "w", "--order", "time"), "--given, or --order"),
        (("--lags", "0:3", "--test"), "--lags or --test"),
        (("--block", "9"), "--block with --order"),
        (("--lags", "3:0"), "--lags as in '0:20'"),
        (("--lags", "soon"), "--lags as in '0:20'"),
        (("--lags", "0:3", "--plot", "p.png"), "--plot or --lags"),
        (("--given", "v"), "--given to be one of"),
    ],
)
def test_questions_that_make_no_sense_are_refused(
    command: Command, table: Path, words: tuple[str, ...], sentence: str
) -> None:
    status, out, err = command("estimate", table, "--x", "a", "--y", "b", *words)
    assert status == 2 and not out and sentence in err


def test_pairwise_with_p_values(command: Command, table: Path) -> None:
    words = ("pairwise", table, "--columns", "a,b,p", "--method", "auto", "--test")
    found = json.loads(command(*words, "--json")[1])
    assert found["p_value"][0][1] <= 0.01 < found["q_value"][0][2] and found["p_value"][0][0] is None
    out = command(*words)[1]
    assert out.count("taken as") == 2 and "\nq" in out
    assert " q" in command(*words, "--target", "a")[1].splitlines()[1]
