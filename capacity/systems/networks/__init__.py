"""Flax nnx encoders and decoders; one idea a file."""

from capacity.systems.networks.decoders import AutoregressiveBits, GaussianMessage
from capacity.systems.networks.functions import Functions
from capacity.systems.networks.mlp import ACTIVATIONS, MLP
from capacity.systems.networks.modules import Modules
from capacity.systems.networks.network import Network
from capacity.systems.networks.perceptron import MLPNetwork
from capacity.systems.networks.running import OnBatches
from capacity.systems.networks.trained import TrainedModule, frozen_module

__all__ = [
    "ACTIVATIONS",
    "MLP",
    "AutoregressiveBits",
    "Functions",
    "GaussianMessage",
    "MLPNetwork",
    "Modules",
    "Network",
    "OnBatches",
    "TrainedModule",
    "frozen_module",
]
