"""Sentences from the literature, each made into an experiment with a verdict; one a file.

`claim` has the contract, `lab` what experiments share, `noise` and `learning` the claims: a line in the tuple below
enrols one.
"""

from capacity.claims.claim import Claim, Context, Evidence
from capacity.claims.learning.generalization import Generalization
from capacity.claims.learning.generation import Generation
from capacity.claims.learning.gradient_noise import GradientNoise
from capacity.claims.learning.memorization import Memorization
from capacity.claims.learning.minibatch import MinibatchNoise
from capacity.claims.learning.small_data import SmallData
from capacity.claims.learning.stale_gradient import StaleGradient
from capacity.claims.learning.temperature import Temperature
from capacity.claims.noise.binary import BinaryUnits
from capacity.claims.noise.deterministic import Deterministic
from capacity.claims.noise.digits_of_pi import DigitsOfPi
from capacity.claims.noise.dropout import DropoutNoise
from capacity.claims.noise.gaussian import GaussianNoise
from capacity.claims.noise.gaussian_dropout import GaussianDropoutNoise
from capacity.claims.noise.handmade import Handmade
from capacity.claims.noise.inner_dropout import InnerDropoutNoise
from capacity.claims.noise.input_noise import InputNoise
from capacity.claims.noise.one_to_many import OneToMany
from capacity.claims.noise.quantized import Quantization
from capacity.claims.noise.stochastic_depth import StochasticDepthNoise
from capacity.claims.noise.structures import Structures
from capacity.claims.noise.useless_features import UselessFeatures
from capacity.claims.noise.vae import AskedBits
from capacity.claims.outcome import Outcome, examine
from capacity.claims.prediction import Answer, Prediction
from capacity.runtime.registry import Registry

_OWN: tuple[type[Claim], ...] = (
    Generalization, Generation, GradientNoise, Memorization, MinibatchNoise, SmallData, StaleGradient, Temperature,
    BinaryUnits, Deterministic, DigitsOfPi, DropoutNoise, GaussianNoise, GaussianDropoutNoise, Handmade,
    InnerDropoutNoise, InputNoise, OneToMany, Quantization, StochasticDepthNoise, Structures, UselessFeatures,
    AskedBits,
)  # fmt: skip
CLAIMS = Registry(
    "claims", _OWN, contract=Claim, aliases={kind.former_name: kind.name for kind in _OWN if kind.former_name}
)
"""The claims by the name that the command line gives them."""

__all__ = ["CLAIMS", "Answer", "Claim", "Context", "Evidence", "Outcome", "Prediction", "examine"]
