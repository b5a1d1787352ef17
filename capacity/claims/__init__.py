"""Sentences from the literature, each made into an experiment with a verdict; one a file.

One import line below is all that enrols a claim.
"""

from capacity.claims.binary import BinaryUnits as BinaryUnits
from capacity.claims.claim import Answer as Answer
from capacity.claims.claim import Claim as Claim
from capacity.claims.claim import Context as Context
from capacity.claims.claim import Evidence as Evidence
from capacity.claims.claim import Prediction as Prediction
from capacity.claims.deterministic import Deterministic as Deterministic
from capacity.claims.dropout import DropoutNoise as DropoutNoise
from capacity.claims.gaussian import GaussianNoise as GaussianNoise
from capacity.claims.gaussian_dropout import GaussianDropoutNoise as GaussianDropoutNoise
from capacity.claims.generalization import Generalization as Generalization
from capacity.claims.generation import Generation as Generation
from capacity.claims.gradient_noise import GradientNoise as GradientNoise
from capacity.claims.handmade import Handmade as Handmade
from capacity.claims.input_noise import InputNoise as InputNoise
from capacity.claims.memorization import Memorization as Memorization
from capacity.claims.minibatch import MinibatchNoise as MinibatchNoise
from capacity.claims.one_to_many import OneToMany as OneToMany
from capacity.claims.outcome import Outcome as Outcome
from capacity.claims.outcome import examine as examine
from capacity.claims.quantized import Quantization as Quantization
from capacity.claims.small_data import SmallData as SmallData
from capacity.claims.stale_gradient import StaleGradient as StaleGradient
from capacity.claims.stochastic_depth import StochasticDepthNoise as StochasticDepthNoise
from capacity.claims.temperature import Temperature as Temperature
from capacity.claims.uniform import Uniform as Uniform
from capacity.claims.useless_features import UselessFeatures as UselessFeatures
from capacity.claims.vae import AskedBits as AskedBits
from capacity.plugins import Registry as _Registry

_CLAIM_TYPES: list[type[Claim]] = [
    member
    for member in list(globals().values())
    if isinstance(member, type) and isinstance(getattr(member, "name", None), str)
]
CLAIMS = _Registry("claims", _CLAIM_TYPES)
"""The claims by the name that the command line gives them."""

__all__ = ["CLAIMS", "Answer", "Claim", "Context", "Evidence", "Outcome", "Prediction", "examine"]
