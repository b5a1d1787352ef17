"""What the claims on gradient noise and on minibatches share: a noise whose variance on a quadratic is known.

Before anything is believed of a network, walkers on a quadratic must have the stationary variance of the closed form,
eta sigma^2 / (a (2 - eta a)) at learning rate eta and curvature a (as in Mandt, Hoffman & Blei 2017, of one step more).
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import jax
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from capacity.claims import answers as statistics
from capacity.claims.claim import Claim, Context, Evidence
from capacity.claims.lab.experiment import labelled
from capacity.claims.lab.noisy_training import NoiseKind, gains, run_strengths, strengths_data
from capacity.claims.lab.training_figure import draw_bits, draw_cosine, draw_ratio
from capacity.claims.prediction import Prediction

VARIANCE_PREDICTION = Prediction(
    "variance on a quadratic", "SGD has its closed-form variance, as a ratio", 0.95, 1.05, "1", instrument=True
)


class QuadraticClaim(Claim):
    """A noise in training: its variance on a quadratic, then a network on parity at every strength of it.

    Attributes:
        kind: of the noise, as `run_strengths` names it.
        strengths: from none upwards.
        axis: long name and units of the strength.
        products: learning rate times curvature, for each cell of the quadratic.
        cells: what the cells vary beside that, in words.
    """

    kind: ClassVar[NoiseKind]
    strengths: ClassVar[tuple[float, ...]]
    axis: ClassVar[tuple[str, str]]
    products: ClassVar[tuple[float, ...]]
    cells: ClassVar[str]

    @abstractmethod
    def variance_ratio(self, key: jax.Array) -> np.ndarray:
        """Mean squares of walkers on a quadratic over their closed form, (cells, walkers)."""

    @abstractmethod
    def tick(self, strength: float) -> str:
        """The word for a strength on the figure's axis."""

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Walkers on a quadratic, then networks on parity."""
        key_walk, key_train = jax.random.split(key)
        ratio = context.part("quadratic", lambda: {"ratio": self.variance_ratio(key_walk)})["ratio"]
        figures = run_strengths(context, key_train, self.kind, self.strengths)
        answers = {
            VARIANCE_PREDICTION.name: statistics.mean(ratio.mean(0), context.miss_rate),
        } | gains(figures, context.miss_rate)
        data = strengths_data(figures, self.strengths, *self.axis)
        data["ratio"] = labelled("cell", ratio.mean(1), "stationary variance over its closed form", "1")
        data["ratio_stderr"] = labelled("cell", ratio.std(1) / ratio.shape[1] ** 0.5, "standard error", "1")
        return Evidence(answers, data.assign_coords(product=labelled("cell", self.products, "eta a", "1")))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Bits against the strength; cosines; the quadratic's ratio."""
        left, middle, right = figure.subplots(1, 3, width_ratios=(1.3, 1, 0.8))
        ticks = [self.tick(strength) for strength in data.strength.values]
        draw_bits(data, left, ticks)
        draw_cosine(data, middle, ticks)
        draw_ratio(data["product"], data.ratio, data.ratio_stderr, right, self.cells)
        right.set_xlabel("learning rate × curvature, ηa")
        right.set_title("Variance on a quadratic")
