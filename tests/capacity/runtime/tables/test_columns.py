"""What people have as arrays and tables, at the door that all callers share: the same numbers, or a question."""

from __future__ import annotations

import datetime
import subprocess
import sys
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from capacity import (
    choose,
    conditional_information,
    estimate,
    information_scorer,
    pairwise,
    permutation_test,
    rows_resemble_neighbours,
)
from capacity.estimators import KSG
from capacity.estimators.checks import checked
from capacity.results.estimate import Estimate
from capacity.runtime.tables.sides import TableSide, pair_of, side_of

N = 400
NOISE = np.random.default_rng(0).normal(size=(N, 2))
REAL = NOISE[:, 0]
OTHER = 0.8 * REAL + 0.6 * NOISE[:, 1]
WHOLE = np.digitize(REAL, [-1.0, 0.0, 1.0])
WORDS = np.array(["low", "some", "more", "high"])[WHOLE]


class FakeTensor:
    """As a tensor with gradient on a device: NumPy can have it only when it is detached and brought home."""

    def __init__(self, array: np.ndarray, dtype: str = "torch.float32", steps: tuple[str, ...] = ()):
        self.array, self.dtype, self.steps, self.layout = array, dtype, steps, "torch.strided"

    def _next(self, step: str) -> FakeTensor:
        return FakeTensor(self.array, self.dtype, (*self.steps, step))

    def detach(self) -> FakeTensor:
        return self._next("detach")

    def cpu(self) -> FakeTensor:
        return self._next("cpu")

    def float(self) -> FakeTensor:
        return FakeTensor(self.array, "torch.float32", self.steps)

    def resolve_conj(self) -> FakeTensor:
        return self

    def resolve_neg(self) -> FakeTensor:
        return self

    def numpy(self) -> np.ndarray:
        assert {"detach", "cpu"} <= set(self.steps) and self.dtype != "torch.bfloat16"
        return self.array


FakeTensor.__module__ = "torch"

SAME: dict[str, tuple[Any, Any]] = {
    "a list": (REAL.tolist(), REAL),
    "an array in single precision": (REAL.astype(np.float32), REAL.astype(np.float32)),
    "a masked array without a mask": (np.ma.MaskedArray(REAL), REAL),
    "a series": (pd.Series(REAL, index=np.arange(N) + 7), REAL),
    "a frame": (pd.DataFrame({"a": REAL, "b": OTHER}), np.column_stack([REAL, OTHER])),
    "a frame of two columns of one name": (
        pd.DataFrame(np.column_stack([REAL, OTHER]), columns=["a", "a"]),
        np.column_stack([REAL, OTHER]),
    ),
    "real and whole columns": (pd.DataFrame({"a": REAL, "b": WHOLE}), np.column_stack([REAL, WHOLE])),
    "a mapping": ({"a": REAL, "b": OTHER}, np.column_stack([REAL, OTHER])),
    "a structured array": (
        np.array(list(zip(REAL, OTHER, strict=True)), dtype=[("a", float), ("b", float)]),
        np.column_stack([REAL, OTHER]),
    ),
    "nullable real numbers": (pd.Series(REAL, dtype="Float64"), REAL),
    "nullable integers": (pd.Series(WHOLE, dtype="Int64"), WHOLE),
    "nullable booleans": (pd.Series(REAL > 0, dtype="boolean"), REAL > 0),
    "sparse columns": (pd.Series(pd.arrays.SparseArray(np.maximum(REAL, 0))), np.maximum(REAL, 0)),
    "a sparse matrix": (sparse.csr_matrix(np.maximum(NOISE, 0)), np.maximum(NOISE, 0)),
    "a sparse array of counts": (sparse.coo_array(WHOLE[:, None]), WHOLE),
    "an array of JAX": (jnp.asarray(REAL), REAL.astype(np.float32)),
    "bfloat16": (jnp.asarray(REAL, jnp.bfloat16), np.asarray(jnp.asarray(REAL, jnp.bfloat16).astype(jnp.float32))),
    "a tensor with gradient": (FakeTensor(REAL), REAL),
    "a tensor of bfloat16": (FakeTensor(REAL, "torch.bfloat16"), REAL),
    "strings": (WORDS, WORDS),
    "a list of strings": (WORDS.tolist(), WORDS),
    "strings as objects": (WORDS.astype(object), WORDS),
    "a series of strings": (pd.Series(WORDS), WORDS),
    "a series of objects": (pd.Series(WORDS, dtype=object), WORDS),
    "nullable strings": (pd.Series(WORDS, dtype="string"), WORDS),
    "a category": (pd.Series(WORDS, dtype="category"), WORDS),
    "an index": (pd.Index(WORDS), WORDS),
    "a category of numbers": (pd.Categorical(WHOLE), WHOLE),
    "intervals": (pd.cut(REAL, [-9, -1, 0, 1, 9], right=False), WHOLE),
    "labels of two kinds": (pd.DataFrame({"a": WORDS, "b": REAL > 0}), WORDS),
    "booleans as objects": ((REAL > 0).astype(object), REAL > 0),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_as_a_plain_array(name: str) -> None:
    """Real numbers to the last bit; labels by which rows have the same one."""
    given, plain = SAME[name]
    found, expected = (checked(side, OTHER, "any")[0] for side in (given, plain))
    assert found.dtype == expected.dtype and found.dtype in (np.float64, np.int64)
    if found.dtype == np.float64:
        np.testing.assert_array_equal(found, expected)
    else:
        assert len(set(zip(found.ravel(), expected.ravel(), strict=True))) == len(np.unique(expected))


HOLED = [None, *WHOLE[1:].tolist()]


def test_arrow_where_it_is_installed() -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": HOLED, "b": WORDS.tolist(), "c": REAL})
    first, second, dropped = pair_of(table.select(["a", "b"]), table.select(["c"]), "drop")
    assert dropped == 1 and first.values.dtype.kind == "i" and second.values.dtype == np.float64


def test_polars_where_it_is_installed() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"a": HOLED, "b": WORDS.tolist(), "c": REAL})
    first, second, dropped = pair_of(frame[["a", "b"]], frame["c"], "drop")
    assert dropped == 1 and first.values.dtype.kind == "i" and second.values.dtype == np.float64
    for kind in (polars.Categorical, polars.String):
        labels = checked(frame["b"].cast(kind), OTHER, "any")[0]
        assert len(set(zip(labels.ravel(), WORDS, strict=True))) == 4
    for bad, words in ((frame.lazy(), r"\.collect\(\)"), (frame["a"].cast(polars.Date), "got dates in x")):
        with pytest.raises(ValueError, match=words):
            side_of(bad, "x")
    assert pairwise(0, frame, "auto", missing="drop").kind.values.tolist() == ["symbols", "symbols", "real"]


