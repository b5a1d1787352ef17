"""Synthetic sources: vectors whose content in bits is known exactly.

One import line below is all that enrols a new source in `SOURCES`, and with it in the command line
and in the laws of the tests.
"""

from synthetic.bits import FairBits as FairBits
from synthetic.bits import MarkovBits as MarkovBits
from synthetic.codebook import Codebook as Codebook
from synthetic.embedded import Embedded as Embedded
from synthetic.gaussian import GaussianVectors as GaussianVectors
from synthetic.images import Sprites as Sprites
from synthetic.linear_code import LinearCode as LinearCode
from synthetic.pi import PiDigits as PiDigits
from synthetic.product import Product as Product
from synthetic.source import MAX_LISTED as MAX_LISTED
from synthetic.source import Batch as Batch
from synthetic.source import Source as Source

_SOURCE_TYPES: list[type[Source]] = [
    member
    for member in list(globals().values())
    if isinstance(member, type) and isinstance(getattr(member, "name", None), str)
]
SOURCES: dict[str, type[Source]] = {member.name: member for member in _SOURCE_TYPES}
"""The sources by the name that the command line gives them."""

__all__ = ["MAX_LISTED", "SOURCES", "Batch", "Source"]
__all__ += [source.__name__ for source in SOURCES.values()]
