"""Names that users type: known, or refused with the nearest known ones."""

from __future__ import annotations

import difflib
from collections.abc import Collection


def check_name(name: str, known: Collection[str], option: str) -> None:
    """Raise ValueError, with the nearest known names, for one that is unknown; a registry's old names are known too.

    Args:
        name: as it was typed.
        known: the names that there are; those listed are offered.
        option: where it was typed, as "--system".

    Examples:
        >>> check_name("gausian", ["gaussian", "vae"], "--system")
        Traceback (most recent call last):
        ValueError: Expected --system to be one of gaussian, vae; got 'gausian'. Did you mean 'gaussian'?
    """
    if name not in known:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=2, cutoff=0.5)
        hint = f" Did you mean {' or '.join(f'{n!r}' for n in near)}?" if near else ""
        raise ValueError(f"Expected {option} to be one of {', '.join(names)}; got {name!r}.{hint}")
