"""A trained model in the loop: evidence from both sides by its decoder, and bits through the layers of a network."""

from capacity.analysis.model.evidence import PointNats
from capacity.analysis.model.latent_model import CodePrior, LatentModel
from capacity.analysis.model.measured import EncoderBits, ModelBits, measure_model

__all__ = [
    "CodePrior",
    "EncoderBits",
    "LatentModel",
    "ModelBits",
    "PointNats",
    "measure_model",
]
