"""A byte of a file that a run has left is changed: does whatever reads it notice, or read the same figures?

    python -m tests.benchmarks.flips --flips 200

For each kind of file, at random places: "noticed", where a reader refuses it or says so; "harmless", where all readers
read the same as before; "wrong", where one reads something else and says nothing; "faults", other exceptions than
refusals.  The last two must be none.  What nobody reads again (tables, figures and pages) is written anew by the same
command, which is what their readers here are.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from capacity import Architecture, Training, plan_curve
from capacity.claims import CLAIMS, Claim, Context, Evidence, Prediction, answers, examine
from capacity.claims.run import claims_named, gather, run_claim, run_claims
from capacity.curves.dataset import label
from capacity.curves.files import load_curves, write_csv, write_curves
from capacity.curves.finished import read_finished
from capacity.curves.parts import load_lanes, save_lanes
from capacity.curves.plan import CurvePlan
from capacity.plots.curve import save_figure
from capacity.report import write_report
from capacity.report.claims_page import claims_contents
from capacity.report.command import read_command, save_command
from capacity.runtime.files.checkpoints import Checkpoints
from capacity.runtime.files.parts import Arrays
from capacity.runtime.files.seals import digest_of
from capacity.runtime.files.store import Store
from capacity.systems import GaussianAutoencoder
from synthetic import FairBits

OUTCOMES = ("noticed", "harmless", "wrong", "faults")
LEVELS, SEEDS = (0.3, 1.0, 3.0), 2


@dataclass(frozen=True)
class Tossed(Claim):
    """A claim of one part and no time, whose figure cannot be drawn anew: the report shows the picture that is kept."""

    name = "tossed"
    sentence = "the coin favours heads"
    source = "a gambler (1654)"
    predictions = (Prediction("chance of heads", "more often than tails", low=0.55, unit="1"),)
    drawn: ClassVar[list[bool]] = []

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Toss."""
        tosses = context.part("tosses", lambda: {"heads": jax.random.bernoulli(key, 0.7, (400,))})["heads"]
        found = answers.proportion(int(tosses.sum()), tosses.size, context.miss_rate)
        data = xr.Dataset({"heads": ("toss", tosses.astype(np.int8))})
        return Evidence({"chance of heads": found}, data)

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Draw once."""
        if self.drawn:
            raise RuntimeError("drawn already")
        self.drawn.append(True)
        figure.subplots().plot(np.cumsum(data.heads.values))


class Kind(NamedTuple):
    """A kind of file: where its files are, and all that reads them, as one value; None where something is told."""

    files: list[Path]
    read: Callable[[], object]


def plan_of(seed: int = 0) -> CurvePlan:
    """A curve of a few lanes."""
    system, source = GaussianAutoencoder(Architecture(units=2, widths=(4,))), FairBits.build(jax.random.key(0), 3, 4)
    return plan_curve(seed, source, system, LEVELS, SEEDS, training=Training(steps=20, batch=8))


def lanes_of(plan: CurvePlan, seed: int = 0) -> list[Arrays]:
    """Figures as training would leave them, drawn at random."""
    draws = np.random.default_rng(seed)

    def lane() -> Arrays:
        bits = draws.uniform(0, 3)
        figures = {"bits": bits, "bits_stderr": 0.1, "bits_low": bits - 0.2, "bits_high": bits + 0.2}
        figures |= {"decoder_bits": bits - 0.1, "power": 1.0, "snr": 2.0}
        plain = {name: np.asarray(figure, np.float32) for name, figure in figures.items()}
        return plain | {"loss": draws.uniform(0, 3, 20).astype(np.float32), "diverged": np.asarray(False)}

    return [lane() for _ in range(plan.total)]


def configuration_of(plan: CurvePlan) -> dict[str, object]:
    """That of the directory, as the command line has it."""
    return {"curve": {"gaussian": plan.configuration}}


def leave_curve(directory: Path, seed: int = 0) -> CurvePlan:
    """What `capacity curve` and `capacity report` leave in a directory, with a lane that was stopped on its way."""
    plan = plan_of(seed)
    lanes, made_for = lanes_of(plan, seed), digest_of(plan.configuration)
    with Store.open(directory, configuration_of(plan)) as store:
        save_command(directory, ["capacity", "curve", "--system", "gaussian"])
        for lane in range(0, plan.total, 2):
            save_lanes(store, "gaussian", [lane, lane + 1], lanes[lane : lane + 2], made_for)
        curves = {"gaussian": label(plan, lanes, {})}
        write_curves(directory / "curve.nc", curves, store.digest)
        write_csv(directory / "curve.csv", curves)
    Checkpoints(directory, "gaussian", made_for).save(1, 10, state())
    return plan


def state() -> dict[str, jax.Array]:
    """Of a lane under way."""
    return {"weights": jnp.arange(40.0), "key": jax.random.key(3), "step": jnp.int32(10)}


@contextmanager
def enrolled(claim: type[Claim]) -> Iterator[None]:
    """A claim that the command line knows for the time."""
    CLAIMS.register(claim)
    try:
        yield
    finally:
        del CLAIMS.classes[claim.name]


def curve_kinds(directory: Path, plan: CurvePlan) -> dict[str, Kind]:
    """Of a curve's directory, each with the readers that a person starts: the same command, `show`, `report`."""
    made_for, curve = digest_of(plan.configuration), directory / "curve.nc"

    def again() -> object:
        with Store.open(directory, configuration_of(plan)) as store:
            found = read_finished(store, {"gaussian": plan})
            lanes = load_lanes(store, "gaussian", made_for)
            assert found is not None
            write_csv(directory / "curve.csv", found)
        shown = load_curves(directory)["gaussian"]
        figures = {name: values(lanes[lane]) for lane in sorted(lanes) for name in [lane]}
        return figures, values(found["gaussian"]), values(shown), (directory / "curve.csv").read_bytes()

    def kept() -> object:
        found = Checkpoints(directory, "gaussian", made_for).load(1, state())
        return None if found is None else [np.asarray(jax.random.key_data(found["key"])), values(found, "key")]

    checkpoint = [path for path in (directory / "gaussian-checkpoints").rglob("*") if path.is_file()]
    return {
        "curve config.json": Kind([directory / "config.json"], again),
        "curve command.txt": Kind([directory / "command.txt"], lambda: read_command(directory) or None),
        "curve parts/*.npz": Kind(sorted((directory / "parts").iterdir()), again),
        "curve curve.nc": Kind([curve], again),
        "curve curve.csv": Kind([directory / "curve.csv"], again),
        "curve checkpoints": Kind(checkpoint, kept),
    }


