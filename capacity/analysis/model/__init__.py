"""A trained model in the loop: evidence from both sides by its decoder, and bits through the layers of a network."""

from capacity.analysis.model.evidence import PointNats
from capacity.analysis.model.latent_model import CodePrior, LatentModel
from capacity.analysis.model.measured import EncoderBits, ModelBits, measure_model
from capacity.analysis.model.network import LayerBits, measure_network

__all__ = [
    "CodePrior",
    "EncoderBits",
    "LatentModel",
    "LayerBits",
    "ModelBits",
    "PointNats",
    "measure_model",
    "measure_network",
]
