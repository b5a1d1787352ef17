"""The noises between a network's units, one a file: a sampler, a density, an entropy and a ceiling each.

`Channel` is the contract, `AdditiveNoise` and `AtomicChannel` its short forms; `CHANNELS` has all by name.
"""

from capacity.channels.additive import AdditiveNoise
from capacity.channels.atoms import AtomicChannel, DeterministicChannel
from capacity.channels.binarised import Binarised, StochasticBinarised
from capacity.channels.binary import BinarySymmetric, Erasure
from capacity.channels.capacity import unit_capacity
from capacity.channels.chain import Chain
from capacity.channels.channel import RENAMED, Channel, Code, check_ceiling
from capacity.channels.constraint import Constraint
from capacity.channels.dropout import Dropout
from capacity.channels.echo import Echo
from capacity.channels.fsq import FSQ
from capacity.channels.gaussian import Gaussian
from capacity.channels.gaussian_dropout import GaussianDropout
from capacity.channels.information_dropout import InformationDropout
from capacity.channels.learnt_gaussian import LearntGaussian, Posterior
from capacity.channels.multiplicative import Scaled
from capacity.channels.quantized import Quantized
from capacity.channels.shared_dropout import SharedDropout
from capacity.channels.stochastic_depth import StochasticDepth, residual_outcomes
from capacity.channels.uniform import Uniform
from capacity.channels.variational_dropout import VariationalDropout
from capacity.runtime.deprecated import old_names
from capacity.runtime.registry import Registry

__all__ = [
    "FSQ",
    "AdditiveNoise",
    "AtomicChannel",
    "Binarised",
    "BinarySymmetric",
    "Chain",
    "Channel",
    "Code",
    "Constraint",
    "DeterministicChannel",
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
    "SharedDropout",
    "StochasticBinarised",
    "StochasticDepth",
    "Uniform",
    "VariationalDropout",
    "residual_outcomes",
    "unit_capacity",
]

CHANNELS = Registry(
    "channels",
    (
        Gaussian, LearntGaussian, Uniform, Dropout, GaussianDropout, VariationalDropout, InformationDropout,
        BinarySymmetric, Erasure, Binarised, StochasticBinarised, Quantized, FSQ, StochasticDepth, SharedDropout, Echo,
        Chain,
    ),
    contract=Channel,
    aliases={"then": "chain"},
    renamed=RENAMED,
    rule=check_ceiling,
)  # fmt: skip

__getattr__ = old_names(__name__)
