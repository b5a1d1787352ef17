"""Many lanes of one program: mapped one after another on each device, devices side by side.

Every lane runs the same unbatched program (`lax.map`, not `vmap`), so its numbers do not depend on how many devices
there are or which lanes run beside it, and on a CPU small lanes on one core each beat batched matrix products.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

MESH_AXIS = "lanes"


def sweep(lane: Callable[..., Any], devices: int | None = None) -> Any:
    """Lift a program of one lane to stacked lanes, sharded over the local devices; compiled once per shape.

    Args:
        lane: `lane(lane_args, shared) -> pytree of arrays`, traceable.
        devices: how many local devices to use, all by default.

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

    def on_device(lane_args: Any, shared: Any) -> Any:
        return jax.lax.map(lambda one: lane(one, shared), lane_args)

    return jax.jit(jax.shard_map(on_device, mesh=mesh, in_specs=(split, whole), out_specs=split, check_vma=False))


def pad_lanes(lanes: Any, multiple: int) -> Any:
    """Repeat the last lane until the number of lanes is a multiple."""

    def pad(leaf: jax.Array) -> jax.Array:
        missing = -leaf.shape[0] % multiple
        return jnp.concatenate([leaf, jnp.repeat(leaf[-1:], missing, axis=0)]) if missing else leaf

    return jax.tree.map(pad, lanes)
