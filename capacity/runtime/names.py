"""Names that users type: known, or refused with the nearest known ones; any name can be shown and typed."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Collection, Sequence
from itertools import islice

LONG = 120  # letters: longer names are shown by their beginning


def check_name(name: object, known: Collection[str], option: str) -> None:
    """Raise ValueError, with the nearest known names, for one that is unknown, and TypeError for what is no name.

    A registry's old names are known too.

    Args:
        name: as it was typed.
        known: the names that there are; those listed are offered.
        option: where it was typed, as "--system".

    Examples:
        >>> check_name("gausian", ["gaussian", "vae"], "--system")
        Traceback (most recent call last):
        ValueError: Expected --system to be one of gaussian, vae; got 'gausian'. Did you mean 'gaussian'?
    """
    if not isinstance(name, str):
        raise TypeError(f"Expected {option} as a name; got {brief(repr(name))}.")
    if name not in known:
        names = sorted(known)
        short = [n for n in names if len(n) <= LONG] if len(name) <= LONG else []  # the search is quadratic in letters
        near = difflib.get_close_matches(name, short, n=2, cutoff=0.5)
        hint = f" Did you mean {' or '.join(f'{n!r}' for n in near)}?" if near else ""
        raise ValueError(f"Expected {option} to be one of {listed(names)}; got {brief(name)!r}.{hint}")


def listed(names: Collection[str], most: int = 40) -> str:
    """Names as a sentence can hold them: shown, each of some length, and some of many.

    Examples:
        >>> listed(["a", "b"]), listed(["a", "b", "c"], most=2)
        ('a, b', 'a, b and 1 more')
    """
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(brief(shown(name)) for name in islice(names, most)) + more


def brief(name: str) -> str:
    """A name that is not too long to be read, else its beginning and its length."""
    return name if len(name) <= LONG else f"{name[:40]}... ({len(name):,} letters)"


def shown(name: str) -> str:
    """A name as a line can show it: control characters as escapes.

    Examples:
        >>> shown("age [years]"), shown("a\\tb")
        ('age [years]', 'a\\\\tb')
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def as_cell(text: str) -> str:
    """A text as a table's cell that no spreadsheet takes for a formula: an apostrophe before a sign that begins one.

    A carriage return becomes a line feed: writers of CSV leave it bare, and readers end the line there.

    Examples:
        >>> as_cell("=1+1"), as_cell("age")
        ("'=1+1", 'age')
    """
    cell = f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text
    return cell.replace("\r\n", "\n").replace("\r", "\n")


def typed_names(typed: Sequence[str], known: Collection[str], option: str) -> list[str]:
    """The names that were typed, each text one name or several with commas between, as CSV: quotes keep a comma.

    Args:
        typed: "a,b" are two names, unless one is called so; '"a,b",c' are two in any case.
        known: the names that there are; each may be typed as `shown` shows it.
        option: where they were typed, as "--x".

    Raises:
        ValueError: for an unknown name, with the nearest known ones, and one typed twice.

    Examples:
        >>> typed_names(["a,b", "c"], ["a", "b", "c"], "--x"), typed_names(["a,b"], ["a,b", "c"], "--x")
        (['a', 'b', 'c'], ['a,b'])
    """
    by_look = {shown(name): name for name in known} | {name: name for name in known}
    names: list[str] = []
    for text in typed:
        parts = (
            [text] if text in by_look else [part.strip() for part in next(csv.reader([text], skipinitialspace=True))]
        )
        for part in parts:
            if part:
                check_name(part, by_look if part in by_look else [shown(name) for name in known], option)
                names.append(by_look[part])
    if len(set(names)) < len(names):
        raise ValueError(f"Expected each column once in {option}; got {listed(names)}.")
    return names
