"""What fitted models show on pairs that had no part in the fit, and whether that is what their own laws would show.

The bound of `held_out` is a lower bound on I(X;Y) whatever the model: of two models the one with the higher bound knows
more.  What a model states in closed form may still be far above what it shows: a normal law of many correlated columns
counts one hidden number many times.  A gap alone says little, since a fit to few pairs and a bound that ends at the log
of the block both show less than there is.  So pairs are drawn from the fitted law itself and go the same way (a
parametric bootstrap, Efron & Tibshirani 1993, chapter 6.5): where the data show significantly less than those, the law
is not the data's and its closed form is not believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import numpy as np

from capacity.estimators.estimator import RatioEstimator
from capacity.estimators.held_out import block_means
from capacity.results.estimate import NATS_PER_BIT

ONE_IN = 4  # so many pairs is held out
MAX_FITTED = 20_000  # pairs that are enough to compare models
BLOCKS = (128, 1024)
DRAWN = 4  # samples of a fitted law


@dataclass(frozen=True)
class Shown:
    """What one model shows on held-out pairs.

    Attributes:
        blocks: the bound of each block of pairs, bits.
        block: how many pairs a block has.
    """

    blocks: np.ndarray
    block: int

    @property
    def bits(self) -> float:
        """The bound, as the mean over blocks."""
        return float(self.blocks.mean())

    @property
    def stderr(self) -> float:
        """Its standard error, bits."""
        return float(self.blocks.std(ddof=1) / len(self.blocks) ** 0.5)

    def behind(self, best: Shown) -> float:
        """How far it is behind another, in standard errors of the difference on the same blocks."""
        difference = best.blocks - self.blocks
        stderr = float(difference.std(ddof=1) / len(difference) ** 0.5)
        return float(difference.mean()) / max(stderr, 1e-12) if difference.any() else 0.0


@dataclass(frozen=True)
class Check:
    """How a model's held-out bound compares with that of pairs from its own law.

    Attributes:
        shown: on the data, bits.
        expected: on pairs from the law, bits.
        stderr: of the difference, were the law the data's, bits.
    """

    shown: float
    expected: float
    stderr: float

    @property
    def short(self) -> float:
        """How much less the data show, bits."""
        return self.expected - self.shown

    @property
    def errors(self) -> float:
        """How much less the data show, in standard errors."""
        return self.short / max(self.stderr, 1e-12)


def shown_by(
    key: jax.Array, models: Sequence[RatioEstimator], x: np.ndarray, y: np.ndarray
) -> dict[RatioEstimator, Shown]:
    """Every model's bound on a quarter of the pairs, fitted to the rest; a model that refuses them is left out.

    Args:
        key: decides which pairs are held out.
        models: to be compared, on the same blocks.
        x, y: shapes (n, dx) and (n, dy).
    """
    key_order, key_fit = jax.random.split(key)
    order = np.asarray(jax.random.permutation(key_order, len(x)))[:MAX_FITTED]
    held, rest = order[: len(order) // ONE_IN], order[len(order) // ONE_IN :]
    fitted = {}
    for model in models:
        try:
            fitted[model] = model.fit(key_fit, x[rest], y[rest])
        except ValueError:
            continue  # fewer pairs than the model needs, say: it is no candidate
    shown: dict[RatioEstimator, Shown] = {}
    for asked in BLOCKS:
        block = min(asked, len(held) // 4)
        shown = {
            m: Shown(block_means(ratio, x[held], y[held], block) / NATS_PER_BIT, block) for m, ratio in fitted.items()
        }
        if not shown or max(one.bits for one in shown.values()) < 0.7 * np.log2(block):
            break
    return shown


def check(key: jax.Array, model: RatioEstimator, shown: Shown, x: np.ndarray, y: np.ndarray) -> Check | None:
    """The model's bound on the data beside that on pairs of its own law; None where the law cannot be drawn from.

    Args:
        key: of the pairs drawn.
        model: fitted to all pairs here.
        shown: what it showed on the data.
        x, y: shapes (n, dx) and (n, dy).
    """
    n = min(len(x), MAX_FITTED)
    key_draw, key_fit = jax.random.split(key)
    simulated = model.simulated(key_draw, x, y, DRAWN * n)
    if simulated is None:
        return None
    of_law, all_x, all_y = simulated
    held, expected, spreads = n // ONE_IN, [], []
    for drawn_x, drawn_y in zip(np.split(all_x, DRAWN), np.split(all_y, DRAWN), strict=True):
        ratio = of_law.fit(key_fit, drawn_x[held:], drawn_y[held:])
        blocks = block_means(ratio, drawn_x[:held], drawn_y[:held], shown.block) / NATS_PER_BIT
        expected.append(float(blocks.mean()))
        spreads.append(float(blocks.var(ddof=1)))
    count = len(shown.blocks)
    # What the fit adds to the spread is not seen within one sample's blocks.
    variance = max(float(np.mean(spreads)) / count, float(np.var(expected, ddof=1)))
    return Check(shown.bits, float(np.mean(expected)), (variance * (1 + 1 / DRAWN)) ** 0.5)
