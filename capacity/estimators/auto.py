"""An automatic choice: look at the data, hold methods against each other on held-out pairs, say why.

Fitted log density ratios (normal, Student-t, both by rank, nonlinear canonical correlations) are compared by how many
bits they show on pairs that did not fit them: a lower bound on I(X;Y) in expectation whatever the model (Donsker &
Varadhan 1983), so the higher one knows more.  What the winner states in closed form is believed where pairs of its own
law show as much as the data do.  The check from outside are nearest neighbours, where rows lie on a set of few
dimensions, and, where these do not agree, a trained critic, neither of which assumes a model: where one finds
significantly more, the model misses it (`automatic.weighing`).

The interval is that of the method chosen.  It does not hold the choice itself, nor what no candidate can express: how
often it covers was measured (`docs/estimators.md`), not proved.  A critic's figure, a lower bound on its own, is taken
only where it is high, so that through `auto` it is a little less than that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import jax
import numpy as np

from capacity.estimators.automatic.candidates import Candidate
from capacity.estimators.automatic.preparation import MIN_PAIRS, prepared
from capacity.estimators.automatic.symbols import weigh_symbols, weigh_symbols_and_numbers
from capacity.estimators.automatic.weighing import weigh
from capacity.estimators.checks import checked
from capacity.estimators.counts.entropy import within_entropies
from capacity.estimators.estimator import Estimator, RatioEstimator
from capacity.estimators.features.feature_cca import FeatureCCA
from capacity.estimators.neighbours.ksg import KSG
from capacity.estimators.order.by_type import method_for
from capacity.estimators.order.memory import MIN_ROWS, rows_resemble_neighbours
from capacity.estimators.order.time_interval import time_interval
from capacity.estimators.parametric.gaussian import GaussianMI
from capacity.estimators.parametric.gaussian_copula import GaussianCopula
from capacity.estimators.parametric.student import Student
from capacity.estimators.parametric.student_copula import StudentCopula
from capacity.estimators.threads import threads_for
from capacity.results.estimate import Estimate
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.tables.foreign import Tabular
from capacity.runtime.tables.sides import Missing, pair_of
from capacity.runtime.threefry import parts_of

MODELS: tuple[RatioEstimator, ...] = (
    GaussianMI(),
    GaussianCopula(),
    Student(),
    StudentCopula(),
    FeatureCCA(),
)  # the simpler first


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
    """The automatic choice as an estimator; `choose` returns its reasons too.

    Attributes:
        order: of the rows, as in `choose`.
    """

    order: Literal["time", "any"] | None = None

    name: ClassVar[str] = "auto"
    summary: ClassVar[str] = "looks at the data, compares methods on held-out pairs, and chooses"

    min_pairs: ClassVar[int] = 8

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits from x (n, dx) and y (n, dy); errors as in `choose`."""
        return _choice(key, x, y, self.order).estimate

    def of_independent_rows(self) -> Auto:
        """The same without a look at the order of the rows."""
        return Auto("any")


def choose(
    key: Seed, x: Tabular, y: Tabular, order: Literal["time", "any"] | None = None, *, missing: Missing = "refuse"
) -> Choice:
    """Mutual information in bits by the method that suits the data, and why it was chosen.

    Args:
        key: a key or a seed; decides which pairs are held out, and every other random number.
        x, y: shapes (n,) or (n, columns); integers, booleans and strings are symbols.  Arrays and tables as for
            `capacity.estimate`.
        order: "time" where rows follow each other in time: neighbours that suit the types, with an interval for rows
            that resemble each other (`time_interval`).  "any" where rows are independent draws.  None looks: where
            neighbouring rows of both sides resemble each other and no side is sorted, rows are taken for rows in time,
            and `why` says so.
        missing: "refuse" rows with missing values, or "drop" them: `estimate.dropped` says how many.

    Raises:
        ValueError: for what `checked` and `time_interval` refuse, and for another order.
    """
    if order not in (None, "time", "any"):
        raise ValueError(f'Expected order to be "time", "any" or None; got {order!r}.')
    key, (first, second, dropped) = as_key(key), pair_of(x, y, missing)
    sides = checked(first, second, "any", Auto.min_pairs)
    with threads_for(*sides):
        choice = _choice(key, *sides, order)
    return replace(choice, estimate=replace(choice.estimate, dropped=dropped))


