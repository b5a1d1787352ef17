"""Cells of a text table as numbers or labels: what is neither plainly is asked about, never guessed.

A column is of numbers if all of its cells are, but for words such as NA, which then say that a value is missing; of
labels if none is.  Empty cells are missing in both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

MISSING_WORDS = frozenset(
    ["", "na", "n/a", "#n/a", "#na", "<na>", "nan", "-nan", "none", "null", "nil", "nat", "-", "--", ".", "?"]
)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+(\.\d{3})*,\d+")
_DATE = re.compile(r"(\d{4}([-/])\d\d?\2\d\d?|\d\d?([./-])\d\d?\3\d{2,4})([T ].*)?|\d\d?:\d\d(:.*)?")
_WITH_UNIT = re.compile(r"([$€£¥]?)\s?[+-]?\d+(?:[.,]\d+)*\s?([%°µ€$£a-zA-Z]{0,3})")
_SEVERAL = re.compile(r"[+-]?[\d.]+([\s|]+[+-]?[\d.]+)+")


class Seen(NamedTuple):
    """A cell and where it stands."""

    line: int
    text: str


class CellBlock(NamedTuple):
    """Some rows of a column.

    Attributes:
        kind: what all cells that are not missing are; "nothing" where only words that may stand for none are there.
        values: int64, float64, or Python strings.
        missing: shape (rows,).
        number, word: the first cell that is a number, and the first that is none, where both are there.
        words: how many are no numbers.
    """

    kind: Literal["whole", "real", "text", "nothing"]
    values: np.ndarray
    missing: np.ndarray
    number: Seen | None = None
    word: Seen | None = None
    words: int = 0


def is_number(cell: str) -> bool:
    """Whether a cell is a finite decimal number: Python's 1_000 and other scripts' digits are none."""
    try:
        return cell.isascii() and "_" not in cell and bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def block_of(cells: Sequence[str], lines: Sequence[int], as_text: bool = False) -> CellBlock:
    """Some rows of a column read.

    Args:
        cells: without spaces around them.
        lines: of the file, for each of them.
        as_text: whether they are labels, whatever they look like.
    """
    if as_text:
        return CellBlock("text", np.array(cells, dtype=object), np.array([not cell for cell in cells]))
    values = _numbers(cells)
    if values is not None and np.isfinite(values).any() and not np.isnan(values).any():
        return CellBlock("real" if values.dtype.kind == "f" else "whole", values, np.zeros(len(cells), bool))
    missing = np.array([cell.lower() in MISSING_WORDS for cell in cells])
    rest = [cell for cell, none in zip(cells, missing, strict=True) if not none]
    values = _numbers(rest) if rest else None
    if values is not None and np.isfinite(values).any():
        all_values = np.zeros(len(cells), values.dtype)
        all_values[~missing] = values
        return CellBlock("real" if values.dtype.kind == "f" else "whole", all_values, missing)
    text, empty = np.array(cells, dtype=object), np.array([not cell for cell in cells])
    seen = [Seen(line, cell) for line, cell, none in zip(lines, cells, missing, strict=True) if not none]
    words = [one for one in seen if not is_number(one.text)]
    numbers = [one for one in seen if is_number(one.text)]
    if not seen:
        return CellBlock("nothing", text, empty)
    word = words[0] if words else seen[0]  # whole numbers beyond 64 bits
    return CellBlock("text", text, empty, numbers[0] if numbers else None, word, len(words))


def _numbers(cells: Sequence[str]) -> np.ndarray | None:
    """All cells as int64, else all as float64; None where one is no number, or a whole one beyond 64 bits."""
    together = "".join(cells)
    if "_" in together or not together.isascii():
        return None
    try:
        return np.array(list(map(int, cells)), np.int64)
    except OverflowError:
        return None
    except ValueError:
        pass
    try:
        return np.array(list(map(float, cells)), np.float64)
    except ValueError:
        return None


@dataclass
class CellColumn:
    """A column of a text table, read block by block.

    Attributes:
        name: from the header.
        file: where it is from, for refusals.
        first: the line of the first row.
        as_text: whether it holds labels, whatever they look like.
        blocks: in order.
    """

    name: str
    file: str
    first: int
    as_text: bool = False
    blocks: list[CellBlock] = field(default_factory=list)

    def has_units(self) -> bool:
        """Whether the first row alone is no number."""
        words, word = sum(block.words for block in self.blocks), self._first_word()
        return words == 1 and word is not None and word.line == self.first and self._number() is not None

    def fits_units(self) -> bool:
        """Whether the first row could be units: the only word among numbers, or a label that is not there again."""
        first = self.blocks[0]
        if first.kind != "text" or self._number() is not None:
            return self.has_units() or bool(first.missing[0])
        return bool(first.missing[0]) or sum(int((block.values == first.values[0]).sum()) for block in self.blocks) == 1

    def array(self) -> np.ndarray:
        """The values, int64, float64, booleans or strings as objects; masked where some are missing.

        Raises:
            ValueError: for numbers among words, and words that look like numbers or dates.
        """
        if self.as_text:
            return self._text()
        kinds = {block.kind for block in self.blocks}
        if "text" in kinds:
            self._refuse_numbers_among_words()
            return self._labels()
        if kinds <= {"nothing"}:
            return self._labels()
        dtype = np.float64 if "real" in kinds else np.int64
        parts = [
            np.zeros(len(block.values), dtype) if block.kind == "nothing" else block.values.astype(dtype)
            for block in self.blocks
        ]
        missing = np.concatenate([block.missing | (block.kind == "nothing") for block in self.blocks])
        return _masked(np.concatenate(parts), missing)

    def read(self, cells: Sequence[str], lines: Sequence[int]) -> None:
        """Some more rows, and the lines where they stand."""
        self.blocks.append(block_of([cell.strip() for cell in cells], lines, self.as_text))

    def _text(self) -> np.ndarray:
        return _masked(
            np.concatenate([b.values for b in self.blocks]), np.concatenate([b.missing for b in self.blocks])
        )

    def _labels(self) -> np.ndarray:
        """Words that look like numbers or dates are asked about; words true and false are booleans."""
        found = self._text()
        different = set(found.compressed()) if isinstance(found, np.ma.MaskedArray) else set(found)
        question = looks_like(different)
        if question:
            raise ValueError(f"{self._expected(self._first_word())} {question} {self._if_labels()}")
        if different and {word.lower() for word in different} <= {"true", "false"}:
            flags = np.array([word.lower() == "true" for word in np.ma.getdata(found)])
            return _masked(flags, np.ma.getmaskarray(found))
        return found

    def _refuse_numbers_among_words(self) -> None:
        number, word = self._number(), self._first_word()
        if number is None or word is None:
            return
        if is_number(word.text):
            raise ValueError(
                f"Expected whole numbers of at most 64 bits; got {word.text} in line {word.line}, column "
                f"{self.name!r} of {self.file}. {self._if_labels()}"
            )
        hint = looks_like({word.text}) or (
            "Line 2 looks like a row of units: delete it."
            if self.has_units()
            else "Mend the cell, or leave it empty: then a value is missing."
        )
        others = f"Others are numbers ({number.text} in line {number.line})."
        raise ValueError(f"{self._expected(word)} {others} {hint} {self._if_labels()}")

    def _expected(self, word: Seen | None) -> str:
        text, line = (word.text, word.line) if word else ("", self.first)
        return f"Expected a number; got {text!r} in line {line}, column {self.name!r} of {self.file}."

    def _if_labels(self) -> str:
        return "If the column holds labels, say so: labels=[name], on the command line --labels name."

    def _first_word(self) -> Seen | None:
        return next((block.word for block in self.blocks if block.word), None)

    def _number(self) -> Seen | None:
        for block in self.blocks:
            if block.number:
                return block.number
            if block.kind in ("whole", "real"):
                value = block.values[~block.missing][0]
                return Seen(self.first, f"{value}")
        return None


def looks_like(words: set[str]) -> str:
    """What to do about words that all look like numbers or dates; empty for plain labels."""
    if not words:
        return ""
    if all(_DECIMAL_COMMA.fullmatch(word) for word in words):
        return "Decimal or thousands commas? Write numbers with a decimal point, and nothing between thousands."
    if all(_DATE.fullmatch(word) for word in words):
        return "Dates or times? Make numbers of them (days since some day), or labels (weekdays, months)."
    if all(_SEVERAL.fullmatch(word) for word in words):
        return "Several numbers in one field? Separate the fields by commas, semicolons or tabs."
    units = {match.groups() if (match := _WITH_UNIT.fullmatch(word)) else None for word in words}
    if len(units) == 1 and None not in units and units != {("", "")}:
        return "Numbers with a unit? Write the unit into the column's name, and numbers alone into the cells."
    return ""


def _masked(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    return np.ma.MaskedArray(values, missing) if missing.any() else values
