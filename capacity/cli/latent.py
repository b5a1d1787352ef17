"""`capacity latent`: bits in the code of a trained model, from arrays of its posteriors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from capacity.cli.help import ASKED, READ, WRITTEN
from capacity.cli.options import SeedOption, TableJsonOption, check_inputs, check_plot
from capacity.cli.refusals import refusals
from capacity.cli.say import say, say_json
from capacity.runtime.names import check_name
from capacity.runtime.start import check_platform


def latent_command(
    means: Annotated[
        Path,
        typer.Option(help="Posterior means, .npy or .csv, a row for each data point.", rich_help_panel=READ),
    ],
    logvars: Annotated[
        Path,
        typer.Option(help="Logarithms of the posterior variances, the same shape.", rich_help_panel=READ),
    ],
    given: Annotated[
        str | None,
        typer.Option(
            help="What --logvars holds: logvar, log_std, variance, std or precision. [default: logvar]",
            rich_help_panel=READ,
        ),
    ] = None,
    samples: Annotated[
        int,
        typer.Option(help="Noisy codes drawn for the information.", min=256, rich_help_panel=ASKED),
    ] = 4096,
    as_json: TableJsonOption = False,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw rate, units, growth and redundancy into this file.", rich_help_panel=WRITTEN),
    ] = None,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", help="No table.", rich_help_panel=WRITTEN),
    ] = False,
    seed: SeedOption = 0,
) -> None:
    """How many bits does a trained VAE's code hold about its data?

    Prints the bits of the population that the points were drawn from, between two bounds; those of these points, exact
    by enumeration and at most log2 N; the rate, and what it counts beyond the information; and bits unit by unit, in
    order, with the units that are idle or dead.
    """
    with refusals():
        check_inputs(means, logvars)
        check_plot(plot, means, logvars)
        from capacity.runtime.files.arrays import read_one
        from capacity.runtime.tables.posterior import TO_LOG_STD, check_samples, checked_posterior

        if given is not None:
            check_name(given, TO_LOG_STD, "--given")
        posterior = read_one(means), read_one(logvars)
        _, units = checked_posterior(*posterior, given)[0].shape
        check_samples(samples, units)

        check_platform()  # loads JAX, which takes seconds: data that cannot be taken need not wait for it

        import jax

        from capacity.analysis.latent.latent import measure_latent
        from capacity.runtime.progress import Bar

        bar = Bar() if sys.stderr.isatty() and not quiet else None
        found = measure_latent(jax.random.key(seed), *posterior, given=given, samples=samples, progress=bar)
        if plot is not None:
            from capacity.plots.latent import save_latent

            save_latent(plot, found)
    from capacity.cli.show_latent import latent_record, print_latent

    if as_json:
        say_json(latent_record(found))
    elif not quiet:
        print_latent(found)
        if plot is not None:
            say(f"Drew {plot}")
