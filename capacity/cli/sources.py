"""Sources by the name that the command line gives them: the toolkit's own, and those of installed packages."""

from __future__ import annotations

from typing import ClassVar, Protocol

import jax

import synthetic
from capacity.runtime.registry import Registry
from synthetic import Source


class SourceBuilder(Protocol):
    """What the command line asks of a source: `synthetic.NamedSource` has it, and so has a class that only builds one.

    Attributes:
        name: what the command line calls it.
        summary: one line of help.
    """

    name: ClassVar[str]
    summary: ClassVar[str]

    @classmethod
    def build(cls, key: jax.Array, bits: int, dim: int) -> Source:
        """The source of these sizes.

        Args:
            key: of whatever is random in the source itself.
            bits: as many as the source can hold, or the number that stands for its size.
            dim: length of a vector.

        Raises:
            ValueError: sizes that the source cannot have.
        """
        ...


SOURCES = Registry("sources", synthetic.SOURCES.values(), contract=SourceBuilder)
