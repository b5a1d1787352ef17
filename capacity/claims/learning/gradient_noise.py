"""Annealed Gaussian noise on the gradient as exploration: sigma_t^2 = eta / (1 + t)^0.55 (Neelakantan et al. 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray as xr
from matplotlib.figure import Figure

from capacity.claims import answers as statistics
from capacity.claims.claim import Context, Evidence, Prediction
from capacity.claims.lab.noisy_training import gains, outcome_data, run_strengths, walk, with_ratio
from capacity.claims.lab.training_figure import draw_bits, draw_cosine, draw_ratio
from capacity.theory.training import sgd_variance
from capacity.training.noises import annealed_noise

ETAS = (0.0, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
CELLS = [(a, product) for a in (0.5, 1.0, 3.0) for product in (0.1, 0.5, 1.0, 1.7)]


@dataclass(frozen=True)
class GradientNoise:
    """No noise against five strengths of it at the full batch, each at its best learning rate."""

    name: ClassVar[str] = "gradient_noise"
    sentence: ClassVar[str] = "noise in training is exploration energy (here: Gaussian noise on the gradient)"
    source: ClassVar[str] = "the essay on randomness in deep learning; Neelakantan et al. (2015)"
    predictions: ClassVar[tuple[Prediction, ...]] = (
        Prediction(
            "variance on a quadratic", "SGD has its closed-form variance, as a ratio", 0.95, 1.05, "1", instrument=True
        ),
        Prediction("gain in training bits", "some noise finds what plain descent misses", low=0, unit="bits per label"),
        Prediction("gain in held-out bits", "and generalises better", low=0, unit="bits per label"),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Walkers on a quadratic, then networks on parity."""
        key_walk, key_train = jax.random.split(key)
        ratio = context.part("quadratic", lambda: {"ratio": quadratic(key_walk)})["ratio"]
        outcome = run_strengths(context, key_train, "eta", ETAS)
        answers = {
            "variance on a quadratic": statistics.mean(ratio.mean(0), context.miss_rate),
        } | gains(outcome, context.miss_rate)
        data = outcome_data(outcome, ETAS, "variance η of the noise", "squared gradient")
        return Evidence(answers, with_ratio(data, ratio, [product for _, product in CELLS]))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Bits against the noise; cosines; the quadratic's ratio."""
        left, middle, right = figure.subplots(1, 3, width_ratios=(1.3, 1, 0.8))
        ticks = ["none", *(f"{eta:g}" for eta in data.strength.values[1:])]
        draw_bits(data, left, ticks)
        draw_cosine(data, middle, ticks)
        draw_ratio(data["product"], data.ratio, data.ratio_stderr, right, "curvature a = 0.5, 1, 3")
        right.set_xlabel("learning rate × curvature, ηa")
        right.set_title("Variance on a quadratic")


def quadratic(key: jax.Array, walkers: int = 2048, steps: int = 300) -> np.ndarray:
    """Mean squares over the closed form, (cells, walkers), of theta' = theta - eta (a theta + 0.7 N(0, 1))."""
    curvature, product = (jnp.asarray(v) for v in zip(*CELLS, strict=True))
    rates = product / curvature

    def cell(key: jax.Array, curvature: jax.Array, rate: jax.Array) -> jax.Array:
        optimiser = optax.chain(annealed_noise(0.49, key, 0.0), optax.sgd(rate))

        return walk(optimiser, lambda theta: curvature * theta, jnp.zeros(walkers), steps) ** 2

    squares = jax.jit(jax.vmap(cell))(jax.random.split(key, len(CELLS)), curvature, rates)
    return np.asarray(squares, np.float64) / sgd_variance(rates, curvature, 0.7)[:, None]
