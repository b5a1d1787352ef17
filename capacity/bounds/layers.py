"""Bits that reach each layer of a noisy stack, I(M;Z_l), from both sides.

With e the inner noise, log p(z|m) = log int p(e) p(z|m,e) de is itself annealed in both directions, from the exact
sample of e that the simulation used: I(M;Z) = E log p(z|m) - log p(z) lies between the differences of the bounds

    E[log w'(up) - log w(down)]  <=  I(M;Z_l)  <=  E[log w'(down) - log w(up)],

w' walking over e alone, w over m and e.  Both start from one approximation: the mean code a sum over blocks of digits,
linear in e, which for given m is integrated in closed form.  What reaches a layer has passed all those before: the data
processing inequality (Cover & Thomas 2006, theorem 2.8.1) tightens each layer by its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from capacity.bounds.annealed.bracket import FAR_SHARE, within
from capacity.bounds.annealed.chains import walk
from capacity.bounds.annealed.controls import Side, far_samples
from capacity.bounds.annealed.schedule import Pilot, choose, pilots, price, relaid
from capacity.bounds.measurement import DEFAULT_BUDGET, check_walkable, measure
from capacity.bounds.posterior.stack import GivenMessage, fit_stack
from capacity.joint.joint import Joint
from capacity.joint.stack import Sent, Stack, log_normal
from capacity.results.estimate import Z95, Bracket, Estimate, TracePoint
from capacity.results.intervals import CONSERVATIVE_ERRORS

NOISE_SHARE = 0.4  # of a layer's budget, for the walks over the noise alone


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class NoiseJoint:
    """A stack's joint seen from its inner noise: the noise is what is sent, (z, message) what is heard."""

    joint: Joint

    def sample(self, key: jax.Array, n: int) -> tuple[jax.Array, Any, tuple[jax.Array, jax.Array]]:
        """The same samples as of the joint by the same key."""
        sent, code, z = self.joint.sample(key, n)
        return sent.noise, code, (z, sent.message)

    def log_prob(self, noise: jax.Array, pair: tuple[jax.Array, jax.Array]) -> jax.Array:
        """log p(e) p(z|m, e), nats."""
        code = self.joint.encoder(self.joint.source.embed(Sent(pair[1], noise)))
        return log_normal(noise) + self.joint.conditional(pair[0], code)

    def conditional(self, pair: tuple[jax.Array, jax.Array], code: Any) -> jax.Array:
        """log p(z|m, e), nats."""
        return self.joint.conditional(pair[0], code)


def measure_layers(key: jax.Array, stack: Stack, *, budget_gflop: float = DEFAULT_BUDGET) -> list[Bracket]:
    """I(M;Z_l) of every layer of a stack, first to last.

    Args:
        key: the same key gives the same brackets.
        stack: a discrete source and the layers; all channels but the last are normal.
        budget_gflop: billions of operations for each layer (see `measure`).

    Returns:
        Brackets that hold the truths of all layers at once with probability 95 % at least: each is widened for their
        number (Bonferroni), then narrowed by its neighbours, since what reaches a layer has passed all before it.

    Raises:
        ValueError: for a continuous source, an inner channel that is not normal, or a budget that is not positive; for
            a channel that makes some messages impossible.
    """
    if not stack.source.discrete:
        raise ValueError("Expected a discrete source for the layers of a stack; got a continuous one.")
    for layer in stack.layers:
        check_walkable(layer.channel)
    joints = [stack.joint(number) for number in range(2, len(stack.layers) + 1)]
    keys, first = jax.random.split(key, len(stack.layers)), stack.layers[0]
    found = [measure(keys[0], Joint(stack.source, first.encoder, first.channel), budget_gflop=budget_gflop)]
    found += [_measure_inner(k, joint, budget_gflop) for k, joint in zip(keys[1:], joints, strict=True)]
    return processed(found)


def processed(brackets: Sequence[Bracket]) -> list[Bracket]:
    """Brackets of one chain of layers, each widened for their number and cut by its neighbours."""
    wide = [_widened(bracket, len(brackets)) for bracket in brackets]
    highs = np.minimum.accumulate([float(b.high) for b in wide])
    lows = np.maximum.accumulate([float(b.low) for b in wide][::-1])[::-1]
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


def _measure_inner(key: jax.Array, joint: Joint, budget_gflop: float) -> Bracket:
    key_fit, key_side, key_both, key_alone, key_main = jax.random.split(key, 5)
    both = fit_stack(key_fit, joint)
    alone, noise = GivenMessage(both), NoiseJoint(joint)
    cost, noise_cost = price(joint, both), price(noise, alone)
    far = far_samples(cost.once, FAR_SHARE * budget_gflop)
    side = Side.draw(key_side, joint, both, far)
    budget_gflop -= far * cost.once
    last = _last(pilots(key_both, joint, both, cost, (1 - NOISE_SHARE) * budget_gflop))
    noise_last = _last(pilots(key_alone, noise, alone, noise_cost, NOISE_SHARE * budget_gflop))
    spread, known = side.spread(last.walks)
    choice = choose(last, spread, cost, (1 - NOISE_SHARE) * budget_gflop - last.spent, known)
    room = (NOISE_SHARE * budget_gflop - noise_last.spent) / (choice.samples * (choice.chains + 1))
    ladder = relaid(noise_last, noise_cost, room)
    # One key: the same messages, noise and z in both walks.
    walks = walk(key_main, joint, both, choice.samples, choice.ladder, choice.chains)
    given = walk(key_main, noise, alone, choice.samples, ladder, choice.chains)
    lower, upper = side.bounds(walks, walks.lower() - given.upper(), walks.upper() - given.lower())
    lower, upper = within(lower, upper, joint.source.bits)
    spent = far * cost.once + last.spent + noise_last.spent + cost.walks(choice.samples, choice.chains, choice.ladder)
    spent += noise_cost.walks(choice.samples, choice.chains, ladder)
    how = f"annealing over the inner noise, {choice.samples} samples, {choice.chains} + 1 chains"
    point = TracePoint(spent, float(lower.bits), float(upper.bits), float(lower.low), float(upper.high), how)
    return Bracket(lower, upper, how, (point,))


def _last(found: Any) -> Pilot:
    *_, last = found
    return last
