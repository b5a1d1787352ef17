"""Mutual information from samples, `estimator(key, x, y) -> Estimate`, one idea a file; registry.py holds the list.

`estimate` and `pairwise` take arrays, `choose` also says why it took which method; parametric/, features/, neighbours/,
counts/, codes/ and neural/ hold the methods, and `Estimator` says how to write one of your own.  testing/ has p-values,
order/ rows in time, conditional/ information beyond what a third side tells.
"""

from capacity.estimators.arrays import estimate
from capacity.estimators.auto import Auto, Choice, choose
from capacity.estimators.automatic.candidates import Candidate
from capacity.estimators.codes.bounds import AutoregressiveCode, ClassifierBound
from capacity.estimators.column_pairs import pairwise
from capacity.estimators.conditional.conditional_information import conditional_information
from capacity.estimators.conditional.local_permutation import conditional_permutation_test
from capacity.estimators.counts.plugin import PlugIn
from capacity.estimators.estimator import Estimator, RatioEstimator
from capacity.estimators.feature_selection import information_scorer
from capacity.estimators.features.feature_cca import FeatureCCA
from capacity.estimators.neighbours.entropy import ThreeEntropies, differential_entropy
from capacity.estimators.neighbours.ksg import KSG
from capacity.estimators.neighbours.mixed import Mixed, Ross
from capacity.estimators.neural.barber_agakov import BarberAgakov
from capacity.estimators.neural.club import CLUB
from capacity.estimators.neural.critic_bounds import MINE, NWJ, SMILE, DonskerVaradhan, InfoNCE
from capacity.estimators.neural.entropy_difference import EntropyDifference
from capacity.estimators.neural.representation import Representation
from capacity.estimators.order.lags import lagged_information
from capacity.estimators.order.memory import RowOrder, effective_rows, rows_resemble_neighbours
from capacity.estimators.order.time_interval import time_interval
from capacity.estimators.parametric.gaussian import GaussianMI
from capacity.estimators.parametric.gaussian_copula import GaussianCopula
from capacity.estimators.parametric.gaussian_mixture import GaussianMixture
from capacity.estimators.parametric.student import Student
from capacity.estimators.parametric.student_copula import StudentCopula
from capacity.estimators.registry import ESTIMATORS
from capacity.estimators.testing.false_discovery import false_discovery
from capacity.estimators.testing.permutation import PermutationTest, permutation_test
from capacity.runtime.deprecated import old_names

__all__ = [
    "CLUB",
    "ESTIMATORS",
    "KSG",
    "MINE",
    "NWJ",
    "SMILE",
    "Auto",
    "AutoregressiveCode",
    "BarberAgakov",
    "Candidate",
    "Choice",
    "ClassifierBound",
    "DonskerVaradhan",
    "EntropyDifference",
    "Estimator",
    "FeatureCCA",
    "GaussianCopula",
    "GaussianMI",
    "GaussianMixture",
    "InfoNCE",
    "Mixed",
    "PermutationTest",
    "PlugIn",
    "RatioEstimator",
    "Representation",
    "Ross",
    "RowOrder",
    "Student",
    "StudentCopula",
    "ThreeEntropies",
    "choose",
    "conditional_information",
    "conditional_permutation_test",
    "differential_entropy",
    "effective_rows",
    "estimate",
    "false_discovery",
    "information_scorer",
    "lagged_information",
    "pairwise",
    "permutation_test",
    "rows_resemble_neighbours",
    "time_interval",
]

__getattr__ = old_names(__name__)
