"""Hierarchies: q(z_1, z_2, ...|i) = q(z_1|i) q(z_2|z_1, i) ..., each level normal with independent units.

I(X; Z_1..Z_L) is the sum over levels of I(X; Z_l | Z_<l), in the order in which the levels are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from capacity.analysis.latent.posteriors.points import Posteriors
from capacity.channels import Channel, LearntGaussian, Posterior
from capacity.joint.joint import as_tree
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Units

LevelMap: TypeAlias = Callable[[PyTree, Units], tuple[Units, Units]]
"""From what is known of one point, and the units drawn so far, to means and log standard deviations of the next."""


@register_dataclass
@dataclass(frozen=True)
class Hierarchy(Channel):
    """Levels of normal noise, each knowing the point and the levels before; Lebesgue density.

    Moments are not known: a variance without bound stands for them.

    Attributes:
        levels: from a point's own and the units before to mean and log standard deviation; traceable.
    """

    levels: tuple[LevelMap, ...]
    memoryless = False
    code = dict
    name = "hierarchy"
    summary = "levels of normal noise, each knowing those before"
    no_ceiling_because = "the widths are learnt and may go to 0 at any power"

    def __call__(self, key: Key, u: PyTree) -> Units:
        z = jnp.zeros(0, self._kind(u))
        for level in self.levels:
            key, own = jax.random.split(key)
            z = jnp.concatenate([z, LearntGaussian()(own, Posterior(*level(u, z)))])
        return z

    def log_prob(self, z: Units, u: PyTree) -> Units:
        """Log density of each unit given the levels before, shape (units,), nats."""
        parts, start = [], 0
        for level in self.levels:
            own = Posterior(*level(u, z[:start]))
            stop = start + own.mean.shape[0]
            parts.append(LearntGaussian().log_prob(z[start:stop], own))
            start = stop
        return jnp.concatenate(parts)

    def moments(self, u: PyTree) -> tuple[Units, Units]:
        """Means where every level before is at its mean; variances without bound, since they are not known."""
        z = jnp.zeros(0, self._kind(u))
        for level in self.levels:
            z = jnp.concatenate([z, level(u, z)[0]])
        return z, jnp.full_like(z, jnp.inf)

    def signal(self, u: PyTree) -> Units:
        """The means of the units, shape (units,)."""
        return self.moments(u)[0]

    @staticmethod
    def _kind(u: PyTree) -> np.dtype:
        return np.dtype(jnp.result_type(*jax.tree.leaves(u)))


def hierarchy(levels: Sequence[LevelMap], points: PyTree) -> Posteriors:
    """Levels of normal posteriors, in the order in which they are drawn.

    Args:
        levels: each from what is known of one point (an entry of `points`) and the units drawn before, shape (u,), to
            mean and log standard deviation (v,) of the next; traceable by JAX.  The first is given none, shape (0,).
        points: arrays with a leading axis N, a pytree: what the encoder's deterministic part says of each point.

    Raises:
        ValueError: for no levels, and points that `Posteriors` refuses.
    """
    if not levels:
        raise ValueError("Expected at least one level; got none.")
    channel = Hierarchy(tuple(as_tree(level) for level in levels))
    one = jax.tree.map(lambda leaf: np.asarray(leaf, np.float32)[0], points)
    sizes, z = [], jnp.zeros(0, np.float32)
    for level in channel.levels:
        mean, _ = level(one, z)
        sizes.append(int(mean.shape[0]))
        z = jnp.concatenate([z, mean])
    return Posteriors(channel, points, levels=tuple(sizes), sliced=False)
