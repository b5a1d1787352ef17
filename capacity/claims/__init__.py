"""Sentences from the literature, each made into an experiment with a verdict; one a file.

One import line below is all that enrols a claim.
"""

from capacity.claims.claim import Answer as Answer
from capacity.claims.claim import Claim as Claim
from capacity.claims.claim import Context as Context
from capacity.claims.claim import Evidence as Evidence
from capacity.claims.claim import Prediction as Prediction
from capacity.claims.learning.generalization import Generalization as Generalization
from capacity.claims.learning.generation import Generation as Generation
from capacity.claims.learning.gradient_noise import GradientNoise as GradientNoise
from capacity.claims.learning.memorization import Memorization as Memorization
from capacity.claims.learning.minibatch import MinibatchNoise as MinibatchNoise
from capacity.claims.learning.small_data import SmallData as SmallData
from capacity.claims.learning.stale_gradient import StaleGradient as StaleGradient
from capacity.claims.learning.temperature import Temperature as Temperature
from capacity.claims.noise.binary import BinaryUnits as BinaryUnits
from capacity.claims.noise.deterministic import Deterministic as Deterministic
from capacity.claims.noise.digits_of_pi import Uniform as Uniform
from capacity.claims.noise.dropout import DropoutNoise as DropoutNoise
from capacity.claims.noise.gaussian import GaussianNoise as GaussianNoise
from capacity.claims.noise.gaussian_dropout import GaussianDropoutNoise as GaussianDropoutNoise
from capacity.claims.noise.handmade import Handmade as Handmade
from capacity.claims.noise.input_noise import InputNoise as InputNoise
from capacity.claims.noise.one_to_many import OneToMany as OneToMany
from capacity.claims.noise.quantized import Quantization as Quantization
from capacity.claims.noise.stochastic_depth import StochasticDepthNoise as StochasticDepthNoise
from capacity.claims.noise.useless_features import UselessFeatures as UselessFeatures
from capacity.claims.noise.vae import AskedBits as AskedBits
from capacity.claims.outcome import Outcome as Outcome
from capacity.claims.outcome import examine as examine
from capacity.runtime.registry import Registry as _Registry

_CLAIM_TYPES: list[type[Claim]] = [
    member
    for member in list(globals().values())
    if isinstance(member, type) and isinstance(getattr(member, "name", None), str)
]
CLAIMS = _Registry("claims", _CLAIM_TYPES)
"""The claims by the name that the command line gives them."""

__all__ = ["CLAIMS", "Answer", "Claim", "Context", "Evidence", "Outcome", "Prediction", "examine"]
