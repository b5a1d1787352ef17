"""`capacity claims`: sentences from the literature as experiments, with a table of verdicts."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self

import typer

from capacity.cli.catalogue import check_member, names_of
from capacity.cli.help import ASKED, WRITTEN
from capacity.cli.interrupts import raise_when_interrupted, say_stopped
from capacity.cli.options import SeedOption, check_folder
from capacity.cli.refusals import INTERRUPTED, refusals
from capacity.cli.say import say, say_aside, say_json
from capacity.runtime.devices import hint_at_gpu, set_devices
from capacity.runtime.files.names import CLAIMS_FILE
from capacity.runtime.start import start_jax

if TYPE_CHECKING:
    from capacity.claims.outcome import Outcome


def claims_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Claims from `capacity list`. [default: all]", autocompletion=names_of("claim")),
    ] = None,
    fast: Annotated[
        bool,
        typer.Option("--fast", help="The small versions: a minute or so each.", rich_help_panel=ASKED),
    ] = False,
    out: Annotated[
        Path,
        typer.Option(help="Directory for claims.json and a folder for each claim.", rich_help_panel=WRITTEN),
    ] = Path("runs/claims"),
    seed: SeedOption = 0,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print claims.json instead of a table.", rich_help_panel=WRITTEN),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", help="No progress, no table.", rich_help_panel=WRITTEN),
    ] = False,
) -> None:
    """Run claims and print their verdicts: supported, refuted or undecided.

    Each verdict follows from predictions that were written down before the run, with intervals
    that hold all together at 95 %. The same command on the same directory goes on where it was
    stopped.
    """
    with refusals():
        for name in names or ():
            check_member(name, "claim", "a claim")
        check_folder(out, "--out")
        set_devices(None)
        start_jax()
        hint_at_gpu(quiet)
        from capacity.claims.run import claims_named, gather, run_claims

        with _Lines(len(claims_named(names or [])), quiet) as lines:
            try:
                raise_when_interrupted()
                outcomes = run_claims(names or [], out, seed, fast, lines)
            except KeyboardInterrupt:
                lines.stop()
                say_stopped(f"Stopped. What has finished is kept in {out}; the same command goes on there.")
                raise typer.Exit(INTERRUPTED) from None
    if as_json:
        say_json(gather(out))
    elif not quiet:
        _print(outcomes)
        say(f"Wrote {out / CLAIMS_FILE} and a figure for each claim in {out}/NAME/figure.png")


def _print(outcomes: list[Outcome]) -> None:
    from rich.table import Table

    from capacity.cli.console import output

    verdicts = Table("claim", "verdict", "what decided it", "region", "measured, interval", box=None, pad_edge=False)
    for outcome in outcomes:
        verdict = f"{outcome.verdict}, fast" if outcome.record["fast"] else outcome.verdict
        head = [outcome.claim.name, verdict]
        for name, measured, region, standing in outcome.rows:
            verdicts.add_row(*head, name if standing == "for" else f"{name} ({standing})", region, measured)
            head = ["", ""]
    output().print(verdicts)


class _Lines:
    """Progress on stderr: a live bar over all claims in a terminal, else a line when a claim starts or ends."""

    def __init__(self, count: int, quiet: bool):
        from rich.progress import BarColumn, TimeElapsedColumn

        from capacity.cli.console import Words, live_bar

        self.count, self.quiet = count, quiet
        self.bar = None if quiet else live_bar(BarColumn(), TimeElapsedColumn(), Words())
        if self.bar:
            self.task = self.bar.add_task("claims", total=1.0)

    def __enter__(self) -> Self:
        if self.bar:
            self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Leave the bar as it is."""
        if self.bar:
            self.bar.stop()

    def __call__(self, share: float, text: str) -> None:
        """Note that `share` of all claims is done, 0 to 1, and what is being done."""
        finished = share * self.count
        if self.bar:
            self.bar.update(self.task, completed=share, description=text)
        elif not self.quiet and abs(finished - round(finished)) < 1e-9:
            say_aside(text)
