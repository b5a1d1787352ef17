"""The public names of `synthetic`, each once; loaded when first asked for."""

from synthetic.binary import BinarySource as BinarySource
from synthetic.bits import FairBits as FairBits
from synthetic.bits import MarkovBits as MarkovBits
from synthetic.codebook import Codebook as Codebook
from synthetic.embedded import Embedded as Embedded
from synthetic.gaussian import GaussianVectors as GaussianVectors
from synthetic.images import Sprites as Sprites
from synthetic.linear_code import LinearCode as LinearCode
from synthetic.numbered import NumberedSource as NumberedSource
from synthetic.pi import PiDigits as PiDigits
from synthetic.plain_bits import PlainBits as PlainBits
from synthetic.product import Product as Product
from synthetic.pytrees import register as register
from synthetic.registry import SOURCES as SOURCES
from synthetic.sizes import MAX_LISTED as MAX_LISTED
from synthetic.source import Batch as Batch
from synthetic.source import Draws as Draws
from synthetic.source import NamedSource as NamedSource
from synthetic.source import Source as Source
