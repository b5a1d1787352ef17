"""All columns of a table: a bad one disturbs no other, a target ranks, shares and p-values stand beside bits."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pandas as pd
import pytest

from capacity import estimate, pairwise

N = 400
RNG = np.random.default_rng(0)
FLAG = RNG.integers(0, 2, N)
REAL = RNG.normal(size=N)
FRAME = pd.DataFrame(
    {
        "a": REAL,
        "still": 1.5,
        "b": 0.8 * REAL + 0.6 * RNG.normal(size=N),
        "empty": np.nan,
        "when": pd.date_range("2020", periods=N),
        "flag": pd.Categorical(np.where(FLAG == 1, "yes", "no")),
        "copy": FLAG,
        "id": np.arange(N),
    }
)
FIT = ["a", "b", "flag", "copy"]


def test_a_bad_column_is_a_nan_and_a_note() -> None:
    found = pairwise(0, FRAME)
    assert found.kind.values.tolist() == ["real", "unfit", "real", "unfit", "unfit", "symbols", "symbols", "unfit"]
    good = found.sel(column=FIT, other=FIT)
    assert np.isfinite(good.bits.values[~np.eye(4, dtype=bool)]).all()
    assert (good.note == "").all() and (good.n.values[~np.eye(4, dtype=bool)] == N).all()
    bad = found.drop_sel(column=FIT)
    assert np.isnan(bad.bits.values).all() and (bad.n.values == 0).all()
    words = {
        "still": r"same value \(1.5\)",
        "empty": "no value in any row",
        "when": "got dates",
        "id": "another symbol",
    }
    for name, word in words.items():
        for other in ("a", name):
            assert pd.Series([found.note.sel(column=name, other=other).item()]).str.contains(word).all()


def test_figures_are_those_of_the_pairs() -> None:
    found = pairwise(3, FRAME[["a", "b"]], "ksg")
    key = jax.random.split(jax.random.key(3), 1)[0]
    alone = estimate(key, REAL, FRAME["b"], "ksg")
    assert found.bits[0, 1] == found.bits[1, 0] == float(alone.bits) and found.high[0, 1] == float(alone.high)


def test_shares_are_of_the_smaller_entropy() -> None:
    found = pairwise(0, FRAME[FIT])
    share = np.mean(FLAG)
    entropy = -(share * np.log2(share) + (1 - share) * np.log2(1 - share))
    known = ~np.isnan(found.normalised.values)
    assert known.sum() == 10
    np.testing.assert_allclose(found.normalised.values[known], found.bits.values[known] / entropy)
    assert np.isnan(found.normalised.sel(column="a", other="b")) and found.normalised.units == "1"
    assert found.normalised.sel(column="flag", other="copy").item() == pytest.approx(1.0, abs=0.01)


def test_a_target_ranks() -> None:
    found = pairwise(0, FRAME, target="flag")
    assert found.column.values[0] == "copy" and found.sizes == {"column": 7}
    assert set(found.column.values[:3]) == {"copy", "a", "b"} and np.isnan(found.bits.values[3:]).all()
    assert found.attrs["target"] == "flag" and found.attrs["target_kind"] == "symbols"
    assert (np.diff(found.bits.values[:3]) <= 0).all() and found.high[0] >= found.bits[0] >= found.low[0]
    assert pairwise(0, FRAME[FIT].to_numpy()[:, :2].astype(float), "gaussian", target=1).column.values == ["0"]
    with pytest.raises(ValueError, match="Did you mean 'flag'"):
        pairwise(0, FRAME, target="flog")
    with pytest.raises(ValueError, match=r"target that a method can take. Column 'still' has the same value"):
        pairwise(0, FRAME, target="still")


def test_missing_values_are_refused_at_once_or_dropped_pair_by_pair() -> None:
    holed = FRAME[FIT].astype({"copy": "Int64"})
    holed.loc[:9, "a"], holed.loc[5:14, "copy"] = np.nan, pd.NA
    with pytest.raises(ValueError, match=r"none in column 'a' in 10 rows, 'copy' in 10 rows.*missing='drop'"):
        pairwise(0, holed)
    found = pairwise(0, holed, missing="drop")
    n = found.n.sel(column="a").values
    assert n.tolist() == [0, N - 10, N - 10, N - 15] and np.isfinite(found.bits.sel(column="a", other="copy"))


def test_a_test_of_independence_is_asked_of_each_pair() -> None:
    asked: list[tuple[np.dtype, np.dtype]] = []

    def test(key: jax.Array, x: np.ndarray, y: np.ndarray) -> float:
        asked.append((x.dtype, y.dtype))
        return float(jax.random.uniform(key))

    found = pairwise(0, FRAME[["a", "flag", "copy"]], test=test)
    assert asked == [(np.float64, np.int64), (np.float64, np.int64), (np.int64, np.int64)]
    p = found.p_value.values
    assert (found.q_value.values[0, 1:] >= p[0, 1:]).all()
    assert p[0, 1] == p[1, 0] and len(set(p[np.triu_indices(3, 1)])) == 3 and np.isnan(np.diagonal(p)).all()


def test_the_test_of_its_own_tells_columns_apart() -> None:
    found = pairwise(0, FRAME[["a", "b", "flag", "copy"]], "auto", target="copy", test=True)
    p = dict(zip(found.column.values, found.p_value.values, strict=True))
    assert p["flag"] < 0.01 < min(p["a"], p["b"]) and found.q_value[0] == pytest.approx(min(3 * p["flag"], 1.0))


def test_a_pair_that_the_method_refuses_is_noted_but_not_all_of_them() -> None:
    found = pairwise(0, FRAME[["a", "b", "flag"]], "ksg")
    assert np.isfinite(found.bits[0, 1]) and np.isnan(found.bits[0, 2])
    assert "Columns 'a' (x) and 'flag' (y): Expected real numbers" in found.note[0, 2].item()
    with pytest.raises(ValueError, match=r"^Columns 'flag' \(x\) and 'copy' \(y\): Expected real numbers"):
        pairwise(0, FRAME[["flag", "copy", "still"]], "ksg")


def test_progress_is_told_and_tables_are_refused_in_words() -> None:
    told: list[tuple[float, str]] = []
    pairwise(0, FRAME[["a", "b", "still"]], "gaussian", progress=lambda share, text: told.append((share, text)))
    assert [text for _, text in told] == ["a and b", "a and still", "b and still"]
    assert [share for share, _ in told] == pytest.approx([1 / 3, 2 / 3, 1.0])
    refused: list[tuple[Any, dict[str, Any], str]] = [
        (REAL, {}, "two columns or more; got 1"),
        (FRAME[["a", "b"]], {"names": ["a"]}, "a name for each of 2 columns; got 1"),
        ({"a": REAL, "b": REAL[:-1]}, {}, "one length; got 399, 400 rows"),
    ]
    for table, more, words in refused:
        with pytest.raises(ValueError, match=words):
            pairwise(0, table, "gaussian", **more)


def test_a_dataset_can_be_kept(tmp_path: Any) -> None:
    import xarray as xr

    found = pairwise(0, FRAME[["a", "still", "copy"]])
    found.to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "t.nc", engine="h5netcdf") as again:
        assert again.note.values.tolist() == found.note.values.tolist()
