"""Bits from a joint: enumeration (exact), decoder (lower), marginals (upper), and `measure`, the referee."""

from capacity.bounds.decoder import Decoder
from capacity.bounds.enumeration import Enumeration
from capacity.bounds.marginal import Ceiling, MaximumEntropy, Rate
from capacity.bounds.measure import measure

__all__ = ["Ceiling", "Decoder", "Enumeration", "MaximumEntropy", "Rate", "measure"]

BOUNDS: dict[str, type] = {b.name: b for b in (Enumeration, Decoder, Rate, Ceiling, MaximumEntropy)}
