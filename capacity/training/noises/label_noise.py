"""Label noise: with probability p a label is replaced by one of the other classes, all alike.

A fair binary label then tells 1 - h(p) bits about the true one (the binary symmetric channel).  With one key for the
whole run the labels are wrong once and for all, as in a badly labelled data set; with a key for each step the noise is
fresh (DisturbLabel, Xie et al. 2016) and only blurs the loss: cross-entropy towards (1 - p) on the label.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from capacity.runtime.keys import Seed, as_key


def flip_labels(
    key: Seed, labels: jax.Array, probability: float | jax.Array, classes: int | jax.Array = 2
) -> jax.Array:
    """Labels 0..classes-1 (n,), each replaced by another class with this probability.

    Args:
        key: decides which.
        labels: (n,) integers.
        probability: p, from 0 to 1; may be traced.
        classes: how many there are, at least 2; may be traced.

    Raises:
        ValueError: for labels that are not integers, or a probability or classes out of range.
    """
    key = as_key(key)
    if not jnp.issubdtype(labels.dtype, jnp.integer):
        raise ValueError(f"Expected integer labels; got {labels.dtype}.")
    if not isinstance(probability, jax.Array) and not 0 <= probability <= 1:
        raise ValueError(f"Expected a probability from 0 to 1; got {probability}.")
    if not isinstance(classes, jax.Array) and not classes >= 2:
        raise ValueError(f"Expected at least two classes; got {classes}.")
    key_flip, key_shift = jax.random.split(key)
    many = jnp.asarray(classes, labels.dtype)
    shift = jax.random.randint(key_shift, labels.shape, 1, many, labels.dtype)
    flipped = jax.random.bernoulli(key_flip, probability, labels.shape)
    return jnp.where(flipped, (labels + shift) % many, labels)
