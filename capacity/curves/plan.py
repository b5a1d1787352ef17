"""A capacity curve, checked before any work: whatever cannot work is refused here.

The plan is data alone: what to train and measure, and the key and level of every lane.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from capacity.bounds.annealed.refusals import check_full_support
from capacity.bounds.measurement import METHODS
from capacity.curves.ranges import check_counts, checked_levels
from capacity.curves.sizes import check_memory
from capacity.joint.checks import check_source
from capacity.runtime.contracts import check_instance
from capacity.runtime.deprecated import old_method, renamed_keywords
from capacity.runtime.files.store import fingerprint
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.versions import versions
from capacity.training import System, Training
from capacity.training.checks import check_networks, same_program
from capacity.training.described import check_hashable, described, is_toolkits

if TYPE_CHECKING:
    from synthetic.source import Source

CURVE_BUDGET = 200.0  # billions of operations for one lane's bracket: some 5 seconds on two cores


@dataclass(frozen=True)
class CurvePlan:
    """A checked capacity curve, ready to run; made by `plan_curve`."""

    key: jax.Array
    source: Source
    system: System
    levels: tuple[float, ...]
    seeds: int
    training: Training
    samples: int
    listed: bool
    budget_gflop: float

    run = old_method("run", "capacity.curves.execute", "run_plan", engine="pool")

    @property
    def units(self) -> int:
        """How many numbers pass the channel."""
        return self.system.channel_units(self.source)

    @property
    def total(self) -> int:
        """How many lanes the curve has."""
        return len(self.levels) * self.seeds

    @cached_property
    def configuration(self) -> dict[str, Any]:
        """Everything that decides the figures, as JSON."""
        return {
            "system": described(self.system) | self._program,
            "source": {
                "name": self.source.name,
                "bits": float(self.source.bits),
                "dim": int(self.source.dim),
                "digest": fingerprint(self.source),
            },
            "levels": list(self.levels),
            "seeds": self.seeds,
            "training": self.training.configuration,
            "samples": self.samples,
            "measure": "enumeration" if self.listed else "bracket",
            "budget_gflop": self.budget_gflop,
            "key": np.asarray(jax.random.key_data(self.key)).tolist(),
            "versions": versions(),
        }

    @cached_property
    def _program(self) -> dict[str, str]:
        """What runs of a system or networks of somebody else: their names and numbers do not say it."""
        if is_toolkits(self.system):
            return {}
        return {"program": same_program(self.source, self.system, self.training)}

    def lane(self, index: int) -> tuple[jax.Array, jax.Array]:
        """Key and level of a lane; lanes are ordered by level, then seed."""
        keys, levels = self.lanes([index])
        return keys[0], levels[0]

    def lanes(self, numbers: Sequence[int]) -> tuple[jax.Array, jax.Array]:
        """Keys and levels of lanes, two arrays (lanes,)."""
        level, seed = np.divmod(np.asarray(numbers), self.seeds)
        words = np.asarray(jax.random.key_data(self.keys))[level, seed]  # NumPy's indices need no compiled program
        keys = jax.random.wrap_key_data(jnp.asarray(words), impl=jax.random.key_impl(self.key))
        return keys, jnp.asarray(np.asarray(self.levels, np.float32)[level])

    @cached_property
    def keys(self) -> jax.Array:
        """The key of every lane, (levels, seeds)."""
        keys: jax.Array = _keys(self.key, len(self.levels), self.seeds)
        return keys


@partial(jax.jit, static_argnums=(1, 2))
def _keys(key: jax.Array, levels: int, seeds: int) -> jax.Array:
    of_seeds = jax.vmap(partial(jax.random.fold_in, key))(jnp.arange(seeds))
    each = jax.vmap(jax.vmap(jax.random.fold_in, (0, None)), (None, 0))
    return each(of_seeds, jnp.arange(levels))


@renamed_keywords(budget="budget_gflop")
def plan_curve(
    key: Seed,
    source: Source,
    system: System,
    levels: Sequence[float],
    seeds: int = 3,
    *,
    training: Training | None = None,
    samples: int = 1024,
    measure: str = "auto",
    budget_gflop: float = CURVE_BUDGET,
) -> CurvePlan:
    """Check everything that a curve needs, before any work.

    Args:
        key: a key or a seed, which decides every lane; the same key gives the same figures on one device or
            many.
        source: an object with a source's methods (`synthetic.source.Source`).
        system: a system, for example `GaussianAutoencoder()`.
        levels: its noise levels, positive and distinct, from 1e-18 to 1e18.
        seeds: lanes at each level.
        training: steps, batches and optimisers.
        samples: how many samples enumeration draws for each figure.
        measure: "enumeration", "bracket", or "auto": enumeration wherever the messages can be listed.
        budget_gflop: billions of operations for the bracket of each lane (see `capacity.measure`).

    Raises:
        TypeError: for what is no system or no source, or lacks one of its members.
        ValueError: saying what was expected and what came; also for levels that the system does not have, for what
            needs more memory than there is, and for networks of the caller's own that cannot be trained and measured.
    """
    key = as_key(key)
    check_instance(system, System)
    check_source(source)
    values = checked_levels(levels)
    check_counts(seeds, samples, budget_gflop)
    if measure not in METHODS:
        raise ValueError(f"Expected measure to be one of {', '.join(METHODS)}; got {measure!r}.")
    if measure == "enumeration" and not source.listable:
        raise ValueError(f"Expected at most 2**20 messages to enumerate; got a source of {source.bits:g} bits.")
    if not source.discrete and system.architecture.decode == "bits":
        raise ValueError("Expected decode='vector' for a continuous source; got decode='bits'.")
    listed = source.listable and measure != "bracket"
    training = training or Training()
    system.check(source, values)
    check_memory(source, system, training, len(values) * seeds, samples if listed else 0)
    if not listed:
        check_full_support(system.channel(values[0]))
    plan = CurvePlan(key, source, system, values, seeds, training, samples, listed, budget_gflop)
    if not is_toolkits(system):
        check_hashable(system)
        _ = plan.configuration  # refuses what cannot be told apart from another
        check_networks(source, system, values[0])
    return plan
