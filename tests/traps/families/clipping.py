"""Numbers past a limit shown as the limit: saturated sensors, rectified and censored values, limits of detection."""

from __future__ import annotations

import numpy as np

from tests.traps.laws.coarse import as_is, clipped, coarse
from tests.traps.laws.law import beside
from tests.traps.task import Show, Task

FAMILY = "clipping"


def seen(*cells) -> Show:
    """Each column through its own cells."""
    return lambda latent: np.column_stack([one.show(column) for one, column in zip(cells, latent.T, strict=True)])


def tasks() -> list[Task]:
    """The family."""
    both, relu, top, low = clipped(-1.0, 1.0), clipped(low=0.0), clipped(high=0.5), clipped(-0.7, shown_low=-1.4)
    sensor, plain = clipped(-0.3, 0.3), as_is()
    three = beside(coarse(0.8, top, plain), coarse(0.6, plain, plain), coarse(0.9, plain, low))

    def lognormal(latent: np.ndarray) -> np.ndarray:
        return np.exp(seen(low)(latent))

    return [
        Task("clipped-both-sides", FAMILY, coarse(0.8, both, both), seen(both), seen(both)),
        Task("rectified-both-sides", FAMILY, coarse(0.9, relu, relu), seen(relu), seen(relu)),
        Task("rectified-against-plain", FAMILY, coarse(0.95, plain, relu), None, seen(relu)),
        Task("saturated-against-plain", FAMILY, coarse(0.9, sensor, plain), seen(sensor)),
        Task("limit-of-detection", FAMILY, coarse(0.7, low, low), lognormal, lognormal),
        Task("clipped-one-of-three", FAMILY, three, seen(top, plain, plain), seen(plain, plain, low)),
    ]
