"""Decoder lower bound: I(M;Z) >= E log q(m|z) - log p(m) for any normalised q (Barber & Agakov 2003, equation 3).

The gap is E KL(p(m|z) || q(m|z)) >= 0, so on samples that did not train q the mean is a lower bound in expectation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import jax

from capacity.bits import Estimate, from_values
from capacity.joint import Joint, as_tree

LogDecoder = Callable[[jax.Array, jax.Array], jax.Array]  # (message, z) -> log q, nats


@dataclass(frozen=True)
class Decoder:
    """The bound of one decoder; its samples are fresh, so none of them can have trained it."""

    log_decoder: LogDecoder
    samples: int = 32768
    name: ClassVar[str] = "decoder"
    summary: ClassVar[str] = "lower bound from any decoder q(m|z) on fresh samples (Barber & Agakov 2003)"

    def __call__(self, key: jax.Array, joint: Joint) -> Estimate:
        """Lower bound on I(M;Z), in bits."""
        message, _, z = joint.sample(key, self.samples)
        return from_values(log_ratios(as_tree(self.log_decoder), joint, message, z), "lower", joint.source.bits)


@jax.jit
def log_ratios(log_decoder: LogDecoder, joint: Joint, message: Any, z: jax.Array) -> jax.Array:
    """log q(m|z) - log p(m) of n pairs, (n,) nats; one program for all decoders that are pytrees of the same shape."""

    def value(pair: tuple[Any, jax.Array]) -> jax.Array:
        return log_decoder(*pair) - joint.source.log_prob(pair[0])

    return jax.lax.map(value, (message, z), batch_size=4096)
