"""Small minibatches as exploration: does a network learn and generalise better from B of n examples than from all?

On a quadratic the truth is known: minibatches drawn without replacement have gradient noise sigma^2/B (n-B)/(n-1), and
SGD then a stationary variance eta sigma_B^2/(a (2 - eta a)).  That must be met before anything else is believed.
"""

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
from capacity.claims.lab.noisy_training import TRAINING, gains, outcome_data, run_strengths, walk, with_ratio
from capacity.claims.lab.training_figure import draw_bits, draw_cosine, draw_ratio
from capacity.theory.training import sgd_variance
from capacity.training.noises import average_minibatch

BATCHES = (TRAINING, 32, 16, 8, 4, 1)
EXAMPLES = 24  # of the quadratic
CELLS = [(size, product) for size in (1, 4, 12) for product in (0.1, 0.5, 1.0, 1.7)]


@dataclass(frozen=True)
class MinibatchNoise:
    """Full batch against minibatches of 32 to 1, each at its best learning rate; as many steps for all."""

    name: ClassVar[str] = "minibatch"
    sentence: ClassVar[str] = "noise in training is exploration energy (here: that of small minibatches)"
    source: ClassVar[str] = "the essay on randomness in deep learning; LeCun et al. (1998), Keskar et al. (2017)"
    predictions: ClassVar[tuple[Prediction, ...]] = (
        Prediction(
            "variance on a quadratic", "SGD has its closed-form variance, as a ratio", 0.95, 1.05, "1", instrument=True
        ),
        Prediction(
            "gain in training bits", "some minibatch finds what the full batch misses", low=0, unit="bits per label"
        ),
        Prediction("gain in held-out bits", "and generalises better", low=0, unit="bits per label"),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Walkers on a quadratic, then networks on parity."""
        key_walk, key_train = jax.random.split(key)
        ratio = context.part("quadratic", lambda: {"ratio": quadratic(key_walk)})["ratio"]
        outcome = run_strengths(context, key_train, "batch", BATCHES)
        answers = {
            "variance on a quadratic": statistics.mean(ratio.mean(0), context.miss_rate),
        } | gains(outcome, context.miss_rate)
        data = outcome_data(outcome, BATCHES, "minibatch", "examples")
        return Evidence(answers, with_ratio(data, ratio, [product for _, product in CELLS]))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Bits against the minibatch; cosines; the quadratic's ratio."""
        left, middle, right = figure.subplots(1, 3, width_ratios=(1.3, 1, 0.8))
        ticks = [f"{int(b)}" if b < TRAINING else f"all {TRAINING}" for b in data.strength.values]
        draw_bits(data, left, ticks)
        draw_cosine(data, middle, ticks)
        draw_ratio(data["product"], data.ratio, data.ratio_stderr, right, "B = 1, 4, 12 of 24")
        right.set_xlabel("learning rate × curvature, ηa")
        right.set_title("Variance on a quadratic")


def quadratic(key: jax.Array, walkers: int = 2048, steps: int = 300) -> np.ndarray:
    """Mean squares over the closed form, (cells, walkers): examples x_i with losses (theta - x_i)^2 / 2, sum x = 0."""
    key_data, key_walk = jax.random.split(key)
    x = jax.random.normal(key_data, (EXAMPLES,))
    x = x - x.mean()
    sizes, rates = (jnp.asarray(v) for v in zip(*CELLS, strict=True))

    def walker(key: jax.Array, size: jax.Array, rate: jax.Array) -> jax.Array:
        optimiser = optax.chain(average_minibatch(size, key), optax.sgd(rate))
        return walk(optimiser, lambda theta: theta[None] - x, jnp.zeros(()), steps) ** 2

    keys = jax.random.split(key_walk, (len(CELLS), walkers))
    squares = jax.jit(jax.vmap(jax.vmap(walker, (0, None, None))))(keys, sizes, rates)
    drawn = np.asarray(sizes, np.float64)
    noise = float(x.std()) * np.sqrt((EXAMPLES - drawn) / (EXAMPLES - 1) / drawn)
    return np.asarray(squares, np.float64) / sgd_variance(rates, 1.0, noise)[:, None]
