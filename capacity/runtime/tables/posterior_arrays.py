"""What an encoder says of N data points, as arrays by name: which law, and its parameters or symbols.

Names are those in use: "mu", "loc" and "mean" are means, "log_var" a log-variance, "indices" codes.  A prefix up to the
last full stop counts for nothing: "encoder.mu" are means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from capacity.runtime.names import check_name, listed
from capacity.runtime.tables.foreign import as_numpy
from capacity.runtime.tables.posterior import checked_posterior

NORMAL, MULTIVARIATE_NORMAL, CODES, PROBS = "normal", "multivariate_normal", "codes", "probs"
SPREADS = {
    "logvars": "logvar",
    "log_stds": "log_std",
    "variances": "variance",
    "stds": "std",
    "precisions": "precision",
}
"""Names of arrays of spreads, and what `measure_latent(given=)` calls them."""
KNOWN_AS: dict[str, tuple[str, ...]] = {
    "means": ("mean", "mu", "mus", "loc", "posterior_mean", "posterior_means"),
    "logvars": ("logvar", "log_var", "log_vars", "log_variance", "log_variances"),
    "log_stds": ("log_std", "logstd", "log_sigma", "log_scale"),
    "variances": ("variance", "var", "vars"),
    "stds": ("std", "sigma", "sigmas", "scale", "stddev"),
    "precisions": ("precision",),
    "covariances": ("covariance", "cov", "covariance_matrix"),
    "codes": ("code", "indices", "code_indices", "encoding_indices", "min_encoding_indices"),
    "probs": ("probabilities",),
    "logits": (),
}
PARAMETERS = (*SPREADS, "covariances")
SUM_TOLERANCE = 1e-2  # of probabilities in bfloat16, of many symbols


@dataclass(frozen=True)
class PosteriorArrays:
    """The posterior of each of N data points, or its code.

    Attributes:
        law: "normal", "multivariate_normal", "codes" (integers, no noise) or "probs" (symbols drawn from these).
        arrays: of "normal", `means` (N, units) and one of `logvars`, `log_stds`, `variances`, `stds`, `precisions`
            (N, units); of "multivariate_normal", `means` (N, units) and `covariances` (N, units, units); of "codes",
            `codes` (N, positions); of "probs", `probs` or `logits` (N, positions, symbols).
        given: of "normal", what the array beside the means holds, as `measure_latent(given=)` has it; None takes
            log-variances if they look like it.  Of "probs", "logits" or None.
    """

    law: str
    arrays: dict[str, np.ndarray]
    given: str | None = None

    @property
    def points(self) -> int:
        """N, the number of data points."""
        return len(next(iter(self.arrays.values())))

    @property
    def spread(self) -> str:
        """The name of the array beside the means of a normal law."""
        return next(name for name in PARAMETERS if name in self.arrays)


def named_posterior(
    named: Mapping[str, object], where: str = "what the encoder gives", given: str | None = None, hint: str = ""
) -> PosteriorArrays:
    """Means and spreads, codes or probabilities, told by their names; what has other names is left out.

    Args:
        named: arrays of any package, a row for each point.
        where: where they come from, for refusals.
        given: what the array beside the means holds, whatever it is called.
        hint: what else to say where no name is known.

    Raises:
        ValueError: for names of which none is known, of which two say the same, or that stand for more than one law.
    """
    found = _by_meaning(named, where)
    laws = [kind for kind in ("means", "codes", "probs", "logits") if kind in found]
    if len(laws) != 1:
        raise ValueError(
            f"Expected in {where} either means with a spread, or codes, or probs or logits, by these names; got "
            f"{listed(named) or 'nothing'}." + (" Give the ones that are meant alone." if laws else hint)
        )
    if laws == ["means"]:
        spreads = [name for name in PARAMETERS if name in found]
        if not spreads:
            raise ValueError(
                f"Expected in {where} a spread beside the means: {', '.join(PARAMETERS)}; got {listed(named)}."
            )
        called = None if spreads[0] == "logvars" else SPREADS.get(spreads[0], spreads[0])
        return normal_posterior(as_numpy(named[found["means"]]), as_numpy(named[found[spreads[0]]]), given or called)
    (kind,) = laws
    array = as_numpy(named[found[kind]])
    return code_posterior(array) if kind == "codes" else probs_posterior(array, logits=kind == "logits")


def _by_meaning(named: Iterable[str], where: str) -> dict[str, str]:
    """The name of each array that is known by what it means."""
    found: dict[str, str] = {}
    for name in named:
        meaning = meaning_of(name)
        if meaning is None:
            continue
        if meaning in found:
            raise ValueError(f"Expected {meaning} once in {where}; got {listed([found[meaning], name])}.")
        found[meaning] = name
    return found


def meaning_of(name: str) -> str | None:
    """What an array of a name holds, as this file calls it; None for a name that is not known.

    Examples:
        >>> meaning_of("encoder.mu"), meaning_of("log_var"), meaning_of("images")
        ('means', 'logvars', None)
    """
    last = name.split(".")[-1].lower()
    return next((kind for kind, names in KNOWN_AS.items() if last in (kind, *names)), None)


def normal_posterior(means: np.ndarray, spreads: np.ndarray, given: str | None = None) -> PosteriorArrays:
    """A normal law of each point, axes after the first made into one of units.

    Args:
        means: (N, ...).
        spreads: the same shape; of covariances (N, units, units).
        given: what they are: "logvar", "log_std", "variance", "std", "precision" or "covariances"; None takes
            log-variances.

    Raises:
        ValueError: for shapes that do not fit, and for what are no real numbers.
    """
    name = next((array for array, what in SPREADS.items() if what == given), given or "logvars")
    check_name(name, PARAMETERS, "given")
    _check_filled({"means": means, name: spreads})
    for what, array in (("means", means), (name, spreads)):
        if array.dtype.kind not in "fiu" or array.ndim < 1:
            raise ValueError(f"Expected {what} as an array of real numbers; got {_said(array)}.")
    if name == "covariances":
        if means.ndim != 2 or spreads.shape != (*means.shape, means.shape[1]):
            raise ValueError(
                f"Expected means (N, units) and covariances (N, units, units); got {_said(means)} and {_said(spreads)}."
            )
        return PosteriorArrays(MULTIVARIATE_NORMAL, {"means": _real(means), name: _real(spreads)})
    if means.shape != spreads.shape:
        codes = " The second holds integers: are they codes? Give them alone." if spreads.dtype.kind in "iu" else ""
        raise ValueError(f"Expected means and {name} of one shape; got {_said(means)} and {_said(spreads)}.{codes}")
    return PosteriorArrays(NORMAL, {"means": _real(_flat(means)), name: _real(_flat(spreads))}, given)


def code_posterior(codes: np.ndarray) -> PosteriorArrays:
    """Symbols (N, ...), integers or booleans, as int64 (N, positions).

    Raises:
        ValueError: for other types.
    """
    _check_filled({"codes": codes})
    if codes.dtype.kind not in "iub" or codes.ndim < 1:
        raise ValueError(f"Expected codes as integers or booleans, a row for each point; got {_said(codes)}.")
    return PosteriorArrays(CODES, {"codes": _flat(codes).astype(np.int64)})


def probs_posterior(given: np.ndarray, *, logits: bool = False) -> PosteriorArrays:
    """Probabilities (N, ..., symbols), or their logits, as (N, positions, symbols).

    Raises:
        ValueError: for what are no probabilities along the last axis.
    """
    name = "logits" if logits else "probs"
    _check_filled({name: given})
    if given.dtype.kind != "f" or given.ndim < 2:
        raise ValueError(f"Expected {name} as real numbers (N, positions, symbols); got {_said(given)}.")
    if not logits and not sums_to_one(given):
        axes = [axis for axis in range(1, given.ndim - 1) if sums_to_one(np.moveaxis(given, axis, -1))]
        hint = f" They do along axis {axes[0]}: move it to the end." if axes else ""
        raise ValueError(f"Expected probs that add up to 1 along the last axis; got {_said(given)}.{hint}")
    table = _real(given).reshape(len(given), -1, given.shape[-1])
    if not logits:
        table = table / table.sum(-1, keepdims=True)
    return PosteriorArrays(PROBS, {name: table}, "logits" if logits else None)


def sums_to_one(array: np.ndarray) -> bool:
    """Whether no number is negative and the last axis, of two or more, adds up to 1."""
    if array.ndim < 2 or array.shape[-1] < 2 or not (array >= 0).all():
        return False
    return bool((np.abs(array.astype(np.float64).sum(-1) - 1) < SUM_TOLERANCE).all())


def check_points(posterior: PosteriorArrays) -> None:
    """Refuse what no figure can be had of, before any work.

    Raises:
        ValueError: as `checked_posterior` does, for numbers that are not finite, and for fewer than two points.
    """
    arrays = posterior.arrays
    if posterior.law == NORMAL:
        checked_posterior(arrays["means"], arrays[posterior.spread], posterior.given)
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"Expected finite {name}; got {np.argwhere(~np.isfinite(array))[0].tolist()} that is not.")
    if posterior.points < 2:
        raise ValueError(f"Expected at least two data points, a row for each; got {posterior.points}.")


def _check_filled(named: Mapping[str, np.ndarray]) -> None:
    """Refuse arrays without rows, or without numbers in a row."""
    for name, array in named.items():
        if array.ndim and not array.size:
            raise ValueError(f"Expected numbers in {name}, a row for each point; got {_said(array)}, which has none.")


def _real(array: np.ndarray) -> np.ndarray:
    """float64 as it is, all else as float32 where that holds it."""
    return array if array.dtype in (np.float64, np.float32) else array.astype(np.result_type(array.dtype, np.float32))


def _flat(array: np.ndarray) -> np.ndarray:
    return array.reshape(len(array), -1)


def _said(array: np.ndarray) -> str:
    return f"{array.dtype} {array.shape}"
