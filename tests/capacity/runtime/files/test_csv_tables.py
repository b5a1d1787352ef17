"""CSV files to the letter: what does not fit is named with its line and column, and never read as something else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from capacity.runtime.files.arrays import read_one, read_table
from capacity.runtime.files.csv_tables import BLOCK_ROWS
from capacity.runtime.tables.table import Table


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    file = folder / "t.csv"
    file.write_bytes(text.encode(encoding))
    return file


def table_of(folder: Path, text: str, encoding: str = "utf-8") -> Table:
    return read_table(written(folder, text, encoding))


def test_kinds_of_columns(tmp_path: Path) -> None:
    table = table_of(tmp_path, "a,b,c,d\n1,1.0,red,True\n2,2.5, green ,false\n-3,1e3,red,TRUE\n")
    assert list(table) == ["a", "b", "c", "d"] and len(table) == 4
    assert [table[name].dtype.kind for name in table] == ["i", "f", "O", "b"]
    assert table["a"].tolist() == [1, 2, -3] and table["b"].tolist() == [1.0, 2.5, 1000.0]
    assert table["c"].tolist() == ["red", "green", "red"] and table["d"].tolist() == [True, False, True]
    assert not any(isinstance(column, np.ma.MaskedArray) for column in table.values())
    np.testing.assert_array_equal(table.numbers(["b", "a"])[:, 1], [1, 2, -3])


@pytest.mark.parametrize("word", ["", "NA", "n/a", "None", "null", "-", "NaN", "?", ".", "<NA>"])
def test_words_for_nothing_are_missing_among_numbers_and_labels_among_words(tmp_path: Path, word: str) -> None:
    table = table_of(tmp_path, f'a,b,c,d\n1,1.5,red,"x"\n"{word}",{word},{word},x\n3,2.5,blue,y\n')
    for name, kind in (("a", "i"), ("b", "f")):
        assert table[name].dtype.kind == kind and np.ma.getmaskarray(table[name]).tolist() == [False, True, False]
    assert np.ma.getmaskarray(table["c"]).tolist() == [False, not word, False]
    assert word == "" or table["c"].tolist() == ["red", word, "blue"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_separators_are_found(tmp_path: Path, delimiter: str) -> None:
    lines = ['x,"y, z"', '1.5,"red; green"', "2.5,blue"] if delimiter == "," else ["x|y, z", "1.5|red", "2.5|blue"]
    table = table_of(tmp_path, "\ufeff" + "\r\n".join(lines).replace("|", delimiter) + "\r\n\r\n")
    assert list(table) == ["x", "y, z"] and table["x"].tolist() == [1.5, 2.5]


ASKED = {
    "more fields than names": (
        "a,b\n1,2,3\n4,5,6\n",
        "Expected 2 fields in every line .* got 3 in line 2. .*row names",
    ),
    "a line that is too long": ("a,b\n1,2\n3,4\n5,6,7\n", "got 3 in line 4"),
    "a line that is too short": ("a,b\n1,2\n3\n", "got 1 in line 3. .*leave its field empty"),
    "an empty line": ("a\n1\n\n2\n", "got 0 in line 3. Delete the empty line"),
    "decimal commas with commas": ("a,b\n1,5,2,5\n1,7,2,0\n", "got 4 in line 2. .*decimal comma"),
    "no header": ("1.5,2\n3,4\n", r"names .* got numbers \(1.5, 2\).*--no-header"),
    "no header, words too": ("5.1,setosa\n4.9,setosa\n", r"got numbers \(5.1\)"),
    "no header, whole numbers and a word": ("3,yes\n4,no\n1,yes\n", r"got numbers \(3\)"),
    "a row of units": ("length,weight\ncm,kg\n1.5,2\n2.5,3\n", "got 'cm', 'kg' in line 2.* row of units"),
    "a row of units with labels": (
        "a,b,c\n[cm],,name\n1.5,2,x\n2.5,3,y\n",
        "got '.cm.', '', 'name' in line 2.* row of units",
    ),
    "names twice": ("a,b,a\n1,2,3\n", "got 'a' more than once"),
    "no rows": ("a,b\n", "rows below its header"),
    "nothing": ("\n\n", "empty file"),
    "an open quote": ('a,b\n1,"2\n3,4\n', "CSV table"),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str) -> None:
    text, words = ASKED[name]
    with pytest.raises(ValueError, match=words):
        table_of(tmp_path, text)


CELLS = {
    "a word among numbers": (
        "1.5\n2.5\n<0.1\n3\n",
        r"got '<0.1' in line 4, column 'a' of .*\(1.5 in line 2\).*--labels",
    ),
    "a number among words": ("red\n7\nblue\n", "got 'red' in line 2, column 'a' .*7 in line 3"),
    "a unit in a cell": ("1.5\n2.5 kg\n3\n", "got '2.5 kg' in line 3.*with a unit"),
    "units in all cells": ("10 %\n20 %\n5%\n", "got '10 %' in line 2.*with a unit"),
    "sums of money": ("$5\n$7.50\n", "with a unit"),
    "decimal commas": ('"1,5"\n"2,5"\n', "got '1,5' in line 2.*decimal point"),
    "a decimal comma": ('1.5\n"2,5"\n', "got '2,5' in line 3.*decimal point"),
    "thousands": ('"1,234"\n"12,345"\n', "thousands"),
    "dates": ("2020-01-31\n2020-02-01\n", "got '2020-01-31' in line 2.*Dates"),
    "days of the month before the month": ("31.01.2020\n01.02.2020\n", "Dates"),
    "times": ("12:30\n13:45:10\n", "Dates or times"),
    "fields with spaces between": ("1 2 3\n4 5 6\n", "Several numbers"),
    "underscores, which Python reads": ("1_000\n2\n", "got '1_000' in line 2"),
    "numbers beyond 64 bits": ("18446744073709551616\n18446744073709551617\n", "at most 64 bits"),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_that_is_no_number_is_asked_about_where_its_column_is_used(tmp_path: Path, name: str) -> None:
    cells, words = CELLS[name]
    file = written(tmp_path, "b,a\n" + "".join(f"{i}.5,{cell}\n" for i, cell in enumerate(cells.splitlines())))
    table = read_table(file)
    assert table["b"].dtype.kind == "f"
    with pytest.raises(ValueError, match=words):
        table["a"]
    labels = read_table(file, labels=["a"])["a"]
    assert labels.tolist() == [cell.strip('"') for cell in cells.splitlines()]


def test_a_word_in_the_first_row_is_no_unit_where_other_columns_have_values(tmp_path: Path) -> None:
    table = table_of(tmp_path, "a,b\nunknown,tall\n1.5,small\n2.5,tall\n")
    assert table["b"].tolist() == ["tall", "small", "tall"]
    with pytest.raises(ValueError, match="got 'unknown' in line 2, column 'a'"):
        table["a"]


def test_a_header_of_numbers_is_taken_at_its_word(tmp_path: Path) -> None:
    file = written(tmp_path, "0,1\n1.5,2\n3,4\n")
    assert list(read_table(file, header=True)) == ["0", "1"] and read_table(file, header=True)["0"].tolist() == [1.5, 3]
    assert read_table(file, header=False)["1"].tolist() == [1, 2, 4]
    years = table_of(tmp_path, "country,2019,2020\nNA,1.5,2\nNO,3,4\n")
    assert list(years) == ["country", "2019", "2020"] and years["country"].tolist() == ["NA", "NO"]
    np.savetxt(tmp_path / "s.csv", np.arange(4.0).reshape(2, 2), delimiter=",", header="a,b")
    assert list(read_table(tmp_path / "s.csv")) == ["a", "b"]
    assert list(table_of(tmp_path, ",a\n0,1.5\n1,2.5\n")) == ["column 1", "a"]


def test_long_columns_are_of_one_kind_all_along(tmp_path: Path) -> None:
    count = 2 * BLOCK_ROWS + 10
    numbers = [str(i) for i in range(count)]
    late = written(tmp_path, "a,b,c\n" + "".join(f"{n},{n},{n}\n" for n in numbers) + "1.5,x,NA\n")
    table = read_table(late)
    assert table["a"].dtype == np.float64 and len(table["a"]) == count + 1 and table["a"][-2] == count - 1
    assert table["c"].dtype == np.int64 and np.ma.getmaskarray(table["c"]).sum() == 1
    with pytest.raises(ValueError, match=f"got 'x' in line {count + 2}"):
        table["b"]
    assert read_table(late, labels=["b"])["b"][[0, -1]].tolist() == ["0", "x"]
    none = ["None"] * BLOCK_ROWS
    for more, kind in ((["1", "2"], "i"), (["red", "blue"], "O")):
        found = table_of(tmp_path, "a\n" + "\n".join(none + more))["a"]
        assert found.dtype.kind == kind and np.ma.getmaskarray(found).sum() == (BLOCK_ROWS if kind == "i" else 0)


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="in UTF-8"):
        table_of(tmp_path, "größe,b\n1,2\n", "latin-1")
    assert list(table_of(tmp_path, "größe,b\n1,2\n")) == ["größe", "b"]


def test_parquet_keeps_integers_with_holes(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(
        {"n": pd.array([1, None, 3], "Int64"), "w": pd.Categorical(["a", "b", None]), "r": [0.5, 1, 2]}
    )
    frame.set_index(pd.Index([5, 6, 9])).to_parquet(tmp_path / "t.PARQUET")
    table = read_table(tmp_path / "t.PARQUET", labels=["r"])
    assert (
        list(table) == ["n", "w", "r"] and table["n"].dtype.kind == "i" and table["r"].tolist() == ["0.5", "1.0", "2.0"]
    )
    assert np.ma.getmaskarray(table["n"]).tolist() == [False, True, False]
    assert np.ma.getmaskarray(table["w"]).tolist() == [False, False, True]


def test_numbers_of_a_whole_table(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_one(written(tmp_path, "a,b\n1,\n2,3.5\n")), [[1, np.nan], [2, 3.5]])
    with pytest.raises(ValueError, match="numbers in column 'b'"):
        read_one(written(tmp_path, "a,b\n1,red\n2,blue\n"))
