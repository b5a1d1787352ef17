"""The information density by one pass over the slots: what each unit says of the message, given the units before it.

With a(s) = p(s | z_<j), s the pattern in the slots and s* the one that was sent, a step does

    a(s) <- a(s) p(z_j|s) / p(z_j|s*),      c_j = sum_s a(s),      a <- a / c_j,

and a digit that moves no later unit makes room for another: its slot is summed over, both values equally likely again.
Then -log c_j = log p(z_j|m) - log p(z_j | z_<j), whose sum is log p(z|m) / p(z), with both densities those of the
windows' laws (the forward recursion of Bahl, Cocke, Jelinek & Raviv 1974; information rates by it: Arnold & Loeliger
2001, Pfister, Soriaga & Siegel 2001).
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from capacity.bounds.local.frontier import Frontier
from capacity.bounds.local.window_laws import WindowLaws
from capacity.channels.additive import LOG_2PI
from capacity.channels.channel import Channel, Code
from capacity.runtime.devices import programs
from capacity.runtime.shapes import ArrayLeaf

PassCarry: TypeAlias = tuple[jax.Array, jax.Array]
STATES = 2**18  # patterns times samples at once
MIN_TOGETHER, MAX_TOGETHER = 4, 1024  # samples


class WindowSteps(NamedTuple):
    """What the pass reads, leaves (steps, ...)."""

    laws: WindowLaws
    freed: Int[ArrayLeaf, "steps most"]
    renewed: Int[ArrayLeaf, " steps"]


class ForwardPass:
    """Information densities of samples under the windows' laws.

    Args:
        channel: the noise, alike on all units.
        frontier: the schedule.
        laws: of every step's unit.
    """

    def __init__(self, channel: Channel, frontier: Frontier, laws: WindowLaws) -> None:
        self.channel, self.frontier, self.laws = channel, frontier, laws
        self.steps = jax.tree.map(
            jnp.asarray, WindowSteps(laws, *map(jnp.asarray, (frontier.freed, (frontier.freed >= 0).sum(1))))
        )
        self.together = int(np.clip(STATES >> frontier.slots, MIN_TOGETHER, MAX_TOGETHER))

    def increments(self, message: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """log p(z_j|m) - log p(z_j | z_<j), and log p(z_j|m), each (n, steps) nats.

        Args:
            message: (n, digits).
            z: (n, units).
        """

        def some(at: int) -> tuple[np.ndarray, ...]:
            rows = np.minimum(np.arange(at, at + self.together), len(z) - 1)
            own, received = self.patterns(message[rows]), z[rows][:, self.frontier.units].T
            return tuple(map(np.asarray, _pass(self.channel, self.steps, jnp.asarray(own), jnp.asarray(received))))

        with programs() as pool:
            found = list(pool.map(some, range(0, len(z), self.together)))
        told, alone = (np.concatenate([one.T for one in each])[: len(z)] for each in zip(*found, strict=True))
        return told, alone

    def patterns(self, message: np.ndarray) -> Int[np.ndarray, "steps n"]:
        """What lies in the slots of each message at each step."""
        found = np.zeros((len(self.frontier.units), len(message)), np.int32)
        for slot in range(self.frontier.slots):
            digit = self.frontier.digits[:, slot]
            found += np.where(digit[:, None] >= 0, message.T[np.maximum(digit, 0)], 0).astype(np.int32) << slot
        return found


def unit_log_prob(channel: Channel, law: WindowLaws, z: Float[Array, ...]) -> Float[Array, ...]:
    """log p(z_j|s) of one unit, nats; the law's leaves and z of shapes that broadcast."""
    if law.moments is not None:
        mean, variance = law.moments
        return -0.5 * (jnp.square(z - mean) / variance + jnp.log(variance) + LOG_2PI)
    alone = channel.part(slice(0, 1))

    def of_pair(one: jax.Array, code: Code) -> jax.Array:
        found: jax.Array = alone.log_prob(one[None], jax.tree.map(lambda leaf: leaf[None], code))[0]
        return found

    leaves, structure = jax.tree.flatten(law.codes)
    paired = jnp.vectorize(lambda one, *code: of_pair(one, jax.tree.unflatten(structure, code)))
    found: jax.Array = paired(z, *leaves)
    return found


@jax.jit
def _pass(
    channel: Channel, steps: WindowSteps, own: Int[Array, "steps n"], z: Float[Array, "steps n"]
) -> tuple[Float[Array, "steps n"], Float[Array, "steps n"]]:
    count = jax.tree.leaves(steps.laws)[0].shape[1]
    slots, n = count.bit_length() - 1, z.shape[1]

    def renewed(slot: int, a: jax.Array) -> jax.Array:
        pair = a.reshape(-1, 2, 2**slot, n)
        half = 0.5 * (pair[:, 0] + pair[:, 1])  # a sum over the axis, and a broadcast, take XLA five times as long
        return jnp.stack([half, half], axis=1).reshape(count, n)

    renewals = [partial(renewed, slot) for slot in range(slots)]
    Carry: TypeAlias = tuple[jax.Array, jax.Array]

    def step(
        carry: Carry, given: tuple[WindowSteps, jax.Array, jax.Array]
    ) -> tuple[Carry, tuple[jax.Array, jax.Array]]:
        (a, scale), (now, pattern, received) = carry, given
        sent = unit_log_prob(channel, jax.tree.map(lambda leaf: leaf[pattern], now.laws), received)
        every = jax.tree.map(lambda leaf: leaf[:, None], now.laws)
        a = a * jnp.exp(unit_log_prob(channel, every, received[None]) - (sent + scale)[None])
        if slots and now.freed.shape[0]:
            a = jax.lax.fori_loop(0, now.renewed, lambda i, a: jax.lax.switch(now.freed[i], renewals, a), a)
        log_total = jnp.log(a.sum(0))  # as renewals leave it; the next step divides by it
        return (a, log_total), (-log_total, sent)

    start = jnp.full((count, n), 1 / count, z.dtype), jnp.zeros(n, z.dtype)
    found: tuple[jax.Array, jax.Array] = jax.lax.scan(step, start, (steps, own, z))[1]
    return found
