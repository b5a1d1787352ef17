"""Run claims, keep what they found, and go on where a run was stopped.

`DIR/NAME/` holds a claim's configuration, its finished parts, `data.nc`, `figure.png` and `verdict.json`;
`DIR/claims.json` holds the verdicts of all claims in `DIR`.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import jax

from capacity.claims import CLAIMS
from capacity.claims.claim import Claim, check_answers, decide
from capacity.claims.outcome import Outcome, examine, plain_prediction
from capacity.claims.prediction import Answer
from capacity.curves.files import read_datasets, write_curves
from capacity.runtime.files.atomic import write_atomic
from capacity.runtime.files.store import Store
from capacity.runtime.names import check_name
from capacity.runtime.progress import Progress
from capacity.runtime.versions import versions

VERDICT_FILE = "verdict.json"
DATA_FILE = "data.nc"
FIGURE_FILE = "figure.png"
CLAIMS_FILE = "claims.json"


def run_claims(
    names: Sequence[str], out: Path, seed: int = 0, fast: bool = False, progress: Progress | None = None
) -> list[Outcome]:
    """Run claims by name, all of them if none is named; a claim that is complete in `out` is read, not run.

    Args:
        names: of claims in `CLAIMS`.
        out: directory of results; made if it is not there.
        seed: decides every random number; what a claim draws does not depend on which others run.
        fast: the small versions.
        progress: called with the share done of all claims, each counted alike, and what is being done.

    Raises:
        ValueError: for an unknown name, or a directory that holds another configuration.
    """
    chosen = claims_named(names)
    outcomes = []
    for i, claim in enumerate(chosen):

        def report(done: float, text: str, i: int = i, name: str = claim.name) -> None:
            if progress:
                progress((i + done) / len(chosen), f"{i + 1} of {len(chosen)}, {name}: {text}")

        report(0.0, "starting")
        outcomes.append(run_claim(claim, out / claim.name, seed, fast, report))
        report(1.0, outcomes[-1].verdict)
        _write_json(out / CLAIMS_FILE, gather(out))
    return outcomes


def claims_named(names: Sequence[str]) -> list[Claim]:
    """The claims of these names, each once, in their order; all of `CLAIMS` if none is named.

    Raises:
        ValueError: for an unknown name.
    """
    for name in names:
        check_name(name, CLAIMS, "a claim")
    kinds: list[type[Claim]] = [CLAIMS[name] for name in names or CLAIMS]
    return [kind() for kind in dict.fromkeys(kinds)]


def run_claim(claim: Claim, directory: Path, seed: int, fast: bool, progress: Progress | None = None) -> Outcome:
    """Run one claim in a directory of its own, or read what a finished run of the same configuration left there.

    Args:
        claim: with its fields as they are to be.
        directory: of this claim alone; made if it is not there.
        seed: decides every random number.
        fast: the small version.
        progress: called with the share done and what is being done.

    Raises:
        StoreError: if the directory holds another configuration, or is in use.
    """
    configuration = {
        "claim": claim.name,
        "fields": asdict(claim),
        "predictions": [plain_prediction(p) for p in claim.predictions],
        "fast": fast,
        "seed": seed,
        "versions": versions(),
    }
    with Store.open(directory, configuration) as store:
        if all((directory / name).exists() for name in (VERDICT_FILE, DATA_FILE)):
            return read_outcome(claim, directory)
        key = jax.random.fold_in(jax.random.key(seed), zlib.crc32((claim.former_name or claim.name).encode()))
        outcome = examine(key, claim, fast=fast, parts=store, progress=progress)
        outcome = replace(outcome, record=outcome.record | {"seed": seed})
        write_curves(directory / DATA_FILE, {claim.name: outcome.data})
        _draw(outcome, directory / FIGURE_FILE)
        _write_json(directory / VERDICT_FILE, outcome.record)  # last: its presence says that the rest is whole
    return outcome


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
    (data,) = read_datasets(directory / DATA_FILE).values()
    return Outcome(claim, decide(claim, answers), answers, data, record)


def gather(out: Path) -> dict[str, Any]:
    """The records of all finished claims in a directory, in the order of `CLAIMS`."""
    files = {name: out / name / VERDICT_FILE for name in CLAIMS}
    return {"claims": [json.loads(file.read_text()) for file in files.values() if file.exists()]}


def _draw(outcome: Outcome, path: Path) -> None:
    """The claim's figure as a PNG of 150 dots per inch; whole or not at all."""
    figure = outcome.figure
    write_atomic(path, lambda target: figure.savefig(target, dpi=150, format="png"))


def _answer(finding: Mapping[str, Any]) -> Answer:
    ends = [math.nan if finding[k] is None else float(finding[k]) for k in ("value", "low", "high")]
    return Answer(ends[0], ends[1], ends[2], int(finding["n"]), finding["p_value"])


def _write_json(path: Path, record: dict[str, Any]) -> None:
    text = json.dumps(record, indent=1, allow_nan=False) + "\n"
    write_atomic(path, lambda target: _write_text(target, text))


def _write_text(path: Path, text: str) -> None:
    path.write_text(text)
