"""A bracket on I(M;Z) where noise lies between M and the code: chains over message and noise, and over the noise alone.

With e the inner noise, log p(z|m) = log int p(e|m) p(z|m,e) de is itself annealed in both directions, from the exact
sample of e that the simulation used: I(M;Z) = E log p(z|m) - log p(z) lies between the differences of the bounds

    E[log w'(forward) - log w(reverse)]  <=  I(M;Z)  <=  E[log w'(reverse) - log w(forward)],

w' of chains over e alone, w over m and e.  Both start from one approximation (`posterior.stack`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import jax

from capacity.bounds.annealed.chains import run_chains
from capacity.bounds.annealed.controlled_bounds import ControlledBounds
from capacity.bounds.annealed.first_phase import first_phase_samples
from capacity.bounds.annealed.legs import Samples
from capacity.bounds.annealed.sampler import FIRST_PHASE_SHARE, trace_point
from capacity.bounds.annealed.schedule import Pilot, cost_of, optimal_ladder, pilots, plan_sampling
from capacity.bounds.annealed.tightest import check_agreement, clipped_to_source
from capacity.bounds.posterior.stack import GivenMessage
from capacity.bounds.posterior.stack_fit import fit_stack
from capacity.channels.channel import Code
from capacity.channels.inner_noise import Noise
from capacity.joint.joint import Joint
from capacity.joint.stack import Sent, source_of
from capacity.results.estimate import Bracket
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key

NOISE_SHARE = 0.4  # of a budget, for the chains over the noise alone


@register_dataclass
@dataclass(frozen=True)
class NoiseJoint:
    """A stack's joint seen from its inner noise: the noise is what is sent, (z, message) what is received."""

    joint: Joint

    def sample(self, key: Key, n: int) -> tuple[Noise, Code, tuple[jax.Array, jax.Array]]:
        """The same samples as of the joint by the same key."""
        sent, code, z = self.joint.sample(key, n)
        return sent.noise, code, (z, sent.message)

    def same(self, samples: Samples) -> Samples:
        """Samples of the joint, seen from the noise."""
        sent = samples.message
        return samples._replace(message=sent.noise, z=(samples.z, sent.message))

    def log_prob(self, noise: Noise, pair: tuple[jax.Array, jax.Array]) -> jax.Array:
        """log p(e|m) p(z|m, e), nats."""
        sent = Sent(pair[1], noise)
        code = self.joint.encoder(self.joint.source.embed(sent))
        log_prob: jax.Array = source_of(self.joint).log_noise(sent) + self.joint.conditional(pair[0], code)
        return log_prob

    def conditional(self, pair: tuple[jax.Array, jax.Array], code: Code) -> jax.Array:
        """log p(z|m, e), nats."""
        return self.joint.conditional(pair[0], code)


def inner_bracket(key: Key, joint: Joint, budget_gflop: float) -> Bracket:
    """Both bounds on I(M;Z) of a stack's joint.

    Args:
        key: the same key gives the same bracket.
        joint: of message and inner noise, with a last channel of full support.
        budget_gflop: billions of operations.
    """
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
