"""Nearest neighbours for a pair of sides: with ties or without, and at the scales that show most."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np

from capacity.estimators.automatic.candidates import Held
from capacity.estimators.automatic.preparation import MIN_PAIRS, Prepared
from capacity.estimators.checks import random_of
from capacity.estimators.neighbours.ksg import KSG, scaled_margins
from capacity.estimators.neighbours.mixed import Mixed
from capacity.estimators.parametric.gaussian_copula import heavy_tailed

RATIOS = (1.0, 1 / 64, 1 / 16, 1 / 4, 4.0, 16.0, 64.0)  # of the scale of x to that of y
CLEARLY = 4.0  # standard errors by which neighbours at other scales must find more: terms of neighbours are alike
LEAST_GAIN = 0.1  # nats that they must surely find more
MAX_COMPARED = 5000  # rows on which scales are compared
MAX_TIED_SHARE = 0.01  # of rows of a side that equal another, above which neighbours must allow ties


def of_neighbours(key: jax.Array, sides: Prepared) -> Held:
    """What neighbours say: those that allow ties where there are any.

    Args:
        key: of rows that are looked at.
        sides: real numbers.

    Raises:
        ValueError: for pairs that occur twice.
    """
    if sides.atoms or (
        max(tied_share(sides.x), tied_share(sides.y)) > MAX_TIED_SHARE and not _tied_pairs(sides.x, sides.y)
    ):
        return Held(Mixed.name, Mixed()(key, sides.tied_x, sides.tied_y), "")
    heavy = heavy_tailed(sides.x) or heavy_tailed(sides.y)
    method = best_ratio(key, KSG(margins="normal" if heavy else "standard"), sides.x, sides.y)
    return Held(KSG.name if method.ratio == 1 else f"ksg at scales {method.ratio:g}", method(key, sides.x, sides.y), "")


def best_ratio(key: jax.Array, plain: KSG, x: np.ndarray, y: np.ndarray) -> KSG:
    """Neighbours with x longer or shorter against y, where that shows significantly more: y turns fast in x, or x in y.

    Args:
        key: of the rows that are looked at.
        plain: at equal scales.
        x, y: shapes (n, dx) and (n, dy).
    """
    if len(x) < MIN_PAIRS or _tied_pairs(x, y):
        return plain
    order = random_of(key).permutation(len(x))[:MAX_COMPARED]
    near, far = (scaled_margins(side[order], plain.margins) for side in (x, y))
    local = {ratio: plain.terms(ratio * near, far)[0] for ratio in RATIOS}
    terms = [{ratio: values[half::2] for ratio, values in local.items()} for half in range(2)]
    best = max(RATIOS, key=lambda ratio: float(terms[0][ratio].mean()))
    # The other half, which had no part in the choice, must bear it out.
    difference = terms[1][best] - terms[1][1.0]
    sure = float(difference.mean() - CLEARLY * difference.std() / len(difference) ** 0.5)
    return replace(plain, ratio=best) if best != 1 and sure > LEAST_GAIN else plain


def tied_share(side: np.ndarray) -> float:
    """The share of rows that equal another row."""
    return 1 - len(np.unique(side, axis=0)) / len(side)


def _tied_pairs(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether a pair occurs twice, which no continuous law gives."""
    return tied_share(np.hstack([x, y])) > 0
