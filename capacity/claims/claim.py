"""What every claim promises: a sentence, predictions decided before the run, and an experiment that answers them.

A prediction names a figure and the region in which the sentence puts it.  The experiment answers each with a value and
a confidence interval.  An interval inside its region speaks for the sentence, one outside it against, one across the
border leaves it open.  With k predictions every interval holds at 1 - 0.05/k (Bonferroni), so that all of them
together hold at 95 %: a verdict that is not `undecided` is wrong with a probability of at most 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

import jax

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    from matplotlib.figure import Figure

Arrays = Mapping[str, Any]
Progress = Callable[[float, str], None]
Standing = Literal["for", "against", "open"]
Verdict = Literal["supported", "refuted", "undecided"]

MISS_RATE = 0.05  # of all intervals of a claim together


@dataclass(frozen=True)
class Prediction:
    """A figure and the region [low, high] in which the sentence puts it, decided before the run.

    Attributes:
        name: of the figure; the experiment answers under this name.
        says: what it means that the figure lies there, in a sentence.
        low, high: the region's ends, in `unit`; infinite where there is none.
        unit: of the figure.
        instrument: whether this checks the experiment instead of the sentence: a truth that must be met.  If it is
            not, the claim is undecided, whatever else was found.

    Raises:
        ValueError: if the region is empty, or all of the line.
    """

    name: str
    says: str
    low: float = -math.inf
    high: float = math.inf
    unit: str = "bits"
    instrument: bool = False

    def __post_init__(self) -> None:
        if not self.low <= self.high or (math.isinf(self.low) and math.isinf(self.high)):
            raise ValueError(f"Expected a region low <= high with a finite end; got [{self.low}, {self.high}].")

    def standing(self, answer: Answer) -> Standing:
        """Where the answer's interval lies: inside the region, outside, or across its border."""
        if self.low <= answer.low and answer.high <= self.high:
            return "for"
        return "against" if answer.high < self.low or answer.low > self.high else "open"


class Answer(NamedTuple):
    """A measured figure: its value and simultaneous interval, and how many independent runs or samples it rests on."""

    value: float
    low: float
    high: float
    n: int
    p_value: float | None = None


@dataclass(frozen=True)
class Evidence:
    """What an experiment found: an answer for every prediction, and the data behind them, for the figure."""

    answers: Mapping[str, Answer]
    data: xr.Dataset


class Parts(Protocol):
    """Where finished parts of an experiment are kept: `capacity.runtime.files.store.Store`, or anything like it."""

    def load(self, name: str) -> dict[str, np.ndarray] | None:
        """Arrays of a part, or None if it is not there whole."""

    def save(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep a part, whole or not at all."""


@dataclass(frozen=True)
class Context:
    """What a run is given beside its key.

    Attributes:
        miss_rate: of the interval of each prediction, 0.05 over their number.
        fast: the small version, of a minute or so on two cores; else the whole one.
        parts: where finished parts are kept, or None.
        progress: called with the fraction done, 0 to 1, and what is being done.
    """

    miss_rate: float
    fast: bool = False
    parts: Parts | None = None
    progress: Progress = field(default=lambda done, text: None)

    def part(self, name: str, make: Callable[[], Arrays]) -> dict[str, np.ndarray]:
        """A part's arrays: found if an earlier run has finished it, else made and kept."""
        import numpy as np

        found = self.parts.load(name) if self.parts else None
        if found is None:
            found = {key: np.asarray(value) for key, value in make().items()}
            if self.parts:
                self.parts.save(name, found)
        return found


@runtime_checkable
class Claim(Protocol):
    """A sentence from the literature made into an experiment; a frozen dataclass without required fields.

    `run` asks `context` for `fast`; both versions test the same predictions.  It must answer every one of them, with
    intervals at `context.miss_rate` (see `capacity.claims.answers`).
    """

    name: ClassVar[str]
    sentence: ClassVar[str]  # as the literature has it
    source: ClassVar[str]  # who says so: authors and year
    predictions: ClassVar[tuple[Prediction, ...]]

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Do the experiment."""

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Draw the data on an empty figure; computes nothing that a verdict rests on."""


def miss_rate(claim: Claim) -> float:
    """That of each interval: 0.05 over the number of predictions (Bonferroni)."""
    return MISS_RATE / len(claim.predictions)


def check_answers(claim: Claim, answers: Mapping[str, Answer]) -> None:
    """Raise ValueError unless every prediction, and nothing else, has an ordered answer without NaN."""
    asked = {prediction.name for prediction in claim.predictions}
    if asked != answers.keys():
        raise ValueError(f"Expected answers to {', '.join(sorted(asked))}; got {', '.join(sorted(answers)) or 'none'}.")
    for name, answer in answers.items():
        if not answer.low <= answer.value <= answer.high:  # also refuses NaN
            raise ValueError(f"Expected low <= value <= high for {name!r} of {claim.name}; got {answer}.")


def decide(claim: Claim, answers: Mapping[str, Answer]) -> Verdict:
    """Supported if every prediction stands, refuted if one of the sentence's falls, else undecided.

    An instrument's prediction that does not stand leaves everything undecided.

    Raises:
        ValueError: if a prediction has no answer or an answer no prediction.
    """
    check_answers(claim, answers)
    standings = [(p.instrument, p.standing(answers[p.name])) for p in claim.predictions]
    if any(instrument and standing != "for" for instrument, standing in standings):
        return "undecided"
    if any(standing == "against" for _, standing in standings):
        return "refuted"
    return "supported" if all(standing == "for" for _, standing in standings) else "undecided"
