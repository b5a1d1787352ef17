"""Upper bounds that need no list: the rate E KL(p(z|m) || r(z)) = I(M;Z) + KL(q(z) || r) for any density r.

The best r of them that are normal has the mean and covariance of Z: maximum entropy.  A fitted r is one of any, so its
covariance may be as uncertain as it likes; what is paid for that is a little height, not the bound.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from capacity.bounds.bound import Bound
from capacity.bounds.variational.normal import Normal, fit_normal, fit_restricted
from capacity.channels.additive import LOG_2PI
from capacity.channels.channel import Channel, Code
from capacity.joint.joint import ENCODED_TOGETHER, Joint, drawn, encoded_together
from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.results.intervals import rule_of_three_bits
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.shapes import Key, Scalar, Units

LIST_BATCH = ENCODED_TOGETHER  # messages of a list encoded at once
SAMPLE_BATCH = ENCODED_TOGETHER  # samples at once


@runtime_checkable
class MarginalDensity(Protocol):
    """A density r(z) on all units together: `Normal`, `NormalMixture`, or one's own, a pytree."""

    def log_prob(self, z: Units) -> Scalar:
        """log r(z) of one noisy code, nats."""


def check_density(channel: Channel) -> None:
    """Refuse a normal r(z) for noisy units that are atoms.

    Raises:
        ValueError: if the channel has atoms.
    """
    if channel.atomic or channel.mixed:
        raise ValueError(
            f"Expected a channel with a density; got {channel.name}, to whose atoms no normal r(z) gives any "
            "probability: the bound is infinite."
        )


def divergence(channel: Channel, code: Code, prior_std: Scalar) -> Scalar:
    """KL(p(z|u) || N(0, prior_std^2)) of one code, in nats, closed form for any channel with known moments.

    Infinite where a unit has no variance: it is an atom then, and no density.
    """
    mean, variance = channel.moments(code)
    cross = 0.5 * (LOG_2PI + (jnp.square(mean) + variance) / jnp.square(prior_std)) + jnp.log(prior_std)
    return jnp.where(variance == 0, jnp.inf, cross - channel.entropy(code)).sum()


@dataclass(frozen=True)
class Rate(Bound):
    """E KL(p(z|m) || r(z)), r normal with mean 0 and `prior_std` on every unit (Alemi et al. 2018, equation 3).

    Above I(M;Z) by exactly KL(q(z) || r).  Exact (stderr 0) where the messages can be listed and the channel knows its
    entropy.

    Raises (when called):
        ValueError: if the channel has atoms.
    """

    prior_std: float | jax.Array = 1.0
    samples: int = 32768
    name: ClassVar[str] = "rate"
    summary: ClassVar[str] = "upper bound E KL(p(z|m)||r(z)) with a normal r (the rate of a VAE)"

    def __call__(self, key: Seed, joint: Joint) -> Estimate:
        """Upper bound on I(M;Z), in bits."""
        key = as_key(key)
        check_density(joint.channel)
        prior_std = jnp.asarray(self.prior_std, jnp.float32)
        if not joint.channel.has_entropy:
            code = jax.eval_shape(joint.encoder, joint.source.sample(key, 1).vector[0])
            units = jax.eval_shape(lambda code: joint.channel.moments(code)[0], code).shape[0]
            normal = Normal(jnp.zeros(units), jnp.eye(units) / prior_std)
            above: Estimate = marginal_bound(key, joint, normal, self.samples)
            return above

        if joint.source.listable:
            vectors, log_probs = joint.source.codebook()
            nats = _divergences(joint, vectors, prior_std, min(LIST_BATCH, len(vectors)))
            return Estimate.from_normal(
                bits=(jnp.exp(log_probs) * nats).sum() / NATS_PER_BIT, stderr=0.0, kind="upper", n=len(vectors)
            )
        vectors = drawn(joint.source, key, self.samples).vector
        nats = _divergences(joint, vectors, prior_std, encoded_together(vectors))
        return with_unseen(Estimate.from_samples(nats=nats, kind="upper"), joint)


