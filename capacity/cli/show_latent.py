"""What `capacity latent` prints, as tables or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from capacity.cli.bracket_words import NOT_KNOWN
from capacity.cli.bracket_words import bracket_ends as _ends
from capacity.cli.bracket_words import bracket_record as _bracket
from capacity.cli.bracket_words import estimate_record as _estimate
from capacity.cli.bracket_words import three as _three
from capacity.cli.say import say

if TYPE_CHECKING:
    from capacity.analysis.latent.latent import Latent
    from capacity.analysis.latent.population import Population
    from capacity.results.estimate import Estimate

SHOWN_UNITS = 40


def latent_record(found: Latent) -> dict[str, Any]:
    """Everything as JSON; in bits unless the name says otherwise; null where a bracket has no upper end."""
    usage, wide = found.usage, found.population
    by_unit = [
        {
            "unit": j,
            "active": bool(found.active[j]),
            "state": str(usage.state[j]),
            "mean_variance": float(found.mean_variance[j]),
            "rate": float(found.unit_rate[j]),
        }
        | {name: _estimate(getattr(found, name), j) for name in ("marginal", "increment")}
        | ({} if wide is None else {"population": {
            "marginal": _bracket(wide.marginal, wide.marginal_known, j),
            "increment": _bracket(wide.increment, wide.increment_known, j),
        }})
        for j in range(found.units)
    ]  # fmt: skip
    shared, growth, known = found.shared, found.growth, found.shared_known
    return {
        "points": found.points,
        "units": found.units,
        "active_units": int(found.active.sum()),
        "limit": found.limit,
        "saturated": found.saturated,
        "rate": float(found.rate.bits),
        "joint_per_unit": found.joint_per_unit,
    } | ({} if wide is None else {"population": {
        "distinct_points": wide.distinct,
        "information": _bracket(wide.information, wide.information_known),
        "total_correlation": _bracket(wide.total_correlation, wide.total_correlation_known),
        "method": wide.information.method,
        "shared": [] if wide.shared is None else [
            {"units": [int(j), int(k)]} | _bracket(wide.shared.bits, np.ones(len(wide.shared.first), bool), i)
            for i, (j, k) in enumerate(zip(wide.shared.first, wide.shared.second, strict=True))
        ],
    }}) | {
        "information": _estimate(found.information),
        "excess": _estimate(found.marginal_kl),
        "total_correlation": _estimate(found.total_correlation) | {"known": not found.told_apart},
    } | {
        "usage": {"order": usage.order.tolist(), "carriers": usage.carriers},
        "by_unit": by_unit,
        "shared": [
            {
                "units": [int(shared.first[i]), int(shared.second[i])],
                "bits": _estimate(shared.bits, i),
                "known": bool(known[i]),
            }
            for i in range(len(shared.first))
        ],
        "growth": [
            {"points": int(n), "information": _estimate(growth.information, i)} for i, n in enumerate(growth.points)
        ],
    }  # fmt: skip


def print_latent(found: Latent) -> None:
    """The figures as tables: of the population, of these points, and of units."""
    say(f"{found.points:,} data points (at most log2 N = {found.limit:.2f} bits), {found.units} units")
    if found.population is not None:
        _print_population(found.population, found.points)
    _print_points(found)
    _print_units(found)
    if found.saturated:
        say("Saturated: near log2 N, where the number of points decides the figure; more points would show more.")


def _print_population(wide: Population, points: int) -> None:
    from rich.table import Table

    from capacity.cli.console import output

    say("\nThe population that the points were drawn from")
    if wide.distinct < points:
        say(f"{points - wide.distinct:,} of the points are copies of others: {wide.distinct:,} draws.")
    table = Table("figure", "bits, 95 %", "what it is", box=None, pad_edge=False)
    table.add_row("information", _ends(wide.information, wide.information_known), "I(X;Z), between two bounds")
    words = "what units say more than once"
    table.add_row("total correlation", _ends(wide.total_correlation, wide.total_correlation_known), words)
    output().print(table)
    say(unseen_words(wide.distinct))


def unseen_words(points: int) -> str:
    """What an interval of the population reaches for, of these points."""
    share, apart = min(3 / points, 1.0), np.log2(points)
    return (
        f"Within: a kind of data that none of these {points:,} showed, up to {share:.2g} of all, if its own points are "
        f"told apart by {apart:.1f} bits at most."
    )


def _print_points(found: Latent) -> None:
    from rich.table import Table

    from capacity.cli.console import output

    say(f"\nThese {found.points:,} points")
    whole = Table("figure", "bits", "95 % interval", "what it is", box=None, pad_edge=False)
    rows: list[tuple[str, Estimate | float, str]] = [
        ("information", found.information, "I(point;Z), exact by enumeration"),
        ("rate", float(found.rate.bits), "E KL(q(z|x)‖N(0,1)): information + excess"),
        ("excess", found.marginal_kl, "KL(q(z)‖N(0,1))"),
    ]
    if not found.told_apart:
        words = "part of the excess: what units say more than once"
        rows.append(("total correlation", found.total_correlation, words))
    rows.append(("information / units", found.joint_per_unit, "joint bits per unit"))
    for name, figure, words in rows:
        if isinstance(figure, float):
            whole.add_row(name, f"{figure:.3f}", "closed form" if name == "rate" else "", words)
        else:
            whole.add_row(name, _three(figure.bits), f"{_three(figure.low)} to {_three(figure.high)}", words)
    if found.told_apart:
        whole.add_row("total correlation", "-", NOT_KNOWN, "sums of units measure log2 N here")
    output().print(whole)


def _print_units(found: Latent) -> None:
    from rich.table import Table

    from capacity.analysis.latent.usage import DEAD, DEAD_BITS, IDLE, IDLE_BITS
    from capacity.cli.console import output

    usage = found.usage
    others = np.flatnonzero(~usage.active).tolist()
    say(
        f"\n{int(usage.active.sum())} of {found.units} units active"
        + (f"; not active: {_names(others)}" if others else "")
    )
    for state, words in (
        (IDLE, f"below {IDLE_BITS:g} bits on these points"),
        (DEAD, f"surely below {DEAD_BITS:g} bits on these points"),
    ):
        if usage.of_state(state):
            say(f"{state} ({words}): {_names(usage.of_state(state))}")
    say(f"{usage.carriers} of them carry 95 % of the bits of single units")
    table = Table(
        "unit", "state", "alone, 95 %", "added to those before", "rate", "Var of mean", "shares most with",
        box=None, pad_edge=False,
    )  # fmt: skip
    for j in usage.order[:SHOWN_UNITS].tolist():
        table.add_row(
            str(j), str(usage.state[j]), f"{_three(usage.low[j])} to {_three(usage.high[j])}", _added(found, j),
            _three(found.unit_rate[j]), f"{found.mean_variance[j]:.4g}", _nearest(found, j),
        )  # fmt: skip
    output().print(table)
    if found.units > SHOWN_UNITS:
        say(f"The {SHOWN_UNITS} units with the most bits of {found.units}; --json has all.")


def _names(units: list[int]) -> str:
    return ", ".join(map(str, units[:SHOWN_UNITS])) + (" ..." if len(units) > SHOWN_UNITS else "")


def _added(found: Latent, unit: int) -> str:
    wide = found.population
    if wide is not None and np.isfinite(np.asarray(wide.increment.high)[unit]):
        known = wide.increment_known
        ends = _ends(wide.increment, known, unit)
        return ends if known[unit] else f"saturated: at most {_three(np.asarray(wide.increment.high)[unit])}"
    if found.told_apart:
        return NOT_KNOWN
    return f"{_three(found.increment.low[unit])} to {_three(found.increment.high[unit])}"


def _nearest(found: Latent, unit: int) -> str:
    """The other unit that shares most for sure, and how much: of the population where that is bracketed."""
    wide = None if found.population is None else found.population.shared
    shared = wide or found.shared
    said = (shared.first == unit) | (shared.second == unit)
    place = np.flatnonzero(said if wide is not None else said & found.shared_known)
    least = np.asarray(shared.bits.low)
    if not len(place) or not (least[place] > 0).any():
        return "-"
    best = place[np.argmax(least[place])]
    other = int(shared.first[best] + shared.second[best]) - unit
    return f"{other}: {_three(least[best])} to {_three(np.asarray(shared.bits.high)[best])}"