def page_kinds(directory: Path, curves: Mapping[str, xr.Dataset]) -> dict[str, Kind]:
    """Of figures and pages, which are drawn again: slow."""
    figure = directory / "curve.png"

    def drawn() -> object:
        save_figure(figure, curves)
        return figure.read_bytes()

    def page() -> object:
        return write_report(directory).read_bytes()

    for make in (drawn, page):
        make()
    return {"curve curve.png": Kind([figure], drawn), "report.html": Kind([directory / "report.html"], page)}


def claims_kinds(directory: Path) -> dict[str, Kind]:
    """Of a directory of claims; the claim must be enrolled."""
    own = directory / Tossed.name
    claim, key = Tossed(), jax.random.key(0)

    def again() -> object:
        outcome = run_claim(claim, own, 0, True)
        listed, page = gather(directory), claims_contents(directory)
        if any("unreadable" in row for row in page["verdicts"]) or "Expected" in page["drawings"][0].title:
            return None
        return outcome.answers, outcome.verdict, values(outcome.data), listed, page["drawings"], page["tables"]

    def resumed() -> object:
        with Store.open(own, json.loads((own / "config.json").read_text(), object_hook=without_digest)) as store:
            outcome = examine(key, claim, fast=True, parts=store)
        return outcome.answers, outcome.verdict, values(outcome.data)

    def listed() -> object:
        run_claims([Tossed.name], directory, 0, True)
        return (directory / "claims.json").read_bytes()

    return {
        "claims config.json": Kind([own / "config.json"], again),
        "claims verdict.json": Kind([own / "verdict.json"], again),
        "claims data.nc": Kind([own / "data.nc"], again),
        "claims figure.png": Kind([own / "figure.png"], again),
        "claims parts/*.npz": Kind(sorted((own / "parts").iterdir()), resumed),
        "claims claims.json": Kind([directory / "claims.json"], listed),
    }


