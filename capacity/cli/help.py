"""How `--help` looks: options in groups, each with its default, and two examples; plain text in any terminal."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from typer.core import TyperCommand

READ, ASKED, WRITTEN = "What is read", "What is asked", "What is printed and written"

EXAMPLES = {
    "curve": (
        "capacity curve --system gaussian --levels 0.1:2:12 --seeds 3 --out runs/gaussian",
        "capacity curve --data digits.npy --standardize --system vae --target-bits 1,2,4,8",
    ),
    "grid": (
        "capacity grid --system gaussian,vae --width 32,112 --seeds 2 --out runs/widths",
        "capacity grid --network mlp,residual,conv --parameters 20000 --system gaussian --out runs/structures",
        "capacity grid --source bits,markov --system dropout --depth 1,2,4 --out runs/depths",
    ),
    "show": ("capacity show runs/gaussian", "capacity show runs/gaussian --json > curve.json"),
    "estimate": (
        "capacity estimate x.npy y.npy",
        "capacity estimate table.csv --x age,weight --y outcome --test --plot bits.png",
    ),
    "pairwise": (
        "capacity pairwise table.csv --missing drop --out bits.csv",
        "capacity pairwise table.csv --target outcome --test --plot ranking.png",
    ),
    "claims": ("capacity claims dropout vae --fast", "capacity claims --out runs/claims"),
    "latent": (
        "capacity latent --means means.npy --logvars logvars.npy",
        "capacity latent --posterior posterior.safetensors",
        "capacity latent --means means.npy --logvars std.npy --given std --plot code.png",
        "capacity latent --codes codes.npy --codebook 512 --plot codes.png",
    ),
    "report": ("capacity report runs/gaussian", "capacity report runs/claims --out claims.html"),
    "list": ("capacity list", "capacity list systems sources --json"),
}


def examples_of(command: str) -> str:
    """What stands under a command's help, lines kept as they are."""
    return "Examples:\n\n\b\n" + "\n".join(EXAMPLES[command])


class Formatter(Protocol):
    """What writes help, of whichever click comes with typer."""

    def section(self, name: str) -> AbstractContextManager[None]:
        """A heading, and what is written under it."""
        ...

    def write_dl(self, rows: list[tuple[str, str]]) -> None:
        """Options and what they say."""
        ...


class GroupedCommand(TyperCommand):
    """A command whose options stand in the groups that they say (`rich_help_panel`)."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write them, as click asks for it."""
        write_groups(self.get_params(ctx), ctx, formatter)


def write_groups(parameters: list[Any], context: Any, formatter: Formatter) -> None:
    """Arguments and options by their groups; what says none is among "Options"."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for parameter in parameters:
        record = parameter.get_help_record(context)
        if record is not None:
            group = vars(parameter).get("rich_help_panel")
            kind = "Arguments" if parameter.param_type_name == "argument" else "Options"
            groups.setdefault(group or kind, []).append(record)
    for name, rows in groups.items():
        with formatter.section(name):
            formatter.write_dl(rows)
