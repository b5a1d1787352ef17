"""Lower bound from a receiver that needs no training: blocks of digits told from z by least squared error.

I(M;Z) >= E log q(m|z) - log p(m), q a product over blocks of digits, each received through noise and all other blocks,
taken for Gaussian noise (`additive`); exact where blocks do not disturb each other, as in an orthogonal code.
The bound: Barber & Agakov (2003); the receiver: Verdu (1998), Multiuser Detection, chapter 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import jax

from capacity.bounds.bound import Bound
from capacity.bounds.posterior.additive import AdditiveCode
from capacity.bounds.posterior.additive_fit import fit_additive
from capacity.bounds.variational.decoder import bounded
from capacity.joint.joint import Joint
from capacity.results.estimate import Estimate
from capacity.runtime.keys import Seed, as_key


@dataclass(frozen=True)
class Receiver(Bound):
    """The bound of the blockwise linear receiver; discrete sources of any size.

    Raises (when called):
        ValueError: if the source is continuous.
    """

    samples: int = 2**14
    name: ClassVar[str] = "receiver"
    summary: ClassVar[str] = "lower bound from a blockwise linear receiver that needs no training"

    def __call__(self, key: Seed, joint: Joint) -> Estimate:
        """Lower bound on I(M;Z), in bits, on samples that did not fit the receiver."""
        key_fit, key_judge = jax.random.split(as_key(key))
        code = fit_additive(key_fit, joint)
        bound: Estimate = _on_fresh(key_judge, joint, code, self.samples)
        return bound


@partial(jax.jit, static_argnums=3)
def _on_fresh(key: jax.Array, joint: Joint, code: AdditiveCode, samples: int) -> Estimate:
    message, _, z = joint.sample(key, samples)

    def value(pair: tuple[jax.Array, jax.Array]) -> jax.Array:
        observation = code.observe(pair[1])
        log_start = code.log_start(observation, code.state_of(observation, pair[0]))
        ratio: jax.Array = log_start - joint.source.log_prob(pair[0])
        return ratio

    return bounded(jax.lax.map(value, (message, z), batch_size=256), joint.source.bits)
