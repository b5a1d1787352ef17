"""What a bound on the bits of a joint is: a figure from a key and a joint, of a kind that it names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from capacity.joint.joint import Joint
from capacity.results.estimate import Estimate
from capacity.runtime.keys import Seed


class Bound(ABC):
    """A way to bound I(M;Z) of a joint.

    One's own is a frozen dataclass whose fields are its choices, all with defaults where it can be, and defines

    - `name` and `summary`, a line;
    - `__call__`, which begins with `key = as_key(key)`, refuses what it cannot answer, and draws samples of its own.

    A line in `BOUNDS` enrols it.
    """

    name: ClassVar[str]
    summary: ClassVar[str]

    @abstractmethod
    def __call__(self, key: Seed, joint: Joint) -> Estimate:
        """The figure in bits, with its interval; exact, lower, upper or a point, as its `kind` says.

        Args:
            key: decides the samples; a whole number is taken as a seed.
            joint: source, encoder and channel.
        """
