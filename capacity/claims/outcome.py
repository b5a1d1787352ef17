"""A claim's verdict and what it rests on; `examine` runs a claim without a directory, for notebooks and scripts."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from capacity.claims.claim import Claim, Context, Verdict, decide, miss_rate
from capacity.claims.prediction import Answer, Prediction
from capacity.runtime.files.parts import Parts
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.progress import Progress
from capacity.runtime.versions import versions


@dataclass(frozen=True)
class Outcome:
    """The verdict on a claim and what it rests on; printed, a table of its predictions."""

    claim: Claim
    verdict: Verdict
    answers: Mapping[str, Answer]
    data: xr.Dataset
    record: dict[str, Any]

    @property
    def rows(self) -> list[list[str]]:
        """Every prediction: its name, what was measured, the region, and where that puts it."""
        each = [(p, self.answers[p.name]) for p in self.claim.predictions]
        return [[p.name, measured(a, p.unit), region(p), p.standing(a)] for p, a in each]

    @property
    def figure(self) -> Figure:
        """The claim's figure, drawn anew."""
        drawn = Figure(figsize=(10, 5.5), layout="constrained")
        self.claim.plot(self.data, drawn)
        return drawn

    @property
    def title(self) -> str:
        """The claim's name and the verdict, and whether it is that of the small version."""
        return f"{self.claim.name}: {self.verdict}{', fast' if self.record.get('fast') else ''}"

    def __str__(self) -> str:
        head = ["prediction", "measured, interval", "region", "standing"]
        widths = [max(len(row[i]) for row in [head, *self.rows]) for i in range(3)]
        lines = [
            "  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[3]]) for row in [head, *self.rows]
        ]
        return "\n".join([self.title, f"“{self.claim.sentence}”", *lines])

    def _repr_html_(self) -> str:
        from capacity.results.html import html_table

        head = ["prediction", "measured, interval", "region", "standing"]
        return html_table(self.title, head, self.rows, f"“{self.claim.sentence}”")


def examine(
    key: Seed, claim: Claim, *, fast: bool = False, parts: Parts | None = None, progress: Progress | None = None
) -> Outcome:
    """Run a claim and decide it.

    Args:
        key: or a seed; decides every random number.
        claim: for example `CLAIMS["digits_of_pi"]()`.
        fast: the small version, of a minute or so on two cores; it tests the same predictions.
        parts: where finished parts are kept, so that an interrupted run goes on; `capacity claims` has a directory.
        progress: called with the share done, 0 to 1, and what is being done.

    Raises:
        ValueError: if the claim does not answer every one of its predictions.
    """
    started = time.perf_counter()
    context = Context(miss_rate(claim), fast, parts, progress or (lambda done, text: None))
    evidence = claim.run(as_key(key), context)
    verdict = decide(claim, evidence.answers)
    record = record_of(claim, verdict, evidence.answers) | {
        "seconds": round(time.perf_counter() - started, 1),
        "fast": fast,
        "versions": versions(),
    }
    return Outcome(claim, verdict, evidence.answers, evidence.data, record)


def measured(answer: Answer, unit: str) -> str:
    """The figure and its simultaneous interval, in words."""
    return f"{answer.value:.4g} [{answer.low:.4g}, {answer.high:.4g}]{'' if unit == '1' else f' {unit}'}"


def region(prediction: Prediction) -> str:
    """Where the sentence puts the figure, in words."""
    if math.isinf(prediction.low):
        return f"≤ {prediction.high:.4g}"
    if math.isinf(prediction.high):
        return f"≥ {prediction.low:.4g}"
    return f"[{prediction.low:.4g}, {prediction.high:.4g}]"


def record_of(claim: Claim, verdict: Verdict, answers: Mapping[str, Answer]) -> dict[str, Any]:
    """The verdict, the rule and every finding, as JSON can say them."""
    findings = [
        _plain(vars(p) | {"region": [p.low, p.high]} | answers[p.name]._asdict())
        | {"standing": p.standing(answers[p.name])}
        for p in claim.predictions
    ]
    return {
        "name": claim.name,
        "sentence": claim.sentence,
        "source": claim.source,
        "verdict": verdict,
        "rule": f"each interval at {100 * (1 - miss_rate(claim)):.4g} %, all together at 95 % (Bonferroni)",
        "findings": findings,
    }


def plain_prediction(prediction: Prediction) -> dict[str, Any]:
    """A prediction as JSON can say it."""
    return _plain(vars(prediction))


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with what JSON cannot say, an infinite number, as a string that float() reads."""

    def one(value: object) -> object:
        if isinstance(value, list):
            return [one(v) for v in value]
        return str(value) if isinstance(value, float) and not math.isfinite(value) else value

    return {key: one(value) for key, value in record.items()}
