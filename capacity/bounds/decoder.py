"""Decoder lower bound: I(M;Z) >= E log q(m|z) - log p(m) for any normalised q (Barber & Agakov 2003, equation 3).

The gap is E KL(p(m|z) || q(m|z)) >= 0, so on samples that did not train q the mean is a lower bound in expectation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import jax

from capacity.bits import Estimate, from_values
from capacity.joint import Joint

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

        def value(m: jax.Array, z_one: jax.Array) -> jax.Array:
            return self.log_decoder(m, z_one) - joint.source.log_prob(m)

        return from_values(
            jax.lax.map(lambda a: value(*a), (message, z), batch_size=4096),
            "lower",
            joint.source.bits,
        )
