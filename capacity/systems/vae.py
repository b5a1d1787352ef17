"""Variational autoencoder: loss = reconstruction + beta KL(q(z|x) || N(0,1)), beta the level.

Kingma & Welling (2014); Higgins et al. (2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import jax
import jax.numpy as jnp

from capacity.runtime.allowed import Allowed
from capacity.runtime.shapes import Key, Scalar
from capacity.systems.antithetic import antithetic_codes, messages_for, repeat_batch
from capacity.systems.normal_noise import LearntNoiseSystem, mean_rate
from capacity.training.system import Level, Params

if TYPE_CHECKING:
    from synthetic.source import Source


@dataclass(frozen=True)
class VAE(LearntNoiseSystem):
    """Variational autoencoder: reconstruction + beta KL(q(z|x) || N(0, 1)), in nats; the level is beta.

    rate = I(M;Z) + KL(q(z) || N(0,1)): asked bits are paid for by the rate.

    Training starts from `rate_start` times the weight asked, which rises to it over the first half of the steps.  At
    weights near 1 a rate that costs in full from the first step makes the code collapse before its decoder reads it,
    where a lower loss is to be had (Bowman et al. 2016; Sonderby et al. 2016).

    Raises:
        ValueError: for a rate_start outside 0 to 1.
    """

    rate_start: float = 0.5
    name = "vae"
    summary = "variational autoencoder with learnt sigma(x); the level is the weight beta of the rate"
    level_name = "weight of the rate"
    level_symbol = "β"
    default_levels = (0.02, 0.04, 0.08, 0.15, 0.25, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    allowed: ClassVar[Allowed] = {"rate_start": "[0, 1]"}

    def loss(self, params: Params, key: Key, source: Source, level: Level, n: int, progress: Scalar) -> Scalar:
        key_source, key_noise = jax.random.split(key)
        batch = source.sample(key_source, messages_for(n))
        posterior = self.architecture.posteriors(params["encoder"], source, batch.vector)
        z = antithetic_codes(key_noise, posterior.mean, jnp.exp(posterior.log_std))
        weight = level * (self.rate_start + (1 - self.rate_start) * jnp.minimum(2 * progress, 1))
        return self.architecture.reconstruction(params, source, repeat_batch(batch), z) + weight * mean_rate(posterior)
