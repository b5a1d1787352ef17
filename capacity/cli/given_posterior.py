"""Which arrays `capacity latent` was given: two files, or one that holds both by their names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from capacity.cli.options import check_inputs

if TYPE_CHECKING:
    import numpy as np


def check_given(posterior: Path | None, means: Path | None, logvars: Path | None) -> None:
    """Refuse what leaves open what is read, and files that are not there, before what reads them is loaded.

    Args:
        posterior: of --posterior.
        means, logvars: files; beside --posterior, names of its arrays.

    Raises:
        ValueError: saying what is missing.
    """
    if posterior is not None:
        check_inputs(posterior)
    elif means is None or logvars is None:
        got = "--means" if means else "--logvars" if logvars else "none of these"
        raise ValueError(f"Expected --posterior, or --means with --logvars; got {got}.")
    else:
        check_inputs(means, logvars)


def given_arrays(
    posterior: Path | None, means: Path | None, logvars: Path | None, given: str | None
) -> tuple[tuple[np.ndarray, np.ndarray], str | None]:
    """Means and their spread, and what the spread is: as it was said, or as its name says.

    Args:
        posterior, means, logvars: as `check_given` has looked at them.
        given: of --given.

    Raises:
        ValueError: for files that cannot be read, names that are not there, and posteriors of another law.
    """
    from capacity.runtime.files.arrays import read_one

    if posterior is None:
        assert means is not None and logvars is not None
        return (read_one(means), read_one(logvars)), given
    from capacity.runtime.files.posteriors import load_posterior
    from capacity.runtime.tables.posterior_arrays import NORMAL

    of_means, of_spread = (None if name is None else str(name) for name in (means, logvars))
    found = load_posterior(posterior, of_means, of_spread, given)
    if found.law != NORMAL:
        raise ValueError(f"Expected means and their spread in {posterior}; got {', '.join(found.arrays)}.")
    return (found.arrays["means"], found.arrays[found.spread]), found.given
