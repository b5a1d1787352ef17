"""Information in the weights: what a posterior over them says beyond the prior, in closed form.

Under a Gaussian prior N(w0, s^2) and a Gaussian posterior around the minimum the description length is
KL(q || p) (Hinton & van Camp 1993; Achille & Soatto 2018); its mean over data sets is at least I(W; data), with
equality where p is the mean posterior.  For noisy descent a bound on I(W; data) needs no posterior at all (Pensia,
Jog & Loh 2018).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from capacity.results.estimate import NATS_PER_BIT


def gaussian_divergence(
    mean: jax.Array, std: jax.Array, prior_mean: jax.Array | float = 0.0, prior_std: jax.Array | float = 1.0
) -> jax.Array:
    """KL(N(mean, std^2) || N(prior_mean, prior_std^2)) in bits, summed over independent entries.

    Args:
        mean, std: (dim,), of the posterior.
        prior_mean, prior_std: of the prior, one number or (dim,).
    """
    ratio = std / prior_std
    return (
        0.5 * (jnp.square(ratio) + jnp.square((mean - prior_mean) / prior_std) - 1) - jnp.log(ratio)
    ).sum() / NATS_PER_BIT


def posterior_information(
    eigenvalues: jax.Array, displacement: jax.Array, count: float | jax.Array, prior_std: float | jax.Array
) -> jax.Array:
    """KL in bits of the Laplace posterior N(w, (count H + 1/s^2)^-1) from the prior N(w0, s^2).

    1/2 [ sum_i log(1 + count h_i s^2) - sum_i (1 - 1/(1 + count h_i s^2)) + |w - w0|^2 / s^2 ]: for a linear model with
    known noise the posterior is exact.  NaN where count h_i s^2 < -1: around a saddle there is no such posterior; take
    the eigenvalues of the Gauss-Newton matrix (`gauss_newton_product`), which are never negative.

    Args:
        eigenvalues: (dim,) h_i, of the curvature of the mean negative log likelihood per example, nats.
        displacement: (dim,) w - w0.
        count: training examples.
        prior_std: s.
    """
    gain = count * eigenvalues * jnp.square(prior_std)
    moved = jnp.square(displacement / prior_std).sum()
    return 0.5 * (jnp.log1p(gain) - gain / (1 + gain)).sum() / NATS_PER_BIT + 0.5 * moved / NATS_PER_BIT


def noisy_descent_information(
    learning_rates: jax.Array, noise_stds: jax.Array, update_squares: jax.Array | float, dim: int
) -> jax.Array:
    """Upper bound on I(W; data) in bits after noisy steps W_t = W_{t-1} - eta_t F_t + sigma_t N(0, 1).

    sum_t dim/2 log2(1 + eta_t^2 L_t^2 / (dim sigma_t^2)) (Pensia, Jog & Loh 2018, theorem 1), where L_t^2 is at least
    E|F_t - c|^2 for some fixed c, in the worst case of W_{t-1}: a bound on the norm of an update will do.  It holds for
    any way of drawing the minibatch that does not look at W.  `langevin` at step eps has eta = eps/2, sigma =
    sqrt(eps T).

    Args:
        learning_rates, noise_stds: (steps,), positive.
        update_squares: L^2, one number or (steps,).
        dim: parameters.
    """
    ratio = jnp.square(learning_rates / noise_stds) * jnp.asarray(update_squares) / dim
    return 0.5 * dim * jnp.log1p(ratio).sum() / NATS_PER_BIT


def generalization_bound(information: jax.Array, count: int, scale: float) -> jax.Array:
    """Largest expected gap |test - training loss|, sqrt(2 R^2 I / n), in the loss's own unit (Xu & Raginsky 2017).

    Args:
        information: I(W; data), bits.
        count: n, independent training examples.
        scale: R, the loss of a fresh example being R-sub-Gaussian for every W; (b - a)/2 for one between a and b.
    """
    return jnp.sqrt(2 * scale**2 * information * NATS_PER_BIT / count)
