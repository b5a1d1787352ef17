"""Canonical variates of features, one pair after another, none a function of those before it.

Plain canonical correlation of features finds x_1 and then x_1^2, whose correlation is real but tells nothing new
(Lancaster 1958): each step here takes off what polynomials of the variates so far explain, on each side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import ndtr

from capacity.estimators.features.maps import Map, cosines, monomials, multiply
from capacity.estimators.parametric.gaussian_copula import normal_scores

_CANDIDATES = 12  # linear variates from which the pairs are picked
_MIN_NEW = 0.3  # the share of a direction's variance that must be left after those before it
_DEGREE = 3
_WAVES = 6
_NEIGHBOURS = 16
_MAX_EXPLAINED = 0.25  # a variate of whose values or squares those before it explain this share is a function of them


@dataclass(frozen=True)
class Variates:
    """Maps of rows of x and of y to their variates, (n, m) each, pair by pair, from the most correlated."""

    of_x: Map
    of_y: Map


def variates(x: np.ndarray, y: np.ndarray, maps: tuple[Map, Map], most: int, ridge: float = 1e-2) -> Variates:
    """The canonical variates of features of training rows.

    Args:
        x, y: shapes (n, dx), (n, dy).
        maps: features of each side.
        most: how many pairs, at most.
        ridge: added to the variances of the features' principal components, of mean variance 1.
    """
    white_x, white_y = _whitening(maps[0](x), ridge), _whitening(maps[1](y), ridge)
    a, b = white_x(maps[0](x)), white_y(maps[1](y))
    left, _, right = np.linalg.svd(a.T @ b, full_matrices=False)
    left, right = left[:, :_CANDIDATES], right[:_CANDIDATES].T
    picked_x, picked_y = _in_turn(a @ left, b @ right, most)
    return Variates(
        lambda new: picked_x(white_x(maps[0](new)) @ left), lambda new: picked_y(white_y(maps[1](new)) @ right)
    )


def _in_turn(a: np.ndarray, b: np.ndarray, most: int) -> tuple[Map, Map]:
    """Pick pairs of directions among linear variates (n, w), each after taking off functions of those before it."""
    sides = (_Side(), _Side())
    kept = [np.empty((len(a), 0)), np.empty((len(b), 0))]
    for _ in range(min(most, a.shape[1], b.shape[1])):
        left = [side.explain(values, done) for side, values, done in zip(sides, (a, b), kept, strict=True)]
        spaces = [_new_directions(rest, values) for rest, values in zip(left, (a, b), strict=True)]
        if not min(space.shape[1] for space in spaces):
            break
        turn, _, back = np.linalg.svd((left[0] @ spaces[0]).T @ (left[1] @ spaces[1]) / len(a))
        for i, direction in enumerate((spaces[0] @ turn[:, 0], spaces[1] @ back[0])):
            direction = direction / (left[i] @ direction).std()
            sides[i].directions.append(direction)
            kept[i] = np.column_stack([kept[i], left[i] @ direction])
    return sides[0].apply, sides[1].apply


class _Side:
    """The steps of one side, to be taken again on new rows."""

    def __init__(self) -> None:
        self.slopes: list[np.ndarray] = []
        self.directions: list[np.ndarray] = []

    def explain(self, values: np.ndarray, done: np.ndarray) -> np.ndarray:
        """What polynomials of the variates so far leave of the values."""
        terms = _terms(done)
        gram = terms.T @ terms  # of a few dozen bounded terms: its inverse costs less than that of the tall matrix
        self.slopes.append(np.linalg.pinv(gram, rcond=1e-10, hermitian=True) @ (terms.T @ values))
        return np.asarray(values - terms @ self.slopes[-1])

    def apply(self, values: np.ndarray) -> np.ndarray:
        """The variates of new rows."""
        done = np.empty((len(values), 0))
        for slopes, direction in zip(self.slopes, self.directions, strict=False):
            done = np.column_stack([done, (values - _terms(done) @ slopes) @ direction])
        return done


def _terms(done: np.ndarray) -> np.ndarray:
    one = np.ones((len(done), 1))
    if not done.shape[1]:
        return one
    bounded = np.clip(done, -4.0, 4.0)  # a cubic far outside of the training rows would swamp everything
    waves = cosines(ndtr(done), _WAVES).reshape(len(done), -1)
    return np.hstack([one, multiply(bounded, monomials(done.shape[1], _DEGREE)), waves])


def real_pairs(left: np.ndarray, right: np.ndarray) -> int:
    """How many pairs of held-out variates, from the first on, are correlated beyond chance and new.

    Beyond chance is more than 3.5 standard errors.  New is a variate of whose values and whose squares those before it
    explain less than a quarter, by the mean of nearest neighbours.

    Args:
        left, right: shapes (n, m), pair by pair.
    """
    for i in range(left.shape[1]):
        by_chance = 3.5 / len(left) ** 0.5
        if np.corrcoef(left[:, i], right[:, i])[0, 1] < by_chance:
            return i
        if i and max(_explained(side[:, :i], side[:, i]) for side in (left, right)) > _MAX_EXPLAINED:
            return i
    return int(left.shape[1])


def _explained(before: np.ndarray, values: np.ndarray) -> float:
    """The larger share of variance of the scores or their squares that neighbours in the earlier variates predict."""
    before = normal_scores(before)
    neighbours = cKDTree(before).query(before, _NEIGHBOURS + 1)[1][:, 1:]
    scores = normal_scores(values[:, None])[:, 0]
    shares = []
    for target in (scores, scores**2):
        error = ((target - target[neighbours].mean(axis=1)) ** 2).mean() / (1 + 1 / _NEIGHBOURS)
        shares.append(1 - error / target.var())
    return float(max(shares))


def _new_directions(rest: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Directions in which enough of the variance is left, scaled to variance 1 of what is left."""
    variances, axes = np.linalg.eigh(np.cov(rest.T, bias=True).reshape(2 * [rest.shape[1]]))
    kept = variances > _MIN_NEW * values.var(axis=0).mean()
    return np.asarray(axes[:, kept] / np.sqrt(variances[kept]))


def _whitening(features: np.ndarray, ridge: float) -> Callable[[np.ndarray], np.ndarray]:
    mean, width = features.mean(axis=0), features.std(axis=0) + 1e-12
    scaled = (features - mean) / width
    variances, axes = np.linalg.eigh(scaled.T @ scaled / len(scaled))
    kept = variances > 1e-7 * variances[-1]
    weights = axes[:, kept] / np.sqrt(variances[kept] + ridge)
    return lambda new: (new - mean) / width @ weights
