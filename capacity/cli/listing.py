"""`capacity list` and `capacity --version`: what there is, and what it runs on."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from capacity.cli.refusals import refusals
from capacity.runtime.names import check_name


def registries() -> dict[str, Mapping[str, Any]]:
    """Everything that has a name on the command line, by kind; those of installed packages too."""
    from capacity.bounds import BOUNDS
    from capacity.channels import CHANNELS
    from capacity.claims import CLAIMS
    from capacity.cli.sources import SOURCES
    from capacity.estimators.registry import ESTIMATORS
    from capacity.systems import SYSTEMS

    return {
        "system": SYSTEMS,
        "source": SOURCES,
        "channel": CHANNELS,
        "bound": BOUNDS,
        "estimator": ESTIMATORS,
        "claim": CLAIMS,
    }


def summary(kind: str, member: Any) -> str:
    """The line that says what it is; of a claim, its sentence."""
    return str(member.sentence if kind == "claim" else member.summary)


def names_of(kind: str) -> Callable[[str], list[tuple[str, str]]]:
    """What the shell offers for an option that takes a name of this kind."""

    def complete(incomplete: str) -> list[tuple[str, str]]:
        return [(n, summary(kind, m)) for n, m in registries()[kind].items() if n.startswith(incomplete)]

    return complete


KINDS = ("system", "source", "channel", "bound", "estimator", "claim")


def list_command(
    kinds: Annotated[
        list[str] | None, typer.Argument(help=f"Of these kinds: {', '.join(KINDS)}. [default: all]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Names alone.")] = False,
) -> None:
    """List the systems, sources, channels, bounds, estimators and claims, a line each."""
    with refusals():
        chosen = {kind.removesuffix("s"): None for kind in kinds or KINDS}
        for kind in chosen:
            check_name(kind, KINDS, "the kind")
    known = registries()
    found = {kind: {name: summary(kind, m) for name, m in known[kind].items()} for kind in chosen}
    if as_json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return
    if quiet:
        print("\n".join(f"{kind} {name}" for kind, members in found.items() for name in members))
        return
    from rich.table import Table

    from capacity.cli.console import output

    table = Table("kind", "name", "what it is", box=None, pad_edge=False)
    for kind, members in found.items():
        for name, words in members.items():
            table.add_row(kind, name, words)
    output().print(table)


def print_version(asked: bool) -> None:
    """The toolkit's version, those of what it stands on, and the devices that JAX sees."""
    if not asked:
        return
    import jax

    from capacity.runtime.devices import unused_gpu
    from capacity.runtime.versions import PACKAGES, version_of

    toolkit, *packages = (f"{name} {version_of(name)}" for name in (*PACKAGES, "scipy"))
    print(toolkit)
    print(", ".join([f"python {platform.python_version()}", *packages]))
    kinds = [device.device_kind for device in jax.devices()]
    counted = ", ".join(f"{kinds.count(kind)} × {kind}" for kind in dict.fromkeys(kinds))
    print(f"devices: {counted} ({jax.default_backend()})")
    if note := unused_gpu():
        print(note)
    raise typer.Exit
