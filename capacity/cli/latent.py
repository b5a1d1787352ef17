"""`capacity latent`: bits in the code of a trained model, from arrays of its posteriors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from capacity.cli.catalogue import names_of
from capacity.cli.help import ASKED, READ, WRITTEN
from capacity.cli.latent_kinds import KindOptions, kind_record, posteriors_of, print_kind
from capacity.cli.options import SeedOption, TableJsonOption, check_inputs, check_plot
from capacity.cli.refusals import refusals
from capacity.cli.say import say, say_json
from capacity.runtime.start import check_platform


def latent_command(
    means: Annotated[
        Path,
        typer.Option(help="Posterior means, .npy or .csv, a row for each data point.", rich_help_panel=READ),
    ],
    logvars: Annotated[
        Path | None,
        typer.Option(
            help="Logarithms of the posterior variances, the same shape; of other kinds, what --given says.",
            rich_help_panel=READ,
        ),
    ] = None,
    given: Annotated[
        str | None,
        typer.Option(
            help="What --logvars holds: logvar, log_std, variance, std or precision; covariance or cholesky (full); "
            "scale (laplace), half_width (uniform), concentration (sphere), or log_ of these. [default: the first]",
            rich_help_panel=READ,
        ),
    ] = None,
    posterior: Annotated[
        str | None,
        typer.Option(
            help="gaussian, full (covariance), laplace, uniform, mixture (N, K, units) or sphere (von Mises-Fisher).",
            rich_help_panel=READ,
        ),
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="Weights (N, K) of a mixture.", rich_help_panel=READ)] = None,
    channel: Annotated[
        str | None,
        typer.Option(
            help="Codes --means go through this channel of `capacity list`.",
            autocompletion=names_of("channel"),
            rich_help_panel=READ,
        ),
    ] = None,
    level: Annotated[
        str | None,
        typer.Option(help="The channel's level: a number, or a file (N,) or (N, units).", rich_help_panel=READ),
    ] = None,
    levels: Annotated[
        str | None,
        typer.Option(help="Units of each level of a hierarchy, in order: 4,8.", rich_help_panel=READ),
    ] = None,
    prior: Annotated[
        str | None,
        typer.Option(help="What the rate is held against: normal, laplace or sphere.", rich_help_panel=ASKED),
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
        kind = KindOptions(posterior, channel, level, weights, levels, prior)
        inputs = [file for file in (means, logvars, weights) if file is not None]
        check_inputs(*inputs)
        check_plot(plot, *inputs)
        kind.check(logvars, given)
        if logvars is None or not kind.usual:
            if plot is not None:
                raise ValueError("Expected --plot with normal posteriors of independent units; got another kind.")
            _other_kind(kind, means, logvars, given, samples, seed, as_json, quiet)
            return
        from capacity.runtime.files.arrays import read_one
        from capacity.runtime.tables.posterior import check_samples, checked_posterior

        arrays = read_one(means), read_one(logvars)
        _, units = checked_posterior(*arrays, given)[0].shape
        check_samples(samples, units)

        check_platform()  # loads JAX, which takes seconds: data that cannot be taken need not wait for it

        import jax

        from capacity.analysis.latent.latent import measure_latent
        from capacity.runtime.progress import Bar

        bar = Bar() if sys.stderr.isatty() and not quiet else None
        found = measure_latent(jax.random.key(seed), *arrays, given=given, samples=samples, progress=bar)
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


def _other_kind(
    kind: KindOptions,
    means: Path,
    logvars: Path | None,
    given: str | None,
    samples: int,
    seed: int,
    as_json: bool,
    quiet: bool,
) -> None:
    from capacity.runtime.files.arrays import read_one

    arrays = read_one(means), None if logvars is None else read_one(logvars)
    check_platform()

    from capacity.analysis.latent.posteriors import measure_posteriors
    from capacity.runtime.progress import Bar

    posteriors = posteriors_of(kind, *arrays, given)
    bar = Bar() if sys.stderr.isatty() and not quiet else None
    found = measure_posteriors(seed, posteriors, prior=kind.prior, samples=samples, progress=bar)
    if as_json:
        say_json(kind_record(found))
    elif not quiet:
        print_kind(found)
