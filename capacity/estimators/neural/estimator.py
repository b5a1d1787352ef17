"""What neural estimators share: real numbers, and pairs enough to train on some, stop on others, evaluate the rest."""

from __future__ import annotations

from typing import ClassVar

from capacity.estimators.checks import Takes
from capacity.estimators.estimator import Estimator


class NeuralEstimator(Estimator):
    """An estimator that trains networks on one part of the pairs, and reads its figure off another."""

    takes: ClassVar[Takes] = "continuous"
    min_pairs: ClassVar[int] = 200
