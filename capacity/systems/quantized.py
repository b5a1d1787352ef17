"""Units rounded to b levels, the level of the curve: at most log2 b bits each.  Trained through the rounding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from capacity.channels import FSQ, Quantized
from capacity.runtime.allowed import Allowed
from capacity.systems.base import ChannelSystem
from capacity.systems.constraints import Constraint
from capacity.training.system import Level

if TYPE_CHECKING:
    from synthetic.source import Source


@dataclass(frozen=True)
class QuantizedAutoencoder(ChannelSystem):
    """Autoencoder through rounding, straight-through gradients.

    Attributes:
        rule: "even": levels evenly over |u| <= 1; "fsq": finite scalar quantisation (Mentzer et al. 2024).

    Raises:
        ValueError: for another rule.
    """

    rule: str = "even"
    name = "quantized"
    summary = "autoencoder through units rounded to b levels, evenly or by FSQ"
    level_name = "number of values a unit can take"
    level_symbol = "b"
    default_levels = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 11.0, 16.0, 32.0)
    allowed: ClassVar[Allowed] = {"rule": ("even", "fsq"), "level": "[2, inf) whole"}
    full_support = "never"
    rises = True

    def check(self, source: Source, levels: tuple[float, ...]) -> None:
        """Refuse numbers of levels that the rounding does not have.

        Raises:
            ValueError: for broken numbers or fewer than 2; by FSQ fewer than 3.
        """
        super().check(source, levels)
        if self.rule == "fsq" and min(levels) < 3:
            raise ValueError(
                f"Expected at least 3 levels by fsq, whose bound all but rules out one of 2; got {min(levels):g}."
            )

    @property
    def constraint(self) -> Constraint:
        """The amplitude that is rounded; FSQ bounds the units itself."""
        return Constraint("amplitude" if self.rule == "even" else "power")

    def channel(self, level: Level) -> Any:
        """The rounding to so many values, by the rule."""
        return Quantized(level) if self.rule == "even" else FSQ(level)
