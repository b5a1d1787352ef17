"""Decoder lower bound: I(M;Z) >= E log q(m|z) - log p(m) for any normalised q (Barber & Agakov 2003, equation 3).

The gap is E KL(p(m|z) || q(m|z)) >= 0, so on samples that did not train q the mean is a lower bound in expectation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from capacity.bounds.bound import Bound
from capacity.joint.joint import Joint, as_tree, encoded_together
from capacity.results.estimate import Estimate
from capacity.results.intervals import rule_of_three_bits
from capacity.runtime.keys import Seed, as_key

LogDecoder: TypeAlias = Callable[[jax.Array, jax.Array], jax.Array]
"""(message, z) of one sample -> log q(message | z), a scalar, nats; normalised over messages."""


@dataclass(frozen=True)
class Decoder(Bound):
    """The bound of one decoder; its samples are fresh, so none of them can have trained it."""

    log_decoder: LogDecoder
    samples: int = 32768
    name: ClassVar[str] = "decoder"
    summary: ClassVar[str] = "lower bound from any decoder q(m|z) on fresh samples (Barber & Agakov 2003)"

    def __call__(self, key: Seed, joint: Joint) -> Estimate:
        """Lower bound on I(M;Z), in bits."""
        message, _, z = joint.sample(as_key(key), self.samples)
        return bounded(log_ratios(as_tree(self.log_decoder), joint, message, z), joint.source.bits)


def bounded(ratios: Float[Array, " n"], limit: float) -> Estimate:
    """The lower bound in bits of a decoder's log q(m|z) - log p(m), (n,) nats, that holds where misses are rare too.

    With probability 1/n the decoder gives the prior instead: still a decoder, at most 1/n nats worse, and no miss
    costs more than log n below nothing.  Losses being bounded, what misses that are not among n samples take is too.
    """
    n = len(ratios)
    values = jnp.logaddexp(ratios + jnp.log1p(-1 / n), -jnp.log(n))
    found = Estimate.from_samples(nats=values, kind="lower", limit=limit)
    return found.widened_to(down=rule_of_three_bits(found.bits + jnp.log2(n), n))


@jax.jit
def log_ratios(
    log_decoder: LogDecoder, joint: Joint, message: PyTree, z: Float[Array, "n units"]
) -> Float[Array, " n"]:
    """log q(m|z) - log p(m) of n pairs, nats; one program for all decoders that are pytrees of the same shape.

    Args:
        log_decoder: a callable pytree.
        joint: whose source has the messages.
        message: leaves (n, ...).
        z: noisy codes.
    """

    def value(pair: tuple[PyTree, jax.Array]) -> jax.Array:
        ratio: jax.Array = log_decoder(*pair) - joint.source.log_prob(pair[0])
        return ratio

    ratios: jax.Array = jax.lax.map(value, (message, z), batch_size=encoded_together(message))
    return ratios
