"""A variational autoencoder that is asked for a number of bits: minimise the loss subject to I(M;Z) = the level.

Training holds the bits by a Lagrange multiplier on the rate (Rezende & Viola 2018) with a term that damps it (Platt &
Barr 1988), lambda = exp(nu + GAIN (I - asked)), where I is what the decoder receives, H(M) - E[-log q(m|z)], and nu
climbs that same difference.  The damping is what makes it settle: an autoencoder's loss falls by one nat for each nat
of rate, so along the whole line from 0 bits to H(M) no fixed weight prefers one point to another (Alemi et al. 2018).

Afterwards the whole list of messages decides: all standard deviations take one common factor, found by secants on the
exact information.  What is asked for is I(M;Z), not the rate, which is larger by KL(q(z) || N(0, 1)).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from capacity.bounds.exact.enumeration import information
from capacity.bounds.exact.listing import list_codes
from capacity.channels import Posterior
from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT
from capacity.runtime.shapes import Key, Scalar, Vector
from capacity.systems.normal_noise import LearntNoiseSystem, mean_rate, reparametrised
from capacity.training.system import Level, Params

if TYPE_CHECKING:
    from synthetic.source import Source

GAIN = 2.0  # of log lambda, a nat of information too much
EVALUATIONS, SAMPLES = 8, 1024  # of the exact information, to settle the common factor


@dataclass(frozen=True)
class TargetVAE(LearntNoiseSystem):
    """A VAE whose level is the number of bits that shall pass, I(M;Z).

    Where messages cannot be listed, the bits that the decoder receives are held in training and nothing is settled
    afterwards; a continuous source has no such bits, and its rate is held: an upper bound on I(M;Z).
    """

    name = "target_vae"
    summary = "variational autoencoder held at the number of bits asked for, which is the level"
    level_name = "bits asked for"
    level_symbol = "T"
    default_levels = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0)
    rises = True

    def check(self, source: Source, levels: tuple[float, ...]) -> None:
        """Refuse to be asked for more than there is.

        Raises:
            ValueError: for a level that is not below the source's bits.
        """
        if max(levels) >= source.bits:
            raise ValueError(f"Expected fewer bits asked for than the source's {source.bits:g}; got {max(levels):g}.")

    def init(self, key: Key, source: Source) -> Params:
        """Fresh parameters; the multiplier is 1, the weight of the evidence lower bound."""
        scalars = {"log_multiplier": jnp.zeros(()), "log_scale": jnp.zeros(())}
        return self.architecture.init(key, source, 2 * self.architecture.units) | scalars

    def loss(self, params: Params, key: Key, source: Source, level: Level, n: int, progress: Scalar) -> Scalar:
        """Reconstruction + lambda rate, nats, of n fresh samples; its gradient climbs in `log_multiplier`."""
        key_source, key_noise = jax.random.split(key)
        batch = source.sample(key_source, n)
        posterior = self.architecture.posteriors(params["encoder"], source, batch.vector)
        z = reparametrised(key_noise, posterior)
        rate = mean_rate(posterior)
        received = rate
        if source.discrete:
            received = source.bits * NATS_PER_BIT - self.architecture.message_loss(params, source, batch, z)
        over = jax.lax.stop_gradient(received - level * NATS_PER_BIT)
        nu: jax.Array = params["log_multiplier"]
        multiplier = jnp.exp(jax.lax.stop_gradient(nu) + GAIN * over)
        climb = (jax.lax.stop_gradient(nu) - nu) * over  # 0, with the gradient that raises nu where too much passes
        return self.architecture.reconstruction(params, source, batch, z) + multiplier * rate + climb

    def settle(self, params: Params, key: Key, source: Source, level: Level) -> Params:
        """The parameters with the common factor of the noise that gives exactly the bits asked for."""
        if not source.listable:
            return params
        asked = level * NATS_PER_BIT
        units = self.architecture.units

        def received(log_scale: jax.Array) -> jax.Array:
            joint = self.joint(params | {"log_scale": log_scale}, key, source, level)
            # The same samples at every factor, so that what is solved is one smooth function.
            return jnp.asarray(information(key, joint, list_codes(joint), SAMPLES).bits) * NATS_PER_BIT

        def secant(_: jax.Array, state: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
            at, value, slope = state
            following = at + jnp.clip((asked - value) / slope, -1.0, 1.0)
            new = received(following)
            found = (new - value) / jnp.where(following == at, 1.0, following - at)
            # Noise takes bits away, at most a nat for each unit and e-fold: no step goes by a slope that is not so.
            slope = jnp.where(found < -0.05 * units, jnp.maximum(found, -1.0 * units), slope)
            return following, new, slope

        start = jnp.zeros(())
        guess = -units * (1 - jnp.exp(-2 * asked / units))  # that of a Gaussian channel which carries so much
        state = start, received(start), jnp.minimum(guess, -0.05)
        return params | {"log_scale": jax.lax.fori_loop(0, EVALUATIONS - 1, secant, state)[0]}

    def joint(self, params: Params, key: Key, source: Source, level: Level) -> Joint:
        """The trained sender, its noise settled."""
        encoder = jax.tree_util.Partial(_scaled, params["log_scale"], self.posterior(params, source))
        return Joint(source, encoder, self.channel(level))


def _scaled(log_scale: Scalar, encoder: jax.tree_util.Partial, x: Vector) -> Posterior:
    posterior = encoder(x)
    return Posterior(posterior.mean, posterior.log_std + log_scale)
