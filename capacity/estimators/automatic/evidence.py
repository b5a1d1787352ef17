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

from capacity.estimators.checks import random_of
from capacity.estimators.estimator import RatioEstimator
from capacity.estimators.held_out import block_means
from capacity.estimators.neighbours.ksg import KSG, Margins, scaled_margins
from capacity.estimators.parametric.gaussian_copula import heavy_tailed
from capacity.results.estimate import NATS_PER_BIT
from capacity.runtime.threefry import order_of, parts_of

ONE_IN = 4  # so many pairs is held out
MAX_FITTED = 20_000  # pairs that are enough to compare models
BLOCKS = (128, 1024)
DRAWN = 4  # samples of a fitted law
NEAR_COLUMNS = 64  # of x and y together, up to which neighbours are asked
NEAR_ROWS = 3000
NEAR_SPREAD = 1.3  # by how much neighbours' terms, which depend on one another, make the error larger


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
class Compared:
    """A figure of the data beside the same figure of pairs from a fitted law.

    Attributes:
        seen: on the data, bits.
        expected: on pairs from the law, bits.
        stderr: of the difference, were the law the data's, bits.
    """

    seen: float
    expected: float
    stderr: float

    @property
    def more(self) -> float:
        """How much more the data have, bits."""
        return self.seen - self.expected

    @property
    def errors(self) -> float:
        """How much more the data have, in standard errors."""
        return self.more / max(self.stderr, 1e-12)


@dataclass(frozen=True)
class Check:
    """A model's law beside the data, by two figures that any law has.

    Attributes:
        held_out: the model's bound on held-out pairs.
        near: what nearest neighbours say; None for more columns than they are asked about.
    """

    held_out: Compared
    near: Compared | None


def shown_by(
    key: jax.Array, models: Sequence[RatioEstimator], x: np.ndarray, y: np.ndarray
) -> dict[RatioEstimator, Shown]:
    """Every model's bound on a quarter of the pairs, fitted to the rest; a model that refuses them is left out.

    Args:
        key: decides which pairs are held out.
        models: to be compared, on the same blocks.
        x, y: shapes (n, dx) and (n, dy).
    """
    key_order, key_fit = parts_of(key, 2)
    order = order_of(key_order, len(x))[:MAX_FITTED]
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
    """The data beside pairs of a model's own law; None where the law cannot be drawn from.

    Neighbours lose bits in many columns, and lose as many on pairs of the law, if it is the data's.

    Args:
        key: of the pairs drawn.
        model: fitted to all pairs here.
        shown: what it showed on the data.
        x, y: shapes (n, dx) and (n, dy).
    """
    n = min(len(x), MAX_FITTED)
    key_draw, key_fit, key_rows = parts_of(key, 3)
    drawn = model.simulated(key_draw, x, y, DRAWN * n)
    if drawn is None:
        return None
    held, expected, spreads = n // ONE_IN, [], []
    samples = list(zip(np.split(drawn.x, DRAWN), np.split(drawn.y, DRAWN), strict=True))
    for drawn_x, drawn_y in samples:
        ratio = drawn.method.fit(key_fit, drawn_x[held:], drawn_y[held:])
        blocks = block_means(ratio, drawn_x[:held], drawn_y[:held], shown.block) / NATS_PER_BIT
        expected.append(float(blocks.mean()))
        spreads.append(float(blocks.var(ddof=1)))
    count = len(shown.blocks)
    # What the fit adds to the spread is not seen within one sample's blocks.
    variance = max(float(np.mean(spreads)) / count, float(np.var(expected, ddof=1)))
    held_out = Compared(shown.bits, float(np.mean(expected)), (variance * (1 + 1 / DRAWN)) ** 0.5)
    near = None
    if drawn.x.shape[1] + drawn.y.shape[1] <= NEAR_COLUMNS:
        near = beside_neighbours(key_rows, (drawn.seen_x, drawn.seen_y), samples)
    return Check(held_out, near)


def beside_neighbours(
    key: jax.Array, seen: tuple[np.ndarray, np.ndarray], drawn: Sequence[tuple[np.ndarray, np.ndarray]]
) -> Compared:
    """What nearest neighbours say of pairs, beside what they say of pairs drawn from a law fitted to them.

    Args:
        key: of the rows that are looked at.
        seen: the data, shapes (n, dx) and (n, dy).
        drawn: samples of the law.
    """
    rows = random_of(key).permutation(len(seen[0]))[:NEAR_ROWS]
    margins: Margins = "normal" if any(heavy_tailed(side) for side in seen) else "standard"
    local = _near(margins, *(side[rows] for side in seen))
    others = [_near(margins, *(side[: len(rows)] for side in sides)) for sides in drawn]
    spread = NEAR_SPREAD * local.std() / len(rows) ** 0.5 / NATS_PER_BIT
    expected = float(np.mean(others)) / NATS_PER_BIT
    return Compared(float(local.mean()) / NATS_PER_BIT, expected, float(spread * (1 + 1 / len(drawn)) ** 0.5))


def _near(margins: Margins, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Local terms of nearest neighbours, nats, shape (n,)."""
    local: np.ndarray = KSG().terms(scaled_margins(x, margins), scaled_margins(y, margins))[0]
    return local
