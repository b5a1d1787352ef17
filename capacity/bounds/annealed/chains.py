"""Annealed bounds in both directions: log p(z) from below and from above, hence I(M;Z) from above and from below.

From a normalised start q(m|z) a chain walks through f_t = q^(1-t) f^t to f(m) = p(m) p(z|m), each step leaving its own
f_t invariant.  The sum of its work has E[log w] <= log p(z) (annealed importance sampling, Neal 2001).  Since the pair
(m, z) was simulated, m is an exact sample of p(m|z); the same walk taken backwards from it has E[log w] >= log p(z)
(bidirectional Monte Carlo, Grosse, Ghahramani & Adams 2015).  Both hold for any start, ladder and approximation that
were fixed before, so

    E[log p(z|m) - log w forwards] >= I(M;Z) >= E[log p(z|m) - log w backwards].

The walk has two legs: from q to an approximation that can be sampled cheaply (`temper`), and from there to the truth
(`bridge`), where whole sweeps of the approximation are proposed and accepted by what it left out.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import logsumexp

from capacity.runtime.devices import programs

LANES = 128  # chains that advance together
STRIDE = 16  # steps of a leg in one call of its program: a ladder is a multiple of it
STRETCHES = 16  # of a leg, for each of which work is added up: they divide every ladder


class Ladder(NamedTuple):
    """Rungs of both legs, from 0 to 1: `temper` (T + 1,) and `bridge` (L + 1,), float64; T, L multiples of `STRIDE`."""

    temper: np.ndarray
    bridge: np.ndarray

    @property
    def rungs(self) -> int:
        """Steps of both legs."""
        return len(self.temper) + len(self.bridge) - 2


class Target(Protocol):
    """What walks end at: a `Joint`, or anything that samples message, code and z, and has these densities in nats."""

    def sample(self, key: jax.Array, n: int) -> tuple[Any, Any, Any]:
        """n independent messages, codes and noisy codes."""

    def log_prob(self, message: Any, z: Any) -> jax.Array:
        """log p(m, z) of one message and noisy code."""

    def conditional(self, z: Any, code: Any) -> jax.Array:
        """log p(z|u) of one noisy code and the code that was sent."""


class Walks(NamedTuple):
    """What n noisy codes gave with K forward chains and one backward chain each, in nats.

    Attributes:
        conditional: (n,), log p(z|m).
        up, down: (K, n) and (n,), log w of the forward and the backward walks.
        lost: (T,) and (L,), what a walk up and one down dissipate at a rung of either leg, by the walks' spread.
        accepted: (L,), share of proposals accepted on the second leg.
        message, code, z: the samples.
    """

    conditional: np.ndarray
    up: np.ndarray
    down: np.ndarray
    lost: tuple[np.ndarray, np.ndarray]
    accepted: np.ndarray
    message: Any
    code: Any
    z: Any

    def upper(self, chains: int | None = None) -> np.ndarray:
        """Values (n,) whose mean is an upper bound on I(M;Z) in expectation, nats, from the first so many chains.

        log of the mean of K weights, each of mean p(z), is at most log p(z) in expectation (Burda et al. 2016).
        """
        used = self.up[:chains]
        return self.conditional - (logsumexp(used, axis=0) - np.log(len(used)))

    def lower(self, chains: int | None = None) -> np.ndarray:
        """Values (n,) whose mean is a lower bound on I(M;Z) in expectation, nats.

        The backward walk and K - 1 forward ones together: the same mean with one exact sample among its K is at
        least log p(z) in expectation (Sobolev & Vetrov 2019; Brekelmans et al. 2022, equation 12).
        """
        used = np.concatenate([self.down[None], self.up[: (chains or len(self.up)) - 1]])
        return self.conditional - (logsumexp(used, axis=0) - np.log(len(used)))


def even_ladder(temper: int, bridge: int) -> Ladder:
    """Rungs at equal distances."""
    return Ladder(np.linspace(0, 1, temper + 1), np.linspace(0, 1, bridge + 1))


def walk(key: jax.Array, joint: Target, approximation: Any, n: int, ladder: Ladder, chains: int = 1) -> Walks:
    """Walk both ways for n fresh samples, `LANES` at a time, as many batches at once as there are cores.

    Args:
        approximation: what `fit_additive` or `fit_gaussian` made of the joint, from other keys.
        n: a multiple of `LANES`.
        chains: forward walks for each sample.

    Raises:
        ValueError: if n is no multiple of `LANES`, or there is no chain.
    """
    if n % LANES or n < 1 or chains < 1:
        raise ValueError(f"Expected n a multiple of {LANES} and chains of at least 1; got {n} and {chains}.")
    jobs = []
    with programs() as pool:
        for batch in range(n // LANES):
            key_pair, key_chains = jax.random.split(jax.random.fold_in(key, batch))
            # Begun once for all of its chains, which stand behind it in the queue; let go when the last has ended.
            begun = pool.submit(_begin, key_pair, joint, approximation)
            for chain in range(chains + 1):
                key_chain = jax.random.fold_in(key_chains, chain)
                jobs.append(pool.submit(_walk_batch, key_chain, begun, chain, joint, approximation, ladder))
        try:
            done = [job.result() for job in jobs]
        finally:
            for job in jobs:  # broken off, the rest need not run
                job.cancel()
    back, first = done[:: chains + 1], done[1 :: chains + 1]

    def joined(batches: list[dict[str, Any]], name: str) -> Any:
        return jax.tree.map(lambda *parts: np.concatenate([np.asarray(p) for p in parts]), *[b[name] for b in batches])

    def lost(leg: str, rungs: np.ndarray) -> np.ndarray:
        works = np.stack([joined(done[1 + c :: chains + 1], leg) for c in range(chains)])
        return dissipated(works, len(rungs) - 1)

    return Walks(
        conditional=joined(first, "conditional").astype(np.float64),
        up=np.stack([joined(done[1 + c :: chains + 1], "log_weight") for c in range(chains)]),
        down=joined(back, "log_weight"),
        lost=(lost("temper", ladder.temper), lost("bridge", ladder.bridge)),
        accepted=np.mean([b["accepted"] for b in first], axis=0),
        **{name: joined(first, name) for name in ("message", "code", "z")},
    )


def _walk_batch(
    key: jax.Array, begun: Future[Any], chain: int, joint: Target, approximation: Any, ladder: Ladder
) -> dict[str, Any]:
    """One batch of walks, backwards for chain 0; all chains of a batch see the same samples, the first brings them."""
    key_draw, key_temper, key_bridge = jax.random.split(key, 3)
    samples, heard, sent = begun.result()
    forward, z = chain > 0, samples["z"]

    def temper(place: Any) -> tuple[Any, np.ndarray]:
        return _leg(_temper, key_temper, ladder.temper, forward, place, approximation, heard)

    def bridge(place: Any) -> tuple[Any, Any]:
        held = _hold(joint, approximation, heard, place, z)
        held, worked = _leg(_bridge, key_bridge, ladder.bridge, forward, held, approximation, heard, joint, z)
        return held.place, worked

    if forward:
        place, tempered = temper(_draw(key_draw, approximation, heard))
        _, (bridged, accepted) = bridge(place)
    else:
        place, (bridged, accepted) = bridge(sent)
        _, tempered = temper(place)
    out = dict(samples) if chain == 1 else {}
    out["log_weight"] = tempered.sum(1, dtype=np.float64) + bridged.sum(1, dtype=np.float64)
    for name, work in (("temper", tempered), ("bridge", bridged)):
        out[name] = work.reshape(LANES, STRETCHES, -1).sum(2, dtype=np.float64)
    return out | {"accepted": accepted.mean(0)}


def dissipated(works: np.ndarray, rungs: int) -> np.ndarray:
    """What is lost at each of so many rungs, nats, from the work (K, n, stretches) of K walks up for each of n codes.

    The mean of the work backwards less that of the work forwards would say it, but where little is lost that drowns in
    the noise of both.  Normal work of variance s^2 dissipates s^2 / 2 either way (Jarzynski 1997, Phys. Rev. Lett. 78,
    2690, equation 14), and the variance among the walks of one code is known well from few of them.  What stretches
    lose together is left out: this says where rungs are needed, not how many.  One walk says nothing; walks at
    impossible messages neither.
    """
    chains, _, stretches = works.shape
    known = chains > 1 and np.isfinite(works).all()
    lost = works.var(axis=0, ddof=1).mean(0) if known else np.zeros(stretches)
    return np.repeat(lost, rungs // stretches) * stretches / rungs


def _leg(program: Callable[..., Any], key: jax.Array, rungs: np.ndarray, forward: bool, state: Any, *args: Any) -> Any:
    """Climb or descend a leg, `STRIDE` rungs a call; the work by rung, in the ladder's order, (lanes, rungs)."""
    parts = []
    count = len(rungs) - 1
    for start in range(0, count, STRIDE) if forward else range(count - STRIDE, -1, -STRIDE):
        piece = jnp.asarray(rungs[start : start + STRIDE + 1], jnp.float32)
        steps = Steps(piece[:-1], piece[1:], jnp.arange(start, start + STRIDE))
        state, work = program(np.bool_(forward), jax.random.fold_in(key, start), steps, state, *args)
        parts.append(jax.tree.map(np.asarray, work))
    if not forward:
        parts.reverse()
    return state, jax.tree.map(lambda *p: np.concatenate(p, axis=1), *parts)


