"""A prediction: a figure and the region in which a sentence puts it; and the answer that an experiment gives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

Standing = Literal["for", "against", "open"]


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
