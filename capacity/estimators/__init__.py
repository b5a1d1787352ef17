"""Mutual information from samples: `estimator(key, x, y) -> Estimate`, one idea a file."""

from capacity.estimators.auto import Auto, Candidate, Choice, choose
from capacity.estimators.copula import GaussianCopula
from capacity.estimators.entropy import ThreeEntropies, differential_entropy
from capacity.estimators.estimate import estimate, pairwise
from capacity.estimators.estimator import Estimator
from capacity.estimators.features import FeatureCCA
from capacity.estimators.gaussian import Gaussian
from capacity.estimators.ksg import KSG
from capacity.estimators.mixed import Mixed, Ross
from capacity.estimators.neural.barber_agakov import BarberAgakov
from capacity.estimators.neural.club import CLUB
from capacity.estimators.neural.critic_bounds import MINE, NWJ, SMILE, DonskerVaradhan, InfoNCE
from capacity.estimators.neural.entropy_difference import EntropyDifference
from capacity.estimators.neural.representation import Representation
from capacity.estimators.plugin import PlugIn
from capacity.estimators.scorer import information_scorer
from capacity.estimators.student import Student
from capacity.estimators.student_copula import StudentCopula
from capacity.plugins import Registry

__all__ = [
    "CLUB",
    "KSG",
    "MINE",
    "NWJ",
    "SMILE",
    "Auto",
    "BarberAgakov",
    "Candidate",
    "Choice",
    "DonskerVaradhan",
    "EntropyDifference",
    "Estimator",
    "FeatureCCA",
    "Gaussian",
    "GaussianCopula",
    "InfoNCE",
    "Mixed",
    "PlugIn",
    "Representation",
    "Ross",
    "Student",
    "StudentCopula",
    "ThreeEntropies",
    "choose",
    "differential_entropy",
    "estimate",
    "information_scorer",
    "pairwise",
]

ESTIMATORS = Registry("estimators", (
        Auto, Gaussian, GaussianCopula, Student, StudentCopula, FeatureCCA, KSG, ThreeEntropies, Ross, Mixed, PlugIn,
        InfoNCE, NWJ, DonskerVaradhan, MINE, SMILE, BarberAgakov, EntropyDifference, Representation, CLUB,
    ))  # fmt: skip
