"""Arrays of double precision: closed forms are computed in NumPy, whatever JAX is set to."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
"""A NumPy array of float64, of the shape that a docstring says."""
