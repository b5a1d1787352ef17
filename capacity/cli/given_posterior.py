"""Which arrays `capacity latent` was given: two files, or one that holds both by their names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from capacity.cli.latent_kinds import GIVEN, KindOptions
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
        raise ValueError(
            f"Expected --posterior, or --means with --logvars or --channel, or --codes, or --probs; got {got}."
        )
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


class KindArrays(NamedTuple):
    """Arrays of another kind of posteriors, and what the spread is; None for what there is not."""

    means: np.ndarray
    spreads: np.ndarray | None
    weights: np.ndarray | None
    given: str | None


def kind_arrays(
    posterior: Path | None, means: Path | None, logvars: Path | None, kind: KindOptions, given: str | None
) -> KindArrays:
    """Arrays of a kind that was asked for: of files, or by their names from one file.

    Args:
        posterior, means, logvars: as `check_given` has them.
        kind: what was asked for; --weights is a name too beside --posterior.
        given: of --given.

    Raises:
        ValueError: for files that cannot be read, and names that are not there.
    """
    from capacity.runtime.files.arrays import is_archive, read_arrays, read_one

    if posterior is None:
        assert means is not None
        spreads, weights = (None if file is None else read_one(file) for file in (logvars, kind.weights))
        return KindArrays(read_one(means), spreads, weights, given)
    if not is_archive(posterior):
        raise ValueError(f"Expected arrays by their names in {posterior}, .npz or .safetensors; got one array.")
    held = read_arrays(posterior)
    names = {"means": _name_of(held, means, ("means",), posterior)}
    if kind.channel is None:
        may = GIVEN[kind.kind or "gaussian"]
        names["spreads"] = _name_of(held, logvars, may, posterior)
        given = given or next((word for word in may if word in _words(names["spreads"])), None)
    if kind.kind == "mixture":
        names["weights"] = _name_of(held, kind.weights, ("weights",), posterior)
    spreads, weights = (held[names[name]] if name in names else None for name in ("spreads", "weights"))
    return KindArrays(held[names["means"]], spreads, weights, given)


def _name_of(held: dict[str, np.ndarray], said: Path | None, words: tuple[str, ...], where: Path) -> str:
    """The name that was said, or the one that means one of some words."""
    found = [str(said)] if said is not None else [name for name in held if set(words) & _words(name)]
    if len(found) != 1 or found[0] not in held:
        wanted = repr(str(said)) if said is not None else f"one array called {' or '.join(words)}"
        raise ValueError(
            f"Expected {wanted} in {where}; got {', '.join(held)}. --means and --logvars take other names."
        )
    return found[0]


def _words(name: str) -> set[str]:
    """What an array of a name may hold, in the words of `GIVEN`."""
    from capacity.runtime.tables.posterior_arrays import SPREADS, meaning_of

    meaning = str(meaning_of(name))
    return {name.split(".")[-1].lower(), meaning, meaning.removesuffix("s"), SPREADS.get(meaning, "")}


def told_apart(
    posterior: Path | None, codes: Path | None, probs: Path | None
) -> tuple[Path | None, Path | None, Path | None]:
    """The same options, --posterior as --codes or --probs where the file holds a discrete code by its names.

    Args:
        posterior, codes, probs: files, as they were given.

    Raises:
        ValueError: for a file that is missing or cannot be read.
    """
    if posterior is None or codes is not None or probs is not None:
        return posterior, codes, probs
    check_inputs(posterior)
    from capacity.runtime.files.arrays import is_archive, read_arrays
    from capacity.runtime.tables.posterior_arrays import meaning_of

    meanings = set(map(meaning_of, read_arrays(posterior))) if is_archive(posterior) else set()
    if "means" in meanings:
        return posterior, None, None
    if "codes" in meanings:
        return None, posterior, None
    return (None, None, posterior) if meanings & {"probs", "logits"} else (posterior, None, None)


def code_array(file: Path, given: str | None) -> tuple[np.ndarray, str | None]:
    """A discrete code, or its probabilities, and what these are given as: by name from an archive of several arrays.

    Raises:
        ValueError: for a file that cannot be read, and names that are not known.
    """
    from capacity.runtime.files.arrays import is_archive, read_arrays, read_one
    from capacity.runtime.files.posteriors import load_posterior
    from capacity.runtime.tables.posterior_arrays import meaning_of

    if not is_archive(file):
        return read_one(file), given
    arrays = read_arrays(file)
    if len(arrays) == 1 and meaning_of(next(iter(arrays))) is None:
        return next(iter(arrays.values())), given
    found = load_posterior(file)
    return next(iter(found.arrays.values())), given or found.given
