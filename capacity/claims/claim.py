"""What every claim promises: a sentence, predictions decided before the run, and an experiment that answers them.

A prediction names a figure and the region in which the sentence puts it.  The experiment answers each with a value and
a confidence interval.  An interval inside its region speaks for the sentence, one outside it against, one across the
border leaves it open.  With k predictions every interval holds at 1 - 0.05/k (Bonferroni), so that all of them
together hold at 95 %: a verdict that is not `undecided` is wrong with a probability of at most 5 %.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

import jax
import numpy as np
from numpy.typing import ArrayLike

from capacity.claims.prediction import Answer as Answer
from capacity.claims.prediction import Prediction as Prediction
from capacity.runtime.files.parts import Parts
from capacity.runtime.progress import Progress

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

Verdict = Literal["supported", "refuted", "undecided"]

MISS_RATE = 0.05  # of all intervals of a claim together


@dataclass(frozen=True, init=False)
class Evidence:
    """What an experiment found: an answer for every prediction, and the data behind them, for the figure.

    Attributes:
        answers: by the names of the predictions.
        data: every variable with `units` and `long_name`; by default the answers themselves.
    """

    answers: Mapping[str, Answer]
    data: xr.Dataset

    def __init__(self, answers: Mapping[str, Answer], data: xr.Dataset | None = None):
        from capacity.claims.default_figure import answers_data

        object.__setattr__(self, "answers", answers)
        object.__setattr__(self, "data", answers_data(answers) if data is None else data)


@dataclass(frozen=True)
class Context:
    """What a run is given beside its key.

    Attributes:
        miss_rate: of the interval of each prediction, 0.05 over their number.
        fast: the small version, of a minute or so on two cores; else the whole one.
        parts: where finished parts are kept, or None.
        progress: called with the share done, 0 to 1, and what is being done.
    """

    miss_rate: float
    fast: bool = False
    parts: Parts | None = None
    progress: Progress = field(default=lambda done, text: None)

    def part(self, name: str, make: Callable[[], Mapping[str, ArrayLike]]) -> dict[str, np.ndarray]:
        """A part's arrays: loaded if an earlier run has finished it, else made and kept."""
        arrays = self.parts.load(name) if self.parts else None
        if arrays is None:
            arrays = {key: np.asarray(value) for key, value in make().items()}
            if self.parts:
                self.parts.save(name, arrays)
        return arrays


@dataclass(frozen=True)
class Claim(ABC):
    """A sentence from the literature made into an experiment.

    A claim of your own derives from this class and gives

    - `name`, `sentence`, `source` and `references`: what is claimed, and who says so;
    - `predictions`: figures and the regions in which the sentence puts them, decided before the run;
    - `run`, which answers every one of them with an interval at `context.miss_rate` (see `capacity.claims.answers`);
    - `plot`, where the intervals beside their regions are not figure enough.

    Fields are for what a user may choose: with some, it is a frozen dataclass, and each has a default.

    Attributes:
        name: on the command line, and of its directory of results.
        sentence: as the literature has it.
        source: who says so, or says what is nearest to it: authors, year and title.
        references: keys of `docs/references.bib`, all that `source` names.
        predictions: with other names each; at least one is the sentence's own, not an instrument's.
        former_name: of a claim that was renamed: its key is still drawn from that name, and so are its figures.
    """

    name: ClassVar[str]
    sentence: ClassVar[str]
    source: ClassVar[str]
    references: ClassVar[tuple[str, ...]] = ()
    predictions: ClassVar[tuple[Prediction, ...]]
    former_name: ClassVar[str | None] = None

    @abstractmethod
    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Do the experiment.

        Args:
            key: decides every random number.
            context: asked for `fast`; both versions answer the same predictions.
        """

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Draw the data; computes nothing that a verdict rests on.

        Args:
            data: of the evidence.
            figure: empty.
        """
        from capacity.claims.default_figure import draw_evidence

        draw_evidence(self.predictions, data, figure)


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