class Steps(NamedTuple):
    """Some steps of a leg, each between two rungs, and their numbers; all (STRIDE,)."""

    low: jax.Array
    high: jax.Array
    number: jax.Array


class Held(NamedTuple):
    """A place, and what the approximation leaves out of its log joint density: log f - log f_approximate, nats."""

    place: Any
    missing: jax.Array


@jax.jit
def _begin(key: jax.Array, joint: Target, approximation: Any) -> tuple[dict[str, Any], Any, Any]:
    message, code, z = joint.sample(key, LANES)
    heard = jax.vmap(approximation.hear)(z)
    sent = jax.vmap(approximation.place)(heard, message)
    out = {
        "conditional": jax.vmap(joint.conditional)(z, code),
        "message": message,
        "code": code,
        "z": z,
    }
    return out, heard, sent


@jax.jit
def _draw(key: jax.Array, approximation: Any, heard: Any) -> Any:
    return jax.vmap(approximation.draw)(jax.random.split(key, LANES), heard)


def _missing(joint: Target, approximation: Any, heard: Any, place: Any, z: jax.Array) -> jax.Array:
    return joint.log_prob(approximation.message(place), z) - approximation.log_joint(heard, place)


def _held(joint: Target, approximation: Any, heard: Any, place: Any, z: jax.Array) -> Any:
    """The state that the approximation's own moves keep, or else a `Held`."""
    if hasattr(approximation, "hold"):
        return approximation.hold(joint, heard, place, z)
    return Held(place, _missing(joint, approximation, heard, place, z))