@partial(jax.jit, static_argnums=3)
def _divergences(joint: Joint, vectors: PyTree, prior_std: jax.Array, batch: int) -> jax.Array:
    """KL(p(z|m) || r(z)) of the messages of n vectors, (n,) nats."""

    def of_vector(x: PyTree) -> jax.Array:
        return divergence(joint.channel, joint.encoder(x), prior_std)

    found: jax.Array = jax.lax.map(of_vector, vectors, batch_size=batch)
    return found


@dataclass(frozen=True)
class MaximumEntropy(Bound):
    """E log p(z|m) - log r(z), r normal with the mean and covariance of Z (Cover & Thomas 2006, theorem 8.6.5).

    r is fitted to one sample and held against another, so the mean is an upper bound in expectation whatever the fit;
    log p(z|m) plus its entropy, of zero mean where that is known, takes most of the noise away.

    Attributes:
        samples: that the covariance is fitted to, and as many again that judge it.
        covariance: "full"; or, where samples hardly outnumber units, "shrunk", "blocks" or "diagonal" (`covariances`).

    Raises (when called):
        ValueError: if the channel has atoms, and for another covariance.
    """

    samples: int = 2**16
    covariance: str = "full"
    name: ClassVar[str] = "maximum_entropy"
    summary: ClassVar[str] = "upper bound from the largest entropy that Z's covariance allows"

    def __call__(self, key: Seed, joint: Joint) -> Estimate:
        """Upper bound on I(M;Z), in bits."""
        key = as_key(key)
        check_density(joint.channel)
        key_fit, key_judge = jax.random.split(key)
        if self.covariance == "full":
            normal = fit_normal(key_fit, joint, self.samples)
        else:
            normal = fit_restricted(key_fit, joint, self.samples, self.covariance)
        above: Estimate = marginal_bound(key_judge, joint, normal, self.samples)
        return above


@partial(jax.jit, static_argnums=3)
def marginal_bound(key: Key, joint: Joint, density: MarginalDensity, samples: int) -> Estimate:
    """E log p(z|m) - log r(z) in bits on fresh samples: an upper bound on I(M;Z), for any r.

    Args:
        key: of the samples.
        joint: source, encoder and channel.
        density: r, fixed before.
        samples: how many.

    Returns:
        The bound, infinite where a unit was an atom.
    """
    nats, controls, codes = _against(key, joint, density, samples)
    bound = with_unseen(Estimate.from_samples(nats=nats, kind="upper", controls=controls), joint)
    return infinite_with_atoms(bound, joint.channel, codes)


@partial(jax.jit, static_argnums=3)
def _against(
    key: Key, joint: Joint, density: MarginalDensity, samples: int
) -> tuple[jax.Array, jax.Array | None, PyTree]:
    """log p(z|m) - log r(z) of samples, (n,) nats; the noise's surprise, a control, where it is known; the codes."""
    _, codes, z = joint.sample(key, samples)
    batch = min(encoded_together(z), samples)
    conditional = jax.lax.map(lambda pair: joint.conditional(*pair), (z, codes), batch_size=batch)
    log_r = jax.lax.map(density.log_prob, z, batch_size=batch)
    known = joint.channel.has_entropy
    controls = (conditional + jax.vmap(joint.channel.entropy)(codes).sum(1))[:, None] if known else None
    return conditional - log_r, controls, codes


def with_unseen(bound: Estimate, joint: Joint) -> Estimate:
    """An upper bound from samples, reaching up as far as what none of them saw may lift the information above it.

    Messages of a share below 3/n tell at most so much of H(M) more, if they are no rarer than others; for a continuous
    source there is no such limit, and the interval is that of the samples.
    """
    rest = joint.source.bits - bound.bits
    if not joint.source.discrete:
        return bound
    return bound.widened_to(up=rule_of_three_bits(jnp.maximum(rest, 0.0), bound.n))


def infinite_with_atoms(bound: Estimate, channel: Channel, codes: Code) -> Estimate:
    """The bound, or infinity if a unit of one of these codes has no variance: an atom under a density r."""
    atom = _some_atom(channel, codes)
    bits, low, high = (jnp.where(atom, jnp.inf, end) for end in (bound.bits, bound.low, bound.high))
    return replace(bound, bits=bits, low=low, high=high)


@jax.jit
def _some_atom(channel: Channel, codes: PyTree) -> jax.Array:
    return (jax.vmap(channel.moments)(codes)[1] == 0).any()
