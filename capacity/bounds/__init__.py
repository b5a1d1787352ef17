"""Bits from a joint: enumeration (exact), decoder (lower), marginals (upper), and `measure`, the referee."""

from capacity.bounds.exact.enumeration import Enumeration
from capacity.bounds.layers import measure_layers
from capacity.bounds.measurement import measure
from capacity.bounds.variational.decoder import Decoder
from capacity.bounds.variational.marginal import Ceiling, MaximumEntropy, Rate
from capacity.bounds.variational.mixture import Mixture
from capacity.bounds.variational.receiver import Receiver

__all__ = [
    "Ceiling",
    "Decoder",
    "Enumeration",
    "MaximumEntropy",
    "Mixture",
    "Rate",
    "Receiver",
    "measure",
    "measure_layers",
]

BOUNDS: dict[str, type] = {b.name: b for b in (Enumeration, Decoder, Receiver, Rate, Ceiling, MaximumEntropy, Mixture)}
