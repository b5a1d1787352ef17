"""The estimator that a user means: by its name, or one of their own."""

from __future__ import annotations

from typing import cast

from capacity.estimators.estimator import Estimator, check_estimator
from capacity.runtime.names import check_name


def by_name(method: str | Estimator) -> Estimator:
    """The estimator of a name with its defaults; an estimator as it is.

    Raises:
        TypeError: for what is neither a name nor an estimator.
        ValueError: for an unknown name, with the nearest known ones.
    """
    from capacity.estimators.registry import ESTIMATORS

    if not isinstance(method, str):
        check_estimator(method)
        return method
    check_name(method, ESTIMATORS, "the method")
    return cast("Estimator", ESTIMATORS[method]())
