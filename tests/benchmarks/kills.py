"""Runs stopped at random moments by every signal, and started again: do they end in the same figures, bit for bit?

    python -m tests.benchmarks.kills --minutes 15 --out runs/kills.jsonl

Every trial is a line of the file as soon as it is done; the same command adds to them.  A trial stops a run once or
more, lets it finish, and asks: the same figures as of a run that nobody disturbed; every lane once; no file left under
way, none put aside; no process left; and of SIGINT its sentence and exit status 130, of none a traceback.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from capacity.curves.files import read_datasets
from capacity.runtime.files.seals import read_record

CURVE = (
    "curve --system gaussian --bits 4 --dim 6 --units 2 --depth 1 --width 4 --steps 200 --levels 0.3:1:4 --seeds 2 "
    "--out {}/run"
)
COMMANDS = {
    "curve": CURVE,
    "curve --executor processes": f"{CURVE} --executor processes --workers 2",
    "grid": CURVE.replace("curve", "grid", 1).replace("--width 4", "--width 4,6"),
    "claims": "claims digits_of_pi --fast --out {}",
}
SIGNALS = ("SIGINT", "SIGTERM", "SIGKILL")
PATIENCE = 300.0  # seconds, for what takes some
SENTENCE = "Stopped. "
ANOTHER = 0.75  # how often a run that goes on is stopped again


class Stopped(NamedTuple):
    """How a run ended that was sent a signal: whether it was still running, and what is wrong with how it went."""

    running: bool
    wrong: str


def start(words: str, place: Path, log: Path) -> subprocess.Popen[bytes]:
    """A run with all its processes in a group of their own."""
    command = [sys.executable, "-m", "capacity", *words.format(place).split()]
    with log.open("wb") as errors:
        return subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=errors)


def finish(words: str, place: Path, log: Path) -> float:
    """Run to the end; the seconds."""
    started = time.monotonic()
    if start(words, place, log).wait(PATIENCE):
        raise RuntimeError(log.read_text())
    return time.monotonic() - started


def stopped(words: str, place: Path, log: Path, name: str, after: float, *, whole_group: bool) -> Stopped:
    """Start, and send a signal after so many seconds, to the one process or to its whole group."""
    process = start(words, place, log)
    number = signal.Signals[name]
    try:
        process.wait(after)
        return Stopped(False, "")
    except subprocess.TimeoutExpired:
        (os.killpg if whole_group else os.kill)(process.pid, number)
    status = process.wait(PATIENCE)
    said = log.read_text(errors="replace")
    wrong = []
    if status == 0:  # it was about to end
        return Stopped(False, "")
    if status != (130 if name == "SIGINT" else -number):
        wrong.append(f"status {status}")
    if name == "SIGINT" and SENTENCE not in said:
        wrong.append("no sentence")
    if "Traceback" in said:
        wrong.append("a traceback")
    if not gone(process.pid):
        wrong.append("processes left")
    return Stopped(True, ", ".join(wrong))


def gone(group: int) -> bool:
    """Whether all processes of a group end within seconds; the rest are killed."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    os.killpg(group, signal.SIGKILL)
    return False


def figures(place: Path) -> dict[str, Any]:
    """All that a finished run says, but for the seconds that it took."""
    found: dict[str, Any] = {}
    for path in sorted(place.rglob("*.nc")):
        for name, dataset in read_datasets(path).items():
            found[f"{path.relative_to(place)} {name}"] = dataset
    for path in sorted(place.rglob("verdict.json")):
        found[str(path.relative_to(place))] = read_record(path) | {"seconds": 0}
    return found


def differences(place: Path, reference: Mapping[str, Any]) -> str:
    """What a run has left that is not as it should be, in words; empty if nothing."""
    found = figures(place)
    wrong = [name for name, value in reference.items() if name not in found or not same(found[name], value)]
    for path in place.rglob("*"):
        if re.search(r"\.tmp|\.corrupt|\.foreign", path.name):
            wrong.append(f"left: {path.name}")
    lanes = [lane for path in place.glob("run/parts/*.npz") for lane in np.load(path)["lanes"].tolist()]
    if len(set(lanes)) < len(lanes):
        wrong.append(f"lanes made twice: {sorted(lanes)}")
    return ", ".join(wrong)


