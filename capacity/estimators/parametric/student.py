"""The information of a multivariate Student-t law, fitted to the data as they are.

The law and its information in closed form are in `student_fit`; here the degrees of freedom are found, and how sure the
figure is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import jax
import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import stdtrit

from capacity.estimators.checks import Takes, checked, random_of, refuse_few_values
from capacity.estimators.estimator import LogRatio, RatioEstimator, Simulated
from capacity.estimators.parametric.gaussian import null_variance
from capacity.estimators.parametric.student_fit import StudentLaw, effective, fit_dispersion
from capacity.results.estimate import Estimate

MarginTransform: TypeAlias = Callable[[float], tuple[np.ndarray, np.ndarray | float]]
"""From the degrees of freedom to coordinates (n, d) and the log density in nats, (n,), that the margins take off."""

_INVERSE_FREEDOM = (1e-3, 4.0)
_GROUPS = 20


@dataclass(frozen=True)
class Student(RatioEstimator):
    """A multivariate t fitted to x and y together, exact where they are one: heavy tails and a common scale.

    Location, dispersion and degrees of freedom (0.25 to 1000, where it is all but normal) maximise the likelihood.  The
    bias of the log determinants is taken off as for a normal law, at the number of rows that a t's dispersion is worth;
    what is left, to order 1/n, by a jackknife over 20 groups of rows, whose spread also gives the standard error and a
    Student interval (Efron & Tibshirani 1993, chapter 11), for laws that are not t too.  There the interval is about
    the figure of the nearest t, which is neither a lower nor an upper bound on the information.
    """

    name: ClassVar[str] = "student"
    summary: ClassVar[str] = "a multivariate Student-t by maximum likelihood: heavy tails, a common scale"
    takes: ClassVar[Takes] = "continuous"
    min_pairs: ClassVar[int] = 60  # three a group
    symmetric: ClassVar[bool] = True

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits from x (n, dx) and y (n, dy); the key is not used.

        Raises:
            ValueError: where too few pairs, repeated columns or few values leave no dispersion.
        """
        refuse_few_values(x, y)
        return student_estimate(x, y, _as_they_are, unit=False)

    def fit(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> LogRatio:
        """The log density ratio of the t fitted to x (n, dx) and y (n, dy).

        The key is not used.

        Raises:
            ValueError: for what `checked` refuses, and where too few pairs or repeated columns leave no dispersion.
        """
        x, y = checked(x, y, self.takes, self.min_pairs)
        refuse_few_pairs(len(x), x.shape[1], y.shape[1])
        centre_x, centre_y = np.median(x, axis=0), np.median(y, axis=0)
        rows = np.hstack([x - centre_x, y - centre_y])
        law, location = most_likely(_as_they_are(rows), len(rows[0]), unit=False)
        shift_x, shift_y = centre_x + location[: x.shape[1]], centre_y + location[x.shape[1] :]
        return lambda new_x, new_y: law.log_ratio(new_x - shift_x, new_y - shift_y)

    def simulated(self, key: jax.Array, x: np.ndarray, y: np.ndarray, n: int) -> Simulated:
        """Pairs of the t fitted to x (n, dx) and y (n, dy), moved to the origin; as in `RatioEstimator`."""
        rows = np.hstack([x, y])
        rows = rows - np.median(rows, axis=0)
        law = most_likely(_as_they_are(rows), len(rows[0]), unit=False)[0]
        drawn = law.less_biased(x.shape[1], len(x)).draw(random_of(key), n)
        return Simulated(self, drawn[:, : x.shape[1]], drawn[:, x.shape[1] :], x, y)


def student_estimate(
    x: np.ndarray, y: np.ndarray, margins: Callable[[np.ndarray], MarginTransform], unit: bool
) -> Estimate:
    """The estimate by a t with these margins: jackknifed over groups of rows.

    Args:
        x, y: shapes (n, dx), (n, dy).
        margins: from rows (n, dx + dy) to their `MarginTransform`.
        unit: whether the margins are known, as in `fit_dispersion`.

    Raises:
        ValueError: fewer than 2 (dx + dy) + 20 rows, or columns that repeat others.
    """
    n, dx, dy = len(x), x.shape[1], y.shape[1]
    refuse_few_pairs(n, dx, dy)
    rows = np.hstack([x, y])
    rows = (rows - np.median(rows, axis=0)) / _width(rows)
    _refuse_repeats(rows)
    whole = margins(rows)
    law, _ = most_likely(whole, dx + dy, unit)
    # The jackknife multiplies by 19 what the search leaves undone: all parts, and the whole, end on the same steps.
    for _ in range(2):
        law = refined(whole, law, unit)
    group = np.arange(n) % _GROUPS
    parts = np.empty(_GROUPS)
    for left_out in range(_GROUPS):
        kept = rows[group != left_out]
        parts[left_out] = refined(margins(kept), law, unit).nats(dx, len(kept))
    nats = _GROUPS * law.nats(dx, n) - (_GROUPS - 1) * float(parts.mean())
    known = null_variance(effective(n, dx + dy, law.freedom), dx, dy)
    spread = (_GROUPS - 1) / _GROUPS * float(((parts - parts.mean()) ** 2).sum())
    stderr = max(spread - known, known) ** 0.5
    reach = float(stdtrit(_GROUPS - 1, 0.975)) * stderr
    return Estimate.from_nats(nats=nats, stderr=stderr, kind="point", n=n, low=nats - reach, high=nats + reach)


def refuse_few_pairs(n: int, dx: int, dy: int) -> None:
    """Raise where n pairs leave a dispersion of dx + dy columns undetermined.

    Raises:
        ValueError: for fewer than 2 (dx + dy) + 20 pairs.
    """
    if n < 2 * (dx + dy) + _GROUPS:
        raise ValueError(f"Expected at least {2 * (dx + dy) + _GROUPS} pairs for {dx} x {dy} dimensions; got {n}.")


def most_likely(margins: MarginTransform, d: int, unit: bool) -> tuple[StudentLaw, np.ndarray]:
    """The likeliest law and location: Brent's search over log nu, each dispersion started from the last one."""
    state: dict[str, np.ndarray] = {"start": np.eye(d)}

    def loss(log_freedom: float) -> float:
        value, state["location"], state["start"] = _profile(margins, float(np.exp(log_freedom)), state["start"], unit)
        return -value

    bounds = (-np.log(_INVERSE_FREEDOM[1]), -np.log(_INVERSE_FREEDOM[0]))
    optimum = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 0.02})
    loss(optimum.x)
    return StudentLaw(state["start"], float(np.exp(optimum.x))), state["location"]


