"""Control variates for the noise in z: columns that cost no chain, some of zero mean, others whose mean is learnt.

A bound's values v cost a chain each; how z came to lie where it does explains most of their spread and costs nothing
(Owen 2013, section 8.9).  `two_phase` takes away what the columns explain, and knows the means of the learnt ones from
many cheap samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PyTree

from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT
from capacity.runtime.devices import programs
from capacity.runtime.shapes import Units

ControlFunction: TypeAlias = Callable[[PyTree, Units], jax.Array]
"""(message, z) of one sample -> a scalar, nats: a callable pytree that was fixed before the samples were drawn."""
CLIPPED = 20.0  # robust deviations past the source's entropy: a function of the noisy code counts for no more
CONTROL_BATCH = 128  # samples whose controls are computed at once: as many as there are chains in a batch


class Controls(NamedTuple):
    """Columns for the same samples, in nats.

    Attributes:
        zero: (n, a), of exactly zero mean.
        learnt: (n, c), of unknown mean.
    """

    zero: Float[np.ndarray, "n zero"]
    learnt: Float[np.ndarray, "n learnt"]


class Columns(NamedTuple):
    """What controls are made of, for the same samples, in nats.

    Attributes:
        zero: (n, a), of exactly zero mean.
        learnt: (n, c), what each function gives.
        mirrored: (n, c), what it would give if the noise were mirrored, or (n, 0).
    """

    zero: Float[np.ndarray, "n zero"]
    learnt: Float[np.ndarray, "n learnt"]
    mirrored: Float[np.ndarray, "n mirrored"]

    def controls(self, low: np.ndarray | float = -np.inf, high: np.ndarray | float = np.inf) -> Controls:
        """The controls, their functions cut off at `low` and `high` (c,): as good a function, without its far tail."""
        learnt = np.clip(self.learnt, low, high)
        lost = learnt - np.clip(self.mirrored, low, high) if self.mirrored.shape[1] else self.mirrored
        return Controls(np.concatenate([self.zero, lost], axis=1), learnt)


def clip_range(learnt: Float[np.ndarray, "n learnt"], nats: float) -> tuple[np.ndarray, np.ndarray]:
    """Where to cut functions off (c,): past the source's entropy, in nats, and many deviations from their medians.

    One code far from all others would else move a column by more than all the rest together.
    """
    low, middle, high = np.nanquantile(np.asarray(learnt, np.float64), [0.1, 0.5, 0.9], axis=0)
    room = nats if np.isfinite(nats) else CLIPPED
    return middle - room - CLIPPED * (middle - low), middle + room + CLIPPED * (high - middle)


def columns_of(joint: Joint, functions: Sequence[ControlFunction], message: PyTree, code: PyTree, z: PyTree) -> Columns:
    """Columns of n samples, learnt: what each function gives; and of zero mean, where there are any.

    These are the noise, -log p(z|m) less its known entropy; the message's own information less its entropy, where
    messages are discrete; and what each function would lose if the noise were mirrored, z taken for 2 E[z|m] - z:
    normal noise is as likely the one way as the other (antithetic variates, Hammersley & Morton 1956).  That takes
    away what is odd in the noise, from the means of the learnt ones too.

    Args:
        joint: that the samples are of.
        functions: whatever is cheap and moves as the values do, such as log q(m|z) of a decoder.
        message, code, z: of the samples, leaves (n, ...).
    """
    samples = jax.tree.map(np.asarray, (message, code, z))

    def block(start: int) -> tuple[np.ndarray, ...]:
        some = jax.tree.map(lambda a: a[start : start + CONTROL_BATCH], samples)
        return tuple(map(np.asarray, _columns(joint, tuple(functions), *some)))

    with programs() as pool:
        blocks = list(pool.map(block, range(0, len(z), CONTROL_BATCH)))
    zero, learnt, mirrored = map(np.concatenate, zip(*blocks, strict=True))
    if not np.isfinite(zero).all():  # of a sample that no control should speak of
        zero = np.zeros_like(zero)
    return Columns(zero, np.nan_to_num(learnt), np.nan_to_num(mirrored))


def controls_of(
    joint: Joint, functions: Sequence[ControlFunction], message: PyTree, code: PyTree, z: PyTree
) -> Controls:
    """The controls of n samples by `columns_of`, nothing cut off.

    Args:
        joint: that the samples are of.
        functions: whatever is cheap and moves as the values do.
        message, code, z: of the samples, leaves (n, ...).
    """
    return columns_of(joint, functions, message, code, z).controls()


@jax.jit
def _columns(
    joint: Joint, functions: tuple[ControlFunction, ...], message: PyTree, code: PyTree, z: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Of some samples at once: one program for any number of them, since compiling takes longer than many a call."""
    channel, source = joint.channel, joint.source

    def columns(sample: tuple[PyTree, PyTree, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        message, code, z = sample
        zero, mirrored = [], jnp.zeros(0)
        if channel.has_entropy:
            zero.append(-(channel.log_prob(z, code) + channel.entropy(code)).sum())
        if source.discrete:
            zero.append(source.log_mass(message) + source.bits * NATS_PER_BIT)
        learnt = jnp.stack([function(message, z) for function in functions])
        if channel.normal:
            other = 2 * channel.moments(code)[0] - z
            mirrored = jnp.stack([function(message, other) for function in functions])
        return jnp.stack(zero) if zero else jnp.zeros(0), learnt, mirrored

    return jax.vmap(columns)((message, code, z))


def rounding(*nats: Float[np.ndarray, "n ..."]) -> float:
    """What single precision may hide in means of such figures, in bits, where controls leave hardly any noise.

    One unit in the last place of the largest of them: figures are rounded, and so is what they were computed from.
    """
    return float(np.finfo(np.float32).eps * max(np.abs(part).mean(0).max() for part in nats) / NATS_PER_BIT)
