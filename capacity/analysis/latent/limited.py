"""What N data points can show at most: log2 N bits, and what a figure near it means."""

from __future__ import annotations

from capacity.results.estimate import Estimate

SATURATION_SHARE = 0.9  # of log2 N: there the number of points decides the figure more than the code does
NEAR_LIMIT = 1.0  # bit below log2 N: from there on an enumerated figure means log2 N


class LimitedByPoints:
    """Figures of N data points, whose information, in bits, has the limit log2 N."""

    information: Estimate

    @property
    def limit(self) -> float:
        """log2 N, the most that N data points can show."""
        return float(self.information.limit)

    @property
    def saturated(self) -> bool:
        """Whether the interval reaches 90 % of log2 N: more points would show more."""
        return float(self.information.high) >= SATURATION_SHARE * self.limit

    @property
    def told_apart(self) -> bool:
        """Whether the information comes within a bit of log2 N: what parts of the code say beyond it is not known."""
        return float(self.information.high) >= self.limit - NEAR_LIMIT
