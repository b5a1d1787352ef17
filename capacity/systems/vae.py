"""Variational autoencoder: loss = reconstruction + beta KL(q(z|x) || N(0,1)), beta the level.

Kingma & Welling (2014); Higgins et al. (2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from capacity.channels import LearntGaussian, Posterior
from capacity.joint.joint import Joint
from capacity.systems.antithetic import antithetic_codes, messages_for, repeat_batch
from capacity.systems.architecture import DEFAULT, Architecture, Params


@dataclass(frozen=True)
class VAE:
    """Variational autoencoder: reconstruction + beta KL(q(z|x) || N(0, 1)), in nats; the level is beta.

    rate = I(M;Z) + KL(q(z) || N(0,1)): asked bits are paid for by the rate.

    Training starts from `rate_start` times the weight asked, which rises to it over the first half of the steps.  At
    weights near 1 a rate that costs in full from the first step makes the code collapse before its decoder reads it,
    where a lower loss is to be had (Bowman et al. 2016; Sonderby et al. 2016).

    Raises:
        ValueError: for a rate_start outside 0 to 1.
    """

    architecture: Architecture = DEFAULT
    rate_start: float = 0.5
    name: ClassVar[str] = "vae"
    summary: ClassVar[str] = "variational autoencoder with learnt sigma(x); the level is the weight beta of the rate"
    level_name: ClassVar[str] = "weight of the rate"
    level_symbol: ClassVar[str] = "β"
    default_levels: ClassVar[tuple[float, ...]] = (
        0.02,
        0.04,
        0.08,
        0.15,
        0.25,
        0.35,
        0.5,
        0.6,
        0.7,
        0.8,
        0.9,
        1.0,
    )
    statement: ClassVar[str] = "no ceiling: the encoder may shrink its noise at any power; the rate limits it"

    def __post_init__(self) -> None:
        if not 0 <= self.rate_start <= 1:
            raise ValueError(f"Expected rate_start from 0 to 1; got {self.rate_start}.")

    def ceiling(self, level: float, source: Any) -> float | None:
        """None."""
        return None

    def init(self, key: jax.Array, source: Any) -> Params:
        """Fresh parameters."""
        return self.architecture.init(key, source, 2 * self.architecture.units)

    def channel(self, level: jax.Array) -> LearntGaussian:
        """The same at every level: beta acts through the loss."""
        return LearntGaussian()

    def prior_std(self, level: jax.Array, power: jax.Array) -> jax.Array:
        """1: the prior is standard normal."""
        return jnp.ones(())

    def loss(
        self,
        params: Params,
        key: jax.Array,
        level: jax.Array,
        source: Any,
        n: int,
        progress: jax.Array,
    ) -> jax.Array:
        """Mean loss in nats of n fresh noisy codes; progress runs from 0 to 1."""
        key_source, key_noise = jax.random.split(key)
        batch = source.sample(key_source, messages_for(n))
        posterior = jax.vmap(posterior_of(self.architecture, source, params))(batch.vector)
        z = antithetic_codes(key_noise, posterior.mean, jnp.exp(posterior.log_std))
        weight = level * (self.rate_start + (1 - self.rate_start) * jnp.minimum(2 * progress, 1))
        return self.architecture.reconstruction(params, source, repeat_batch(batch), z) + weight * mean_rate(posterior)

    def joint(self, params: Params, key: jax.Array, level: jax.Array, source: Any) -> Joint:
        """The trained sender: the encoder's posterior, and the channel that draws from it."""
        return Joint(source, posterior_of(self.architecture, source, params), self.channel(level))


def posterior_of(architecture: Architecture, source: Any, params: Params) -> jax.tree_util.Partial:
    """The encoder, from a vector (dim,) to the posterior of its code; a pytree."""
    return jax.tree_util.Partial(architecture.posterior, source, params["encoder"])


def drawn(key: jax.Array, posterior: Posterior) -> jax.Array:
    """One code for each posterior of a batch, (n, units), reparametrised."""
    return posterior.mean + jnp.exp(posterior.log_std) * jax.random.normal(key, posterior.mean.shape)


def mean_rate(posterior: Posterior) -> jax.Array:
    """KL(q(z|x) || N(0, 1)) in nats, mean over a batch of posteriors (n, units)."""
    variance = jnp.exp(2 * posterior.log_std)
    return (0.5 * (jnp.square(posterior.mean) + variance - 1) - posterior.log_std).sum(1).mean()
