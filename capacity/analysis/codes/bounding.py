"""Means over drawn rows as bounds: three standard errors, what is of second order in them, and what no row showed."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from capacity.analysis.latent.bounding import conservative_mean
from capacity.results.estimate import NATS_PER_BIT, Estimate, Kind
from capacity.results.intervals import CONSERVATIVE_ERRORS, Z95, rule_of_three_bits

SECOND_ORDER = CONSERVATIVE_ERRORS**2 / 2  # nats times n: half the square of the errors that the interval reaches

UNSEEN = CONSERVATIVE_ERRORS / Z95  # times 3/n of the probability: as wider than 95 % as three standard errors are
ROUNDING = 1e-9  # of what there can be at most, which is itself a sum of logarithms


def lower_bounds(
    values: Float[np.ndarray, "k n"],
    limit: float = np.inf,
    loss: Float[np.ndarray, "k n"] | None = None,
    controls: Float[np.ndarray, "k n c"] | None = None,
) -> Estimate:
    """Means of values whose expectation is at most the truth; leaves (k,), bits, cut at 0.

    A mean of -log p^ of counts is flat where p^ is uniform: its interval of first order then has no width, and the
    profile likelihood's (Wilks 1938) has z^2/2n nats.

    Args:
        values: nats, independent along n.
        limit: the most that the bounds could be, bits.
        loss: nats that a row of a kind that never came may take from each; None: all of the figure.
        controls: of mean 0.
    """
    found, n = _means(values, "lower", controls), values.shape[1]
    most = np.maximum(found.bits, 0.0) + (0.0 if loss is None else loss.mean(1) / NATS_PER_BIT)
    unseen = UNSEEN * rule_of_three_bits(most, n) + SECOND_ORDER / n / NATS_PER_BIT
    bits, low, high = (np.maximum(end, 0.0) for end in (found.bits, found.low - unseen, found.high))
    return replace(found, bits=bits, low=np.minimum(low, bits), high=high, limit=np.full(len(values), limit))


def upper_bounds(values: Float[np.ndarray, "k n"], most: Float[np.ndarray, "k n"]) -> Estimate:
    """Means of values whose expectation is at least the truth; leaves (k,), bits.

    Args:
        values: nats, independent along n.
        most: the most that each could have been: rows of a kind that never came may have 4.6/n of the probability.
    """
    found, n = _means(values, "upper"), values.shape[1]
    loss = np.maximum(most.mean(1) / NATS_PER_BIT - found.bits, 0.0)
    high = found.bits + np.hypot(found.high - found.bits, UNSEEN * rule_of_three_bits(loss, n))
    return replace(found, bits=np.maximum(found.bits, 0.0), low=np.maximum(found.low, 0.0), high=np.maximum(high, 0.0))


def one_of(found: Estimate, place: int = 0) -> Estimate:
    """One figure of a stack of them."""
    one: Estimate = jax.tree.map(lambda leaf: np.asarray(leaf)[place], found)
    return one


def stacked(found: list[Estimate]) -> Estimate:
    """Figures as one with leaves (k,)."""
    one: Estimate = jax.tree.map(lambda *leaves: np.array([float(leaf) for leaf in leaves]), *found)
    return one


def cut_at(found: Estimate, most: np.ndarray | float) -> Estimate:
    """The bound, no part of it above what there can be at most, in bits."""
    bits, low, high = (
        np.minimum(np.asarray(end), most * (1 + ROUNDING)) for end in (found.bits, found.low, found.high)
    )
    return replace(found, bits=bits, low=low, high=high)


def _means(values: np.ndarray, kind: Kind, controls: np.ndarray | None = None) -> Estimate:
    """One after another: a program is compiled for each shape, which takes longer than many calls of one."""
    columns = np.zeros((*values.shape, 0)) if controls is None else controls
    with jax.enable_x64(True):
        found = [
            conservative_mean(jnp.asarray(one), jnp.asarray(known)) for one, known in zip(values, columns, strict=True)
        ]
    return replace(stacked(found), kind=kind)
