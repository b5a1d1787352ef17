"""Variational bounds by a trained critic (Poole et al. 2019, "On variational bounds of mutual information").

For any critic f that has not seen the evaluation part, any constant c and K evaluation pairs,

    I >= E[f(x, y)] - c + 1 - E'[exp(f(x, y') - c)]                           (Nguyen, Wainwright & Jordan 2010)
    I >= E[f(x_i, y_i) - log (1/K) sum_j exp f(x_i, y_j)], at most log K      (van den Oord, Li & Vinyals 2018)

with E over pairs and E' over the product of marginals.  Donsker & Varadhan's form, E[f] - log E'[exp f], is the first
with the best c; with a mean over samples inside the logarithm it is too high in expectation (Jensen) and no bound, so
that here c is fitted on the validation part, which keeps the bound.

Intervals are normal, from Hajek projections: every evaluation part's figure is a U-statistic, or a smooth function of
means, of independent pairs, and what pair i adds to it as itself, as a row and as a column is its influence (Hoeffding
1948; van der Vaart 1998, chapter 12).  Folds are averaged as in cross-fitting (Chernozhukov et al. 2018, section 3).
An interval is for the bound that these critics reach; as information is never negative, `high` is at least 0.

Within a bit of log K, K the pairs of an evaluation block, or past it, the ratio is so large that a row's others show it
less than about once (were log K the truth, with K equally likely messages, the contrast would lose
E log2(1 + Poisson(1)) = 0.83 bits): the interval is then open up to the limit, and the figure says `saturated`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import jax
import numpy as np

from capacity.estimators.checks import checked
from capacity.estimators.estimator import LogRatio, RatioEstimator
from capacity.estimators.neural.critics import Critic, Separable
from capacity.estimators.neural.estimator import NeuralEstimator
from capacity.estimators.neural.held_out import (
    Objective,
    Scores,
    donsker_varadhan,
    fit_critic,
    held_out,
    info_nce,
    jensen_shannon,
    nwj,
)
from capacity.estimators.neural.training import Stopping
from capacity.results.estimate import NATS_PER_BIT, Estimate, Kind
from capacity.results.intervals import Z95

MARGIN = NATS_PER_BIT  # how far below log K a figure no longer tells a larger truth from one of log K


def info_nce_values(scores: Scores) -> np.ndarray:
    """Values whose mean is InfoNCE, nats, and whose spread is that of the pairs' influence; shape (blocks, block)."""
    count = scores.true.shape[1]
    figures = []
    for others, share in ((scores.row, scores.row_share), (scores.column, scores.column_share)):
        normaliser = np.logaddexp(scores.true, others + np.log(count - 1)) - np.log(count)
        figures.append(scores.true - normaliser + 1 - share)
    return np.asarray(0.5 * (figures[0] + figures[1]))


def nwj_values(scores: Scores) -> np.ndarray:
    """Values whose mean is the bound with the validation part's constant, spread as the pairs' influence, nats."""
    row, column = np.exp(scores.row - scores.constant), np.exp(scores.column - scores.constant)
    return np.asarray(scores.true - scores.constant + 1 - row - column + row.mean(axis=1, keepdims=True))


def plug_in_values(scores: Scores) -> np.ndarray:
    """Values whose mean is the plug-in Donsker-Varadhan figure, spread as the pairs' influence, nats."""
    top = scores.row.max(axis=1, keepdims=True)
    row, column = np.exp(scores.row - top), np.exp(scores.column - top)
    mean = row.mean(axis=1, keepdims=True)
    return np.asarray(scores.true - top - np.log(mean) + 2 - (row + column) / mean)


def log_block(scores: Scores) -> float:
    """Log K of an evaluation block of K pairs, nats: the most that a contrast among them can say."""
    return float(np.log(scores.true.shape[1]))


def log_pairs(scores: Scores) -> float:
    """Log of the number of pairs (i, j) that E' is taken over, nats: of a larger density ratio not one shows it."""
    return float(np.log(scores.true.size * (scores.true.shape[1] - 1)))


def _estimate(values: np.ndarray, kind: Kind, limit: float) -> Estimate:
    """The mean of the values (blocks, block), nats; the interval is open up to the limit where it comes near log K."""
    # Folds have critics of their own: what pairs add is told from the mean of their block.
    spread = values - values.mean(axis=1, keepdims=True)
    nats, stderr = values.mean(), np.sqrt((spread**2).sum() / (values.size - len(values)) / values.size)
    below = nats < np.log(values.shape[1]) - MARGIN
    high = max(nats + Z95 * stderr, 0.0) if below else limit
    return Estimate.from_nats(nats=float(nats), stderr=float(stderr), kind=kind, n=values.size, limit=limit, high=high)


