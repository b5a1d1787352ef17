"""What `capacity latent` prints, as tables or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, SupportsFloat

import numpy as np

from capacity.cli.say import say

if TYPE_CHECKING:
    from capacity.analysis.latent.latent import Latent
    from capacity.results.estimate import Estimate

SHOWN_UNITS = 40


def latent_record(found: Latent) -> dict[str, Any]:
    """Everything as JSON; in bits unless the name says otherwise."""
    by_unit = [
        {
            "unit": j,
            "active": bool(found.active[j]),
            "mean_variance": float(found.mean_variance[j]),
            "rate": float(found.unit_rate[j]),
        }
        | {name: _estimate(getattr(found, name), j) for name in ("marginal", "increment")}
        for j in range(found.units)
    ]
    shared, growth = found.shared, found.growth
    return {
        "points": found.points,
        "units": found.units,
        "active_units": int(found.active.sum()),
        "limit": found.limit,
        "saturated": found.saturated,
        "rate": found.rate,
        "joint_per_unit": found.joint_per_unit,
    } | {
        "information": _estimate(found.information),
        "excess": _estimate(found.marginal_kl),
        "total_correlation": _estimate(found.total_correlation),
    } | {
        "by_unit": by_unit,
        "shared": [
            {"units": [int(shared.first[i]), int(shared.second[i])], "bits": _estimate(shared.bits, i)}
            for i in range(len(shared.first))
        ],
        "growth": [
            {"points": int(n), "information": _estimate(growth.information, i)} for i, n in enumerate(growth.points)
        ],
    }  # fmt: skip


def _estimate(found: Estimate, place: int | tuple[()] = ()) -> dict[str, float]:
    return {name: float(np.asarray(getattr(found, name))[place]) for name in ("bits", "low", "high")}


def print_latent(found: Latent) -> None:
    """The figures as tables: of the whole code, and of its units."""
    from rich.table import Table

    from capacity.cli.console import output

    say(f"{found.points:,} data points (at most log2 N = {found.limit:.2f} bits), {found.units} units")
    whole = Table("figure", "bits", "95 % interval", "what it is", box=None, pad_edge=False)
    rows: list[tuple[str, Estimate | float, str]] = [
        ("information", found.information, "I(point;Z), exact by enumeration"),
        ("rate", found.rate, "E KL(q(z|x)‖N(0,1)): information + excess"),
        ("excess", found.marginal_kl, "KL(q(z)‖N(0,1))"),
        ("total correlation", found.total_correlation, "part of the excess: what units say more than once"),
        ("information / units", found.joint_per_unit, "joint bits per unit"),
    ]
    for name, figure, words in rows:
        if isinstance(figure, float):
            whole.add_row(name, f"{figure:.3f}", "closed form" if name == "rate" else "", words)
        else:
            whole.add_row(name, _three(figure.bits), f"{_three(figure.low)} to {_three(figure.high)}", words)
    output().print(whole)
    _print_units(found)
    if found.saturated:
        say("Saturated: near log2 N, where the number of points decides the figure; more points would show more.")


def _print_units(found: Latent) -> None:
    from rich.table import Table

    from capacity.cli.console import output

    dead = np.flatnonzero(~found.active).tolist()
    names = ", ".join(map(str, dead[:SHOWN_UNITS])) + (" ..." if len(dead) > SHOWN_UNITS else "")
    say(f"\n{found.units - len(dead)} of {found.units} units active" + (f"; not active: {names}" if dead else ""))
    table = Table(
        "unit", "active", "Var of mean", "rate", "alone", "added", "shares most with", box=None, pad_edge=False
    )
    marginal, increment = np.asarray(found.marginal.bits), np.asarray(found.increment.bits)
    shown = np.sort(np.argsort(-marginal, kind="stable")[:SHOWN_UNITS])
    for j in shown.tolist():
        figures = (found.unit_rate[j], marginal[j], increment[j])
        table.add_row(
            str(j), "yes" if found.active[j] else "no", f"{found.mean_variance[j]:.4g}", *map(_three, figures),
            _nearest(found, j),
        )  # fmt: skip
    output().print(table)
    if len(shown) < found.units:
        say(f"The {len(shown)} units with the most bits of {found.units}; --json has all.")


def _nearest(found: Latent, unit: int) -> str:
    shared = found.shared
    place = np.flatnonzero((shared.first == unit) | (shared.second == unit))
    if not len(place):
        return "-"
    best = place[np.argmax(np.asarray(shared.bits.bits)[place])]
    other = int(shared.first[best] + shared.second[best]) - unit
    return f"{other}: {_three(np.asarray(shared.bits.bits)[best])}"


def _three(value: SupportsFloat) -> str:
    return f"{round(float(value), 3) + 0.0:.3f}"
