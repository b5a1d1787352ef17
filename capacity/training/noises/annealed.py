"""Annealed Gaussian gradient noise: step t adds N(0, sigma_t^2), sigma_t^2 = eta / (1 + t)^gamma.

Source: Neelakantan et al. (2015), "Adding gradient noise improves learning for very deep networks", equation 1; they
take eta in {0.01, 0.3, 1} and gamma = 0.55.
"""

from __future__ import annotations

import jax
import optax


def annealed_noise(
    eta: float | jax.Array, key: jax.Array, gamma: float | jax.Array = 0.55
) -> optax.GradientTransformation:
    """Add independent normal noise of variance eta / (1 + t)^gamma to every entry of the gradient of step t = 0, 1, ...

    It is `optax.add_noise`, with the paper's exponent and a key that must be given.  It stands before what scales the
    gradient: `optax.chain(annealed_noise(eta, key), optax.sgd(learning_rate))`.

    Args:
        eta: variance at the first step, in squared units of the gradient; may be traced.
        key: decides the noise; may be traced.
        gamma: exponent of the decay; 0 keeps the variance.

    Raises:
        ValueError: for a strength below 0, where it is a plain number.
    """
    for name, value in (("eta", eta), ("gamma", gamma)):
        if not isinstance(value, jax.Array) and not value >= 0:
            raise ValueError(f"Expected {name} of at least 0; got {value}.")
    return optax.add_noise(eta, gamma, key)
