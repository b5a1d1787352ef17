"""What the code of a trained model holds, from the posterior of each data point: bits, and which units share them."""

from capacity.analysis.latent.latent import Growth, Latent, measure_latent
from capacity.analysis.latent.shared import SharedBits, shared_bits

__all__ = ["Growth", "Latent", "SharedBits", "measure_latent", "shared_bits"]
