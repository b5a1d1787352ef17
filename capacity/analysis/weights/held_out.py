"""Bits that a network tells about labels, on data that it was trained on and on data that it was not.

bits per label = H(Y) + E log2 q(y|x): on fresh data a lower bound on I(X;Y) for any network (Barber & Agakov 2003); on
training data an optimistic figure, and the difference is the generalisation gap.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from capacity.results.estimate import NATS_PER_BIT, Estimate


class LabelBits(NamedTuple):
    """Bits per label on training data (a point: it was fitted), on held-out data (a lower bound), and their gap."""

    training: Estimate
    held_out: Estimate
    gap: Estimate


def label_bits(log_probs: Float[Array, " n"], entropy: float, *, held_out: bool) -> Estimate:
    """Bits per label, entropy + mean log2 q(y|x), with its interval over the examples.

    Args:
        log_probs: (n,) nats, what the network gave each example's true label.
        entropy: H(Y) of the labels, bits, known and not estimated from these examples; it is the limit.
        held_out: whether the network has never seen these examples: only then is the figure a lower bound.
    """
    return Estimate.from_samples(
        nats=log_probs + entropy * NATS_PER_BIT, kind="lower" if held_out else "point", limit=entropy
    )


def gap_bits(training: Float[Array, " n"], held_out: Float[Array, " m"], entropy: float) -> LabelBits:
    """Both figures and the generalisation gap, training less held-out bits per label.

    The gap's interval says how sure the gap of *this* network is: on the training side the examples are the population
    that is asked about, so that only the held-out side varies.

    Args:
        training: (n,) nats, log q of the true labels of all training examples.
        held_out: (m,) nats, of fresh ones.
        entropy: H(Y), bits.
    """
    seen, fresh = label_bits(training, entropy, held_out=False), label_bits(held_out, entropy, held_out=True)
    gap = Estimate.from_normal(
        bits=seen.bits - fresh.bits, stderr=fresh.stderr, kind="point", limit=jnp.inf, n=held_out.shape[0]
    )
    return LabelBits(seen, fresh, gap)
