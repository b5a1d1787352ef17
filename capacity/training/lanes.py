"""Many lanes of one program: mapped one after another on each device, devices side by side.

On a CPU every lane runs the same unbatched program (`lax.map`, not `vmap`), so its numbers do not depend on how many
devices there are or which lanes run beside it; batched, it was up to 1.4 times as fast on a small network and no faster
on a larger one (`docs/speed.md`), and its last digits were others on two devices than on one.  An accelerator is only
filled by many lanes in one batched program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

Stacked = TypeVar("Stacked")

MESH_AXIS = "lanes"
# XLA splits the loops of a CPU's program among as many threads as there are cores or devices. Last digits depend on
# where it cuts, and training makes them larger; what keeps cores busy is the other lanes.
UNSPLIT = {"xla_disable_hlo_passes": "cpu-parallel-task-assigner"}
TOGETHER_ON_ACCELERATORS = 64


def sweep(lane: Callable[..., PyTree], devices: int | None = None, together: int = 1) -> jax.stages.Wrapped:
    """Lift a program of one lane to stacked lanes, sharded over the local devices; compiled once per shape.

    Args:
        lane: `lane(lane_args, shared) -> pytree of arrays`, traceable.
        devices: how many local devices to use, all by default.
        together: how many lanes of a device run as one batched program (`vmap`); the others wait their turn.

    Returns:
        A jitted function of (stacked lane_args, shared): every leaf of the first has a leading axis of lanes, of a
        length that the number of devices divides; `shared` goes to every lane as it is.
    """
    count = devices or jax.local_device_count()
    mesh = jax.make_mesh(
        (count,),
        (MESH_AXIS,),
        axis_types=(jax.sharding.AxisType.Auto,),
        devices=jax.local_devices()[:count],
    )
    split, whole = jax.sharding.PartitionSpec(MESH_AXIS), jax.sharding.PartitionSpec()

    def on_device(lane_args: PyTree, shared: PyTree) -> PyTree:
        return jax.lax.map(lambda one: lane(one, shared), lane_args, batch_size=together if together > 1 else None)

    sharded = jax.shard_map(on_device, mesh=mesh, in_specs=(split, whole), out_specs=split, check_vma=False)
    return jax.jit(sharded, compiler_options=UNSPLIT if jax.default_backend() == "cpu" else None)


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
