"""Neural estimators: trained on one part of the pairs, stopped on another, evaluated on a third."""

from capacity.estimators.neural.barber_agakov import BarberAgakov
from capacity.estimators.neural.club import CLUB
from capacity.estimators.neural.critic_bounds import MINE, NWJ, SMILE, DonskerVaradhan, InfoNCE
from capacity.estimators.neural.critics import JointCritic, Separable
from capacity.estimators.neural.entropy_difference import EntropyDifference
from capacity.estimators.neural.representation import Representation
from capacity.estimators.neural.residual import Comparison, Residual
from capacity.estimators.neural.training import Stopping
from capacity.runtime.deprecated import old_names

__all__ = [
    "CLUB",
    "MINE",
    "NWJ",
    "SMILE",
    "BarberAgakov",
    "Comparison",
    "DonskerVaradhan",
    "EntropyDifference",
    "InfoNCE",
    "JointCritic",
    "Representation",
    "Residual",
    "Separable",
    "Stopping",
]

__getattr__ = old_names(__name__)
