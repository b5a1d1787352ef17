"""An automatic choice: look at the data, hold methods against each other on held-out pairs, say why.

Fitted log density ratios (normal, Student-t, both by rank, nonlinear canonical correlations) are compared by how many
bits they show on pairs that did not fit them: a lower bound on I(X;Y) in expectation whatever the model (Donsker &
Varadhan 1983), so the higher one knows more (see `held_out`).  The check from outside are nearest neighbours in few
dimensions and, where these do not agree, a trained critic, neither of which assumes a model: where one finds
significantly more, the model misses it.

The interval is that of the method chosen.  It does not hold the choice itself, nor what no candidate can express: how
often it covers was measured (`docs/estimators.md`), not proved.  A critic's figure, a lower bound on its own, is taken
only where it is high, so that through `auto` it is a little less than that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import jax
import numpy as np
from numpy.typing import ArrayLike

from capacity.estimators.checks import FEW_VALUES, checked, random_of
from capacity.estimators.counts.entropy import within_entropies
from capacity.estimators.counts.plugin import PlugIn
from capacity.estimators.estimator import Estimator, LogRatio, RatioEstimator
from capacity.estimators.features.feature_cca import FeatureCCA
from capacity.estimators.held_out import block_means
from capacity.estimators.neighbours.ksg import KSG
from capacity.estimators.neighbours.mixed import Mixed, Ross
from capacity.estimators.neural.critic_bounds import InfoNCE
from capacity.estimators.parametric.gaussian import GaussianMI
from capacity.estimators.parametric.gaussian_copula import GaussianCopula, heavy_tailed
from capacity.estimators.parametric.student import Student
from capacity.estimators.parametric.student_copula import StudentCopula
from capacity.estimators.rounding import spread_within_steps
from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.runtime.deprecated import old_attribute
from capacity.runtime.keys import Seed, as_key

MODELS: tuple[RatioEstimator, ...] = (
    GaussianMI(),
    GaussianCopula(),
    Student(),
    StudentCopula(),
    FeatureCCA(),
)  # the simpler first
MIN_PAIRS = 200  # from which a part can be held out
ONE_IN = 4  # so many pairs is held out
MAX_FITTED = 20_000  # pairs that are enough to compare models
BLOCKS = (128, 1024)
NEIGHBOUR_DIMENSIONS = 8  # of x and y together: beyond, nearest neighbours lie too wide apart
CRITIC_DIMENSIONS = 3  # of x and y together: below, neighbours leave nothing for a trained critic to find
BEYOND_CHANCE = 2.0  # standard errors
MAX_TIED_SHARE = 0.01  # of rows that repeat others, above which a column is no longer taken as continuous


@dataclass(frozen=True)
class Candidate:
    """A method that was tried.

    Attributes:
        name: the method.
        estimate: from all pairs; None for models that were not chosen.
        held_out_bound: lower bound in bits on held-out pairs; None for methods that fit nothing.
        held_out_stderr: its standard error, bits.
    """

    name: str
    estimate: Estimate | None
    held_out_bound: float | None = None
    held_out_stderr: float | None = None

    evidence = old_attribute("evidence", "held_out_bound")
    evidence_stderr = old_attribute("evidence_stderr", "held_out_stderr")


@dataclass(frozen=True)
class Choice:
    """What was chosen, why, and all that was tried.

    Attributes:
        method: the name of the method chosen.
        estimate: its figure.
        why: in sentences.
        candidates: every method that was tried, the chosen one among them.
    """

    method: str
    estimate: Estimate
    why: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class Auto(Estimator):
    """The automatic choice as an estimator; `choose` returns its reasons too."""

    name: ClassVar[str] = "auto"
    summary: ClassVar[str] = "looks at the data, compares methods on held-out pairs, and chooses"

    min_pairs: ClassVar[int] = 8

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits from x (n, dx) and y (n, dy); errors as in `choose`."""
        return _chosen(key, x, y).estimate


