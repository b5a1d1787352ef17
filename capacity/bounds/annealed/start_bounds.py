"""Bounds without chains, from the approximation's start q(m|z) alone: poor where q is, but of many cheap samples.

    E log q'(m|z)/p(m)  <=  I(M;Z)  <=  E log p(z|m) - log w'

q' being q with a little of the prior (Barber & Agakov 2003), and w' the importance weight of one message drawn from q,
with a little of p(m, z) itself: its mean is at most p(z) (Burda, Grosse & Salakhutdinov 2016).  Both hold in any event
of z: what no sample with chains saw can therefore move the bits no further than to these bounds.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, PyTree

from capacity.bounds.posterior.approximation import PosteriorApproximation
from capacity.joint.joint import Joint
from capacity.runtime.shapes import ArrayLeaf, Key

TOGETHER = 128  # samples at once


class StartRatios(NamedTuple):
    """Of n samples, nats: log p(m), and log w/p(m, z), w = p(m', z)/q(m'|z) of a message from q."""

    prior: ArrayLeaf
    drawn: ArrayLeaf

    def values(self, share: float) -> Float[np.ndarray, " n"]:
        """Values (n,), nats, of the upper bound, w mixed with such a share of p(m, z), which p(z) is never below."""
        weight = _number(self.drawn)
        if share > 0.0:  # else messages have densities, not probabilities
            weight = np.logaddexp(weight + np.log1p(-share), np.log(share))
        values: np.ndarray = -_number(self.prior) - weight
        return values


def _number(logs: ArrayLeaf | np.ndarray) -> np.ndarray:
    numbers: np.ndarray = np.nan_to_num(np.asarray(logs, np.float64), nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    return numbers


def start_values(log_start: np.ndarray, log_prior: np.ndarray, share: float) -> Float[np.ndarray, " n"]:
    """Values (n,), nats, of the lower bound.

    Args:
        log_start: (n,), log q(m|z), nats.
        log_prior: (n,), log p(m), nats.
        share: of the prior in q'.
    """
    ratio = _number(log_start) - _number(log_prior)
    values: np.ndarray = np.logaddexp(ratio + np.log1p(-share), np.log(share))
    return values


@jax.jit
def start_ratios(
    key: Key, joint: Joint, approximation: PosteriorApproximation, message: PyTree, z: PyTree
) -> StartRatios:
    """The ratios of n samples.

    Args:
        key: of the messages drawn from q.
        joint: of the samples.
        approximation: fitted before.
        message, z: of the samples, leaves (n, ...).
    """

    def ratios(sample: tuple[jax.Array, PyTree, jax.Array]) -> StartRatios:
        key, message, z = sample
        observation = approximation.observe(z)
        drawn = approximation.sample(key, observation)
        prior = joint.source.log_prob(message)
        weight = joint.log_prob(approximation.message_of(drawn), z) - approximation.log_start(observation, drawn)
        return StartRatios(prior, weight - joint.log_prob(message, z))

    keys = jax.random.split(key, len(jax.tree.leaves(z)[0]))
    found: StartRatios = jax.lax.map(ratios, (keys, message, z), batch_size=TOGETHER)
    return found
