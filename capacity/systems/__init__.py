"""Named recipes: encoder, channel, decoder, loss, and which knob is the level; one a file."""

from capacity.runtime.registry import Registry
from capacity.systems.architecture import Architecture, Params, merge
from capacity.systems.base import Recipe
from capacity.systems.binary import BinarySystem
from capacity.systems.constraints import Constraint
from capacity.systems.deterministic import DeterministicSystem
from capacity.systems.dropout import DropoutSystem
from capacity.systems.gaussian import GaussianSystem
from capacity.systems.gaussian_dropout import GaussianDropoutSystem
from capacity.systems.handmade import HandmadeSystem
from capacity.systems.information_dropout import InformationDropoutSystem
from capacity.systems.input_noise import InputNoiseSystem
from capacity.systems.one_to_many import OneToManySystem
from capacity.systems.quantized import QuantizedSystem
from capacity.systems.stochastic_depth import StochasticDepthSystem
from capacity.systems.target_vae import TargetVAE
from capacity.systems.uniform import UniformSystem
from capacity.systems.useless_features import UselessFeaturesSystem
from capacity.systems.vae import VAE
from capacity.systems.variational_dropout import VariationalDropoutSystem

__all__ = [
    "SYSTEMS",
    "VAE",
    "Architecture",
    "BinarySystem",
    "Constraint",
    "DeterministicSystem",
    "DropoutSystem",
    "GaussianDropoutSystem",
    "GaussianSystem",
    "HandmadeSystem",
    "InformationDropoutSystem",
    "InputNoiseSystem",
    "OneToManySystem",
    "Params",
    "QuantizedSystem",
    "Recipe",
    "StochasticDepthSystem",
    "TargetVAE",
    "UniformSystem",
    "UselessFeaturesSystem",
    "VariationalDropoutSystem",
    "merge",
]

SYSTEMS = Registry(
    "systems",
    (
        GaussianSystem, VAE, TargetVAE, UniformSystem, DeterministicSystem, QuantizedSystem, BinarySystem,
        DropoutSystem, GaussianDropoutSystem, VariationalDropoutSystem, InformationDropoutSystem,
        StochasticDepthSystem, OneToManySystem, UselessFeaturesSystem, InputNoiseSystem, HandmadeSystem,
    ),
)  # fmt: skip
