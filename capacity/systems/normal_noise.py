"""What systems with normal noise share: noise of a strength that the level sets, or that the encoder learns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from capacity.channels import Gaussian, LearntGaussian, Posterior
from capacity.joint.joint import Joint
from capacity.runtime.shapes import Key, Scalar
from capacity.systems.architecture import DEFAULT, Architecture
from capacity.training.system import Level, Params, System

if TYPE_CHECKING:
    from synthetic.source import Source


@dataclass(frozen=True)
class GaussianNoiseSystem(System):
    """Gaussian noise of standard deviation sigma, the level; a subclass adds its loss and its joint."""

    architecture: Architecture = DEFAULT

    def init(self, key: Key, source: Source) -> Params:
        return self.architecture.init(key, source, self.architecture.units)

    def activations(self, source: Source) -> int:
        return self.architecture.activations(source)

    def rehearsal(self, source: Source) -> tuple[Source, System]:
        short, architecture = self.architecture.rehearsal(source)
        return short, replace(self, architecture=architecture)

    def channel(self, level: Level) -> Gaussian:
        return Gaussian(level)

    def prior_std(self, level: Level, power: Scalar) -> Scalar:
        return jnp.sqrt(power + jnp.square(level))


@dataclass(frozen=True)
class LearntNoiseSystem(System):
    """Gaussian noise whose mean and deviation the encoder gives, a standard normal prior; a subclass adds its loss.

    Nothing limits the power, so that no ceiling follows.
    """

    architecture: Architecture = DEFAULT

    @property
    def statement(self) -> str:
        return "no ceiling: the encoder may shrink its noise at any power; the rate limits it"

    def init(self, key: Key, source: Source) -> Params:
        return self.architecture.init(key, source, 2 * self.architecture.units)

    def activations(self, source: Source) -> int:
        return self.architecture.activations(source, 2 * self.architecture.units)

    def channel(self, level: Level) -> LearntGaussian:
        """The same at every level, which acts through the loss."""
        return LearntGaussian()

    def prior_std(self, level: Level, power: Scalar) -> Scalar:
        """1: the prior is standard normal."""
        return jnp.ones(())

    def joint(self, params: Params, key: Key, source: Source, level: Level) -> Joint:
        return Joint(source, self.posterior(params, source), self.channel(level))

    def posterior(self, params: Params, source: Source) -> jax.tree_util.Partial:
        """The encoder, from a vector (dim,) to the posterior of its code; a pytree."""
        return jax.tree_util.Partial(self.architecture.posterior, source, params["encoder"])


def reparametrised(key: Key, posterior: Posterior) -> jax.Array:
    """One code for each posterior of a batch, (n, units), reparametrised."""
    return posterior.mean + jnp.exp(posterior.log_std) * jax.random.normal(key, posterior.mean.shape)


def mean_rate(posterior: Posterior) -> Scalar:
    """KL(q(z|x) || N(0, 1)) in nats, mean over a batch of posteriors (n, units)."""
    variance = jnp.exp(2 * posterior.log_std)
    return (0.5 * (jnp.square(posterior.mean) + variance - 1) - posterior.log_std).sum(1).mean()