def _choice(key: jax.Array, x: np.ndarray, y: np.ndarray, order: Literal["time", "any"] | None) -> Choice:
    """The choice for checked arrays, in the order that is said or seen."""
    if order == "time":
        return _in_time(key, x, y)
    rows = rows_resemble_neighbours(x, y) if order is None and len(x) >= MIN_ROWS else None
    if rows is None or not rows.resemble:
        return _chosen(key, x, y)
    seen = (
        f" Neighbouring rows resemble each other on both sides, as if there were about {rows.effective_rows:,.0f}. "
        "If they are independent draws, order='any' is to be said."
    )
    if rows.sorted:
        words = " A side's rows are sorted: taken for independent draws. If they are in time, say order='time'."
        choice = _chosen(key, x, y)
        return replace(choice, why=choice.why + words)
    try:
        choice = _in_time(key, x, y)
    except ValueError as refusal:  # too much memory for blocks
        choice = _opened(_chosen(key, x, y))
        seen += f" {refusal} So the interval is open."
    return replace(choice, why=choice.why + seen)


def _in_time(key: jax.Array, x: np.ndarray, y: np.ndarray) -> Choice:
    method = method_for(x, y)
    found = time_interval(key, x, y, method)
    why = "Rows in time: neighbours that suit the types, beside shifted series and parts of the series."
    return Choice(method.name, found, why, (Candidate(method.name, found),))


def _opened(choice: Choice) -> Choice:
    """The choice with an interval from nothing to the most that so many rows could show, which is `saturated`."""
    found = choice.estimate
    most = min(float(found.limit), max(float(found.high), float(np.log2(max(found.n, 2.0)))))
    return replace(choice, estimate=replace(found, low=min(float(found.low), 0.0), high=most, limit=most))


def _chosen(key: jax.Array, x: np.ndarray, y: np.ndarray) -> Choice:
    """The choice for checked arrays whose rows are independent draws."""
    key, key_spread = parts_of(key, 2)
    sides = prepared(key_spread, x, y)
    symbols = [side.dtype.kind == "i" for side in (sides.x, sides.y)]
    if any(symbols) or len(x) >= MIN_PAIRS:
        if all(symbols):
            weighed = weigh_symbols(key, sides)
        elif any(symbols):
            weighed = weigh_symbols_and_numbers(key, sides)
        else:
            weighed = weigh(key, MODELS, sides)
        choice = Choice(weighed.method, weighed.estimate, weighed.why, weighed.candidates)
    else:
        choice = _small(key, sides.x, sides.y)
    cut = within_entropies(choice.estimate, sides.x, sides.y)
    said = "" if cut is choice.estimate else " No more than the entropy of the symbols."
    return Choice(choice.method, cut, sides.words + choice.why + said, choice.candidates)


def _small(key: jax.Array, x: np.ndarray, y: np.ndarray) -> Choice:
    """Too few pairs to hold any out: normal by rank, and neighbours beside it."""
    normal, neighbours = GaussianCopula()(key, x, y), KSG(k=3, margins="normal")(key, x, y)
    candidates = (Candidate(GaussianCopula.name, normal), Candidate(KSG.name, neighbours))
    if neighbours.low > normal.high:
        why = "Too few pairs to hold any out: neighbours, which find more than a normal law by rank."
        return Choice(KSG.name, neighbours, why, candidates)
    why = "Too few pairs to hold any out: a normal law by rank, with which neighbours agree or find less."
    return Choice(GaussianCopula.name, normal, why, candidates)