def holed(values: np.ndarray) -> np.ndarray:
    mask = np.zeros(N, bool)
    mask[[3, 8]] = True
    return np.ma.MaskedArray(np.where(mask, -9999, values), mask)


MISSING: dict[str, Any] = {
    "masked": holed(REAL),
    "masked integers": holed(WHOLE),
    "nan": np.ma.filled(holed(REAL), np.nan),
    "nullable integers": pd.Series(holed(WHOLE).tolist(), dtype="Int64"),
    "nullable booleans": pd.Series(holed(REAL > 0).tolist(), dtype="boolean"),
    "nullable strings": pd.Series(np.where(holed(WHOLE).mask, None, WORDS), dtype="string"),
    "a category": pd.Series(np.where(holed(WHOLE).mask, None, WORDS), dtype="category"),
    "objects": np.where(holed(WHOLE).mask, None, WORDS),
    "objects of two kinds of nothing": np.where(holed(WHOLE).mask, np.nan, np.where(REAL > 9, None, WORDS)),
    "a column of a frame": pd.DataFrame({"b": OTHER, "a": np.ma.filled(holed(REAL), np.nan)}),
}


@pytest.mark.parametrize("name", MISSING)
def test_missing_values_are_refused_or_dropped(name: str) -> None:
    given = MISSING[name]
    with pytest.raises(ValueError, match=r"in x, row 3, column .*in 2 of 400 rows.*missing='drop'"):
        estimate(0, given, OTHER)
    with pytest.raises(ValueError, match="in y, row 3"):
        KSG()(0, OTHER, given)
    first, second, dropped = pair_of(given, OTHER, "drop")
    rest = np.delete(np.arange(N), [3, 8])
    assert dropped == 2 and first.missing is None and len(first) == N - 2
    np.testing.assert_array_equal(second.values[:, 0], OTHER[rest])
    if first.values.dtype == np.float64:
        np.testing.assert_array_equal(first.values[:, -1], REAL[rest])
    else:
        assert -9999 not in first.values


