"""`capacity latent`: bits in the code of a trained model, from arrays of its posteriors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from capacity.cli.catalogue import names_of
from capacity.cli.codes import CodeFiles, latent_codes
from capacity.cli.found import seen_bar, show_found
from capacity.cli.given_posterior import check_given, given_arrays, kind_arrays, told_apart
from capacity.cli.help import ASKED, READ, WRITTEN
from capacity.cli.latent_kinds import KindOptions
from capacity.cli.options import SeedOption, TableJsonOption, check_inputs, check_plot
from capacity.cli.refusals import refusals
from capacity.runtime.names import check_name
from capacity.runtime.start import start_jax

SAMPLES = 4096


def latent_command(
    means: Annotated[
        Path | None,
        typer.Option(
            help="Posterior means, .npy or .csv, a row for each data point; with --posterior, the array's name.",
            rich_help_panel=READ,
        ),
    ] = None,
    logvars: Annotated[
        Path | None,
        typer.Option(
            help="Logarithms of the posterior variances, the same shape, or what --given says; with --posterior, the "
            "array's name.",
            rich_help_panel=READ,
        ),
    ] = None,
    posterior: Annotated[
        Path | None,
        typer.Option(
            help="One .npz or .safetensors that holds both, called means and logvars, mu and log_var or the like; or "
            "codes, probs or logits, by these names.",
            rich_help_panel=READ,
        ),
    ] = None,
    codes: Annotated[
        Path | None,
        typer.Option(
            help="Instead: discrete codes (VQ, FSQ, binary), whole numbers from 0, a row for each data point.",
            rich_help_panel=READ,
        ),
    ] = None,
    probs: Annotated[
        Path | None,
        typer.Option(
            help="Instead: probabilities of a stochastic discrete code, .npy of points × positions × symbols.",
            rich_help_panel=READ,
        ),
    ] = None,
    codebook: Annotated[
        str | None,
        typer.Option(
            help="Symbols of the codebook, or of each position: 512, or 8,5,5,5. [default: the largest + 1]",
            rich_help_panel=READ,
        ),
    ] = None,
    given: Annotated[
        str | None,
        typer.Option(
            help="What --logvars holds: logvar, log_std, variance, std or precision; covariance or cholesky (full); "
            "scale (laplace), half_width (uniform), concentration (sphere), or log_ of these; what --probs holds: "
            "probs or logits. [default: the first]",
            rich_help_panel=READ,
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            help="Of the posteriors: gaussian, full (covariance), laplace, uniform, mixture (N, K, units) or sphere "
            "(von Mises-Fisher).",
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
        int | None,
        typer.Option(
            help="Noisy codes drawn for the information; of a code without noise none are. [default: 4096]",
            min=256,
            rich_help_panel=ASKED,
        ),
    ] = None,
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
    """How many bits does a trained VAE's code hold about its data, or a discrete code (VQ, FSQ, binary)?

    Prints the bits of the population that the points were drawn from, between two bounds; those of these points, exact
    by enumeration and at most log2 N; the rate, and what it counts beyond the information; and bits unit by unit, in
    order, with the units that are idle or dead; of a discrete code, symbols that are dead.
    """
    with refusals():
        posterior, codes, probs = told_apart(posterior, codes, probs)
    asked = KindOptions(kind, channel, level, weights, levels, prior)
    if codes is not None or probs is not None or codebook is not None:
        with refusals():
            asked.check_unused("--codes, --probs and --codebook")
        files = CodeFiles(posterior or means or logvars, codes, probs)
        latent_codes(files, codebook, given, samples, seed, plot, as_json, quiet)
        return
    samples = SAMPLES if samples is None else samples
    with refusals():
        if not asked.usual:
            of_kind = KindFiles(posterior, means, logvars)
            _other_kind(asked, of_kind, given, samples, seed, plot, as_json, quiet)
            return
        check_given(posterior, means, logvars)
        check_plot(plot, *[file for file in (posterior, means, logvars) if file is not None])
        from capacity.runtime.tables.posterior import TO_LOG_STD, check_samples, checked_posterior

        if given is not None:
            check_name(given, TO_LOG_STD, "--given")
        read, given = given_arrays(posterior, means, logvars, given)
        _, units = checked_posterior(*read, given)[0].shape
        check_samples(samples, units)

        start_jax()  # loads JAX, which takes seconds: data that cannot be taken need not wait for it

        import jax

        from capacity.analysis.latent.latent import measure_latent

        bar = seen_bar(quiet)
        found = measure_latent(jax.random.key(seed), *read, given=given, samples=samples, progress=bar)
        if plot is not None:
            from capacity.plots.latent import save_latent

            save_latent(plot, found)
    from capacity.cli.show_latent import latent_record, print_latent

    show_found(found, latent_record, print_latent, as_json=as_json, quiet=quiet, plot=plot)


class KindFiles(NamedTuple):
    """Files as they were given; beside a posterior the others are names of its arrays."""

    posterior: Path | None
    means: Path | None
    logvars: Path | None

    def check(self, weights: Path | None) -> None:
        """Refuse what is not there, before what reads it is loaded.

        Raises:
            ValueError: saying what is missing.
        """
        if self.posterior is not None:
            check_inputs(self.posterior)
        elif self.means is None:
            raise ValueError("Expected --means or --posterior with --kind, --channel, --levels and --prior; got none.")
        else:
            check_inputs(self.means, *[file for file in (self.logvars, weights) if file is not None])


def _other_kind(
    kind: KindOptions,
    files: KindFiles,
    given: str | None,
    samples: int,
    seed: int,
    plot: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    files.check(kind.weights)
    kind.check(files.logvars, given, named=files.posterior is not None)
    if plot is not None:
        raise ValueError("Expected --plot with normal posteriors of independent units; got another kind.")
    arrays = kind_arrays(*files, kind, given)
    start_jax()

    from capacity.analysis.latent.posteriors import measure_posteriors
    from capacity.cli.show_kinds import kind_record, posteriors_of, print_kind

    posteriors = posteriors_of(kind, arrays)
    bar = seen_bar(quiet)
    found = measure_posteriors(seed, posteriors, prior=kind.prior, samples=samples, progress=bar)
    show_found(found, kind_record, print_kind, as_json=as_json, quiet=quiet)
