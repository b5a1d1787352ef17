"""`capacity latent --codes` and `--probs`: files looked at, measured, printed and drawn."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from capacity.cli.found import seen_bar, show_found
from capacity.cli.given_posterior import code_array
from capacity.cli.options import check_inputs, check_plot
from capacity.cli.refusals import refusals
from capacity.runtime.start import start_jax


class CodeFiles(NamedTuple):
    """Files as they were given: of a continuous code, of symbols, of probabilities."""

    posterior: Path | None
    codes: Path | None
    probs: Path | None


def latent_codes(
    files: CodeFiles,
    codebook: str | None,
    given: str | None,
    samples: int | None,
    seed: int,
    plot: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Bits of a discrete code, from one file.

    Args:
        files: of which one alone may be given.
        codebook: symbols, of all positions or of each, as it was typed.
        given: what probabilities are given as.
        samples: codes that are drawn of a stochastic code; None: the usual number.
        seed: decides every random number.
        plot: file that is drawn into.
        as_json, quiet: how it is printed.
    """
    with refusals():
        file = _one(files)
        check_inputs(file)
        check_plot(plot, file)
        from capacity.runtime.tables.codes import checked_codes, checked_probs, parsed_codebook

        if files.probs is not None and codebook is not None:
            raise ValueError("Expected --codebook with --codes alone; got it with --probs, whose shape says it.")
        if files.codes is not None and given is not None:
            raise ValueError("Expected --given with --logvars or --probs; got it with --codes.")
        if files.codes is not None and samples is not None:
            raise ValueError("Expected --samples with codes that noise moves; got it with --codes, which are counted.")
        sizes = parsed_codebook(codebook)
        array, given = code_array(file, given)
        if files.codes is not None:
            checked_codes(array, sizes)
        else:
            checked_probs(array, given)

        start_jax()  # loads JAX, which takes seconds: data that cannot be taken need not wait for it

        from capacity.analysis.codes import measure_codes, measure_probs

        bar = seen_bar(quiet)
        if files.codes is not None:
            found = measure_codes(seed, array, codebook=sizes, progress=bar)
        else:
            drawn = {} if samples is None else {"samples": samples}
            found = measure_probs(seed, array, given=given, progress=bar, **drawn)
        if plot is not None:
            from capacity.plots.codes import save_codes

            save_codes(plot, found)
    from capacity.cli.show_codes import codes_record, print_codes

    show_found(found, codes_record, print_codes, as_json=as_json, quiet=quiet, plot=plot)


def _one(files: CodeFiles) -> Path:
    names = ("--means and --logvars", "--codes", "--probs")
    said = [name for name, file in zip(names, files, strict=True) if file is not None]
    if said == ["--codes"] and files.codes is not None:
        return files.codes
    if said == ["--probs"] and files.probs is not None:
        return files.probs
    got = " and ".join(said) or "--codebook alone"
    raise ValueError(f"Expected one of --means with --logvars, --codes and --probs; got {got}.")
