"""The first phase: cheap samples, simulated, scored, and bounded without chains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, PyTree

from capacity.bounds.annealed.scores import scores_of
from capacity.bounds.annealed.start_bounds import StartRatios, start_ratios
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
    """Cheap samples: messages, codes, z, log p(z|u) and log p(m), leaves (n, ...).

    `ratios` are those of the first `MIN_FIRST_PHASE` samples.
    """

    message: PyTree
    code: PyTree
    z: PyTree
    conditional: np.ndarray
    prior: np.ndarray
    ratios: StartRatios


def first_phase_samples(each: float, room: float) -> int:
    """How many cheap samples, at so much each, there is room for: a power of two between 2^13 and 2^16."""
    return int(np.clip(2 ** np.floor(np.log2(max(room / each, 1.0))), MIN_FIRST_PHASE, MAX_FIRST_PHASE))


def prior_shortfall(source: Source, message: PyTree) -> float:
    """By how many bits these messages say less than messages do on average: 0 if all are equally likely.

    Where a few rare messages have most of the bits, a sample may have none of them, and no spread shows it.
    """
    if not source.discrete:
        return 0.0
    log_mass = _log_masses(source, message)
    return max(float(source.bits + log_mass.mean() / NATS_PER_BIT), 0.0)


def simulate(
    key: Key, joint: Joint, approximation: PosteriorApproximation, normal: Normal, n: int
) -> tuple[FirstPhase, Float[np.ndarray, "n scores"]]:
    """n samples, a multiple of `MIN_FIRST_PHASE`, and their scores: one program for any number.

    Args:
        key: of samples, scores, and messages drawn from the approximation.
        joint: source, encoder and channel.
        approximation: fitted before.
        normal: a density with the moments of Z.
        n: how many.

    Raises:
        ValueError: where a channel without atoms leaves some unit of some message without any noise.
    """
    key_samples, key_scores, key_ratios = jax.random.split(key, 3)

    def block(number: int) -> Any:
        message, code, *rest = _simulated_block(jax.random.fold_in(key_samples, number), joint)
        scores = scores_of(key_scores, joint, approximation, normal, message, code)
        return jax.tree.map(np.asarray, ((message, code, *rest), scores))

    with programs() as pool:
        blocks = list(pool.map(block, range(n // MIN_FIRST_PHASE)))
    samples, scores = jax.tree.map(lambda *parts: np.concatenate(parts), *blocks)
    message, code, z, conditional, prior, noiseless = samples
    if noiseless.any() and not joint.channel.atomic:  # densities, of chains too, are no probabilities there
        raise ValueError(
            f"Expected units with a density, for an annealed bracket; got {joint.channel.name}, which left some "
            "unit of some message without any noise."
        )
    some = jax.tree.map(lambda leaf: leaf[:MIN_FIRST_PHASE], (message, z))
    ratios = start_ratios(key_ratios, joint, approximation, *some)
    return FirstPhase(message, code, z, conditional, prior, ratios), scores.columns()


@jax.jit
def _log_masses(source: Source, messages: PyTree) -> jax.Array:
    return jax.vmap(source.log_mass)(messages)


@jax.jit
def _simulated_block(key: jax.Array, joint: Joint) -> tuple[PyTree, PyTree, jax.Array, jax.Array, jax.Array, jax.Array]:
    message, code, z = joint.sample(key, MIN_FIRST_PHASE)
    noiseless = (jax.vmap(joint.channel.moments)(code)[1] == 0).any(1)
    prior = jax.vmap(joint.source.log_prob)(message)
    return message, code, z, jax.vmap(joint.conditional)(z, code), prior, noiseless
