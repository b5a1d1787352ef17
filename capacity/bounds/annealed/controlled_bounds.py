"""Both bounds from chains, their noise in z taken away by controls whose means a first phase of cheap samples knows.

Two-phase sampling (Cochran 1977, chapter 12): the first phase is simulation alone, the second has a chain each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from jaxtyping import Float, PyTree

from capacity.bounds.annealed.chains import Chains
from capacity.bounds.annealed.controls import (
    ControlFunction,
    Controls,
    controlled,
    controls_of,
    error_of_means,
    reduce,
    rounding,
)
from capacity.bounds.posterior.approximation import PosteriorApproximation
from capacity.bounds.variational.normal import Normal, fit_normal
from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT, Estimate, Kind
from capacity.results.intervals import RARE_LOSS
from capacity.runtime.shapes import Key

if TYPE_CHECKING:
    from synthetic.source import Source

MIN_FIRST_PHASE, MAX_FIRST_PHASE = 2**13, 2**16  # samples


class Simulated(NamedTuple):
    """Cheap samples: messages, codes, z, log p(z|u), and whether some unit had no noise; leaves (n, ...)."""

    message: PyTree
    code: PyTree
    z: PyTree
    conditional: jax.Array
    noiseless: jax.Array


class ControlledBounds(NamedTuple):
    """What a first phase of cheap samples knows, and bounds on I(M;Z) from chains by it.

    Attributes:
        joint: that both phases sample.
        functions: the learnt controls, fixed before.
        first_phase: controls of the cheap samples.
        entropy_bound: the upper bound of maximum entropy, from the same samples.
    """

    joint: Joint
    functions: tuple[ControlFunction, ...]
    first_phase: Controls
    entropy_bound: Estimate

    @classmethod
    def simulate(cls, key: Key, joint: Joint, approximation: PosteriorApproximation, n: int) -> ControlledBounds:
        """From n samples; the normal density from n others.

        Args:
            key: of both.
            joint: source, encoder and channel.
            approximation: whose start is one of the controls.
            n: a multiple of `MIN_FIRST_PHASE`.

        Raises:
            ValueError: where a channel without atoms leaves some unit of some message without any noise.
        """
        key_normal, key_samples = jax.random.split(key)
        normal = fit_normal(key_normal, joint, n)
        samples = _simulated(key_samples, joint, n)
        # The trained decoder as one more was tried, and took nothing away.
        functions = Partial(_surprise, normal), Partial(_log_start, approximation)
        first_phase = controls_of(joint, functions, samples.message, samples.code, samples.z)
        values = jnp.asarray(samples.conditional + first_phase.learnt[:, 0])
        entropy = Estimate.from_samples(nats=values, kind="upper", controls=jnp.asarray(first_phase.zero))
        if samples.noiseless.any() and not joint.channel.atomic:  # densities, of chains too, are no probabilities there
            raise ValueError(
                f"Expected units with a density, for an annealed bracket; got {joint.channel.name}, which left some "
                "unit of some message without any noise."
            )
        least = rounding(first_phase.learnt)
        return cls(joint, functions, first_phase, entropy.widened_to(least, least).conservative())

    def with_control(self, key: Key, function: ControlFunction, n: int) -> ControlledBounds:
        """With one more learnt control, its mean from n samples of its own."""
        functions = (*self.functions, function)
        samples = _simulated(key, self.joint, n)
        controls = controls_of(self.joint, functions, samples.message, samples.code, samples.z)
        return self._replace(functions=functions, first_phase=controls)

    def second_phase(self, chains: Chains) -> Controls:
        """The controls of the samples of some chains."""
        return controls_of(self.joint, self.functions, chains.message, chains.code, chains.z)

    def bounds(
        self,
        chains: Chains,
        lower: Float[np.ndarray, " n"] | None = None,
        upper: Float[np.ndarray, " n"] | None = None,
    ) -> tuple[Estimate, Estimate]:
        """The lower and the upper bound of some chains, in bits, or of other values for the same samples, in nats."""
        second, limit = self.second_phase(chains), self.joint.source.bits
        loss = limit if self.joint.channel.atomic else RARE_LOSS

        def bound(values: np.ndarray, kind: Kind, worst: float) -> Estimate:
            if np.isfinite(values).all():
                return controlled(values, second, self.first_phase, kind, limit, loss).conservative()
            # A chain that started at an impossible message: no bound, but no NaN either.
            return Estimate.from_normal(bits=worst, stderr=0.0, kind=kind, limit=limit, n=len(values))

        below = bound(chains.lower() if lower is None else lower, "lower", -np.inf)
        above = bound(chains.upper() if upper is None else upper, "upper", np.inf)
        return below, above.widened_to(up=prior_shortfall(self.joint.source, chains.message))

    def spread(self, chains: Chains) -> tuple[float, float]:
        """Standard deviation of a lower value, its controls taken off, and standard error of these, in bits.

        A pilot's upper values are spread by short chains more than by z, and longer ones will not be.
        """
        if not np.isfinite(chains.lower()).all():
            return np.inf, 0.0
        reduced, slope, _ = reduce(chains.lower(), self.second_phase(chains), self.first_phase)
        return float(reduced.std() / NATS_PER_BIT), error_of_means(slope, self.first_phase)

    def entropy_bound_competes(self, chains: Chains) -> bool:
        """Whether maximum entropy may turn out the lower upper bound: it lies within a pilot's interval, or below."""
        # Against atoms a normal density is no bound.
        return not self.joint.channel.atomic and bool(self.entropy_bound.bits < self.bounds(chains)[1].high)


def prior_shortfall(source: Source, message: PyTree) -> float:
    """By how many bits these messages say less than messages do on average: 0 if all are equally likely.

    Where a few rare messages have most of the bits, a sample may have none of them, and no spread shows it.
    """
    if not source.discrete:
        return 0.0
    log_mass = jax.vmap(source.log_mass)(message)
    return max(float(source.bits + log_mass.mean() / NATS_PER_BIT), 0.0)


def first_phase_samples(each: float, room: float) -> int:
    """How many cheap samples, at so much each, there is room for: a power of two between 2^13 and 2^16."""
    return int(np.clip(2 ** np.floor(np.log2(max(room / each, 1.0))), MIN_FIRST_PHASE, MAX_FIRST_PHASE))


def _surprise(normal: Normal, message: PyTree, z: jax.Array) -> jax.Array:
    return -normal.log_prob(z)


def _log_start(approximation: PosteriorApproximation, message: PyTree, z: jax.Array) -> jax.Array:
    observation = approximation.observe(z)
    return approximation.log_start(observation, approximation.state_of(observation, message))


def _simulated(key: jax.Array, joint: Joint, n: int) -> Simulated:
    """n samples, a multiple of `MIN_FIRST_PHASE`: one program for any number."""
    blocks = [_simulated_block(jax.random.fold_in(key, block), joint) for block in range(n // MIN_FIRST_PHASE)]
    samples: Simulated = jax.tree.map(lambda *parts: np.concatenate(list(map(np.asarray, parts))), *blocks)
    return samples


@jax.jit
def _simulated_block(key: jax.Array, joint: Joint) -> Simulated:
    message, code, z = joint.sample(key, MIN_FIRST_PHASE)
    noiseless = (jax.vmap(joint.channel.moments)(code)[1] == 0).any(1)
    return Simulated(message, code, z, jax.vmap(joint.conditional)(z, code), noiseless)
