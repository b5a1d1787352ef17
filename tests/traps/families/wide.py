"""Hundreds of columns a side about a few shared latent numbers; 512 rows are fewer than the columns."""

from __future__ import annotations

import numpy as np

from tests.traps.laws.law import Law, padded
from tests.traps.laws.normal import correlation_of, joint_normal, normal
from tests.traps.laws.shows import linear, shuffled, tanh_layer
from tests.traps.task import Show, Task

FAMILY = "wide"
FEW_AND_MANY = (512, 4_096)


def noisy_columns(bits: float, latents: int, columns: int, noise: float, seed: int) -> tuple[Law, Show, Show]:
    """Columns that are random sums of latent numbers, each with normal noise of its own.

    x = u W + noise is turned into what tells of u, u + noise (W W')^(-1/2), and what is left, which tells nothing.
    """
    random = np.random.default_rng(seed)
    rho, weights = correlation_of(bits, latents)[0], random.normal(size=(2, latents, columns)) / latents**0.5
    own = [noise**2 * np.linalg.inv(side @ side.T) for side in weights]
    eye = np.eye(latents)
    law = joint_normal(np.block([[eye + own[0], rho * eye], [rho * eye, eye + own[1]]]), latents)

    def show(side: np.ndarray) -> Show:
        rest = np.linalg.svd(side)[2][latents:]
        return lambda latent: latent[:, :latents] @ side + noise * latent[:, latents:] @ rest

    return padded(law, columns - latents, columns - latents), show(weights[0]), show(weights[1])


def tasks() -> list[Task]:
    """The family."""

    def task(name: str, law: Law, show_x: Show, show_y: Show) -> Task:
        return Task(name, FAMILY, law, show_x, show_y, FEW_AND_MANY)

    def latent(bits: float, columns: int) -> Law:
        return normal(correlation_of(bits, columns))

    sparse = padded(latent(4.0, 4), 496, 496)
    few = padded(latent(2.0, 2), 98, 98)
    return [
        task("500-columns-of-sums-2-bits", latent(2.0, 4), linear(4, 500, 161), linear(4, 500, 163)),
        task("500-columns-of-tanh-3-bits", latent(3.0, 4), tanh_layer(4, 500, 165), tanh_layer(4, 500, 167)),
        task("500-noisy-columns-2-bits", *noisy_columns(2.0, 4, 500, 1.0, 169)),
        task("500-noisy-columns-4-bits", *noisy_columns(4.0, 4, 500, 0.5, 171)),
        task("500-columns-4-tell-4-bits", sparse, shuffled(500, 173), shuffled(500, 175)),
        task("300-columns-of-tanh-2-bits", latent(2.0, 2), tanh_layer(2, 300, 177), tanh_layer(2, 300, 179)),
        task("100-columns-2-tell-2-bits", few, shuffled(100, 181), shuffled(100, 183)),
    ]