def choose(key: Seed, x: ArrayLike, y: ArrayLike) -> Choice:
    """Mutual information in bits by the method that suits the data, and why it was chosen.

    Args:
        key: a key or a seed; decides which pairs are held out, and every other random number.
        x, y: shapes (n,) or (n, columns); integers, booleans and strings are symbols.

    Raises:
        ValueError: for what `checked` refuses.
    """
    return _chosen(as_key(key), *checked(x, y, "any", Auto.min_pairs))


def _chosen(key: jax.Array, x: np.ndarray, y: np.ndarray) -> Choice:
    """The choice for checked arrays."""
    key, key_spread = jax.random.split(key)
    x, y, spread = _prepared(key_spread, x, y)
    symbols = [side.dtype.kind == "i" for side in (x, y)]
    if all(symbols):
        words = "Both sides are symbols: counted, with a correction for what was not seen."
        choice = _only(key, PlugIn(), x, y, words)
    elif any(symbols):
        words = "One side is symbols, the other real numbers: neighbours within each symbol."
        choice = _only(key, Ross(), x, y, words)
    elif (tied := max(_ties(x), _ties(y))) > MAX_TIED_SHARE:
        choice = _only(key, Mixed(), x, y, f"{100 * tied:.0f} % of values repeat others: neighbours that allow ties.")
    elif len(x) < MIN_PAIRS:
        choice = _small(key, x, y)
    else:
        choice = _continuous(key, x, y)
    cut = within_entropies(choice.estimate, x, y)
    said = "" if cut is choice.estimate else " No more than the entropy of the symbols."
    return replace(choice, estimate=cut, why=spread + choice.why + said)


