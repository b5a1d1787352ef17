"""Posteriors of other kinds for `capacity latent`: files and words into `Posteriors`, and what is printed of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsFloat

import numpy as np

from capacity.cli.given_posterior import KindArrays
from capacity.cli.latent_kinds import GIVEN, KindOptions
from capacity.cli.say import say
from capacity.runtime.names import check_name

if TYPE_CHECKING:
    from capacity.analysis.latent.posteriors import PosteriorBits, Posteriors
    from capacity.results.estimate import Bracket, Estimate


def posteriors_of(kind: KindOptions, arrays: KindArrays) -> Posteriors:
    """Posteriors from arrays; loads JAX.

    Args:
        kind: what was asked for.
        arrays: of it; what spreads hold is the first of the kind where nothing was said.

    Raises:
        ValueError: for arrays that do not fit, as the makers of posteriors do.
    """
    from capacity.analysis.latent import posteriors as room
    from capacity.runtime.tables.posterior import checked_posterior

    sizes = kind.sizes()
    means, spreads, weights, given = arrays
    if kind.channel is not None or spreads is None:
        return room.through_channel(_channel(str(kind.channel), str(kind.level)), means, sizes)
    name = kind.kind or "gaussian"
    given = given or (None if name == "gaussian" else GIVEN[name][0])
    if name == "gaussian":
        mean, log_std = checked_posterior(means, spreads, given)
        return room.gaussian(mean, np.exp(log_std), sizes)
    if name == "full":
        return room.full_gaussian(means, spreads, cholesky=given == "cholesky", levels=sizes)
    if name == "mixture" and weights is not None:
        if np.ndim(means) != 3 or np.shape(means) != np.shape(spreads):
            raise ValueError(
                "Expected --means and --logvars of a mixture of one shape (N, K, units); "
                f"got {np.shape(means)} and {np.shape(spreads)}."
            )
        flat = [np.asarray(array).reshape(len(array), -1) for array in (means, spreads)]
        std = np.exp(checked_posterior(flat[0], flat[1], given)[1]).reshape(np.shape(spreads))
        return room.mixture_of_gaussians(weights, means, std, levels=sizes)
    width = np.exp(np.asarray(spreads, np.float64)) if str(given).startswith("log_") else spreads
    if (np.asarray(width) < 0).any():
        raise ValueError(
            f"Expected a {given} above 0; got {np.min(width):.4g}. Is it a logarithm? --given log_{given}."
        )
    if name == "sphere":
        return room.von_mises_fisher(means, width)
    make: Callable[..., Posteriors] = room.laplace if name == "laplace" else room.uniform
    return make(means, width, sizes)


def _channel(name: str, level: str) -> Any:
    from capacity.channels import CHANNELS
    from capacity.runtime.files.arrays import read_one

    check_name(name, CHANNELS, "--channel")
    try:
        value: float | np.ndarray = float(level)
    except ValueError:
        value = read_one(Path(level))
        value = value[:, 0] if value.ndim == 2 and value.shape[1] == 1 else value
    try:
        return CHANNELS[name](value)
    except TypeError as error:
        raise ValueError(f"Expected a channel of one level; got {name}. From Python it may have others.") from error


def kind_record(found: PosteriorBits) -> dict[str, Any]:
    """Everything as JSON, in bits; null where there is none."""
    by_unit = found.by_unit
    return {
        "points": found.points,
        "units": found.units,
        "limit": found.limit,
        "saturated": found.saturated,
        "population": _ends(found.population.low, found.population.high) | {"method": found.population.method},
        "information": _figure(found.information),
        "prior": found.prior,
        "rate": None if found.rate is None else _figure(found.rate),
        "excess": None if found.marginal_kl is None else _figure(found.marginal_kl),
        "levels": [_figure(level) for level in found.levels],
        "total_correlation": None if by_unit is None else _figure(by_unit.redundancy) | {"known": not found.told_apart},
        "by_unit": []
        if by_unit is None
        else [
            {name: _figure(getattr(by_unit, name), j) for name in ("marginal", "increment")} for j in range(found.units)
        ],
    }


def _figure(found: Estimate, place: int | tuple[()] = ()) -> dict[str, float]:
    return {name: float(np.asarray(getattr(found, name))[place]) for name in ("bits", "low", "high")}


def _ends(low: SupportsFloat, high: SupportsFloat) -> dict[str, float | None]:
    return {"low": float(low), "high": float(high) if np.isfinite(float(high)) else None}


def print_kind(found: PosteriorBits) -> None:
    """The figures as tables."""
    from rich.table import Table

    from capacity.cli.console import output

    say(f"{found.points:,} data points (at most log2 N = {found.limit:.2f} bits), {found.units} units")
    say(f"The population that the points were drawn from: {_bracket(found.population)}")
    table = Table("figure", "bits", "95 % interval", "what it is", box=None, pad_edge=False)
    rows = [("information", found.information, "I(point;Z) of these points, exact by enumeration")]
    if found.rate is not None and found.marginal_kl is not None:
        rows.append(("rate", found.rate, f"E KL(q(z|x)‖r), r: {found.prior}"))
        rows.append(("excess", found.marginal_kl, "KL(q(z)‖r): the rate less the information"))
    rows += [(f"level {i + 1}", level, "added to the levels before") for i, level in enumerate(found.levels)]
    if found.by_unit is not None and not found.told_apart:
        rows.append(("total correlation", found.by_unit.redundancy, "what units say more than once"))
    for name, figure, words in rows:
        ends = "closed form" if float(figure.stderr) == 0 else f"{float(figure.low):.3f} to {float(figure.high):.3f}"
        table.add_row(name, f"{float(figure.bits):.3f}", ends, words)
    output().print(table)
    if found.by_unit is not None:
        _print_units(found)
    if found.saturated:
        say("Saturated: near log2 N, where the number of points decides the figure; more points would show more.")


def _bracket(found: Bracket) -> str:
    if not np.isfinite(found.high):
        return f"not known: {found.method}"
    return f"{float(found.low):.3f} to {float(found.high):.3f} bits"


def _print_units(found: PosteriorBits) -> None:
    from rich.table import Table

    from capacity.cli.bracket_words import NOT_KNOWN
    from capacity.cli.console import output
    from capacity.cli.show_latent import SHOWN_UNITS

    by_unit = found.by_unit
    if by_unit is None:
        return
    alone = np.asarray(by_unit.marginal.bits)
    table = Table("unit", "alone", "95 % interval", "added to those before", box=None, pad_edge=False)
    for j in np.argsort(-alone, kind="stable")[:SHOWN_UNITS].tolist():
        figures = _figure(by_unit.marginal, j), _figure(by_unit.increment, j)
        added = NOT_KNOWN if found.told_apart else f"{figures[1]['low']:.3f} to {figures[1]['high']:.3f}"
        ends = f"{figures[0]['low']:.3f} to {figures[0]['high']:.3f}"
        table.add_row(str(j), f"{alone[j]:.3f}", ends, added)
    output().print(table)
    if found.units > SHOWN_UNITS:
        say(f"The {SHOWN_UNITS} units with the most bits of {found.units}; --json has all.")
