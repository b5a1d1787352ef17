"""How many bits does a discrete code hold (VQ, FSQ, categorical, binary)?  From the symbols of N data points.

A deterministic code tells of the data what it is: I(X;Z) = H(Z).  With a data point drawn from the N at random it is
exact by counts, at most log2 N; what the distribution says from which the points were drawn lies in the brackets of
`population`.  Held against a uniform prior over the codebook, the rate is sum_j log2 K_j.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from capacity.analysis.codes.codebook import CodebookUse, bits_of_positions, use_of_symbols
from capacity.analysis.codes.entropy_bounds import surprisals
from capacity.analysis.codes.population import CodesPopulation, measure_codes_population, row_numbers
from capacity.analysis.latent.limited import LimitedByPoints
from capacity.estimators.checks import random_of
from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.progress import Progress, reporter
from capacity.runtime.tables.codes import CodebookSize, checked_codes


@dataclass(frozen=True)
class Codes(LimitedByPoints):
    """What the discrete code of N data points holds; all in bits unless said otherwise.

    Attributes:
        points: N.
        stochastic: whether symbols are drawn by chance, given the point.
        use: what of the codebook is used.
        information: I(data point; Z) of these points; its limit is log2 N.
        marginal: I(data point; Z_j), leaves (positions,).
        rate: E KL(q(z|i) || uniform), a closed form; sum_j log2 K_j of a deterministic code.
        total_correlation: sum_j H(Z_j) - H(Z) of these points, what positions say more than once.
        population: brackets for the distribution that the points were drawn from.
    """

    points: int
    stochastic: bool
    use: CodebookUse
    information: Estimate
    marginal: Estimate
    rate: Estimate
    total_correlation: Estimate
    population: CodesPopulation

    @property
    def positions(self) -> int:
        """How many symbols a code has."""
        return len(self.use.sizes)

    def _repr_html_(self) -> str:
        from capacity.results.html import html_table, number

        wide, points = self.population, self.information
        rows = [
            ["information of the population", "", f"{number(wide.information.low)} to {number(wide.information.high)}"],
            ["information of these points", number(points.bits), f"{number(points.low)} to {number(points.high)}"],
            ["rate", number(self.rate.bits), "closed form"],
        ]
        used = ", ".join(f"{used:,} of {len(row):,}" for used, row in zip(self.use.used, self.use.shares, strict=True))
        title = f"{self.points:,} points, at most {self.limit:.2f} bits; symbols used: {used}"
        return html_table(title, ["figure", "bits", "95 % interval"], rows, "saturated" if self.saturated else "")


def measure_codes(
    key: Seed,
    codes: ArrayLike,
    *,
    codebook: CodebookSize = None,
    progress: Progress | Literal[True] | None = None,
) -> Codes:
    """Bits in the deterministic discrete code of each of N data points.

    Args:
        key: decides the folds; the same key gives the same figures; a whole number is taken as a seed.
        codes: (N, positions), symbols' numbers from 0: whole numbers of any type.
        codebook: how many symbols there are, or how many at each position; None takes the largest number + 1 for all.
        progress: called with the share that is done, and what was just done; True shows a bar.

    Raises:
        TypeError, ValueError: other shapes, fewer than two points, numbers that are negative, not whole, not finite or
            past the codebook.
    """
    symbols, sizes, given = checked_codes(codes, codebook)
    rng = random_of(as_key(key))
    count = len(symbols)
    report = reporter(progress) or (lambda share, text: None)
    report(0.0, f"{count:,} points, {symbols.shape[1]} positions")
    use = use_of_symbols(symbols, sizes, given)
    whole = float(surprisals(row_numbers(symbols)).mean()) / NATS_PER_BIT
    each = bits_of_positions(use)
    population = measure_codes_population(rng, symbols, sizes, share_of(report))
    report(1.0, f"{whole:.2f} bits")
    return Codes(
        count,
        False,
        use,
        counted(whole, count),
        counted(each, count),
        Estimate.closed_form(use.limit, count),
        counted(max(float(each.sum()) - whole, 0.0), count),
        population,
    )


def counted(bits: float | np.ndarray, count: int) -> Estimate:
    """A figure of `count` points that is exact without any sample."""
    figure = np.asarray(bits, np.float64)
    limit = np.full(figure.shape, np.log2(count))
    return Estimate(figure, np.zeros(figure.shape), figure, figure, limit, np.full(figure.shape, count), "exact")


def share_of(report: Progress, first: float = 0.0) -> Callable[[float], None]:
    """What is told of the share of the population's figures, from a share that was done before."""
    return lambda share: report(first + (0.99 - first) * share, "code lengths of held-out points")
