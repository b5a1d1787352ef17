"""Bounds on a layer's bits from the layers around it: where its own density is out of reach, and to cut what is not.

From above: what reaches a layer has passed all before it, and no more of that than the share of cases in which its
noise lets anything pass at all (`Channel.passes`; Polyanskiy & Wu 2017); nor more than its noisy units can hold.  From
below: a little more noise makes a channel of full support of any, and takes bits away, never gives (data processing,
Cover & Thomas 2006, theorem 2.8.1); so does a receiver that guesses the message (Barber & Agakov 2003).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from capacity.bounds.annealed.start_bounds import start_values
from capacity.bounds.annealed.tightest import tighter_bound
from capacity.bounds.posterior.stack import StackApproximation
from capacity.bounds.posterior.stack_fit import fit_stack
from capacity.channels import Chain, Gaussian
from capacity.joint.joint import Joint
from capacity.joint.stack import Layer, Stack, source_of, unchanged
from capacity.results.estimate import Bracket, Estimate
from capacity.results.intervals import CONSERVATIVE_ERRORS, Z95, rule_of_three_bits
from capacity.runtime.shapes import Key

NOISES = (0.1, 0.02)  # of the units' spread: what is added to bound bits from below
JUDGED = 2**13  # samples
BATCH = 512


def share_passed(stack: Stack, number: int) -> float:
    """The share of cases in which the noise of a layer lets anything pass, at most 1."""
    return float(jnp.clip(stack.layers[number - 1].channel.passes(_units(stack, number)), 0.0, 1.0))


def held_at_most(stack: Stack, number: int) -> float:
    """Bits that the noisy units of a layer can hold whatever is sent: the source's, or the ceiling of any code."""
    channel, bits = stack.layers[number - 1].channel, float(stack.source.bits)
    presumes = channel.presumes
    if presumes is None or presumes.kind != "any" or not channel.memoryless:
        return bits
    return min(bits, float(channel.ceiling(jnp.ones(_units(stack, number))).sum()))


def _units(stack: Stack, number: int) -> int:
    """How many noisy units a layer has."""
    layers = stack.layers[:number]
    sent = jax.eval_shape(lambda key: Stack(stack.source, layers).sample(key, 1)[1][-1], jax.random.key(0))
    return int(sent.shape[1])


def with_more_noise(stack: Stack, number: int, noise: float) -> tuple[Stack, int]:
    """The stack up to a layer, and normal noise of this standard deviation after it."""
    layers = stack.layers[:number]
    last, more = layers[-1], Gaussian(jnp.float32(noise))
    if last.channel.atomic and (last.channel.memoryless or last.channel.code_axes == 2):
        layers = (*layers[:-1], Layer(last.encoder, Chain(last.channel, more)))
    else:
        layers = (*layers, Layer(unchanged, more))
    return Stack(stack.source, layers), len(layers)


def spread_of_units(key: Key, stack: Stack, number: int, n: int = 1024) -> float:
    """Root mean variance of a layer's noisy units."""
    _, z = Stack(stack.source, stack.layers[:number]).sample(key, n)
    return float(jnp.sqrt(z[-1].var(0).mean()))


def received_bits(key: Key, joint: Joint) -> Estimate:
    """A lower bound on I(M;Z) of a stack's joint, in bits, by the blockwise linear receiver; any last channel.

    Args:
        key: of the samples that it is fitted to, and of those that it is held against.
        joint: of message and inner noise.
    """
    key_fit, key_judge = jax.random.split(key)
    approximation = fit_stack(key_fit, joint)
    log_start, log_prior = (np.asarray(part, np.float64) for part in _log_starts(key_judge, joint, approximation))
    bits, n = float(joint.source.bits), len(log_start)
    nats = start_values(log_start, log_prior, 1 / n)
    found = Estimate.from_samples(nats=jnp.asarray(nats, jnp.float32), kind="lower", limit=bits).conservative()
    down = rule_of_three_bits(jnp.maximum(found.bits, 0.0) + np.log2(n), n)
    return replace(found, low=found.low - down)


@jax.jit
def _log_starts(
    key: Key, joint: Joint, approximation: StackApproximation
) -> tuple[Float[jax.Array, " n"], Float[jax.Array, " n"]]:
    sent, _, z = joint.sample(key, JUDGED)

    def of_one(pair: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        observation = approximation.observe(pair[1]).code
        state = approximation.code.state_of(observation, pair[0])
        return approximation.code.log_start(observation, state), source_of(joint).base.log_prob(pair[0])

    found: tuple[jax.Array, jax.Array] = jax.lax.map(of_one, (sent.message, z), batch_size=BATCH)
    return found


def processed(brackets: Sequence[Bracket], shares: Sequence[float] | None = None) -> list[Bracket]:
    """Brackets of one chain of layers, each widened for their number and cut by its neighbours.

    Args:
        brackets: first to last.
        shares: of each layer, by `share_passed`; 1 where nothing is known.
    """
    wide = [_widened(bracket, len(brackets)) for bracket in brackets]
    shares = shares or [1.0] * len(wide)
    highs, lows = [float(b.high) for b in wide], [float(b.low) for b in wide]
    for layer in range(1, len(wide)):
        highs[layer] = min(highs[layer], shares[layer] * highs[layer - 1])
    for layer in range(len(wide) - 1, 0, -1):
        lows[layer - 1] = max(lows[layer - 1], min(lows[layer] / max(shares[layer], 1e-9), highs[layer - 1]))
    cut = []
    for bracket, low, high in zip(wide, lows, highs, strict=True):
        lower, upper = replace(bracket.lower, low=jnp.asarray(low)), replace(bracket.upper, high=jnp.asarray(high))
        cut.append(replace(bracket, lower=lower, upper=upper))
    return cut


def _widened(bracket: Bracket, count: int) -> Bracket:
    """Intervals at 1 - 5 %/count instead of 95 %, where they were not that wide already."""
    reach = Z95 if bracket.method == "enumeration" else CONSERVATIVE_ERRORS  # standard errors that it has now
    factor = max(float(jax.scipy.stats.norm.ppf(1 - 0.025 / count)) / reach, 1.0)

    def wide(bound: Estimate) -> Estimate:
        reached = bound.scaled_interval(factor)
        return replace(reached, low=jnp.maximum(reached.low, 0.0), high=jnp.minimum(reached.high, bound.limit))

    return replace(bracket, lower=wide(bracket.lower), upper=wide(bracket.upper))


def known_bound(bits: float, limit: float, kind: str) -> Estimate:
    """A bound that needs no samples."""
    return Estimate.from_normal(bits=bits, stderr=0.0, kind="lower" if kind == "lower" else "upper", limit=limit)


def tightest(bounds: Sequence[tuple[Estimate, str]]) -> tuple[Estimate, str]:
    """Of bounds of one kind the tightest, and how it was found."""
    found, how = bounds[0]
    for bound, what in bounds[1:]:
        found, taken = tighter_bound(found, bound)
        how = what if taken else how
    return found, how
