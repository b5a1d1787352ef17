"""The check at every estimator's door, and NumPy's random numbers from a key."""

from __future__ import annotations

import jax
import numpy as np

from capacity.runtime.tables.checked import FEW_VALUES as FEW_VALUES
from capacity.runtime.tables.checked import NAMED as NAMED
from capacity.runtime.tables.checked import Takes as Takes
from capacity.runtime.tables.checked import checked as checked
from capacity.runtime.tables.checked import refuse_few_values as refuse_few_values


def random_of(key: jax.Array) -> np.random.Generator:
    """NumPy's random numbers from a key."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel().tolist())