@dataclass(frozen=True)
class CriticBound(NeuralEstimator):
    """A figure made of a critic's scores on held-out pairs; each subclass says which, and by what loss it is trained.

    Attributes:
        critic: `Separable` or `JointCritic`.
        stopping: how the critic is trained.
        folds: each pair is evaluated once, by the critic of the fold that did not see it.
        objective: the training loss, from scores (n, n) of a batch to nats.
        values: from held-out scores to values, nats, (blocks, block), whose mean is the figure.
        limit: the most that the figure can say, nats.
        kind: whether it is a lower bound, or a point estimate and no bound.

    Raises:
        ValueError: for fewer than 200 pairs, and what `checked` refuses.
    """

    critic: Critic = field(default_factory=Separable)
    stopping: Stopping = field(default_factory=Stopping)
    folds: int = 5

    kind: ClassVar[Kind] = "lower"
    objective: ClassVar[Objective]
    values: ClassVar[Callable[[Scores], np.ndarray]]
    limit: ClassVar[Callable[[Scores], float]] = log_pairs

    @property
    def max_score(self) -> float:
        """Scores are kept within +- this, in nats, where the normaliser is taken: not at all."""
        return np.inf

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits from x (n, dx) and y (n, dy); the key decides folds, batches and initial parameters."""
        bound = type(self)
        scores = held_out(key, x, y, self.critic, self.stopping, bound.objective, self.folds, self.max_score)
        return _estimate(bound.values(scores), bound.kind, bound.limit(scores))


@dataclass(frozen=True)
class InfoNCE(CriticBound, RatioEstimator):
    """The contrastive bound: which of K values of y came with this x?  It can say log K at most (K = `critic.block`).

    Both directions are averaged, each being a bound (van den Oord, Li & Vinyals 2018).  Attributes and errors as in
    `CriticBound`.
    """

    name: ClassVar[str] = "infonce"
    summary: ClassVar[str] = "contrastive lower bound of a trained critic; log of the evaluation block at most"
    objective: ClassVar[Objective] = info_nce
    values: ClassVar[Callable[[Scores], np.ndarray]] = info_nce_values
    limit: ClassVar[Callable[[Scores], float]] = log_block

    def fit(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> LogRatio:
        """A critic of x (n, dx) and y (n, dy): the log density ratio in nats of new pairs, up to a constant.

        Raises:
            ValueError: for what `__call__` refuses.
        """
        x, y = checked(x, y, self.takes, self.min_pairs)
        return fit_critic(key, x, y, self.critic, self.stopping, type(self).objective)


@dataclass(frozen=True)
class NWJ(CriticBound):
    """The bound of Nguyen, Wainwright & Jordan (2010), trained by its own objective.

    The critic's factor and additive constant are set on the validation part.  Attributes and errors as in
    `CriticBound`.
    """

    name: ClassVar[str] = "nwj"
    summary: ClassVar[str] = "lower bound of a trained critic without the contrastive limit; more variance"
    objective: ClassVar[Objective] = nwj
    values: ClassVar[Callable[[Scores], np.ndarray]] = nwj_values


@dataclass(frozen=True)
class DonskerVaradhan(CriticBound):
    """Donsker & Varadhan's (1983) bound, its log-normaliser fitted on the validation part: below it in expectation.

    Trained by its own plug-in on batches.  Attributes and errors as in `CriticBound`.
    """

    name: ClassVar[str] = "dv"
    summary: ClassVar[str] = "Donsker-Varadhan lower bound, the normaliser from pairs that it is not evaluated on"
    objective: ClassVar[Objective] = donsker_varadhan
    values: ClassVar[Callable[[Scores], np.ndarray]] = nwj_values


@dataclass(frozen=True)
class MINE(CriticBound):
    """Donsker & Varadhan's form with the mean inside the logarithm (Belghazi et al. 2018): a point estimate, no bound.

    Unlike the original it is evaluated on held-out pairs, and its batches' gradients use every pair of rows, which
    leaves little of the bias that a running mean was meant to cure.  The interval is about what these critics reach: it
    held the truth in 13 of the 40 public tasks and lay below it in the others.  Attributes and errors as in
    `CriticBound`.
    """

    name: ClassVar[str] = "mine"
    summary: ClassVar[str] = "Donsker-Varadhan plug-in of a trained critic; not a bound"
    kind: ClassVar[Kind] = "point"
    objective: ClassVar[Objective] = donsker_varadhan
    values: ClassVar[Callable[[Scores], np.ndarray]] = plug_in_values


@dataclass(frozen=True)
class SMILE(CriticBound):
    """Donsker & Varadhan's form with scores clipped in the normaliser (Song & Ermon 2020, equation 12): no bound.

    The critic is trained by the Jensen-Shannon objective, as in the original.  The interval is as MINE's (11 of the 40
    public tasks).  Attributes and errors as in `CriticBound`, and:

    Attributes:
        clip: scores are kept within +-clip, in nats, where the normaliser is taken.
    """

    clip: float = 5.0

    name: ClassVar[str] = "smile"
    summary: ClassVar[str] = "Donsker-Varadhan with a clipped normaliser: less variance, some bias; not a bound"
    kind: ClassVar[Kind] = "point"
    objective: ClassVar[Objective] = jensen_shannon
    values: ClassVar[Callable[[Scores], np.ndarray]] = plug_in_values

    @property
    def max_score(self) -> float:
        """The clip, in nats."""
        return self.clip
