"""Posteriors of other kinds for `capacity latent`: what was asked for, looked at before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from capacity.runtime.names import check_name

GIVEN = {
    "gaussian": ("logvar", "log_std", "variance", "std", "precision"),
    "mixture": ("logvar", "log_std", "variance", "std", "precision"),
    "full": ("covariance", "cholesky"),
    "laplace": ("scale", "log_scale"),
    "uniform": ("half_width", "log_half_width"),
    "sphere": ("concentration", "log_concentration"),
}
"""Kinds of posteriors, and what --logvars may hold of each, the first unless --given says otherwise."""
RESAMPLED = ("importance", "iwae", "resampled")
NO_DENSITY = (
    "Expected a kind of posterior that has a density; the one that importance weights stand for has none that could be "
    "computed. Give the means and variances of its proposal, of which one draw is measured; for the evidence of the "
    "model with the decoder in the loop, capacity.analysis.model."
)
PRIORS = ("normal", "laplace", "sphere")


@dataclass(frozen=True)
class KindOptions:
    """What was asked for beside means and spreads; None and empty where nothing was.

    Attributes:
        kind: one of `GIVEN`.
        channel: a name of `CHANNELS`, for codes that go through it.
        level: its level, a number or a file of numbers.
        weights: a file of a mixture's weights.
        levels: units of each level of a hierarchy, with commas.
        prior: what the rate is held against.
    """

    kind: str | None = None
    channel: str | None = None
    level: str | None = None
    weights: Path | None = None
    levels: str | None = None
    prior: str | None = None

    @property
    def usual(self) -> bool:
        """Whether nothing but normal posteriors of independent units is asked for."""
        return all(part is None for part in vars(self).values())

    def check_unused(self, beside: str) -> None:
        """Refuse any of these beside options that leave no use for them.

        Args:
            beside: names of those options.

        Raises:
            ValueError: naming what was asked for.
        """
        said = [f"--{name}" for name, part in vars(self).items() if part is not None]
        if said:
            raise ValueError(f"Expected {' and '.join(said)} with --means, not with {beside}; got both.")

    def check(self, spreads: Path | None, given: str | None, named: bool = False) -> None:
        """Refuse words that are none, or do not go together, before any work.

        Args:
            spreads: of --logvars.
            given: of --given.
            named: whether arrays come by their names from one file, which may hold what no option says.

        Raises:
            ValueError: naming the option.
        """
        if self.kind is not None and self.kind.replace("-", "_").startswith(RESAMPLED):
            raise ValueError(NO_DENSITY)
        if self.kind is not None:
            check_name(self.kind, GIVEN, "--kind")
        if self.prior is not None:
            check_name(self.prior, PRIORS, "--prior")
        if (self.channel is None) != (self.level is None):
            raise ValueError("Expected --channel and --level together; got one of them.")
        if self.channel is not None and (self.kind is not None or spreads is not None or given is not None):
            raise ValueError("Expected --channel and --level in place of --kind, --logvars and --given; got both.")
        if self.channel is None and spreads is None and not named:
            raise ValueError("Expected --logvars, or --channel and --level; got neither.")
        if (self.kind == "mixture") != (self.weights is not None) and not (named and self.kind == "mixture"):
            got = "--weights alone" if self.weights is not None else "--kind mixture alone"
            raise ValueError(f"Expected --weights with --kind mixture, and with no other; got {got}.")
        if given is not None:
            check_name(given, GIVEN[self.kind or "gaussian"], "--given")
        self.sizes()

    def sizes(self) -> tuple[int, ...]:
        """Units of each level.

        Raises:
            ValueError: for anything else than whole numbers above 0 with commas.
        """
        parts = [] if self.levels is None else self.levels.split(",")
        if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
            raise ValueError(f"Expected --levels as numbers of units with commas, 4,8; got {self.levels!r}.")
        if parts and self.kind == "sphere":
            raise ValueError("Expected no --levels with --kind sphere: its units are one draw.")
        return tuple(map(int, parts))
