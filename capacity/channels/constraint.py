"""What a ceiling presumes of the code, and what a code is held to: objects that are asked, not sentences compared."""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp

KINDS = ("any", "power", "amplitude", "signs", "digits", "values", "bank")


@dataclass(frozen=True)
class Constraint:
    """A set of codes.

    Attributes:
        kind: "any": every code.  "power": E[u^2] <= limit in every unit.  "amplitude": |u| <= limit.  "signs": +-limit.
            "digits": 0 or limit.  "values": one of `values`.  "bank": distributed as the codes that echo (`Echo`).
        limit: of the power or amplitude, or the size of signs and digits; positive.  An infinite power stands for
            whichever power the ceiling is asked at.
        values: what a unit may be, of kind "values".

    Raises:
        ValueError: for another kind, a limit that is not positive, or values where there should be none.
    """

    kind: str = "power"
    limit: float = 1.0
    values: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"Expected a constraint among {', '.join(KINDS)}; got {self.kind!r}.")
        if not self.limit > 0:
            raise ValueError(f"Expected a positive limit; got {self.limit}.")
        if (self.kind == "values") != bool(self.values):
            raise ValueError(f"Expected values with the kind 'values' alone; got {self.kind!r} and {self.values}.")

    @property
    def allowed(self) -> tuple[float, ...] | None:
        """The values of a unit, where they are finitely many; else None."""
        return {"signs": (-self.limit, self.limit), "digits": (0.0, self.limit)}.get(self.kind, self.values or None)

    @property
    def amplitude(self) -> float:
        """The most that |u| can be; infinite without a bound."""
        if self.allowed is not None:
            return max(abs(value) for value in self.allowed)
        return self.limit if self.kind == "amplitude" else math.inf

    @property
    def power(self) -> float:
        """The most that E[u^2] of a unit can be; infinite without a bound."""
        return self.limit if self.kind == "power" else self.amplitude**2

    @property
    def limits_units(self) -> bool:
        """Whether a single unit can break it, and not the mean alone."""
        return self.allowed is not None or self.kind == "amplitude"

    @property
    def words(self) -> str:
        """The constraint as a reader is told it: what every code that keeps it has."""
        size = f"{self.limit:g}"
        return {
            "any": "any code",
            "power": "E[u^2] <= power" if math.isinf(self.limit) else f"E[u^2] <= {size} in every unit",
            "amplitude": f"|u| <= {size}",
            "signs": f"u = ±{size}",
            "digits": f"u = 0 or {size}",
            "values": f"u among {', '.join(f'{value:g}' for value in self.values)}",
            "bank": "codes distributed as the bank, S^depth |u| well below the floor",
        }[self.kind]

    @property
    def words_of_units(self) -> str:
        """The same of a system's units, which are scaled until they have all the power that is allowed."""
        spent = self.kind == "power" and math.isfinite(self.limit)
        return self.words.replace("<=", "=") if spent else self.words

    def implies(self, other: Constraint) -> bool:
        """Whether every code that keeps this one keeps the other."""
        if self == other or other.kind == "any":
            return True
        if other.kind == "power":
            return math.isfinite(self.power) and self.power <= other.limit
        if other.kind == "amplitude":
            return self.amplitude <= other.limit
        if other.allowed is not None:
            return self.allowed is not None and set(self.allowed) <= set(other.allowed)
        return False

    def admits(self, u: jax.Array) -> jax.Array:
        """Whether each unit (units,) is one that a code may have; true for what is about means alone."""
        if self.allowed is not None:
            return (u[None] == jnp.asarray(self.allowed, u.dtype).reshape(-1, *(1,) * u.ndim)).any(0)
        if self.kind == "amplitude":
            return jnp.abs(u) <= self.limit
        return jnp.ones(u.shape, bool)


ANY = Constraint("any")
POWER = Constraint("power", math.inf)
"""What most ceilings presume: a mean square of at most the power that they are asked at."""
SIGNS = Constraint("signs")
