"""Run claims, keep what they found, and go on where a run was stopped.

`DIR/NAME/` holds a claim's configuration, its finished parts, `data.nc`, `figure.png` and `verdict.json`;
`DIR/claims.json` holds the verdicts of all claims in `DIR`.
"""

from __future__ import annotations

import math
import warnings
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
from capacity.runtime.files.atomic import StoreError, write_atomic
from capacity.runtime.files.names import CLAIMS_FILE, VERDICT_FILE
from capacity.runtime.files.places import plain_place
from capacity.runtime.files.seals import CONFIGURATION_FILE, DIGEST, read_configuration, read_record, write_record
from capacity.runtime.files.store import Store
from capacity.runtime.names import check_name
from capacity.runtime.progress import Progress
from capacity.runtime.versions import versions

DATA_FILE = "data.nc"
FIGURE_FILE = "figure.png"


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
        ValueError: for an unknown name, or a directory that holds another configuration or somebody else's files.
    """
    chosen = claims_named(names)
    _check_own(plain_place(out, CLAIMS_FILE))
    outcomes = []
    for i, claim in enumerate(chosen):

        def report(done: float, text: str, i: int = i, name: str = claim.name) -> None:
            if progress:
                progress((i + done) / len(chosen), f"{i + 1} of {len(chosen)}, {name}: {text}")

        report(0.0, "starting")
        outcomes.append(run_claim(claim, out / claim.name, seed, fast, report))
        report(1.0, outcomes[-1].verdict)
        write_record(out / CLAIMS_FILE, gather(out))
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
            return read_outcome(claim, directory, store.digest)
        key = jax.random.fold_in(jax.random.key(seed), zlib.crc32((claim.former_name or claim.name).encode()))
        outcome = examine(key, claim, fast=fast, parts=store, progress=progress)
        outcome = replace(outcome, record=outcome.record | {"seed": seed})
        store.check()
        write_curves(directory / DATA_FILE, {claim.name: outcome.data}, store.digest)
        _draw(outcome, directory / FIGURE_FILE, store.digest)
        write_record(directory / VERDICT_FILE, outcome.record, store.digest)  # last: it says that the rest is whole
    return outcome


def read_outcome(claim: Claim, directory: Path, made_for: str) -> Outcome:
    """What a finished run left in its directory; the verdict is decided again from the answers.

    Args:
        claim: whose.
        directory: of this claim alone.
        made_for: the digest of the run's configuration, which stands in `config.json` too.

    Raises:
        ValueError: for a file that is damaged, or of another run.
    """
    file = directory / VERDICT_FILE
    try:
        record = read_record(file, made_for)
        answers = {f["name"]: _answer(f) for f in record["findings"]}
        check_answers(claim, answers)
        (data,) = read_datasets(directory / DATA_FILE, made_for).values()
    except (ValueError, KeyError, TypeError) as error:
        words = str(error) if isinstance(error, ValueError) else f"Expected {file} as it was written; got {error!r}."
        raise StoreError(
            f"{words} Delete {VERDICT_FILE} there to run the claim again from its finished parts."
        ) from error
    return Outcome(claim, decide(claim, answers), answers, data, record)


def gather(out: Path) -> dict[str, Any]:
    """The records of finished claims in a directory, in the order of `CLAIMS`; a damaged one is told and left out."""
    records = []
    for name in CLAIMS:
        folder = out / name
        if (folder / VERDICT_FILE).exists():
            try:
                made_for = read_configuration(folder / CONFIGURATION_FILE)[DIGEST]
                records.append(read_record(folder / VERDICT_FILE, made_for))
            except StoreError as error:
                warnings.warn(f"{error} Run {name} again.", stacklevel=2)
    return {"claims": records}


def _check_own(path: Path) -> None:
    """Refuse to write over a file of somebody else; one of ours, in whatever state, is written anew.

    Raises:
        StoreError: for a file that holds no verdicts.
    """
    if path.exists() and b'"claims"' not in path.read_bytes():
        raise StoreError(f"Expected no file at {path}, or verdicts by this program; got another file there.")


def _draw(outcome: Outcome, path: Path, made_for: str) -> None:
    """The claim's figure as a PNG of 150 dots per inch; whole or not at all."""
    figure = outcome.figure
    write_atomic(path, lambda target: figure.savefig(target, dpi=150, format="png"), sealed=True, made_for=made_for)


def _answer(finding: Mapping[str, Any]) -> Answer:
    ends = [math.nan if finding[k] is None else float(finding[k]) for k in ("value", "low", "high")]
    return Answer(ends[0], ends[1], ends[2], int(finding["n"]), finding["p_value"])
