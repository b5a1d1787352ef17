"""Rows in time: neighbouring rows resemble each other, so that n of them tell less than n independent ones.

The truth is of one row (stationary), in closed form.  Methods that can be told so are given `order="time"`.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from tests.traps.laws.law import Law
from tests.traps.laws.normal import normal
from tests.traps.task import Task

FAMILY = "time_order"
WARM = 2_000  # rows let pass before the first


def autoregressive(past: float, correlations: list[float], lag: int = 0) -> Law:
    """Columns x_t = past x_{t-1} + noise of unit variance, y alike with correlated noise, y behind by `lag` rows."""
    rho = np.array(correlations) * past**lag
    still = normal(rho)

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        a, b = random.normal(size=(2, n + WARM + lag, len(correlations)))
        b = np.array(correlations) * a + np.sqrt(1.0 - np.array(correlations) ** 2) * b
        x, y = (lfilter([np.sqrt(1.0 - past**2)], [1.0, -past], noise, axis=0) for noise in (a, b))
        return x[WARM + lag :], y[WARM : WARM + n]

    return Law(draw, still.density, still.truth)


def overlapping_windows(width: int, rho: float) -> Law:
    """Means of windows that overlap: rows less than `width` apart share data."""
    still = normal(rho)

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        a, b = random.normal(size=(2, n + width - 1))
        b = rho * a + np.sqrt(1.0 - rho**2) * b
        window = np.full(width, width**-0.5)
        return tuple(np.convolve(noise, window, mode="valid")[:, None] for noise in (a, b))

    return Law(draw, still.density, still.truth)


def tasks() -> list[Task]:
    """The family."""

    def task(name: str, law: Law) -> Task:
        return Task(name, FAMILY, law, order="time")

    return [
        task("ar-.9-independent", autoregressive(0.9, [0.0])),
        task("ar-.99-independent", autoregressive(0.99, [0.0])),
        task("ar-.95-independent-3", autoregressive(0.95, [0.0] * 3)),
        task("ar-.9-related", autoregressive(0.9, [0.8])),
        task("ar-.9-related-3-rows-late", autoregressive(0.9, [0.95], lag=3)),
        task("ar-.8-related-3", autoregressive(0.8, [0.6] * 3)),
        task("windows-20-independent", overlapping_windows(20, 0.0)),
        task("windows-10-related", overlapping_windows(10, 0.7)),
    ]
