"""Figures, drawn on matplotlib axes: capacity curves, brackets, estimates from samples, latent codes.

`style` has the colours; a system has the same one in every figure.
"""

from capacity.runtime.deprecated import old_names

__getattr__ = old_names(__name__)
