"""What `capacity latent --codes` and `--probs` print, as tables or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from capacity.cli.bracket_words import bracket_ends, bracket_record, estimate_record, three
from capacity.cli.say import say

if TYPE_CHECKING:
    from capacity.analysis.codes import Codes
    from capacity.analysis.codes.codebook import CodebookUse

SHOWN_POSITIONS = 40
SHOWN_PAIRS = 10
SHOWN_DEAD = 40


def codes_record(found: Codes) -> dict[str, Any]:
    """Everything as JSON; in bits unless the name says otherwise; null where a bracket has no upper end."""
    wide, use = found.population, found.use
    shared = wide.shared
    return {
        "points": found.points,
        "positions": found.positions,
        "stochastic": found.stochastic,
        "limit": found.limit,
        "saturated": found.saturated,
        "codebook": {
            "sizes": use.sizes.tolist(),
            "given": use.given,
            "shared": use.shared,
            "used": use.used,
            "perplexity": use.perplexity,
            "dead": use.dead,
            "constant_positions": use.constant,
        },
        "rate": float(found.rate.bits),
        "information": estimate_record(found.information),
        "total_correlation": estimate_record(found.total_correlation) | {"known": not found.told_apart},
        "population": {
            "draws": wide.draws,
            "repeated": wide.repeated,
            "information": bracket_record(wide.information, wide.information_known),
            "total_correlation": bracket_record(wide.total_correlation, wide.total_correlation_known),
            "method": wide.information.method,
            "shared": [] if shared is None else [
                {"positions": [int(j), int(k)]} | bracket_record(shared.bits, np.ones(len(shared.first), bool), i)
                for i, (j, k) in enumerate(zip(shared.first, shared.second, strict=True))
            ],
        },
        "by_position": [
            {
                "position": j,
                "symbols": int(use.sizes[j]),
                "used": int(use.used_by_position[j]),
                "perplexity": float(use.perplexity_by_position[j]),
                "information": float(np.asarray(found.marginal.bits)[j]),
                "population": bracket_record(wide.marginal, wide.marginal_known, j),
            }
            for j in range(found.positions)
        ],
    }  # fmt: skip


def print_codes(found: Codes) -> None:
    """The figures as tables: of the population, of these points, of the codebook, of positions and pairs."""
    kind = "stochastic codes" if found.stochastic else "codes"
    say(f"{found.points:,} {kind} (at most log2 N = {found.limit:.2f} bits), {found.positions} positions")
    _print_bits(found)
    _print_use(found.use)
    _print_positions(found)
    _print_pairs(found)
    if found.saturated:
        say("Saturated: near log2 N, where the number of points decides the figure; more points would show more.")


def _print_bits(found: Codes) -> None:
    from rich.table import Table

    from capacity.cli.console import output

    wide, points = found.population, found.information
    say("\nThe population that the points were drawn from")
    if wide.draws < found.points:
        say(f"All codes came a multiple of {found.points // wide.draws} times, as copies do: {wide.draws:,} draws.")
    if found.told_apart and wide.repeated:
        what = "posteriors" if found.stochastic else "codes"
        say(
            f"{wide.repeated:,} of the {what} came before. They count as draws: of points that are copies, one alone "
            "should be given."
        )
    table = Table("figure", "bits, 95 %", "what it is", box=None, pad_edge=False)
    words = "I(X;Z), between two bounds" if found.stochastic else "I(X;Z) = H(Z), between two bounds"
    table.add_row("information", bracket_ends(wide.information, wide.information_known), words)
    words = "what positions say more than once"
    table.add_row("total correlation", bracket_ends(wide.total_correlation, wide.total_correlation_known), words)
    output().print(table)
    say(f"\nThese {found.points:,} points")
    table = Table("figure", "bits", "what it is", box=None, pad_edge=False)
    figure = three(points.bits)
    if found.stochastic:
        figure += f" ({three(points.low)} to {three(points.high)})"
    words = "exact by enumeration" if found.stochastic else "H(Z), exact by counts"
    table.add_row("information", figure, f"I(point;Z), {words}")
    table.add_row("rate", three(found.rate.bits), "against a uniform prior over the codebook")
    if not found.told_apart:
        table.add_row("total correlation", three(found.total_correlation.bits), "what positions say more than once")
    output().print(table)


def _print_use(use: CodebookUse) -> None:
    several = ", ".join(str(size) for size in use.sizes[:SHOWN_POSITIONS])
    size = f"{use.sizes[0]:,} symbols" if use.shared else f"{several} symbols"
    how = "" if use.given else " (inferred: the largest symbol + 1, for all positions; --codebook says otherwise)"
    say(f"\nCodebook of {size}{how}")
    for i, (share, used, perplexity, dead) in enumerate(
        zip(use.shares, use.used, use.perplexity, use.dead, strict=True)
    ):
        where = "" if use.shared else f"position {i}: "
        say(f"{where}{used:,} of {len(share):,} used, perplexity {perplexity:.1f}")
        if dead:
            say(f"{where}{len(dead):,} dead (never used): {_names(dead)}")
        if not use.shared and i + 1 == SHOWN_POSITIONS and len(use.shares) > SHOWN_POSITIONS:
            say(f"The first {SHOWN_POSITIONS} positions of {len(use.shares)}; --json has all.")
            break
    if use.constant:
        say(f"dead positions (one symbol alone): {_names(use.constant)}")


def _print_positions(found: Codes) -> None:
    from rich.table import Table

    from capacity.cli.console import output

    wide, use = found.population, found.use
    bits = np.asarray(found.marginal.bits)
    order = np.argsort(-bits, kind="stable")
    say("")
    table = Table(
        "position", "bits, 95 %", "these points", "most", "used", "perplexity", box=None, pad_edge=False
    )  # fmt: skip
    for j in order[:SHOWN_POSITIONS].tolist():
        table.add_row(
            str(j), bracket_ends(wide.marginal, wide.marginal_known, j), three(bits[j]),
            three(np.log2(use.sizes[j])), str(use.used_by_position[j]), f"{use.perplexity_by_position[j]:.1f}",
        )  # fmt: skip
    output().print(table)
    if found.positions > SHOWN_POSITIONS:
        say(f"The {SHOWN_POSITIONS} positions with the most bits of {found.positions}; --json has all.")


def _print_pairs(found: Codes) -> None:
    from rich.table import Table

    from capacity.cli.console import output

    shared = found.population.shared
    if shared is None:
        return
    low, high = np.asarray(shared.bits.low), np.asarray(shared.bits.high)
    sure = [i for i in np.argsort(-low, kind="stable")[:SHOWN_PAIRS].tolist() if low[i] > 0]
    if not sure:
        say("\nNo two positions share bits for sure.")
        return
    say("\nPositions that share most")
    table = Table("positions", "shared bits, 95 %", box=None, pad_edge=False)
    for i in sure:
        table.add_row(f"{shared.first[i]}, {shared.second[i]}", f"{three(low[i])} to {three(high[i])}")
    output().print(table)


def _names(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:SHOWN_DEAD])) + (" ..." if len(numbers) > SHOWN_DEAD else "")
