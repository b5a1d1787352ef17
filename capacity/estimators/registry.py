"""All estimators by name: one line enrols a new one in the command line, the tables and the laws of the tests."""

from __future__ import annotations

from capacity.estimators.auto import Auto
from capacity.estimators.codes.bounds import AutoregressiveCode, ClassifierBound
from capacity.estimators.counts.plugin import PlugIn
from capacity.estimators.estimator import Estimator, check_declarations
from capacity.estimators.features.feature_cca import FeatureCCA
from capacity.estimators.neighbours.entropy import ThreeEntropies
from capacity.estimators.neighbours.ksg import KSG
from capacity.estimators.neighbours.mixed import Mixed, Ross
from capacity.estimators.neural.barber_agakov import BarberAgakov
from capacity.estimators.neural.club import CLUB
from capacity.estimators.neural.critic_bounds import MINE, NWJ, SMILE, DonskerVaradhan, InfoNCE
from capacity.estimators.neural.entropy_difference import EntropyDifference
from capacity.estimators.neural.representation import Representation
from capacity.estimators.parametric.gaussian import GaussianMI
from capacity.estimators.parametric.gaussian_copula import GaussianCopula
from capacity.estimators.parametric.gaussian_mixture import GaussianMixture
from capacity.estimators.parametric.student import Student
from capacity.estimators.parametric.student_copula import StudentCopula
from capacity.runtime.registry import Registry

ESTIMATORS = Registry("estimators", (
        Auto, GaussianMI, GaussianCopula, GaussianMixture, Student, StudentCopula, FeatureCCA, KSG, ThreeEntropies,
        Ross, Mixed, PlugIn, ClassifierBound, AutoregressiveCode, InfoNCE, NWJ, DonskerVaradhan, MINE, SMILE,
        BarberAgakov, EntropyDifference, Representation, CLUB,
    ), contract=Estimator, rule=check_declarations)  # fmt: skip