def _prepared(key: jax.Array, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    """Both sides with few values as symbols and rounded numbers spread within their steps, and what was done."""
    random, words = random_of(key), ""
    sides = []
    for name, side in (("x", x), ("y", y)):
        side = _symbols_if_few(side)
        if side.dtype.kind == "f":
            side, rounded = spread_within_steps(random, side)
            if rounded:
                words += (
                    f"Rounded numbers in {rounded} of {side.shape[1]} columns of {name}: spread within their steps. "
                )
        sides.append(side)
    return sides[0], sides[1], words


def _continuous(key: jax.Array, x: np.ndarray, y: np.ndarray) -> Choice:
    """Of continuous laws, and what neighbours and a critic find beyond them."""
    key_split, key_models, key_neighbours, key_critic = jax.random.split(key, 4)
    dimensions = x.shape[1] + y.shape[1]
    bounds = _held_out_bounds(key_split, x, y)
    best = max(bounds, key=lambda m: bounds[m].mean())
    chosen = next(m for m in MODELS if m in bounds and _behind(bounds[m], bounds[best]) <= 1)
    method, best_estimate = chosen.name, chosen(key_models, x, y)
    candidates = [
        Candidate(
            m.name,
            best_estimate if m is chosen else None,
            *(v / NATS_PER_BIT for v in (bounds[m].mean(), _stderr(bounds[m]))),
        )
        for m in bounds
    ]
    why = f"Of {len(bounds)} models, {method} shows the most on held-out pairs" + (
        "." if chosen is best else f", or no less than {best.name} beyond chance, and is simpler."
    )
    agree = False
    if dimensions <= NEIGHBOUR_DIMENSIONS:
        neighbours = KSG(margins="normal" if heavy_tailed(x) or heavy_tailed(y) else "standard")(key_neighbours, x, y)
        candidates.append(Candidate(KSG.name, neighbours))
        more = _excess(neighbours, best_estimate)
        # With one column a side neighbours are all but unbiased, so that the lesser doubt is enough to take them.
        beyond = BEYOND_CHANCE if dimensions > 2 else BEYOND_CHANCE / 2
        agree = abs(more) <= beyond
        why += _said(KSG.name, more, method, beyond)
        if more > beyond:
            method, best_estimate = KSG.name, neighbours
    if dimensions >= CRITIC_DIMENSIONS and not agree:
        critic = InfoNCE(folds=2)(key_critic, x, y)
        candidates.append(Candidate(InfoNCE.name, critic, float(critic.bits), float(critic.stderr)))
        more = _excess(critic, best_estimate)
        why += _said(InfoNCE.name, more, method, BEYOND_CHANCE)
        if more > BEYOND_CHANCE:
            method, best_estimate = InfoNCE.name, critic
    if best_estimate.kind == "lower":
        why += " It is a lower bound: the truth may be larger."
    return Choice(method, best_estimate, why, tuple(candidates))


def _only(key: jax.Array, method: Estimator, x: np.ndarray, y: np.ndarray, why: str) -> Choice:
    """The one method for such data."""
    estimate = method(key, x, y)
    return Choice(method.name, estimate, why, (Candidate(method.name, estimate),))


def _small(key: jax.Array, x: np.ndarray, y: np.ndarray) -> Choice:
    """Too few pairs to hold any out: normal by rank, and neighbours beside it."""
    normal, neighbours = GaussianCopula()(key, x, y), KSG(k=3, margins="normal")(key, x, y)
    candidates = (Candidate(GaussianCopula.name, normal), Candidate(KSG.name, neighbours))
    if neighbours.low > normal.high:
        why = "Too few pairs to hold any out: neighbours, which find more than a normal law by rank."
        return Choice(KSG.name, neighbours, why, candidates)
    why = "Too few pairs to hold any out: a normal law by rank, with which neighbours agree or find less."
    return Choice(GaussianCopula.name, normal, why, candidates)


def _excess(one: Estimate, other: Estimate) -> float:
    """How much more one figure says than another, in standard errors."""
    return float(one.bits - other.bits) / max(float(np.hypot(one.stderr, other.stderr)), 1e-12)


def _said(name: str, more: float, than: str, beyond: float) -> str:
    """What a check from outside says, as a sentence."""
    if more > beyond:
        return f" {name} finds {more:.1f} standard errors more than {than}, which misses it: taken."
    return f" {name} agrees." if more >= -beyond else f" {name} finds less."


def _symbols_if_few(side: np.ndarray) -> np.ndarray:
    """Rows numbered as symbols, where no column has more than a few values; else the side as it is."""
    few = len(side) >= MIN_PAIRS and all(len(np.unique(column)) < FEW_VALUES for column in side.T)
    return np.unique(side, axis=0, return_inverse=True)[1].reshape(-1, 1).astype(np.int64) if few else side


def _ties(side: np.ndarray) -> float:
    """The largest share of a column's values that repeat another of it."""
    return max(1 - len(np.unique(column)) / len(column) for column in side.T)


def _held_out_bounds(key: jax.Array, x: np.ndarray, y: np.ndarray) -> dict[RatioEstimator, np.ndarray]:
    """Block means of every model's held-out bound, nats."""
    key_order, key_fit = jax.random.split(key)
    order = np.asarray(jax.random.permutation(key_order, len(x)))[:MAX_FITTED]
    held, rest = order[: len(order) // ONE_IN], order[len(order) // ONE_IN :]
    fitted: dict[RatioEstimator, LogRatio] = {}
    for model in MODELS:
        try:
            fitted[model] = model.fit(key_fit, x[rest], y[rest])
        except ValueError:
            continue  # fewer pairs than the model needs: it is no candidate
    for block in BLOCKS:
        block = min(block, len(held) // 4)
        bounds = {m: block_means(f, x[held], y[held], block) for m, f in fitted.items()}
        if max(v.mean() for v in bounds.values()) < 0.7 * np.log(block):
            break
    return bounds


def _behind(one: np.ndarray, best: np.ndarray) -> float:
    """How far one model's held-out figure is behind the best, in standard errors of the difference."""
    difference = best - one
    return float(difference.mean() / max(_stderr(difference), 1e-12)) if difference.any() else 0.0


def _stderr(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / len(values) ** 0.5)