def test_what_was_dropped_is_said() -> None:
    found = estimate(0, MISSING["masked"], np.where(np.arange(N) == 9, np.nan, OTHER), "gaussian", missing="drop")
    whole = estimate(0, np.delete(REAL, [3, 8, 9]), np.delete(OTHER, [3, 8, 9]), "gaussian")
    assert found.dropped == 3 and float(found.bits) == float(whole.bits) and whole.dropped == 0
    assert "3 rows with missing values were left out" in found._repr_html_()
    with pytest.raises(ValueError, match="missing to be one of drop, refuse"):
        estimate(0, REAL, OTHER, missing="fill")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Expected at least .* got 0"):
        estimate(0, np.full(N, np.nan), OTHER, "gaussian_copula", missing="drop")


REFUSED: dict[str, tuple[Any, str]] = {
    "dates": (np.arange(N).astype("M8[s]"), r"got dates in x.*astype\('int64'\).*astype\(str\)"),
    "dates with a zone": (
        pd.DataFrame({"when": pd.date_range("2020", periods=N, tz="UTC")}),
        "got dates in x, column 'when'",
    ),
    "dates as objects": ([datetime.date(2020, 1, 1 + i % 28) for i in range(N)], "got dates in x, column 0"),
    "lengths of time": (pd.Series(pd.to_timedelta(WHOLE, unit="h")), "got lengths of time in x"),
    "real numbers beside names": (
        pd.DataFrame({"height": REAL, "name": [f"{i % 40}" for i in range(N)]}),
        "labels of 32 values or fewer .* got 40 values in column 'name'",
    ),
    "a list with words and numbers": (["a", 1.5] * (N // 2), "got strings, and 1.5 in row 1"),
    "objects with words and numbers": (np.array(["a", 1] * (N // 2), object), "got strings, and 1 in row 1"),
    "rows of words and numbers": ([["a", 1.5], ["b", 2.5]] * (N // 2), "x, column 1 as .* array of Python objects"),
    "numbers as objects": (REAL.astype(object), "array of Python objects"),
    "a series of words and numbers": (pd.Series(["a", 1.5] * (N // 2), name="kind"), "x, column 'kind'; got strings"),
    "complex numbers": (REAL + 1j, "real numbers, integers, booleans or strings; got complex128"),
    "ragged rows": ([[1.0, 2.0], [1.0]], "rows of one length"),
    "columns of unequal length": ({"a": REAL, "b": REAL[1:]}, "columns of one length in x; got 399, 400 rows"),
    "no columns": ({}, "one column or more"),
    "an infinite number": (pd.DataFrame({"a": np.where(REAL > 2, np.inf, REAL)}), "got inf in x, row .*, column 'a'"),
    "a constant column": (pd.DataFrame({"a": 0.0 * REAL}), "constant one .0.0. in x, column 'a'. It carries no bits"),
    "constant columns": (
        pd.DataFrame({"a": 0.0 * REAL, "b": 1.0}),
        "constant one .0.0. in x, column 'a', as all others",
    ),
    "nothing of the kind": (object(), "of shape"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_array_says_is_asked(name: str) -> None:
    given, words = REFUSED[name]
    for call in (estimate, choose):
        with pytest.raises(ValueError, match=words):
            call(0, given, OTHER)


@pytest.mark.parametrize("constant", [0.0, 3, "same"])
def test_columns_that_never_change_are_left_out_aloud(constant: object) -> None:
    """Beside columns that do: a border of images, a unit that is dead."""
    symbols = constant == "same"
    column = pd.Series(WHOLE).astype(str) if symbols else pd.Series(REAL)
    frame = pd.DataFrame({"a": column, **{f"still {i}": [constant] * N for i in range(7)}})
    for call in (estimate, choose):
        alone = call(0, column, OTHER)
        with pytest.warns(UserWarning, match=r"Left out of x.*'still 0', .*'still 4' and 2 more"):
            assert call(0, frame, OTHER) == alone


@pytest.mark.parametrize("missing", [(), (3, 5)])
@pytest.mark.parametrize("values", [["one"], ["one", "two"], ["one", "two", "three"]])
def test_labels_beside_numbers_are_columns_of_0_and_1(values: list[str], missing: tuple[int, ...]) -> None:
    words = np.resize(np.array(values, object), N)
    words[list(missing)] = None
    for labels in (pd.Series(words), pd.Series(words, dtype="category")):
        side = side_of(pd.DataFrame({"kind": labels, "height": REAL}), "x")
        told = values[1:] or values
        expected = np.column_stack([*(words == value for value in sorted(values)[-len(told) :]), REAL])
        kept = np.ones(N, bool) if side.missing is None else ~side.missing.any(axis=1)
        np.testing.assert_array_equal(np.flatnonzero(~kept), missing)
        np.testing.assert_array_equal(side.values[kept], expected[kept].astype(float))
        assert len(set(side.names)) == side.values.shape[1] and side.names[-1] == "height"


def test_rows_of_pandas_in_another_order_are_no_pairs() -> None:
    x, y = pd.Series(REAL), pd.Series(OTHER)
    with pytest.raises(ValueError, match=r"y.loc\[x.index\]"):
        estimate(0, x, y.sort_values(), "gaussian")
    aligned = estimate(0, x, y.sort_values().loc[x.index], "gaussian")
    assert aligned == estimate(0, REAL, OTHER, "gaussian")
    assert isinstance(estimate(0, x, y.reset_index(drop=True).rename(lambda i: i + 1), "gaussian"), Estimate)


def test_features_of_every_kind_are_scored() -> None:
    score = information_scorer(0, "mixed")
    flag = (REAL > 0).astype(int)
    frame = pd.DataFrame({"a": REAL, "still": 0.0, "b": NOISE[:, 1]})
    found = score(frame, pd.Series(flag))
    np.testing.assert_allclose(found, score(sparse.csc_matrix(frame.to_numpy()), flag))
    assert found[1] == 0.0 and found[0] > 0.5 > found[2]
    with pytest.raises(ValueError, match="in x, row 0, column 'a'"):
        score(frame.where(frame.a != frame.a[0]), flag)


def test_no_package_is_imported_for_plain_arrays() -> None:
    program = """if True:
        import sys, numpy as np
        from capacity.runtime.tables.sides import pair_of
        pair_of(np.arange(9.0), [str(i) for i in range(9)])
        loaded = {"pandas", "polars", "torch", "xarray", "matplotlib"} & set(sys.modules)
        assert not loaded, loaded"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_other_questions_take_the_same() -> None:
    frame = pd.DataFrame({"kind": pd.Categorical(WORDS), "b": OTHER})
    tensor = FakeTensor(OTHER)
    assert permutation_test(0, frame["kind"], tensor).p_value <= 0.01
    assert rows_resemble_neighbours(frame["kind"], tensor).resemble is False
    conditional = conditional_information(0, frame["kind"], tensor, sparse.csr_matrix(NOISE))
    assert isinstance(conditional, Estimate)


def test_a_side_is_an_array() -> None:
    side = TableSide(np.arange(6.0).reshape(3, 2), ("a", "b"))
    assert np.asarray(side).shape == (3, 2) and np.array(side, dtype=np.float32).dtype == np.float32
    assert side_of(side, "x") is side and pairwise(0, np.column_stack([REAL, OTHER]), "gaussian").sizes["column"] == 2


@pytest.mark.parametrize("hidden", [(), (1,), (0, 1, 2, 3, 4, 5)])
@pytest.mark.parametrize("words", [["a"] * 6, ["red", "blue"] * 3, ["", "a", "b"] * 2])
@pytest.mark.parametrize("form", ["masked", "objects", "categories"])
def test_labels_beside_numbers_keep_their_words_and_what_is_missing(
    form: str, words: list[str], hidden: tuple[int, ...]
) -> None:
    mask = np.isin(np.arange(6), hidden)
    objects = [None if gone else word for word, gone in zip(words, mask, strict=True)]
    column = {
        "masked": lambda: np.ma.MaskedArray(words, mask),
        "objects": lambda: np.array(objects, dtype=object),
        "categories": lambda: pd.Categorical(objects),
    }[form]()
    side = side_of({"height": np.arange(6) + 0.5, "kind": column}, "x")
    said = sorted({word for word in objects if word is not None})
    assert side.names == ("height", *([f"kind, label {word}" for word in said[1:]] or ["kind"]))
    rows = np.zeros(6, bool) if side.missing is None else side.missing.any(axis=1)
    np.testing.assert_array_equal(rows, mask)
    for name, values in zip(side.names[1:], side.values.T[1:], strict=True):
        told = [str(name) == f"kind, label {word}" for word in words] if len(said) > 1 else [True] * 6
        np.testing.assert_array_equal(values[~mask], np.array(told)[~mask])
