"""How a network sees a source's vector: positions along one axis or two, and the channels of each position.

A source says it by `layout`: (length, channels) of a sequence, (height, width, channels) of an image, whose product is
its `dim`.  One that says nothing is a sequence of single numbers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

import jax

from capacity.runtime.layouts import check_layout, check_patch

if TYPE_CHECKING:
    from synthetic.source import Source

VectorLayout: TypeAlias = tuple[int, ...]
"""(length, channels) or (height, width, channels)."""
MOST_TOKENS = 64  # of a vector, where a family's work grows with their square


@runtime_checkable
class LaidOut(Protocol):
    """What a source has whose vector is more than a row of numbers."""

    @property
    def layout(self) -> tuple[int, ...]:
        """(length, channels) or (height, width, channels); the vector has them row by row, channels fastest."""
        ...


@runtime_checkable
class Shortened(Protocol):
    """What a source has whose messages may be shorter, all else the same."""

    @property
    def message_dim(self) -> int:
        """Number of binary digits."""
        ...

    def shortened(self, digits: int) -> Source:
        """The same with so many digits."""
        ...


def layout_of(source: Source, asked: VectorLayout | None = None) -> VectorLayout:
    """How a network sees the source's vector: as asked, else as the source says, else one number a position.

    Args:
        source: what is sent.
        asked: a network's own choice.

    Raises:
        ValueError: for a layout of another size than the vector, or of other than one or two axes.
    """
    layout = asked or (source.layout if isinstance(source, LaidOut) else (source.dim, 1))
    check_layout(layout, source.dim)
    return tuple(layout)


def patch_of(layout: VectorLayout, asked: int | None) -> int:
    """Side of the patches that a vector is cut into: as asked, else a power of 2 that divides every axis.

    The smallest that leaves at most 64 patches, or the largest where none does.

    Args:
        layout: of the vector.
        asked: a network's own choice.

    Raises:
        ValueError: for a side that does not divide every axis.
    """
    axes = layout[:-1]
    if asked is not None:
        check_patch(axes, asked)
        return asked
    sides: list[int] = [2**i for i in range(max(axes).bit_length()) if all(axis % 2**i == 0 for axis in axes)]
    few = [side for side in sides if math.prod(axis // side for axis in axes) <= MOST_TOKENS]
    return few[0] if few else sides[-1]


def tokens(x: jax.Array, layout: VectorLayout, patch: int) -> jax.Array:
    """A vector (dim,) as patches side by side, (tokens, patch**axes * channels)."""
    *axes, channels = layout
    cut = x.reshape(*(size for axis in axes for size in (axis // patch, patch)), channels)
    places = [2 * i for i in range(len(axes))]
    inner = [2 * i + 1 for i in range(len(axes))]
    return cut.transpose(*places, *inner, 2 * len(axes)).reshape(-1, patch ** len(axes) * channels)


def from_tokens(parts: jax.Array, layout: VectorLayout, patch: int) -> jax.Array:
    """The vector (dim,) whose `tokens` these are."""
    *axes, channels = layout
    cut = parts.reshape(*(axis // patch for axis in axes), *(patch for _ in axes), channels)
    order = [i for axis in range(len(axes)) for i in (axis, axis + len(axes))]
    return cut.transpose(*order, 2 * len(axes)).reshape(-1)
