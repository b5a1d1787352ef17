"""Hamming's (7,4) code: 4 digits on 7 units, any two codewords at least 3 apart (Hamming 1950).

Block after block of 4 digits; the last one is cut where the units end, and where the digits end they come again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import jax
import numpy as np

from capacity.systems.codes.binary_linear import send
from capacity.systems.codes.code import Encoder, check_units

if TYPE_CHECKING:
    from synthetic.source import Source

GENERATOR = np.array(
    [[1, 0, 0, 0, 1, 1, 0], [0, 1, 0, 0, 1, 0, 1], [0, 0, 1, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1, 1]]
)  # systematic: 4 digits as they are, then 3 checks


@dataclass(frozen=True)
class Hamming:
    """4 digits and 3 checks on every 7 units, as +-1."""

    name: ClassVar[str] = "hamming"
    summary: ClassVar[str] = "Hamming (7,4): 4 digits and 3 checks on every 7 units, as +-1"

    def build(self, source: Source, units: int, key: jax.Array | None = None) -> Encoder:
        """Encoder (dim,) -> (units,); ValueError for a continuous source."""
        check_units(units)
        return send(source, blocks(source.message_dim, units), key)


def blocks(digits: int, units: int) -> np.ndarray:
    """Generator (digits, units) of as many blocks as the units hold."""
    generator = np.zeros((digits, units), int)
    for unit in range(units):
        block, place = divmod(unit, 7)
        for row in range(4):
            generator[(4 * block + row) % digits, unit] ^= GENERATOR[row, place]
    return generator
