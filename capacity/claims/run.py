"""Run claims, keep what they found, and go on where a run was stopped.

`DIR/NAME/` holds a claim's configuration, its finished parts, `data.nc`, `figure.png` and `verdict.json`;
`DIR/claims.json` holds the verdicts of all claims in `DIR`.
"""

from __future__ import annotations

import json
import math
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import xarray as xr
from matplotlib.figure import Figure

from capacity.claims import CLAIMS
from capacity.claims.claim import Answer, Claim, Context, Verdict, check_answers, decide, miss_rate
from capacity.curves import versions
from capacity.names import check_name
from capacity.sealed import write_atomic
from capacity.store import Store, read_curves, write_curves

Progress = Callable[[int, int, float, str], None]
VERDICT_FILE = "verdict.json"
DATA_FILE = "data.nc"
FIGURE_FILE = "figure.png"
CLAIMS_FILE = "claims.json"


@dataclass(frozen=True)
class Outcome:
    """The verdict on a claim and what it rests on."""

    claim: Claim
    verdict: Verdict
    answers: Mapping[str, Answer]
    data: xr.Dataset
    record: dict[str, Any]

    def _repr_html_(self) -> str:
        from capacity.html import table

        rows = [
            [
                p.name,
                f"{a.value:.4g} [{a.low:.4g}, {a.high:.4g}] {p.unit}",
                f"[{p.low:.4g}, {p.high:.4g}]",
                p.standing(a),
            ]
            for p, a in ((p, self.answers[p.name]) for p in self.claim.predictions)
        ]
        title = f"{self.claim.name}: {self.verdict}{', fast' if self.record.get('fast') else ''}"
        return table(title, ["prediction", "measured", "region", "standing"], rows, f"“{self.claim.sentence}”")


def run_claims(
    names: Sequence[str], out: Path, seed: int = 0, fast: bool = False, progress: Progress | None = None
) -> list[Outcome]:
    """Run claims by name, all of them if none is named; a claim that is complete in `out` is read, not run.

    Args:
        names: of claims in `CLAIMS`.
        out: directory of results; made if it is not there.
        seed: decides every random number; what a claim draws does not depend on which others run.
        fast: the small versions.
        progress: called with the claim's number, how many there are, the fraction done of it, and what is being done.

    Raises:
        ValueError: for an unknown name, or a directory that holds another configuration.
    """
    for name in names:
        check_name(name, CLAIMS, "a claim")
    chosen = list(dict.fromkeys(names)) or list(CLAIMS)
    outcomes = []
    for i, name in enumerate(chosen):
        claim = CLAIMS[name]()

        def report(done: float, text: str, i: int = i, name: str = name) -> None:
            if progress:
                progress(i, len(chosen), done, f"{name}: {text}")

        report(0.0, "starting")
        outcomes.append(run_claim(claim, out / name, seed, fast, report))
        report(1.0, outcomes[-1].verdict)
        _write_json(out / CLAIMS_FILE, gather(out))
    return outcomes


def run_claim(
    claim: Claim, directory: Path, seed: int, fast: bool, progress: Callable[[float, str], None] | None = None
) -> Outcome:
    """Run one claim in a directory of its own, or read what a finished run of the same configuration left there."""
    configuration = {
        "claim": claim.name,
        "fields": asdict(claim),  # type: ignore[call-overload]
        "predictions": [_plain(asdict(p)) for p in claim.predictions],
        "fast": fast,
        "seed": seed,
        "versions": versions(),
    }
    with Store.open(directory, configuration) as store:
        if all((directory / name).exists() for name in (VERDICT_FILE, DATA_FILE)):
            return read_outcome(claim, directory)
        started = time.perf_counter()
        context = Context(miss_rate(claim), fast, store, progress or (lambda done, text: None))
        key = jax.random.fold_in(jax.random.key(seed), zlib.crc32(claim.name.encode()))
        evidence = claim.run(key, context)
        verdict = decide(claim, evidence.answers)
        write_curves(directory / DATA_FILE, {claim.name: evidence.data})
        draw(claim, evidence.data, directory / FIGURE_FILE)
        record = _record(claim, verdict, evidence.answers) | {
            "seconds": round(time.perf_counter() - started, 1),
            "fast": fast,
            "seed": seed,
            "versions": configuration["versions"],
        }
        _write_json(directory / VERDICT_FILE, record)  # last: its presence says that the rest is whole
    return Outcome(claim, verdict, evidence.answers, evidence.data, record)


def read_outcome(claim: Claim, directory: Path) -> Outcome:
    """What a finished run left in its directory; the verdict is decided again from the answers.

    Raises:
        ValueError: for a file that is damaged.
    """
    file = directory / VERDICT_FILE
    try:
        record = json.loads(file.read_text())
        answers = {f["name"]: _answer(f) for f in record["findings"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"Expected {file} as it was written; got {error!r}. Delete it to run the claim again."
        ) from error
    check_answers(claim, answers)
    data = read_curves(directory / DATA_FILE)[claim.name]
    return Outcome(claim, decide(claim, answers), answers, data, record)


def gather(out: Path) -> dict[str, Any]:
    """The records of all finished claims in a directory, in the order of `CLAIMS`."""
    files = {name: out / name / VERDICT_FILE for name in CLAIMS}
    return {"claims": [json.loads(file.read_text()) for file in files.values() if file.exists()]}


def draw(claim: Claim, data: xr.Dataset, path: Path) -> None:
    """The claim's figure as a PNG of 150 dots per inch; whole or not at all."""
    figure = Figure(figsize=(10, 5.5), layout="constrained")
    claim.plot(data, figure)
    write_atomic(path, lambda target: figure.savefig(target, dpi=150, format="png"))


def _record(claim: Claim, verdict: Verdict, answers: Mapping[str, Answer]) -> dict[str, Any]:
    findings = [
        _plain(asdict(p) | {"region": [p.low, p.high]} | answers[p.name]._asdict())
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


def _answer(finding: Mapping[str, Any]) -> Answer:
    ends = [math.nan if finding[k] is None else float(finding[k]) for k in ("value", "low", "high")]
    return Answer(ends[0], ends[1], ends[2], int(finding["n"]), finding["p_value"])


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with what JSON cannot say, an infinite number, as a string that float() reads."""

    def one(value: Any) -> Any:
        if isinstance(value, list):
            return [one(v) for v in value]
        return str(value) if isinstance(value, float) and not math.isfinite(value) else value

    return {key: one(value) for key, value in record.items()}


def _write_json(path: Path, record: dict[str, Any]) -> None:
    text = json.dumps(record, indent=1, allow_nan=False) + "\n"
    write_atomic(path, lambda target: _write_text(target, text))


def _write_text(path: Path, text: str) -> None:
    path.write_text(text)
