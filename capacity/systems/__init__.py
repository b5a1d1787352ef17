"""Named recipes: encoder, channel, decoder, loss, and which knob is the level; one a file."""

from capacity.runtime.deprecated import old_names
from capacity.runtime.registry import Registry
from capacity.systems.architecture import Architecture
from capacity.systems.base import ChannelSystem
from capacity.systems.binary import BinaryAutoencoder
from capacity.systems.constraints import Constraint
from capacity.systems.deterministic import DeterministicAutoencoder
from capacity.systems.dropout import DropoutAutoencoder
from capacity.systems.gaussian import GaussianAutoencoder
from capacity.systems.gaussian_dropout import GaussianDropoutAutoencoder
from capacity.systems.handmade import FixedCode
from capacity.systems.information_dropout import InformationDropoutAutoencoder
from capacity.systems.input_noise import InputNoiseAutoencoder
from capacity.systems.networks.running import merge
from capacity.systems.one_to_many import OneToManyAutoencoder
from capacity.systems.quantized import QuantizedAutoencoder
from capacity.systems.stochastic_depth import StochasticDepthAutoencoder
from capacity.systems.target_vae import TargetVAE
from capacity.systems.uniform import UniformAutoencoder
from capacity.systems.useless_features import UselessFeaturesAutoencoder
from capacity.systems.vae import VAE
from capacity.systems.variational_dropout import VariationalDropoutAutoencoder
from capacity.training.system import Params, System

__all__ = [
    "SYSTEMS",
    "VAE",
    "Architecture",
    "BinaryAutoencoder",
    "ChannelSystem",
    "Constraint",
    "DeterministicAutoencoder",
    "DropoutAutoencoder",
    "FixedCode",
    "GaussianAutoencoder",
    "GaussianDropoutAutoencoder",
    "InformationDropoutAutoencoder",
    "InputNoiseAutoencoder",
    "OneToManyAutoencoder",
    "Params",
    "QuantizedAutoencoder",
    "StochasticDepthAutoencoder",
    "System",
    "TargetVAE",
    "UniformAutoencoder",
    "UselessFeaturesAutoencoder",
    "VariationalDropoutAutoencoder",
    "merge",
]

SYSTEMS = Registry(
    "systems",
    (
        GaussianAutoencoder, VAE, TargetVAE, UniformAutoencoder, DeterministicAutoencoder, QuantizedAutoencoder,
        BinaryAutoencoder,
        DropoutAutoencoder, GaussianDropoutAutoencoder, VariationalDropoutAutoencoder, InformationDropoutAutoencoder,
        StochasticDepthAutoencoder, OneToManyAutoencoder, UselessFeaturesAutoencoder, InputNoiseAutoencoder, FixedCode,
    ),
    contract=System,
    aliases={"vae_target": "target_vae"},
)  # fmt: skip

__getattr__ = old_names(__name__)
