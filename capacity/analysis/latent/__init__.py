"""What the code of a trained model holds, from the posterior of each data point: bits, and which units share them."""

from capacity.analysis.latent.latent import Growth, Latent, measure_latent
from capacity.analysis.latent.population import Population
from capacity.analysis.latent.shared import SharedBits, shared_bits
from capacity.analysis.latent.usage import Usage, usage_of

__all__ = [
    "Growth",
    "Latent",
    "Population",
    "SharedBits",
    "Usage",
    "measure_latent",
    "shared_bits",
    "usage_of",
]
