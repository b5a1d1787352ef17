"""The toolkit's own sources; one line here is all that enrols a new one."""

from synthetic.bits import FairBits, MarkovBits
from synthetic.codebook import Codebook
from synthetic.embedded import Embedded
from synthetic.gaussian import GaussianVectors
from synthetic.images import Sprites
from synthetic.linear_code import LinearCode
from synthetic.pi import PiDigits
from synthetic.plain_bits import PlainBits
from synthetic.product import Product
from synthetic.source import NamedSource

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
