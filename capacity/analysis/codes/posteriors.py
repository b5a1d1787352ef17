"""Log densities of drawn codes under the posteriors of all points, by folds: z_j given x has a table of its own.

log q(z|x) = sum_j log q_j(z_j|x)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.special import xlogy

from capacity.analysis.latent.folds import sums_by_fold

BLOCK_BYTES = 3e7  # of one table of densities


class DrawnCodes(NamedTuple):
    """Codes that were drawn, one for each row of `points`.

    Attributes:
        points: (n,), whose posterior each was drawn from.
        symbols: (n, positions).
        own: (n,), log densities under that posterior, nats.
    """

    points: Int[np.ndarray, " n"]
    symbols: Int[np.ndarray, "n positions"]
    own: Float[np.ndarray, " n"]


def draw_codes(
    rng: np.random.Generator, log_probs: Float[np.ndarray, "points positions symbols"], points: Int[np.ndarray, " n"]
) -> DrawnCodes:
    """A code of each of the points, by the largest of log probabilities with Gumbel noise."""
    symbols = np.empty((len(points), log_probs.shape[1]), np.int64)
    for j in range(log_probs.shape[1]):
        table = log_probs[points, j]
        symbols[:, j] = (table + rng.gumbel(size=table.shape)).argmax(1)
    own = np.take_along_axis(log_probs[points], symbols[:, :, None], 2)[:, :, 0].sum(1)
    return DrawnCodes(points, symbols, own)


def posterior_sums(
    log_probs: Float[np.ndarray, "points positions symbols"], drawn: DrawnCodes, fold: Int[np.ndarray, " points"]
) -> Float[np.ndarray, "n folds"]:
    """Log sums of densities of drawn codes over the points of each fold, their own posteriors left out.

    Args:
        log_probs: of all points.
        drawn: codes of some of them.
        fold: of each point; none is without points.
    """
    order = np.argsort(fold, kind="stable")
    folds = int(fold.max()) + 1
    edges = np.searchsorted(fold[order], np.arange(folds + 1))
    place = np.argsort(order)
    by_symbol = np.ascontiguousarray(log_probs[order].transpose(1, 2, 0))
    out = np.empty((len(drawn.points), folds))
    step = max(int(BLOCK_BYTES / 8 / len(log_probs)), 1)
    for start in range(0, len(out), step):
        rows = slice(start, start + step)
        table = np.zeros((len(out[rows]), len(log_probs)))
        for j, tables in enumerate(by_symbol):
            table += tables[drawn.symbols[rows, j]]
        out[rows] = sums_by_fold(table, place[drawn.points[rows]], edges)
    return out


def entropies(log_probs: Float[np.ndarray, "points positions symbols"]) -> Float[np.ndarray, "points positions"]:
    """(points, positions) entropy of each posterior, nats."""
    probs = np.exp(log_probs)
    return np.asarray(-xlogy(probs, probs).sum(2))


def controls(
    log_probs: Float[np.ndarray, "points positions symbols"],
    entropy: Float[np.ndarray, "points positions"],
    drawn: DrawnCodes,
) -> Float[np.ndarray, "n 2"]:
    """(n, 2) of mean 0 at every point: own log densities, and those under the product of mean posteriors."""
    mean = np.exp(log_probs).mean(0)
    log_mean = np.log(np.maximum(mean, np.finfo(float).tiny))
    positions = np.arange(mean.shape[0])
    told = log_mean[positions, drawn.symbols].sum(1)
    expected = np.einsum("njk,jk->n", np.exp(log_probs), log_mean)
    return np.stack([drawn.own + entropy.sum(1)[drawn.points], told - expected[drawn.points]], 1)