@jax.jit
def _hold(joint: Target, approximation: Any, heard: Any, place: Any, z: jax.Array) -> Any:
    return jax.vmap(partial(_held, joint, approximation))(heard, place, z)


def _swept(
    approximation: Any, joint: Target, key: jax.Array, heard: Any, z: jax.Array, held: Held, weight: Any, turn: Any
) -> tuple[Held, jax.Array]:
    """A sweep there and back, its own reversal under the approximation, accepted by what that leaves out."""
    out, back, toss = jax.random.split(key, 3)
    start, stop = _window(turn, approximation.moves)
    one = jnp.ones(())
    place = approximation.sweep(out, heard, held.place, one, start, stop, False)
    place = approximation.sweep(back, heard, place, one, start, stop, True)
    place = approximation.refresh(heard, place)
    new = Held(place, _missing(joint, approximation, heard, place, z))
    accept = jnp.log(jax.random.uniform(toss)) < weight * (new.missing - held.missing)
    return jax.tree.map(partial(jnp.where, accept), new, held), accept


def _window(turn: jax.Array, moves: int) -> tuple[jax.Array, jax.Array]:
    """From which block to which a proposal redraws them: all, and in turn shorter and shorter stretches."""
    length = jnp.asarray([moves, -(-moves // 2), -(-moves // 4), -(-moves // 8)])[turn % 4]
    start = (turn * 7919) % (moves - length + 1)
    return start, start + length


def _along(forward: jax.Array, step: Callable[..., Any], state: Any, each: Any) -> tuple[Any, Any]:
    """A scan over a leg's steps in their order, or from the last to the first; what it gives is in their order.

    One program goes both ways: compiling takes longer than many a walk.
    """
    order = jnp.where(forward, jnp.arange(STRIDE), jnp.arange(STRIDE)[::-1])
    state, out = jax.lax.scan(step, state, jax.tree.map(lambda a: a[order], each))
    return state, jax.tree.map(lambda a: a[order], out)


@jax.jit
def _temper(
    forward: jax.Array, key: jax.Array, steps: Steps, places: Any, approximation: Any, heard: Any
) -> tuple[Any, jax.Array]:
    """The first leg: from the start to the approximation."""

    def chain(key: jax.Array, place: Any, heard: Any) -> tuple[Any, jax.Array]:
        def work(place: Any, step: jax.Array) -> jax.Array:
            return step * (approximation.log_joint(heard, place) - approximation.log_start(heard, place))

        def move(place: Any, x: tuple[jax.Array, Steps]) -> tuple[Any, jax.Array]:
            key, step = x
            new = approximation.sweep(key, heard, place, step.high, 0, approximation.moves, ~forward)
            new = approximation.refresh(heard, new)
            # Up, the work is done where the walk stood; down, where it has come to.
            return new, work(jax.tree.map(partial(jnp.where, forward), place, new), step.high - step.low)

        return _along(forward, move, place, (jax.random.split(key, STRIDE), steps))

    return jax.vmap(chain)(jax.random.split(key, LANES), places, heard)


@jax.jit
def _bridge(
    forward: jax.Array,
    key: jax.Array,
    steps: Steps,
    held: Held,
    approximation: Any,
    heard: Any,
    joint: Target,
    z: jax.Array,
) -> tuple[Held, tuple[jax.Array, jax.Array]]:
    """The second leg: from the approximation to the truth."""
    own = getattr(approximation, "move", None) or partial(_swept, approximation)

    def chain(key: jax.Array, held: Any, heard: Any, z: jax.Array) -> tuple[Any, tuple[jax.Array, jax.Array]]:
        def move(held: Any, x: tuple[jax.Array, Steps]) -> tuple[Any, tuple[jax.Array, jax.Array]]:
            key, step = x
            new, accept = own(joint, key, heard, z, held, step.high, step.number)
            return new, ((step.high - step.low) * jnp.where(forward, held.missing, new.missing), accept)

        return _along(forward, move, held, (jax.random.split(key, STRIDE), steps))

    return jax.vmap(chain)(jax.random.split(key, LANES), held, heard, z)
