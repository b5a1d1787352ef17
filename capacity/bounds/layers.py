"""Bits that reach each layer of a noisy stack, I(M;Z_l), from both sides.

With e the inner noise, log p(z|m) = log int p(e) p(z|m,e) de is itself annealed in both directions, from the exact
sample of e that the simulation used: I(M;Z) = E log p(z|m) - log p(z) lies between the differences of the bounds

    E[log w'(forward) - log w(reverse)]  <=  I(M;Z_l)  <=  E[log w'(reverse) - log w(forward)],

w' of chains over e alone, w over m and e.  Both start from one approximation: the mean code a sum over blocks of
digits, linear in e, which for given m is integrated in closed form.  What reaches a layer has passed all those before:
the data processing inequality (Cover & Thomas 2006, theorem 2.8.1) tightens each layer by its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from capacity.bounds.annealed.chains import run_chains
from capacity.bounds.annealed.controlled_bounds import ControlledBounds
from capacity.bounds.annealed.first_phase import first_phase_samples
from capacity.bounds.annealed.legs import Samples
from capacity.bounds.annealed.refusals import check_full_support
from capacity.bounds.annealed.sampler import FIRST_PHASE_SHARE, trace_point
from capacity.bounds.annealed.schedule import Pilot, cost_of, optimal_ladder, pilots, plan_sampling
from capacity.bounds.annealed.tightest import check_agreement, clipped_to_source
from capacity.bounds.measurement import DEFAULT_BUDGET, measure
from capacity.bounds.posterior.stack import GivenMessage
from capacity.bounds.posterior.stack_fit import fit_stack
from capacity.channels.channel import Code
from capacity.joint.joint import Joint
from capacity.joint.stack import Sent, Stack
from capacity.results.estimate import Bracket, Estimate
from capacity.results.intervals import CONSERVATIVE_ERRORS, Z95
from capacity.runtime.deprecated import renamed_keywords
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key

NOISE_SHARE = 0.4  # of a layer's budget, for the chains over the noise alone


@register_dataclass
@dataclass(frozen=True)
class NoiseJoint:
    """A stack's joint seen from its inner noise: the noise is what is sent, (z, message) what is received."""

    joint: Joint

    def sample(self, key: Key, n: int) -> tuple[jax.Array, Code, tuple[jax.Array, jax.Array]]:
        """The same samples as of the joint by the same key."""
        sent, code, z = self.joint.sample(key, n)
        return sent.noise, code, (z, sent.message)

    def same(self, samples: Samples) -> Samples:
        """Samples of the joint, seen from the noise."""
        sent = samples.message
        return samples._replace(message=sent.noise, z=(samples.z, sent.message))

    def log_prob(self, noise: jax.Array, pair: tuple[jax.Array, jax.Array]) -> jax.Array:
        """log p(e) p(z|m, e), nats."""
        code = self.joint.encoder(self.joint.source.embed(Sent(pair[1], noise)))
        return self.joint.source.log_noise(Sent(pair[1], noise)) + self.joint.conditional(pair[0], code)

    def conditional(self, pair: tuple[jax.Array, jax.Array], code: Code) -> jax.Array:
        """log p(z|m, e), nats."""
        return self.joint.conditional(pair[0], code)


@renamed_keywords(budget="budget_gflop")
def measure_layers(key: Seed, stack: Stack, *, budget_gflop: float | int = DEFAULT_BUDGET) -> list[Bracket]:
    """I(M;Z_l) of every layer of a stack, first to last.

    Args:
        key: the same key gives the same brackets; a whole number is taken as a seed.
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
        check_full_support(layer.channel)
    joints = [stack.joint(number) for number in range(2, len(stack.layers) + 1)]
    keys, first = jax.random.split(as_key(key), len(stack.layers)), stack.layers[0]
    brackets = [measure(keys[0], Joint(stack.source, first.encoder, first.channel), budget_gflop=budget_gflop)]
    brackets += [_measure_inner(k, joint, float(budget_gflop)) for k, joint in zip(keys[1:], joints, strict=True)]
    return processed(brackets)


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
    cost, noise_cost = cost_of(joint, both), cost_of(noise, alone)
    cheap = first_phase_samples(cost.simulated, FIRST_PHASE_SHARE * budget_gflop)
    controlled = ControlledBounds.simulate(key_side, joint, both, cheap)
    budget_gflop -= cheap * cost.simulated

    def draw_noise(key: Key, n: int) -> Samples:
        return noise.same(controlled.draw(key, n))

    last = _last(pilots(key_both, joint, both, controlled.draw, cost, (1 - NOISE_SHARE) * budget_gflop))
    noise_last = _last(pilots(key_alone, noise, alone, draw_noise, noise_cost, NOISE_SHARE * budget_gflop))
    spread, known = controlled.spread(last.chains)
    plan = plan_sampling(last, spread, cost, (1 - NOISE_SHARE) * budget_gflop - last.spent, known)
    room = (NOISE_SHARE * budget_gflop - noise_last.spent) / (plan.samples * (plan.chains + 1))
    ladder = optimal_ladder(noise_last, noise_cost, room)
    key_draw, key_main = jax.random.split(key_main)
    samples = controlled.draw(key_draw, plan.samples)  # the same messages, noise and z in both
    chains = run_chains(key_main, joint, both, samples, plan.ladder, plan.chains)
    given = run_chains(key_main, noise, alone, noise.same(samples), ladder, plan.chains)
    lower, upper = controlled.bounds_of(samples, chains.lower() - given.upper(), chains.upper() - given.lower())
    check_agreement(lower, upper)
    lower, upper = clipped_to_source(lower, upper, joint.source.bits)
    spent = cheap * cost.simulated + last.spent + noise_last.spent
    spent += cost.of_chains(plan.samples, plan.chains, plan.ladder)
    spent += noise_cost.of_chains(plan.samples, plan.chains, ladder)
    how = f"annealing over the inner noise, {plan.samples} samples, {plan.chains} + 1 chains"
    return Bracket(lower, upper, how, (trace_point(spent, (lower, upper), how),))


def _last(tried: Iterator[Pilot]) -> Pilot:
    *_, last = tried
    return last
