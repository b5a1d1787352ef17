"""Many lanes of one program: one after another in each place, places side by side.

On a CPU every lane runs the same unbatched program, so its numbers do not depend on how many places there are or which
lanes run beside it; batched, it was up to twice as fast on a small network and no faster on a larger one
(`docs/speed.md`), and its last digits were others.  The places of a CPU are threads that call one compiled program:
compiled for several devices at once, XLA simplifies in another order and rounds otherwise.  An accelerator is only
filled by many lanes in one batched program; each is a place.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from capacity.runtime.devices import workers

Stacked = TypeVar("Stacked")
LaneProgram: TypeAlias = Callable[[Any, Any], PyTree]
"""(a lane, what all lanes share) -> a pytree of arrays."""

# XLA splits the loops of a CPU's program among as many threads as there are cores. Last digits depend on where it cuts,
# and training makes them larger; what keeps cores busy is the other lanes.
UNSPLIT = {"xla_disable_hlo_passes": "cpu-parallel-task-assigner"}
TOGETHER_ON_ACCELERATORS = 64


@dataclass(frozen=True)
class StackedProgram:
    """A program of one lane, lifted to stacked lanes that are shared among places.

    Attributes:
        lane: (lane_args, shared) -> figures, of one lane.
        batched: the same of `together` lanes, every leaf of the first and of the figures with a leading axis of lanes.
        places: the device of each place.
        together: lanes of a place that run at once.
    """

    lane: LaneProgram
    batched: jax.stages.Wrapped
    places: list[jax.Device]
    together: int

    def shapes(self, lane_args: PyTree, shared: PyTree) -> PyTree:
        """Shapes of the stacked figures of stacked lanes; the program is traced, not run."""

        def each(lane_args: PyTree, shared: PyTree) -> PyTree:
            return jax.lax.map(lambda one: self.lane(one, shared), lane_args)

        return jax.eval_shape(each, lane_args, shared)

    def lower(self, lane_args: PyTree, shared: PyTree) -> LoweredProgram:
        """The program for lanes of these shapes, and for what they share.

        Args:
            lane_args: arrays, or their shapes; the number of lanes does not matter.
            shared: arrays.
        """

        def lowered(device: jax.Device) -> jax.stages.Lowered:
            here = jax.sharding.SingleDeviceSharding(device)

            def batch(leaf: jax.Array | jax.ShapeDtypeStruct) -> jax.ShapeDtypeStruct:
                return jax.ShapeDtypeStruct((self.together, *leaf.shape[1:]), leaf.dtype, sharding=here)

            return self.batched.lower(jax.tree.map(batch, lane_args), jax.device_put(shared, device))

        return LoweredProgram(self, {device: lowered(device) for device in set(self.places)})


@dataclass(frozen=True)
class LoweredProgram:
    """A program for each device, not compiled yet."""

    of: StackedProgram
    programs: dict[jax.Device, jax.stages.Lowered]

    def compile(self) -> CompiledProgram:
        """The programs, ready to run."""
        return CompiledProgram(self.of, {device: program.compile() for device, program in self.programs.items()})


@dataclass(frozen=True)
class CompiledProgram:
    """A program that is ready to run on each device."""

    of: StackedProgram
    programs: dict[jax.Device, jax.stages.Compiled]

    def __call__(self, lane_args: PyTree, shared: PyTree) -> PyTree:
        """Stacked figures of stacked lanes, NumPy arrays; a place that is done takes the next lanes.

        Args:
            lane_args: arrays, a multiple of `together` lanes.
            shared: arrays.

        Raises:
            ValueError: if the lanes do not fill their last batch.
        """
        count, together = jax.tree.leaves(lane_args)[0].shape[0], self.of.together
        if count % together:
            raise ValueError(f"Expected a multiple of {together} lanes; got {count}.")
        leaves, structure = jax.tree.flatten(lane_args)
        parts_of = [_parts(leaf, together) for leaf in leaves]
        given = {device: jax.device_put(shared, device) for device in self.programs}
        free: SimpleQueue[jax.Device] = SimpleQueue()
        for place in self.of.places:
            free.put(place)

        def run(number: int) -> PyTree:
            device = free.get()
            try:
                lanes = jax.tree.unflatten(structure, [jax.device_put(part(number), device) for part in parts_of])
                return jax.tree.map(np.asarray, self.programs[device](lanes, given[device]))
            finally:
                free.put(device)

        with ThreadPoolExecutor(len(self.of.places)) as threads:
            parts = list(threads.map(run, range(count // together)))
        return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)


def _parts(leaf: jax.Array | np.ndarray, size: int) -> Callable[[int], Any]:
    """The part of a leaf that has this number, `size` rows; by NumPy's slices, which need no compiled program."""
    keyed = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    rows = np.asarray(jax.random.key_data(leaf) if keyed else leaf)

    def part(number: int) -> Any:
        own = rows[number * size : (number + 1) * size]
        return jax.random.wrap_key_data(jnp.asarray(own), impl=jax.random.key_impl(leaf)) if keyed else own

    return part


def sweep(lane: LaneProgram, places: int | None = None, together: int = 1) -> StackedProgram:
    """Lift a program of one lane to stacked lanes, shared among the local devices or the threads of a CPU.

    Args:
        lane: `lane(lane_args, shared) -> pytree of arrays`, traceable.
        places: how many devices to use, or threads; by default as `places_here` counts them.
        together: how many lanes of a place run as one batched program (`vmap`); the others wait their turn.

    Returns:
        `sweep(lane).lower(lane_args, shared).compile()` is the program for stacked lanes; `shared` goes to every lane
        as it is.  It is compiled once for each device; the threads of a CPU share one.
    """
    devices, count = jax.local_devices(), places or places_here()
    on_cpu = devices[0].platform == "cpu"

    def batched(lane_args: PyTree, shared: PyTree) -> PyTree:
        if together > 1:
            return jax.vmap(lane, (0, None))(lane_args, shared)
        return jax.tree.map(lambda leaf: leaf[None], lane(jax.tree.map(lambda leaf: leaf[0], lane_args), shared))

    program = jax.jit(batched, compiler_options=UNSPLIT if on_cpu else None)
    return StackedProgram(lane, program, [devices[0]] * count if on_cpu else devices[:count], together)


def places_here() -> int:
    """How many lanes, or batches of them, this process keeps going at once: a thread a core, or one for each device."""
    return workers() if jax.default_backend() == "cpu" else jax.local_device_count()


def lanes_together(asked: int | None = None) -> int:
    """How many lanes a device should run as one batched program: `asked`, or by rule 1 on a CPU, else 64."""
    if asked is not None:
        return asked
    return 1 if jax.default_backend() == "cpu" else TOGETHER_ON_ACCELERATORS


def pad_lanes(lanes: Stacked, multiple: int) -> Stacked:
    """Repeat the last lane until the number of lanes is a multiple."""

    def pad(leaf: jax.Array) -> jax.Array:
        missing = -leaf.shape[0] % multiple
        return jnp.concatenate([leaf, jnp.repeat(leaf[-1:], missing, axis=0)]) if missing else leaf

    padded: Stacked = jax.tree.map(pad, lanes)
    return padded
