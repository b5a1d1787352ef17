"""`capacity list` and `capacity --version`: what there is, and what it runs on."""

from __future__ import annotations

import platform
from typing import Annotated

import typer

from capacity.cli.catalogue import KINDS, enrolled
from capacity.cli.help import WRITTEN
from capacity.cli.refusals import refusals
from capacity.cli.say import say, say_json
from capacity.runtime.names import check_name
from capacity.runtime.start import start_jax


def list_command(
    kinds: Annotated[
        list[str] | None, typer.Argument(help=f"Of these kinds: {', '.join(KINDS)}. [default: all]")
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="One JSON object instead of a table.", rich_help_panel=WRITTEN),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", help="Names alone.", rich_help_panel=WRITTEN),
    ] = False,
) -> None:
    """List the systems, networks, sources, channels, bounds, estimators and claims, a line each."""
    with refusals():
        chosen = {kind.removesuffix("s"): None for kind in kinds or KINDS}
        for kind in chosen:
            check_name(kind, KINDS, "the kind")
    found = {kind: enrolled(kind).words for kind in chosen}
    if as_json:
        say_json(found)
        return
    if quiet:
        say("\n".join(f"{kind} {name}" for kind, words in found.items() for name in words))
        return
    from rich.table import Table

    from capacity.cli.console import output

    table = Table("kind", "name", "what it is", box=None, pad_edge=False)
    for kind, words in found.items():
        for name, line in words.items():
            table.add_row(kind, name, line)
    output().print(table)


def print_version(asked: bool) -> None:
    """The toolkit's version, those of what it stands on, and the devices that JAX sees."""
    if not asked:
        return
    with refusals():
        start_jax()
    import jax

    from capacity.runtime.devices import unused_gpu
    from capacity.runtime.versions import PACKAGES, version_of

    toolkit, *packages = (f"{name} {version_of(name)}" for name in (*PACKAGES, "scipy"))
    say(toolkit)
    say(", ".join([f"python {platform.python_version()}", *packages]))
    kinds = [device.device_kind for device in jax.devices()]
    counted = ", ".join(f"{kinds.count(kind)} × {kind}" for kind in dict.fromkeys(kinds))
    say(f"devices: {counted} ({jax.default_backend()})")
    if note := unused_gpu():
        say(note)
    raise typer.Exit
