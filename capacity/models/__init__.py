"""Flax nnx encoders and decoders; one idea a file."""

from capacity.models.decoders import AutoregressiveBits, GaussianMessage
from capacity.models.mlp import ACTIVATIONS, MLP

__all__ = ["ACTIVATIONS", "MLP", "AutoregressiveBits", "GaussianMessage"]
