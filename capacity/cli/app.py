"""The command `capacity`: measure a curve and keep it, show one, estimate from arrays, list what there is.

Heavy modules are imported where they are used: help and mistyped options answer soon. What the
user can mend ends in one sentence on stderr and exit status 2.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Annotated, cast

import typer

from capacity.cli.claims import claims_command
from capacity.cli.curve import curve_command
from capacity.cli.estimate import estimate_command
from capacity.cli.grid import grid_command
from capacity.cli.help import GroupedCommand, examples_of
from capacity.cli.interrupts import INTERRUPTED, forget, say_stopped
from capacity.cli.latent import latent_command
from capacity.cli.listing import list_command, print_version
from capacity.cli.pairwise import pairwise_command
from capacity.cli.refusals import PIPE_CLOSED, USER_FAULT, sentence_of
from capacity.cli.report import report_command
from capacity.cli.say import say, say_aside
from capacity.cli.show import show_command
from capacity.cli.streams import drop_output, once_each, open_streams
from capacity.runtime.files.atomic import StoreError
from capacity.runtime.start import silence_runtime

EPILOG = (
    "Exit status: 0 done; 1 a fault of the program; 2 something that you can mend, said in one sentence on stderr; "
    "130 interrupted, what has finished is kept."
)


HELP = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, epilog=EPILOG, context_settings=HELP)


# Typer brings its own copy of click in some versions, so the class is asked of typer.
UsageError = cast(type[Exception], typer.BadParameter.__mro__[1])


def main() -> None:
    """Run the command line; every usage error is one sentence and exit status 2, every warning a line, once."""
    open_streams()
    silence_runtime()
    warnings.formatwarning = once_each()
    warnings.filterwarnings("default", ".* is now called ", DeprecationWarning)  # old names of systems and claims
    forget()
    try:
        status = app(standalone_mode=False, prog_name="capacity")
        if status == INTERRUPTED:  # typer's own way to end, which says nothing
            say_stopped()
        sys.stdout.flush()
    except UsageError as error:
        say_aside(f"Error: {error.format_message()}")  # type: ignore[attr-defined]
        status = USER_FAULT
    except StoreError as error:  # what no disk takes, or no file gives, once the work is done
        say_aside(f"Error: {' '.join(str(error).split())}")
        status = USER_FAULT
    except (KeyboardInterrupt, typer.Abort):
        say_stopped()
        status = INTERRUPTED
    except BrokenPipeError:  # whoever read the output has seen enough: `capacity list | head`
        status = PIPE_CLOSED
        drop_output()
    except SystemExit as stopped:  # click's, which has seen the same
        status = PIPE_CLOSED if isinstance(stopped.__context__, BrokenPipeError) else stopped.code
    except OSError as error:
        say_aside(f"Error: {sentence_of(error)}")
        status = USER_FAULT
        drop_output()
    sys.exit(status if isinstance(status, int) else 0)


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Versions and devices.")
    ] = False,
) -> None:
    """Measure how many bits pass through a noisy network, and hold the figure against theory."""
    if context.invoked_subcommand is None:
        say(context.get_help())


COMMANDS: dict[str, Callable[..., None]] = {
    "curve": curve_command,
    "grid": grid_command,
    "show": show_command,
    "estimate": estimate_command,
    "pairwise": pairwise_command,
    "claims": claims_command,
    "latent": latent_command,
    "report": report_command,
    "list": list_command,
}
for name, command in COMMANDS.items():
    app.command(name, cls=GroupedCommand, epilog=examples_of(name), context_settings=HELP)(command)
