"""Flax nnx encoders and decoders; one family of networks a file."""

from capacity.runtime.registry import Registry
from capacity.systems.networks.attention import AttentionNetwork
from capacity.systems.networks.conv import ConvNetwork
from capacity.systems.networks.decoders import AutoregressiveBits, GaussianMessage
from capacity.systems.networks.layout import LaidOut, layout_of
from capacity.systems.networks.mixer import MixerNetwork
from capacity.systems.networks.mlp import ACTIVATIONS, MLP
from capacity.systems.networks.network import Network
from capacity.systems.networks.perceptron import MLPNetwork
from capacity.systems.networks.recurrent import RecurrentNetwork
from capacity.systems.networks.residual import ResidualNetwork
from capacity.systems.networks.sizes import NetworkSize

__all__ = [
    "ACTIVATIONS",
    "MLP",
    "NETWORKS",
    "AttentionNetwork",
    "AutoregressiveBits",
    "ConvNetwork",
    "GaussianMessage",
    "LaidOut",
    "MLPNetwork",
    "MixerNetwork",
    "Network",
    "NetworkSize",
    "RecurrentNetwork",
    "ResidualNetwork",
    "layout_of",
]

NETWORKS = Registry(
    "networks",
    (MLPNetwork, ResidualNetwork, ConvNetwork, AttentionNetwork, RecurrentNetwork, MixerNetwork),
    contract=Network,
)
