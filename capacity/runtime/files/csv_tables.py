"""CSV files, read to the letter: a line that does not fit its header is refused with its number, never realigned."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from capacity.runtime.files.cells import CellColumn, is_number
from capacity.runtime.names import typed_names

if TYPE_CHECKING:
    from _csv import Reader

BLOCK_ROWS = 20_000
DELIMITERS = (",", ";", "\t")
SNIFFED_LINES = 5


def read_csv(file: Path, header: bool | None = None, labels: Sequence[str] = ()) -> list[CellColumn]:
    """The columns of a CSV file with commas, semicolons or tabs between the fields.

    Args:
        file: UTF-8 text.
        header: whether the first line holds names; None: it must, and is refused where it holds numbers.
        labels: the names of columns that hold labels, whatever these look like.

    Raises:
        ValueError: for a file that is no such table, naming the line.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            delimiter = delimiter_of(list(islice(opened, SNIFFED_LINES)))
            opened.seek(0)
            reader = csv.reader(opened, delimiter=delimiter, skipinitialspace=True, strict=True)
            columns = _columns(reader, file, header, labels)
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"Expected {file} to be a CSV table with a header, in UTF-8; got {error}.") from error
    return columns


def delimiter_of(lines: Sequence[str]) -> str:
    """What stands between the fields: what comes in every line as often as in the first, else what the first has most.

    Examples:
        >>> delimiter_of(["a;b", "1,5;2,5"]), delimiter_of(["a,b", "1,5,2,5"])
        (';', ',')
    """
    parsed = {d: [len(row) for row in csv.reader(lines, delimiter=d) if row] for d in DELIMITERS}
    for delimiter, fields in parsed.items():
        if fields and fields[0] > 1 and len(set(fields)) == 1:
            return delimiter
    return max(DELIMITERS, key=lambda d: parsed[d][0] if parsed[d] else 0)


def _columns(reader: Reader, file: Path, header: bool | None, labels: Sequence[str]) -> list[CellColumn]:
    first = next(reader, None)
    while first == []:
        first = next(reader, None)
    if first is None:
        raise ValueError(f"Expected {file} to be a CSV table with a header; got an empty file.")
    width, line = len(first), reader.line_num
    rows = _rows(reader, width, file)
    start = list(islice(rows, BLOCK_ROWS))
    if header is None:
        _refuse_numbers_as_names(first, [row for _, row in start], file)
    if header is False:
        start.insert(0, (line, first))
        names = [str(j) for j in range(width)]
    else:
        names = _names(first, file)
    if not start:
        raise ValueError(f"Expected {file} to be a CSV table with rows below its header; got none.")
    as_text = typed_names(labels, names, "--labels")
    columns = [CellColumn(name, str(file), start[0][0], name in as_text) for name in names]
    first_row = start[0][1]
    while start:
        lines = [line for line, _ in start]
        for column, cells in zip(columns, zip(*(row for _, row in start), strict=True), strict=True):
            column.read(cells, lines)
        start = list(islice(rows, BLOCK_ROWS))
    if any(column.has_units() for column in columns) and all(column.fits_units() for column in columns):
        raise ValueError(
            f"Expected numbers or labels below the header of {file}; got {', '.join(map(repr, first_row))} in line "
            f"{columns[0].first}, where all other rows have numbers. A row of units? Delete it."
        )
    return columns


def _rows(reader: Reader, width: int, file: Path) -> Iterator[tuple[int, list[str]]]:
    """Every row with its line, each as long as the header; empty lines at the end are none."""
    empty = 0
    for row in reader:
        if not row:
            empty = empty or reader.line_num
            continue
        if empty or len(row) != width:
            line, fields = (empty, 0) if empty else (reader.line_num, len(row))
            raise ValueError(
                f"Expected {width} fields in every line of {file}, as in the first; got {fields} in line {line}. "
                f"{_mend(fields, width)}"
            )
        yield reader.line_num, row


def _mend(fields: int, width: int) -> str:
    if not fields:
        return "Delete the empty line; where a value is missing, write NA."
    if fields > width:
        return (
            "A comma within a field needs quotes around it, a decimal comma must be a point, and a column of row names "
            "a name of its own in the first line."
        )
    return "Where a value is missing, leave its field empty between the separators."


def _names(first: Sequence[str], file: Path) -> list[str]:
    names = [name.strip() for name in first]
    names[0] = names[0].lstrip("# ")  # as numpy.savetxt writes a header
    names = [name or f"column {j + 1}" for j, name in enumerate(names)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"Expected a name for each column of {file}; got {', '.join(map(repr, twice))} more than once."
        )
    return names


def _refuse_numbers_as_names(first: Sequence[str], rows: Sequence[Sequence[str]], file: Path) -> None:
    """A first line with numbers is a header only where these are years or the like, beside names that are no values."""
    cells = [cell.strip() for cell in first]
    numbers = [cell for cell in cells if is_number(cell)]
    names = [j for j, cell in enumerate(cells) if cell and not is_number(cell)]
    values = any(cells[j] == row[j].strip() for j in names for row in rows)
    whole = all(number.isdigit() for number in numbers) and len(set(numbers)) == len(numbers)
    if numbers and not (names and whole and not values):
        raise ValueError(
            f"Expected names of columns in the first line of {file}; got numbers ({', '.join(numbers[:3])}). If these "
            "are data, add a line of names or say header=False (on the command line: --no-header); if they are names, "
            "header=True (--header)."
        )
