"""The referee: exact bits where the messages can be listed, else the tightest bracket that is at hand."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from capacity.bits import Bracket, Estimate, interval
from capacity.bounds.decoder import Decoder, LogDecoder
from capacity.bounds.enumeration import Enumeration
from capacity.bounds.marginal import Ceiling, Rate
from capacity.joint import Joint

Z_OF_THREE = 2.394  # two-sided normal quantile at 1 - 0.05/3


def bracket(
    key: jax.Array, joint: Joint, log_decoder: LogDecoder | None, prior_std: float | jax.Array = 1.0
) -> tuple[Estimate, Estimate]:
    """A lower and an upper bound on I(M;Z) without listing, in bits; traceable, so lanes can be mapped over it.

    The lower one is the decoder's (0 without a decoder).  The upper one is the smallest of the source's bits, the rate,
    and the channel's ceiling at the code's power.  It is chosen by the upper ends of intervals that each cover at
    98.3 %, so at 95 % all three hold at once (Bonferroni) and the choice does not spoil the promise.  The promise is
    its `high`: `bits` is the least of noisy figures, and a sampled ceiling's, so it lies a little low in expectation.
    """
    key_lower, key_rate, key_ceiling = jax.random.split(key, 3)
    lower = Decoder(log_decoder)(key_lower, joint) if log_decoder else interval(0.0, 0.0, "lower")
    uppers = [interval(joint.source.bits, 0.0, "upper"), Rate(prior_std)(key_rate, joint)]
    if joint.channel.has_ceiling:
        uppers.append(Ceiling()(key_ceiling, joint))
    high = jnp.stack([e.bits + Z_OF_THREE * e.stderr for e in uppers])
    best = jnp.argmin(high)
    bits, stderr, n = (
        jnp.stack([jnp.asarray(getattr(e, f), jnp.float32) for e in uppers])[best] for f in ("bits", "stderr", "n")
    )
    return lower, Estimate(bits, stderr, bits - Z_OF_THREE * stderr, high[best], jnp.asarray(jnp.inf), n, kind="upper")


def measure(
    key: jax.Array,
    joint: Joint,
    *,
    log_decoder: LogDecoder | None = None,
    prior_std: float | jax.Array = 1.0,
    samples: int = 4096,
) -> Bracket:
    """How many bits pass: I(M;Z) of a joint, as a bracket.

    Args:
        joint: source, encoder and channel.
        log_decoder: `(message, z) -> log q(message | z)` of one item, nats, trained on other samples.
        prior_std: standard deviation of the rate's normal r(z).
        samples: how many samples enumeration draws.

    Returns:
        By enumeration, both ends the same exact figure, if the source can be listed; otherwise see `bracket`.
    """
    if joint.source.listable:
        exact = Enumeration(samples)(key, joint)
        return Bracket(exact, exact, "enumeration")
    lower, upper = bracket(key, joint, log_decoder, prior_std)
    return Bracket(
        lower,
        upper,
        f"{'decoder' if log_decoder else 'zero'} to the smallest of source, rate and ceiling",
    )