def same(one: object, other: object) -> bool:
    """Equal to the last bit."""
    if isinstance(one, xr.Dataset) and isinstance(other, xr.Dataset):
        return one.equals(other)
    return one == other


def trials(folder: Path, seed: int, minutes: float, commands: Mapping[str, str] = COMMANDS) -> Iterator[dict[str, Any]]:
    """A trial of each command and signal in turn, until time is up."""
    moments, end = random.Random(seed), time.monotonic() + 60 * minutes
    log = folder / "log"
    known: dict[str, tuple[dict[str, Any], float]] = {}
    for name, words in commands.items():
        finish(words, folder / "first", log)  # compiles
        shutil.rmtree(folder / "first")
        place = folder / f"undisturbed {len(known)}".replace(" ", "-")
        seconds = finish(words, place, log)
        known[name] = figures(place), seconds
    while True:
        for name, words in commands.items():
            for sent in SIGNALS:
                if time.monotonic() > end:
                    return
                yield trial(name, words, sent, folder / "trial", log, moments, *known[name])
                shutil.rmtree(folder / "trial", ignore_errors=True)


def trial(
    name: str,
    words: str,
    sent: str,
    place: Path,
    log: Path,
    moments: random.Random,
    reference: Mapping[str, Any],
    seconds: float,
) -> dict[str, Any]:
    """Stop a run, mostly once more when it goes on, let it finish, and look at it."""
    kills, wrong, asked = 0, [], []
    while not kills or moments.random() < ANOTHER:
        after = moments.uniform(0.1, seconds)
        asked.append(round(after, 2))
        ended = stopped(words, place, log, sent, after, whole_group=sent == "SIGINT" or moments.random() < 0.5)
        kills += ended.running
        wrong += [ended.wrong] if ended.wrong else []
        if not ended.running and place.exists():
            if not kills:  # it was quicker: from the start, and sooner
                shutil.rmtree(place)
                seconds *= 0.8
            else:
                break
    finish(words, place, log)
    different = differences(place, reference)
    return {
        "command": name,
        "signal": sent,
        "kills": kills,
        "after": asked,
        "different": different,
        "wrong": ", ".join(wrong),
    }


def table(records: list[dict[str, Any]]) -> str:
    """Counts by command and signal, for people."""
    lines = ["| command | signal | runs | kills | other figures or files | manners |", "|---|---|---|---|---|---|"]
    counts: Counter[tuple[str, str, str]] = Counter()
    for record in records:
        about = record["command"], record["signal"]
        counts[*about, "runs"] += 1
        counts[*about, "kills"] += record["kills"]
        counts[*about, "different"] += bool(record["different"])
        counts[*about, "wrong"] += bool(record["wrong"])
    for name in COMMANDS:
        for sent in SIGNALS:
            cells = (str(counts[name, sent, what]) for what in ("runs", "kills", "different", "wrong"))
            lines.append(f"| {name} | {sent} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Add trials to the file and print the table of all; exit status 1 if any went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--out", type=Path, default=Path("runs/kills.jsonl"))
    parser.add_argument("--only", choices=COMMANDS, help="one of the commands instead of all")
    asked = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it in the background
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    lines = asked.out.read_text().splitlines() if asked.out.exists() else []
    records = [json.loads(line) for line in lines]
    with tempfile.TemporaryDirectory() as scratch, asked.out.open("a") as file:
        commands = {asked.only: COMMANDS[asked.only]} if asked.only else COMMANDS
        for record in trials(Path(scratch), len(records), asked.minutes, commands):
            records.append(record)
            file.write(json.dumps(record) + "\n")
            file.flush()
            if record["different"] or record["wrong"]:
                print(record, file=sys.stderr)
    print(table(records))
    sys.exit(any(record["different"] or record["wrong"] for record in records))


if __name__ == "__main__":
    main()
