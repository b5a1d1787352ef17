"""Synthetic sources: vectors whose content in bits is known exactly; pairs/ holds two vectors with known information.

One line in `SOURCES` is all that enrols a new source in the command line and in the laws of the tests. A source of
one's own subclasses `NamedSource`, or `NumberedSource` where it is a list of equally likely vectors; a finite data set
is a `Codebook`.
"""

from synthetic.binary import BinarySource
from synthetic.bits import FairBits, MarkovBits
from synthetic.codebook import Codebook
from synthetic.embedded import Embedded
from synthetic.gaussian import GaussianVectors
from synthetic.images import Sprites
from synthetic.linear_code import LinearCode
from synthetic.numbered import NumberedSource
from synthetic.pi import PiDigits
from synthetic.plain_bits import PlainBits
from synthetic.product import Product
from synthetic.pytrees import register
from synthetic.source import MAX_LISTED, Batch, Draws, NamedSource, Source

_SOURCES: tuple[type[NamedSource], ...] = (
    Codebook,
    LinearCode,
    PiDigits,
    FairBits,
    MarkovBits,
    PlainBits,
    Embedded,
    GaussianVectors,
    Sprites,
    Product,
)
SOURCES: dict[str, type[NamedSource]] = {kind.name: kind for kind in _SOURCES}
"""The toolkit's own sources by the name that the command line gives them; `capacity` adds those of plug-ins."""

__all__ = [
    "MAX_LISTED",
    "SOURCES",
    "Batch",
    "BinarySource",
    "Codebook",
    "Draws",
    "Embedded",
    "FairBits",
    "GaussianVectors",
    "LinearCode",
    "MarkovBits",
    "NamedSource",
    "NumberedSource",
    "PiDigits",
    "PlainBits",
    "Product",
    "Source",
    "Sprites",
    "register",
]
