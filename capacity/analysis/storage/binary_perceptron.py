"""Perceptron with weights +-1: how many random patterns can it store, by listing all weights, and by a search.

Patterns are standard normal and their labels +1, which for random labels is no loss (a label's sign goes into its
pattern) and leaves no ties.  Krauth & Mézard (1989): alpha = 0.833 patterns a weight; rigorous: above it nothing
fits (Huang 2024), below it something does with positive chance (Ding & Sun 2018).
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm
from jaxtyping import Array, Float, Int
from numpy.typing import NDArray

from capacity.runtime.shapes import Key

MAX_LISTED_WEIGHTS = 28


def longest_memory(rng: np.random.Generator, weights: int) -> int:
    """How many patterns come one after another before no weight vector has all of them right.

    Exact, by listing: all 2^weights vectors, of which each pattern leaves some.  Sums of the two halves of the
    weights are listed and added, so that a pattern costs an addition a survivor.

    Args:
        rng: decides the patterns.
        weights: how many, from 2 to 28; memory grows as 2^weights.

    Raises:
        ValueError: for a number of weights out of range.
    """
    if not 2 <= weights <= MAX_LISTED_WEIGHTS:
        raise ValueError(f"Expected from 2 to {MAX_LISTED_WEIGHTS} weights to list; got {weights}.")
    low, high = weights // 2, weights - weights // 2
    low_signs, high_signs = _signs(low), _signs(high)
    survivors: NDArray[np.uint32] | None = None
    patterns = 0
    while True:
        pattern = rng.standard_normal(weights).astype(np.float32)
        low_sums, high_sums = low_signs @ pattern[:low], high_signs @ pattern[low:]
        if survivors is None:
            survivors = np.flatnonzero((high_sums[:, None] + low_sums[None]).ravel() > 0).astype(np.uint32)
        else:
            sums = high_sums[survivors >> np.uint32(low)] + low_sums[survivors & np.uint32(2**low - 1)]
            survivors = survivors[sums > 0]
        if not survivors.size:
            return patterns
        patterns += 1


def _signs(count: int) -> NDArray[np.float32]:
    """All vectors of +-1, (2^count, count)."""
    return (2.0 * (np.arange(2**count)[:, None] >> np.arange(count) & 1) - 1).astype(np.float32)


@partial(jax.jit, static_argnames="steps")
def reinforced_search(
    key: Key, patterns: Float[Array, "patterns weights"], steps: int = 400, strength: float = 0.003
) -> Int[Array, ""]:
    """How many of the patterns the best weights +-1 that were met get right; all of them is a solution.

    Message passing for the marginals of a random solution (approximate, in the form of Donoho, Maleki & Montanari
    2009), with a field that grows along each weight's own marginal until all are decided (reinforcement, Braunstein &
    Zecchina 2006).  It finds solutions of large problems up to some 0.7 patterns a weight: a lower bound on the
    capacity, for what a search does not find may still be there.

    Args:
        key: breaks the symmetry of the start.
        patterns: (p, n), each to have a positive sum with the weights.
        steps: of message passing.
        strength: at step t each weight keeps its field of the step before with weight 1 - (1 - strength)^t.
    """
    count, weights = patterns.shape
    scaled = patterns / weights**0.5
    squares = jnp.square(scaled)

    def step(carry: tuple[jax.Array, jax.Array], t: jax.Array) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        field, past_output = carry
        mean = jnp.tanh(field)
        spread = jnp.sqrt(squares @ (1 - jnp.square(mean)) + 1e-9)
        centre = scaled @ mean - past_output * jnp.square(spread)
        ratio = -centre / spread
        # phi(r)/Phi(-r), the mean of a normal beyond r, from logarithms: both underflow.
        output = jnp.exp(norm.logpdf(ratio) - norm.logcdf(-ratio)) / spread
        slope = output * (output + centre / jnp.square(spread))
        message = scaled.T @ output + mean * (squares.T @ slope)
        kept = 1 - (1 - strength) ** t.astype(jnp.float32)
        right = (scaled @ jnp.sign(field) > 0).sum()
        return (message + kept * field, output), right

    start = (1e-3 * jax.random.normal(key, (weights,)), jnp.zeros(count))
    _, right = jax.lax.scan(step, start, jnp.arange(steps))
    return right.max()
