"""Where finished pieces of work are kept: named arrays, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np

Arrays = dict[str, np.ndarray]


class Parts(Protocol):
    """Where finished lanes are kept: a `Store`, or anything that loads and saves named arrays."""

    def names(self, prefix: str) -> Iterable[str]:
        """Names of all parts that begin so."""

    def load(self, name: str) -> Arrays | None:
        """Arrays of a part, or None if it is not there whole."""

    def save(self, name: str, arrays: Arrays) -> None:
        """Keep a part, whole or not at all."""