def without_digest(values: dict[str, object]) -> dict[str, object]:
    """A configuration as it was before it was written."""
    return {name: value for name, value in values.items() if name != "digest"}


def values(named: xr.Dataset | Mapping[str, object], *left_out: str) -> str:
    """A digest of arrays and their names."""
    digest = hashlib.sha256()
    arrays = named.variables if isinstance(named, xr.Dataset) else named
    for name in sorted(map(str, arrays)):
        if name not in left_out:
            array = np.ascontiguousarray(np.asarray(arrays[name]))
            digest.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    return digest.hexdigest()


def trial(kind: Kind, draws: random.Random, before: object) -> str:
    """Change one byte, read, and put everything back: the outcome."""
    path = draws.choice(kind.files)
    content = path.read_bytes()
    flipped = bytearray(content)
    flipped[draws.randrange(len(content))] ^= draws.randrange(1, 256)
    path.write_bytes(bytes(flipped))
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            after = kind.read()
    except ValueError:  # a refusal
        return "noticed"
    except Exception as error:  # what the study looks for
        print(f"{path.name}: {error!r:.200}", file=sys.stderr)
        return "faults"
    finally:
        path.write_bytes(content)
    if after is None or told:
        return "noticed"
    return "harmless" if same(after, before) else "wrong"


def same(after: object, before: object) -> bool:
    """Whether two readings say the same."""
    return repr(after) == repr(before)


def study(kinds: Mapping[str, Kind], flips: int, seed: int) -> dict[str, Counter[str]]:
    """Outcomes by kind of file; a directory is put back as it was between trials."""
    found = {}
    for name, kind in kinds.items():
        draws = random.Random(f"{seed} {name}")
        before = kind.read()
        assert before is not None, name
        folder = kind.files[0].parent
        with tempfile.TemporaryDirectory() as kept:
            shutil.copytree(folder, kept, dirs_exist_ok=True)
            counts: Counter[str] = Counter()
            for _ in range(flips):
                counts[trial(kind, draws, before)] += 1
                for aside in [*folder.glob("*.corrupt"), *folder.glob("*.foreign")]:
                    aside.unlink()
                shutil.copytree(kept, folder, dirs_exist_ok=True)
        found[name] = counts
    return found


def table(found: Mapping[str, Counter[str]]) -> str:
    """Counts by kind of file, for people."""
    lines = ["| file | " + " | ".join(OUTCOMES) + " |", "|---|" + "---|" * len(OUTCOMES)]
    lines += [f"| {name} | " + " | ".join(str(counts[o]) for o in OUTCOMES) + " |" for name, counts in found.items()]
    return "\n".join(lines)


def main() -> None:
    """All kinds of files; exit status 1 if anything was read wrongly in silence."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flips", type=int, default=200, help="of each kind of file")
    parser.add_argument("--drawn-flips", type=int, default=20, help="of figures and pages, which are drawn each time")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, enrolled(Tossed):
        curve, claims = Path(scratch, "curve"), Path(scratch, "claims")
        plan = leave_curve(curve)
        run_claims([Tossed.name], claims, 0, True)
        assert [type(claim) for claim in claims_named([Tossed.name])] == [Tossed]
        found = study(curve_kinds(curve, plan) | claims_kinds(claims), asked.flips, asked.seed)
        found |= study(page_kinds(curve, load_curves(curve)), asked.drawn_flips, asked.seed)
    print(table(found))
    total: Counter[str] = sum(found.values(), Counter())
    print(", ".join(f"{total[outcome]} {outcome}" for outcome in OUTCOMES))
    sys.exit(bool(total["wrong"] + total["faults"]))


if __name__ == "__main__":
    main()