def refined(margins: MarginTransform, law: StudentLaw, unit: bool, step: float = 0.1) -> StudentLaw:
    """The likeliest law close to another: a parabola through three values of log nu, one Newton step long.

    Args:
        margins: of the rows.
        law: where to start.
        unit: whether the margins are known, as in `fit_dispersion`.
        step: between two values of log nu.
    """
    centre = np.log(law.freedom)
    values, start = [], law.dispersion
    for move in (-step, 0.0, step):
        value, _, start = _profile(margins, float(np.exp(centre + move)), start, unit)
        values.append(value)
    slope, curvature = (values[2] - values[0]) / (2 * step), (values[0] - 2 * values[1] + values[2]) / step**2
    move = float(np.clip(-slope / curvature, -1.0, 1.0)) if curvature < 0 else 0.0
    freedom = float(np.clip(np.exp(centre + move), 1 / _INVERSE_FREEDOM[1], 1 / _INVERSE_FREEDOM[0]))
    return StudentLaw(_profile(margins, freedom, start, unit)[2], freedom)


def _profile(
    margins: MarginTransform, freedom: float, start: np.ndarray, unit: bool
) -> tuple[float, np.ndarray, np.ndarray]:
    """Mean log-likelihood in nats at these degrees of freedom, with the location and dispersion that reach it."""
    rows, taken_off = margins(freedom)
    location, matrix = fit_dispersion(rows, freedom, start, unit)
    return float((StudentLaw(matrix, freedom).log_prob(rows - location) - taken_off).mean()), location, matrix


def _as_they_are(rows: np.ndarray) -> MarginTransform:
    return lambda freedom: (rows, 0.0)


def _width(rows: np.ndarray) -> np.ndarray:
    """A scale of each column that heavy tails leave as it is: half of the interquartile range, or the mean distance."""
    quarter, half, three = np.quantile(rows, [0.25, 0.5, 0.75], axis=0)
    mean = np.abs(rows - half).mean(axis=0)
    return np.asarray(np.where(three > quarter, (three - quarter) / 2, mean))


def _refuse_repeats(rows: np.ndarray) -> None:
    bounded = np.tanh(rows)
    lowest = float(np.linalg.eigvalsh(np.corrcoef(bounded.T))[0])
    if not lowest > 1e-10:
        raise ValueError(
            f"Expected columns that do not repeat one another; got correlations of rank below {len(rows[0])}."
        )
