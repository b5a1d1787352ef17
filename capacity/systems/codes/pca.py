"""Principal components: unit j sends the j-th largest one, scaled to power 1 (Pearson 1901).

Of linear codes it keeps most of the variance, and where the vectors are normal most of the information; of fair bits
under a rotation all components are equal, and it may send any mixture of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import jax

from capacity.systems.codes.code import Encoder, check_units, components_of

if TYPE_CHECKING:
    from synthetic.source import Source


@dataclass(frozen=True)
class PCA:
    """The leading principal components, one a unit."""

    name: ClassVar[str] = "pca"
    summary: ClassVar[str] = "principal components, each scaled to power 1"

    def build(self, source: Source, units: int, key: jax.Array | None = None) -> Encoder:
        """Encoder (dim,) -> (units,); ValueError where the vectors have fewer components than units."""
        check_units(units)
        return components_of(source, units, key)
