"""Flax nnx encoders and decoders; one idea a file."""

from capacity.systems.networks.decoders import AutoregressiveBits, GaussianMessage
from capacity.systems.networks.mlp import ACTIVATIONS, MLP
from capacity.systems.networks.network import Network
from capacity.systems.networks.perceptron import MLPNetwork

__all__ = ["ACTIVATIONS", "MLP", "AutoregressiveBits", "GaussianMessage", "MLPNetwork", "Network"]
