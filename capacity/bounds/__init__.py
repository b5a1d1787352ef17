"""Bits from a joint: exact by enumeration, bounds from below and above, and `measure`, which chooses among them."""

from capacity.bounds.bound import Bound
from capacity.bounds.exact.enumeration import Enumeration
from capacity.bounds.layers import measure_layers
from capacity.bounds.measurement import measure
from capacity.bounds.variational.ceiling import Ceiling
from capacity.bounds.variational.decoder import Decoder
from capacity.bounds.variational.marginal import MaximumEntropy, Rate
from capacity.bounds.variational.mixture import Mixture
from capacity.bounds.variational.receiver import Receiver
from capacity.runtime.registry import Registry

BOUNDS = Registry("bounds", (Enumeration, Decoder, Receiver, Rate, Ceiling, MaximumEntropy, Mixture), contract=Bound)
"""Bounds by name; a line here enrols one."""

__all__ = [
    "BOUNDS",
    "Bound",
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
