"""How much of a minibatch's gradient is signal: signal-to-noise ratio, and cosine to the full-batch gradient.

With g_i the gradient of example i, mean g and covariance Sigma over the n examples, a minibatch of B without
replacement has noise tr(Sigma)/B (n - B)/(n - 1) around g, and SNR = |g|^2 over that (McCandlish et al. 2018, the
"simple noise scale" being tr(Sigma)/|g|^2).  Exact for a finite data set: nothing is estimated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import PyTree

from capacity.analysis.weights.interval import MeanInterval, student_interval
from capacity.runtime.keys import Seed, as_key
from capacity.training.noises.minibatches import minibatch


class GradientStatistics(NamedTuple):
    """|g|, tr(Sigma), the noise scale tr(Sigma)/|g|^2 in examples, and the SNR of a minibatch (inf at full batch)."""

    norm: jax.Array
    variance: jax.Array
    noise_scale: jax.Array
    snr: jax.Array


def gradient_statistics(
    loss: Callable[[PyTree, PyTree], jax.Array], params: PyTree, examples: PyTree, size: int | jax.Array
) -> GradientStatistics:
    """Signal and noise of the gradient at these parameters; traceable, so that it can be watched along training.

    Args:
        loss: `(params, example) -> scalar` of one example.
        params: a pytree.
        examples: a pytree with a leading axis of all n examples.
        size: B, examples in a minibatch, from 1 to n; may be traced.
    """
    gradients = _per_example(loss, params, examples)
    n = gradients.shape[0]
    mean = gradients.mean(0)
    variance = jnp.square(gradients - mean[None]).sum() / n
    square, many = mean @ mean, jnp.asarray(size, mean.dtype)
    noise = variance / many * (n - many) / max(n - 1, 1)
    return GradientStatistics(jnp.sqrt(square), variance, variance / square, square / noise)


def cosine_to_full(
    key: Seed,
    loss: Callable[[PyTree, PyTree], jax.Array],
    params: PyTree,
    examples: PyTree,
    size: int | jax.Array,
    draws: int = 32,
) -> MeanInterval:
    """Mean cosine between the gradient of a random minibatch of `size` and that of all examples, over `draws` of them.

    Args:
        key: of the minibatches.
        loss: `(params, example) -> scalar` of one example.
        params: a pytree.
        examples: a pytree with a leading axis of all n examples.
        size: B, examples in a minibatch, from 1 to n; may be traced.
        draws: minibatches, at least 2.
    """
    key = as_key(key)
    gradients = _per_example(loss, params, examples)
    n, mean = gradients.shape[0], gradients.mean(0)

    def cosine(key: jax.Array) -> jax.Array:
        drawn = minibatch(key, n, size, n)
        part = jnp.zeros(n).at[drawn.rows].set(drawn.weight) @ gradients
        cosine: jax.Array = part @ mean / (jnp.linalg.norm(part) * jnp.linalg.norm(mean))
        return cosine

    return student_interval(jax.lax.map(cosine, jax.random.split(key, draws)))


def _per_example(loss: Callable[[PyTree, PyTree], jax.Array], params: PyTree, examples: PyTree) -> jax.Array:
    """(n, parameters)."""
    gradients: jax.Array = jax.vmap(lambda example: ravel_pytree(jax.grad(loss)(params, example))[0])(examples)
    return gradients
