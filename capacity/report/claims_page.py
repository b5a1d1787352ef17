"""What the page of a directory of claims holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from capacity.claims import CLAIMS
from capacity.claims.outcome import Outcome
from capacity.claims.run import FIGURE_FILE, read_outcome
from capacity.report.drawing import Drawing, drawing_of, picture_drawing
from capacity.runtime.files.atomic import StoreError, unseal
from capacity.runtime.files.seals import CONFIGURATION_FILE, DIGEST, read_configuration


def claims_contents(directory: Path) -> dict[str, Any]:
    """Verdicts, figures, findings, configuration, versions and the command of a directory of claims.

    Raises:
        ValueError: if a claim's files are damaged, or of a claim that is not known here.
    """
    found = {path.parent.name for path in directory.glob("*/verdict.json")}
    unknown = sorted(name for name in found if name not in CLAIMS)
    if unknown:
        raise ValueError(f"Expected claims of `capacity list`; got {unknown[0]} in {directory} (a plug-in's?).")
    folders = {claim: directory / folder for claim in CLAIMS for folder in _names(claim) if folder in found}
    outcomes, unread = _read(folders)
    if not outcomes:
        raise ValueError(f"Expected a claim that can be read in {directory}; got {unread[0][1]}: {unread[0][3]}")
    records = [outcome.record for outcome in outcomes]
    return {
        "title": "Claims and what was measured",
        "lead": _lead(outcomes),
        "verdict_columns": ["claim", "the sentence", "verdict", "who says so"],
        "verdicts": [
            [o.claim.name, f"“{o.claim.sentence}”", o.verdict + ", fast" * bool(o.record["fast"]), o.claim.source]
            for o in outcomes
        ] + unread,
        "drawings": [_drawing(outcome, folders[outcome.claim.name]) for outcome in outcomes],
        "tables": [_findings(outcome) for outcome in outcomes],
        "configuration": {
            o.claim.name: read_configuration(folders[o.claim.name] / CONFIGURATION_FILE) for o in outcomes
        },
        "versions": records[0]["versions"],
        "command": "\n".join(sorted({_command(record, records) for record in records})),
        "command_note": "Each verdict follows from predictions written down before the run; "
        + str(records[0].get("rule", "")) + ".",
    }  # fmt: skip


def _lead(outcomes: list[Outcome]) -> str:
    counts = {verdict: sum(o.verdict == verdict for o in outcomes) for verdict in ("supported", "refuted", "undecided")}
    return f"{len(outcomes)} claims: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items())


def _command(record: dict[str, Any], records: list[dict[str, Any]]) -> str:
    """The command of all claims that ran alike."""
    alike = [r["name"] for r in records if (r["fast"], r["seed"]) == (record["fast"], record["seed"])]
    fast = " --fast" if record["fast"] else ""
    return f"capacity claims {' '.join(alike)}{fast} --seed {record['seed']} --out DIR"


def _names(claim: str) -> tuple[str, ...]:
    """The names of the directory that a claim's results may be in, its own last: it counts where both are there."""
    former = CLAIMS[claim].former_name
    return (former, claim) if former else (claim,)


def _read(folders: dict[str, Path]) -> tuple[list[Outcome], list[list[str]]]:
    """The outcomes, and a row for each claim whose files say something that it no longer asks, or are damaged."""
    outcomes, unread = [], []
    for name, folder in folders.items():
        claim = CLAIMS[name]()
        try:
            made_for = read_configuration(folder / CONFIGURATION_FILE)[DIGEST]
            outcomes.append(read_outcome(claim, folder, made_for))
        except ValueError as error:
            unread.append([name, f"“{claim.sentence}”", "unreadable", f"run it again: {error}"])
    return outcomes, unread


def _drawing(outcome: Outcome, directory: Path) -> Drawing:
    """The claim's figure drawn anew; where its data are of another version, the picture that was kept with them."""
    claim = outcome.claim
    name = "claim" + "".join(c for c in claim.name if c.isascii() and c.isalnum())
    title = f"{claim.name}: {outcome.verdict}"
    try:
        return drawing_of(name, title, lambda figure: claim.plot(outcome.data, figure))
    except Exception as error:  # a claim may be anybody's, and fail in any way: the page says so and goes on
        title = f"{title} (as kept; drawing it anew failed: {error})"
        return _kept_drawing(name, title, directory)


def _kept_drawing(name: str, title: str, directory: Path) -> Drawing:
    """The picture that the run left; without one that is whole and its own, nothing but words."""
    try:
        made_for = read_configuration(directory / CONFIGURATION_FILE)[DIGEST]
        return picture_drawing(name, title, unseal(directory / FIGURE_FILE, made_for))
    except StoreError as error:
        return Drawing(name, f"{title} {error}", "", (0.0, 0.0, 1.0, 1.0), [], [])


def _findings(outcome: Outcome) -> dict[str, Any]:
    rows = []
    for p in outcome.claim.predictions:
        a = outcome.answers[p.name]
        kind = "checks the experiment" if p.instrument else "tests the sentence"
        standing = {"for": "holds", "against": "fails", "open": "open"}[p.standing(a)]
        rows.append(
            [p.name, p.says, f"[{p.low:.4g}, {p.high:.4g}] {p.unit}", f"{a.value:.4g} [{a.low:.4g}, {a.high:.4g}]",
             str(a.n), kind, standing]
        )  # fmt: skip
    columns = ["prediction", "what it means", "region", "measured, interval", "n", "kind", "standing"]
    return {"title": outcome.claim.name, "columns": columns, "rows": rows, "note": str(outcome.record.get("rule", ""))}
