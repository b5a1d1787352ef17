"""Values that stand for something else: -9999 and 999 for what was not measured, 0 for what was not asked."""

from __future__ import annotations

import numpy as np

from tests.traps.laws.coarse import as_is, clipped, coarse
from tests.traps.laws.erased import apart, erased, together
from tests.traps.laws.law import beside
from tests.traps.laws.normal import correlation_of, normal
from tests.traps.task import Show, Task

FAMILY = "sentinels"


def gone_as(value: float) -> Show:
    """What is gone shown as this value."""
    return lambda latent: np.where(np.isnan(latent), value, latent)


def off_scale(latent: np.ndarray) -> np.ndarray:
    """Readings past 1 shown as -9999."""
    return np.where(latent > 1.0, -9999.0, latent)


def tasks() -> list[Task]:
    """The family."""
    half, one = normal(correlation_of(0.5)), normal(correlation_of(1.0))
    three = beside(*[erased(normal(0.7), apart(0.1, 0.0))] * 3)
    return [
        Task("sentinels-1-in-1000", FAMILY, erased(half, apart(0.001, 0.0)), gone_as(-9999.0)),
        Task("sentinels-2-%-and-5-%", FAMILY, erased(one, apart(0.02, 0.05)), gone_as(-9999.0), gone_as(-9999.0)),
        Task("sentinels-in-the-same-rows", FAMILY, erased(half, together(0.03)), gone_as(999.0), gone_as(-1.0)),
        Task("sentinels-alone-related", FAMILY, erased(normal(0.0), together(0.1)), gone_as(-99.0), gone_as(-99.0)),
        Task("zeros-for-missing-3", FAMILY, three, gone_as(0.0)),
        Task("off-scale-readings", FAMILY, coarse(0.8, clipped(high=1.0), as_is()), off_scale),
    ]
