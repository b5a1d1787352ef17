"""The temperature ladder of annealing: how far each step goes on its two legs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

STRIDE = 16  # steps of a leg in one call of its program: a ladder is a multiple of it


class Ladder(NamedTuple):
    """Rungs of both legs, from 0 to 1, in float64.

    Attributes:
        temper: (T + 1,), from the start to the approximation; T a multiple of `STRIDE`.
        bridge: (L + 1,), from the approximation to the truth; L a multiple of `STRIDE`.
    """

    temper: Float[np.ndarray, " temper"]
    bridge: Float[np.ndarray, " bridge"]

    @property
    def rungs(self) -> int:
        """Steps of both legs together."""
        return len(self.temper) + len(self.bridge) - 2


def even_ladder(temper: int, bridge: int) -> Ladder:
    """Rungs at equal distances, so many steps a leg."""
    return Ladder(np.linspace(0, 1, temper + 1), np.linspace(0, 1, bridge + 1))
