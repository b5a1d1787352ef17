"""Sources by the name that the command line gives them: the toolkit's own, and those of installed packages."""

from __future__ import annotations

from typing import ClassVar, Protocol

import jax

import synthetic
from capacity.runtime.contracts import check_class
from capacity.runtime.registry import Registry
from synthetic import NamedSource, Source


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
        """The source of these sizes; arguments and errors as those of `synthetic.NamedSource.build`."""
        ...


def check_source_class(kind: type) -> None:
    """Refuse a `NamedSource` that lacks what a source has: it builds itself.

    Raises:
        TypeError: naming what is missing.
    """
    if issubclass(kind, NamedSource):
        check_class(kind, Source)


SOURCES = Registry("sources", synthetic.SOURCES.values(), contract=SourceBuilder, rule=check_source_class)
