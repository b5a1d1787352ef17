"""Jointly normal sides: information in closed form from canonical correlations, or from a covariance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.traps.laws.law import Law, Truth

LN2 = np.log(2.0)


def normal(correlations: Sequence[float] | float) -> Law:
    """Standard columns; column j of x and of y have correlation j, all else is independent."""
    rho = np.atleast_1d(np.asarray(correlations, np.float64))

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x, noise = random.normal(size=(2, n, len(rho)))
        return x, rho * x + np.sqrt(1.0 - rho**2) * noise

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        rest = 1.0 - rho**2
        nats = -0.5 * np.log(rest) - 0.5 * ((y - rho * x) ** 2 / rest - y**2)
        return nats.sum(axis=1) / LN2

    return Law(draw, density, lambda: Truth(float(0.5 * np.log2(1.0 / (1.0 - rho**2)).sum()), 0.0, "closed form"))


def correlation_of(bits: float, columns: int = 1) -> list[float]:
    """The correlation of each of so many columns that share so many bits together."""
    return [float(np.sqrt(1.0 - 2.0 ** (-2.0 * bits / columns)))] * columns


def joint_normal(covariance: np.ndarray, dim_x: int) -> Law:
    """Centred normal columns, the first `dim_x` of them x."""
    cov = np.asarray(covariance, np.float64)
    root = np.linalg.cholesky(cov)
    blocks = cov[:dim_x, :dim_x], cov[dim_x:, dim_x:], cov

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        both = random.normal(size=(n, len(cov))) @ root.T
        return both[:, :dim_x], both[:, dim_x:]

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        both = np.hstack([x, y])
        forms = [
            (side @ np.linalg.inv(block) * side).sum(axis=1) for side, block in zip((x, y, both), blocks, strict=True)
        ]
        return truth().bits + 0.5 * (forms[0] + forms[1] - forms[2]) / LN2

    def truth() -> Truth:
        logs = [np.linalg.slogdet(block)[1] for block in blocks]
        return Truth(float(0.5 * (logs[0] + logs[1] - logs[2]) / LN2), 0.0, "closed form")

    return Law(draw, density, truth)
