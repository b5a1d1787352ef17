"""Flax nnx encoders and decoders; one family of networks a file."""

from capacity.runtime.registry import Registry
from capacity.systems.networks.attention import AttentionNetwork
from capacity.systems.networks.conv import ConvNetwork
from capacity.systems.networks.decoders import AutoregressiveBits, GaussianMessage
from capacity.systems.networks.functions import Functions
from capacity.systems.networks.layout import LaidOut, layout_of
from capacity.systems.networks.mixer import MixerNetwork
from capacity.systems.networks.mlp import ACTIVATIONS, MLP
from capacity.systems.networks.modules import Modules
from capacity.systems.networks.network import Network
from capacity.systems.networks.perceptron import MLPNetwork
from capacity.systems.networks.recurrent import RecurrentNetwork
from capacity.systems.networks.residual import ResidualNetwork
from capacity.systems.networks.running import OnBatches
from capacity.systems.networks.sizes import NetworkSize
from capacity.systems.networks.trained import TrainedModule, frozen_module

__all__ = [
    "ACTIVATIONS",
    "MLP",
    "NETWORKS",
    "AttentionNetwork",
    "AutoregressiveBits",
    "ConvNetwork",
    "Functions",
    "GaussianMessage",
    "LaidOut",
    "MLPNetwork",
    "MixerNetwork",
    "Modules",
    "Network",
    "NetworkSize",
    "OnBatches",
    "RecurrentNetwork",
    "ResidualNetwork",
    "TrainedModule",
    "frozen_module",
    "layout_of",
]

NETWORKS = Registry(
    "networks",
    (MLPNetwork, ResidualNetwork, ConvNetwork, AttentionNetwork, RecurrentNetwork, MixerNetwork),
    contract=Network,
)
