"""The noises between a network's units, one a file."""

from capacity.channels.binarised import Binarised, StochasticBinarised
from capacity.channels.binary import BinarySymmetric, Erasure
from capacity.channels.capacity import unit_capacity
from capacity.channels.chain import Then
from capacity.channels.channel import Channel, Code
from capacity.channels.dropout import Dropout
from capacity.channels.echo import Echo
from capacity.channels.fsq import FSQ
from capacity.channels.gaussian import Gaussian
from capacity.channels.gaussian_dropout import GaussianDropout
from capacity.channels.information_dropout import InformationDropout
from capacity.channels.learnt_gaussian import LearntGaussian, Posterior
from capacity.channels.quantized import Quantized
from capacity.channels.stochastic_depth import StochasticDepth, residual_outcomes
from capacity.channels.uniform import Uniform
from capacity.channels.variational_dropout import Scaled, VariationalDropout
from capacity.runtime.registry import Registry

__all__ = [
    "FSQ",
    "Binarised",
    "BinarySymmetric",
    "Channel",
    "Code",
    "Dropout",
    "Echo",
    "Erasure",
    "Gaussian",
    "GaussianDropout",
    "InformationDropout",
    "LearntGaussian",
    "Posterior",
    "Quantized",
    "Scaled",
    "StochasticBinarised",
    "StochasticDepth",
    "Then",
    "Uniform",
    "VariationalDropout",
    "residual_outcomes",
    "unit_capacity",
]

CHANNELS = Registry(
    "channels",
    (
        Gaussian, LearntGaussian, Uniform, Dropout, GaussianDropout, VariationalDropout, InformationDropout,
        BinarySymmetric, Erasure, Binarised, StochasticBinarised, Quantized, FSQ, StochasticDepth, Echo, Then,
    ),
)  # fmt: skip
