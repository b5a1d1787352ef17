"""The first phase: cheap samples, simulated, scored, and bounded without chains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np
from jaxtyping import PyTree

from capacity.bounds.annealed.controls import Columns, ControlFunction, columns_of
from capacity.bounds.annealed.scores import ScoredCodes, scores_of
from capacity.bounds.posterior.approximation import PosteriorApproximation
from capacity.bounds.variational.normal import Normal
from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT
from capacity.runtime.devices import programs
from capacity.runtime.shapes import Key

if TYPE_CHECKING:
    from synthetic.source import Source

MIN_FIRST_PHASE, MAX_FIRST_PHASE = 2**13, 2**16  # samples


class FirstPhase(NamedTuple):
    """Cheap samples: messages, codes, z, log p(z|m) and log p(m), scores, and columns of controls; leaves (n, ...)."""

    message: PyTree
    code: PyTree
    z: PyTree
    conditional: np.ndarray
    prior: np.ndarray
    scored: ScoredCodes
    columns: Columns

    def followed_by(self, more: FirstPhase) -> FirstPhase:
        """These samples and more of them, by the same key."""
        both: FirstPhase = jax.tree.map(lambda *parts: np.concatenate(parts), self, more)
        return both


def first_phase_samples(each: float, room: float) -> int:
    """How many cheap samples, at so much each, there is room for: a power of two between 2^13 and 2^16."""
    return int(np.clip(2 ** np.floor(np.log2(max(room / each, 1.0))), MIN_FIRST_PHASE, MAX_FIRST_PHASE))


def block_numbers(n: int, begun: int = 0) -> range:
    """Numbers of the blocks of `MIN_FIRST_PHASE` samples that make n of so many that there are."""
    return range(begun // MIN_FIRST_PHASE, n // MIN_FIRST_PHASE)


def prior_shortfall(source: Source, message: PyTree) -> float:
    """By how many bits these messages say less than messages do on average: 0 if all are equally likely.

    Where a few rare messages have most of the bits, a sample may have none of them, and no spread shows it.
    """
    if not source.discrete:
        return 0.0
    log_mass = _log_masses(source, message)
    return max(float(source.bits + log_mass.mean() / NATS_PER_BIT), 0.0)


def simulate(
    key: Key,
    joint: Joint,
    approximation: PosteriorApproximation,
    normal: Normal,
    functions: Sequence[ControlFunction],
    numbers: range,
) -> FirstPhase:
    """Samples, their scores and their controls, in blocks of `MIN_FIRST_PHASE`: one program for any number.

    Args:
        key: of samples and scores.
        joint: source, encoder and channel.
        approximation: fitted before.
        normal: a density with the moments of Z.
        functions: that controls are made of.
        numbers: of the blocks; the same number and key give the same block.

    Raises:
        ValueError: where a channel without atoms leaves some unit of some message without any noise.
    """
    key_samples, key_scores = jax.random.split(key)

    def block(number: int) -> Any:
        message, code, *rest = _simulated_block(jax.random.fold_in(key_samples, number), joint)
        scored = scores_of(key_scores, joint, approximation, normal, message, code)
        return jax.tree.map(np.asarray, (message, code, *rest, scored))

    with programs() as pool:
        found = list(pool.map(block, numbers))
    message, code, z, conditional, prior, noiseless, scored = jax.tree.map(lambda *parts: np.concatenate(parts), *found)
    if noiseless.any() and not joint.channel.atomic:  # densities, of chains too, are no probabilities there
        raise ValueError(
            f"Expected units with a density, for an annealed bracket; got {joint.channel.name}, which left some "
            "unit of some message without any noise."
        )
    columns = columns_of(joint, functions, message, code, z)
    return FirstPhase(message, code, z, conditional, prior, scored, columns)


@jax.jit
def _log_masses(source: Source, messages: PyTree) -> jax.Array:
    return jax.vmap(source.log_mass)(messages)


@jax.jit
def _simulated_block(key: jax.Array, joint: Joint) -> tuple[PyTree, PyTree, jax.Array, jax.Array, jax.Array, jax.Array]:
    message, code, z = joint.sample(key, MIN_FIRST_PHASE)
    noiseless = (jax.vmap(joint.channel.moments)(code)[1] == 0).any(1)
    prior = jax.vmap(joint.source.log_prob)(message)
    return message, code, z, jax.vmap(joint.conditional)(z, code), prior, noiseless
