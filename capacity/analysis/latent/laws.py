"""Upper bounds: E KL(q(z|x) || r) of the law r that promises least, fitted and chosen without the points it is held to.

Folds are of two halves.  In either half two folds fit every law and the third says which is least (with its error);
that one is fitted anew for each fold of the other half, to all points but those of that fold, and held against them.
So the fold has part in neither, and the mean over folds is one of values each at least I(X;Z) in expectation.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from capacity.analysis.latent.folds import FOLDS, Folded, over
from capacity.analysis.latent.reference import (
    COMPONENTS,
    LOG_2PI,
    Law,
    bulk,
    independent,
    mixture,
    normal,
    share_of_tails,
    standard,
)

Nats = Float[np.ndarray, " n"]
LawFit = Callable[[np.ndarray, np.ndarray, np.ndarray], Law]
POINTS_PER_NUMBER = 2  # that a mixture must have, for each unit of each component
CHOICE_ERRORS = 2.0  # standard errors that a law is charged with when laws are compared
FITTED: dict[str, LawFit] = {
    "independent normal": independent,
    "normal": bulk,
    "normal of all points": normal,
    "mixture of normals": mixture,
}
PRIOR, POSTERIORS = "prior", "other posteriors"


def rates(
    data: Folded, sums: Float[np.ndarray, "n folds"], centre: Float[np.ndarray, " units"], mixtures: bool = True
) -> tuple[Nats, str]:
    """Nats (n,) of the drawn points, each at least I(X;Z) in expectation; and which laws were chosen.

    Args:
        data: points in folds.
        sums: of `fold_sums`, for the mixture of posteriors.
        centre: what was taken from the means: where the prior's zero lies.
        mixtures: whether mixtures of normal laws are tried; of a unit or two, other posteriors see what these would.
    """
    return _chosen_by_fold(data, sums, _laws(data, centre, mixtures))


def unit_rates(
    data: Folded, sums: Float[np.ndarray, "units n folds"] | None, centre: np.ndarray
) -> Float[np.ndarray, "units n"]:
    """The same of each unit alone (units, n); without sums, by laws that are closed forms."""
    out = []
    for j in range(data.mean.shape[1]):
        alone = data.units(slice(j, j + 1))
        of_unit = None if sums is None else sums[j]
        out.append(_chosen_by_fold(alone, of_unit, _laws(alone, centre[j : j + 1], False))[0])
    return np.stack(out)


def chain_rates(data: Folded) -> Float[np.ndarray, "units n"]:
    """Nats (units, n), at least I(X;Z_j|Z_<j) in expectation: against a normal r(z_j|z_<j) of the other folds."""
    mean, log_std = data.mean[data.drawn], data.log_std[data.drawn]
    out = np.empty_like(mean)
    fold = data.fold
    for f in range(FOLDS):
        others, here = fold != f, fold[data.drawn] == f
        law = normal(data.mean[others], data.log_std[others], data.copies[others])
        out[here] = law.each_unit(mean[here], log_std[here])
    return np.asarray((out - 0.5 * (LOG_2PI + 1) - log_std).T)


def _laws(data: Folded, centre: np.ndarray, mixtures: bool) -> dict[str, LawFit]:
    units = data.mean.shape[1]
    enough = mixtures and len(data.mean) >= POINTS_PER_NUMBER * FOLDS * COMPONENTS * (units + 1)
    fits = {name: fit for name, fit in FITTED.items() if name != "mixture of normals" or enough}
    if units == 1:
        del fits["independent normal"]
    return {PRIOR: lambda *_: standard(centre), **fits}


def _chosen_by_fold(data: Folded, sums: np.ndarray | None, laws: dict[str, LawFit]) -> tuple[Nats, str]:
    fold = data.fold
    values, names = np.empty(len(data.drawn)), []
    for half in (0, 1):
        own, other = ([f for f in range(FOLDS) if f % 2 == side] for side in (half, 1 - half))
        name = _least(data, sums, laws, other[:-1], other[-1:])
        for f in own:
            others = [g for g in range(FOLDS) if g != f]
            values[fold[data.drawn] == f] = _against(data, sums, laws.get(name), others, [f])
        names.append(name)
    return values, ", ".join(sorted(set(names)))


def _least(
    data: Folded, sums: np.ndarray | None, laws: dict[str, LawFit], fitting: list[int], judging: list[int]
) -> str:
    """The law that promises least, fitted to some folds and judged by others."""
    weight = data.weight[np.isin(data.fold[data.drawn], judging)]
    trials = [*laws.items()] if sums is None else [*laws.items(), (POSTERIORS, None)]
    charged = {name: _charged(weight * _against(data, sums, fit, fitting, judging)) for name, fit in trials}
    return min(charged, key=lambda name: charged[name])


def _against(data: Folded, sums: np.ndarray | None, fit: LawFit | None, fitting: list[int], judged: list[int]) -> Nats:
    """Nats of the drawn points of some folds against a law fitted to others; None: their mixture of posteriors."""
    fold = data.fold
    here, chosen = np.isin(fold[data.drawn], judged), np.isin(fold, fitting)
    if fit is None and sums is not None:
        own = data.own()[here].sum(1)
        near = over(sums[here], fitting) - np.log(data.copies[chosen].sum())
        far = bulk(data.mean[chosen], data.log_std[chosen], data.copies[chosen])
        constant = 0.5 * LOG_2PI * data.mean.shape[1]
        return np.asarray(own - share_of_tails(near, constant - far.cross_entropy(data.codes[here])))
    assert fit is not None
    law = fit(data.mean[chosen], data.log_std[chosen], data.copies[chosen])
    mean, log_std = data.mean[data.drawn[here]], data.log_std[data.drawn[here]]
    entropy = 0.5 * mean.shape[1] * (LOG_2PI + 1) + log_std.sum(1)
    return np.asarray(law.cross_entropy(mean, log_std) - entropy)


def _charged(values: Nats) -> float:
    if not np.isfinite(values).all():
        return np.inf
    return float(values.mean() + CHOICE_ERRORS * values.std() / len(values) ** 0.5)
