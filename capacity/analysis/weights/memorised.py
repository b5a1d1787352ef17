"""Bits that a network has memorised: how much its weights tell about labels that were drawn at random.

Labels Y are uniform on C classes and independent of the inputs, so what is known of them is in the weights W, and
    I(Y; W) >= N log2 C + E sum_i log2 q(y_i | x_i, W)
for *any* q that is read from the weights (Barber & Agakov 2003): the network's own probabilities are one.  Zhang et al.
(2017) train on such labels; Collins et al. (2017) and Morris et al. (2025) count bits per parameter so.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from scipy import stats

from capacity.results.estimate import NATS_PER_BIT, Estimate


def memorised_bits(log_probs: jax.Array, classes: int = 2, parameters: int = 1) -> Estimate:
    """A lower bound, in expectation, on the bits of random labels that the weights hold, divided by `parameters`.

    The interval is Student's over the runs, each with labels of its own; within one run the labels share the weights
    and are not independent.  With one run there is none: its ends are NaN.

    Args:
        log_probs: (runs, N) nats, what each trained network gives the labels that it was trained on.
        classes: C.
        parameters: divide by so many, for bits per parameter.

    Raises:
        ValueError: for another shape, fewer than two classes or no parameter.
    """
    if log_probs.ndim != 2 or classes < 2 or parameters < 1:
        raise ValueError(
            "Expected log_probs of shape (runs, N), at least two classes and one parameter; "
            f"got shape {log_probs.shape}, {classes} classes, {parameters} parameters."
        )
    runs, count = log_probs.shape
    limit = count * math.log2(classes) / parameters
    bits = limit + log_probs.sum(1) / NATS_PER_BIT / parameters
    stderr = bits.std(ddof=1) / runs**0.5 if runs > 1 else jnp.asarray(jnp.nan)
    reach = float(stats.t.ppf(0.975, runs - 1)) * stderr if runs > 1 else stderr
    mean = bits.mean()
    return Estimate(mean, stderr, mean - reach, mean + reach, jnp.asarray(limit), jnp.asarray(runs), kind="lower")
