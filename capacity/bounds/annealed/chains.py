"""Annealed bounds in both directions: log p(z) from below and from above, hence I(M;Z) from above and from below.

From a normalised start q(m|z) a chain moves through f_t = q^(1-t) f^t to f(m) = p(m) p(z|m), each step leaving its own
f_t invariant.  The sum of its work has E[log w] <= log p(z) (annealed importance sampling, Neal 2001).  Since the pair
(m, z) was simulated, m is an exact sample of p(m|z); the same chain taken in reverse from it has E[log w] >= log p(z)
(bidirectional Monte Carlo, Grosse, Ghahramani & Adams 2015).  Both hold for any start, ladder and approximation that
were fixed before, so

    E[log p(z|m) - log w forwards] >= I(M;Z) >= E[log p(z|m) - log w in reverse].

A chain has two legs: from q to an approximation that can be sampled cheaply (`temper`), and from there to the truth
(`bridge`), where whole sweeps of the approximation are proposed and accepted by what it left out.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, PyTree
from scipy.special import logsumexp

from capacity.bounds.annealed.ladder import Ladder
from capacity.bounds.annealed.legs import LANES, Samples, bridge, carry, observe, run_leg, start, temper
from capacity.bounds.posterior.approximation import PosteriorApproximation
from capacity.bounds.posterior.bridge import Target
from capacity.runtime.devices import programs
from capacity.runtime.pytrees import refuse_mistakable
from capacity.runtime.shapes import Key

STRETCHES = 16  # of a leg, for each of which work is added up: they divide every ladder


class Chains(NamedTuple):
    """What n noisy codes gave with K forward chains and one reverse chain each, in nats.

    Attributes:
        conditional: (n,), log p(z|m).
        forward, reverse: (K, n) and (n,), log w of the forward and the reverse chains.
        dissipated: (T,) and (L,), what a chain up and one down lose at a step of either leg, by the chains' spread.
        accepted: (L,), share of proposals accepted on the second leg.
        samples: of both, and what each counts.
    """

    conditional: Float[np.ndarray, " n"]
    forward: Float[np.ndarray, "chains n"]
    reverse: Float[np.ndarray, " n"]
    dissipated: tuple[np.ndarray, np.ndarray]
    accepted: np.ndarray
    samples: Samples

    def upper(self, chains: int | None = None) -> Float[np.ndarray, " n"]:
        """Values (n,) whose mean is an upper bound on I(M;Z) in expectation, nats, from the first so many chains.

        log of the mean of K weights, each of mean p(z), is at most log p(z) in expectation (Burda et al. 2016).
        """
        values: np.ndarray = self.conditional - _log_mean(self.forward[:chains])
        return values

    def lower(self, chains: int | None = None) -> Float[np.ndarray, " n"]:
        """Values (n,) whose mean is a lower bound on I(M;Z) in expectation, nats.

        The reverse chain and K - 1 forward ones together: the same mean with one exact sample among its K is at
        least log p(z) in expectation (Sobolev & Vetrov 2019; Brekelmans et al. 2022, equation 12).
        """
        used = np.concatenate([self.reverse[None], self.forward[: (chains or len(self.forward)) - 1]])
        values: np.ndarray = self.conditional - _log_mean(used)
        return values


def _log_mean(log_weights: np.ndarray) -> np.ndarray:
    """log of the mean of weights over the first axis, from their logarithms."""
    mean: np.ndarray = logsumexp(log_weights, axis=0) - np.log(len(log_weights))
    return mean


class BatchWork(NamedTuple):
    """What one batch of chains did, in nats.

    Attributes:
        log_weight: (LANES,), log w.
        tempered, bridged: (LANES, STRETCHES), work by stretches of either leg.
        accepted: (L,), share of proposals accepted on the second leg.
        conditional: (LANES,), log p(z|m).
    """

    log_weight: np.ndarray
    tempered: np.ndarray
    bridged: np.ndarray
    accepted: np.ndarray
    conditional: np.ndarray


def run_chains(
    key: Key, target: Target, approximation: PosteriorApproximation, samples: Samples, ladder: Ladder, chains: int = 1
) -> Chains:
    """Anneal both ways for the samples, `LANES` at a time, as many batches at once as there are cores.

    Args:
        key: decides the moves.
        target: a joint; what chains end at.
        approximation: fitted to the joint, by other keys.
        samples: of the target, a multiple of `LANES`.
        ladder: of all chains.
        chains: forward chains for each sample.

    Raises:
        TypeError: for an approximation whose class JAX may take for another.
        ValueError: if n is no multiple of `LANES`, or there is no chain.
    """
    refuse_mistakable(approximation, "an approximation")
    n = len(samples.weight)
    if n % LANES or n < 1 or chains < 1:
        raise ValueError(f"Expected n a multiple of {LANES} and chains of at least 1; got {n} and {chains}.")
    given = samples.message, samples.code, samples.z
    jobs = []
    with programs() as pool:
        for batch in range(n // LANES):
            key_chains = jax.random.fold_in(key, batch)
            some = jax.tree.map(lambda leaf, at=batch * LANES: leaf[at : at + LANES], given)
            # Observed once for all of its chains, which stand behind it in the queue; let go when the last has ended.
            begun = pool.submit(observe, target, approximation, *some)
            for chain in range(chains + 1):
                key_chain = jax.random.fold_in(key_chains, chain)
                jobs.append(pool.submit(_run_batch, key_chain, begun, some[2], chain, target, approximation, ladder))
        try:
            done = [job.result() for job in jobs]
        finally:
            for job in jobs:  # broken off, the rest need not run
                job.cancel()
    reverse, first = done[:: chains + 1], done[1 :: chains + 1]
    forward = [done[1 + c :: chains + 1] for c in range(chains)]
    tempered, bridged = (
        np.stack([np.concatenate([getattr(work, leg) for work in one]) for one in forward])
        for leg in ("tempered", "bridged")
    )
    return Chains(
        conditional=np.concatenate([work.conditional for work in first]).astype(np.float64),
        forward=np.stack([np.concatenate([work.log_weight for work in one]) for one in forward]),
        reverse=np.concatenate([work.log_weight for work in reverse]),
        dissipated=(
            dissipation(tempered, len(ladder.temper) - 1, samples.weight),
            dissipation(bridged, len(ladder.bridge) - 1, samples.weight),
        ),
        accepted=np.mean([work.accepted for work in first], axis=0),
        samples=samples,
    )


def _run_batch(
    key: jax.Array,
    begun: Future[tuple[jax.Array, PyTree, PyTree]],
    z: PyTree,
    number: int,
    target: Target,
    approximation: PosteriorApproximation,
    ladder: Ladder,
) -> BatchWork:
    """One batch of chains, in reverse for number 0; all of a batch see the same samples."""
    key_start, key_temper, key_bridge = jax.random.split(key, 3)
    conditional, observations, sent = begun.result()
    forward = number > 0

    def tempered_from(states: PyTree) -> tuple[PyTree, np.ndarray]:
        return run_leg(temper, key_temper, ladder.temper, forward, states, approximation, observations)

    def bridged_from(states: PyTree) -> tuple[PyTree, Any]:
        carried = carry(target, approximation, observations, states, z)
        carried, worked = run_leg(
            bridge, key_bridge, ladder.bridge, forward, carried, approximation, observations, target, z
        )
        return carried.state, worked

    if forward:
        states, tempered = tempered_from(start(key_start, approximation, observations))
        _, (bridged, accepted) = bridged_from(states)
    else:
        states, (bridged, accepted) = bridged_from(sent)
        _, tempered = tempered_from(states)
    legs = [work.reshape(LANES, STRETCHES, -1).sum(2, dtype=np.float64) for work in (tempered, bridged)]
    log_weight = tempered.sum(1, dtype=np.float64) + bridged.sum(1, dtype=np.float64)
    return BatchWork(log_weight, legs[0], legs[1], accepted.mean(0), np.asarray(conditional))


def dissipation(
    works: Float[np.ndarray, "chains n stretches"], rungs: int, weight: Float[np.ndarray, " n"] | None = None
) -> Float[np.ndarray, " rungs"]:
    """What is lost at each of so many steps, nats, from the work of K chains up for each of n codes, by their weights.

    The mean of the work in reverse less that of the work forwards would say it, but where little is lost that drowns
    in the noise of both.  Normal work of variance s^2 dissipates s^2 / 2 either way (Jarzynski 1997, Phys. Rev. Lett.
    78, 2690, equation 14), and the variance among the chains of one code is known well from few of them.  What
    stretches lose together is left out: this says where rungs are needed, not how many.  One chain says nothing;
    chains at impossible messages neither.
    """
    chains, _, stretches = works.shape
    known = chains > 1 and np.isfinite(works).all()
    lost: np.ndarray = np.average(works.var(axis=0, ddof=1), axis=0, weights=weight) if known else np.zeros(stretches)
    by_step: np.ndarray = np.repeat(lost, rungs // stretches) * stretches / rungs
    return by_step
