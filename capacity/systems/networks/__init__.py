"""Flax nnx encoders and decoders; one idea a file."""

from capacity.systems.networks.decoders import AutoregressiveBits, GaussianMessage
from capacity.systems.networks.mlp import ACTIVATIONS, MLP

__all__ = ["ACTIVATIONS", "MLP", "AutoregressiveBits", "GaussianMessage"]
