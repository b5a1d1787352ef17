"""What memory a further lane takes, beside what a lane's state is: parameters, the optimiser's moments, loss histories.

Two figures.  A program's growth: what one lane more in one call adds to its arguments, results and scratch, as the
compiler counts them.  A sweep's growth: what one lane more adds to the most memory that the process ever held, where
lanes run group by group and only their figures and histories stay.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp

from capacity import Architecture, GaussianAutoencoder, Training, plan_curve
from capacity.curves.plan import CurvePlan
from capacity.curves.programs import LanePrograms
from capacity.training import LaneState, sweep
from synthetic import LinearCode

GROUPS = (16, 64)
LANES = 160


def plan(training: Training, bits: int) -> CurvePlan:
    """Lanes of the default networks."""
    source = LinearCode.build(jax.random.key(0), bits, 32)
    system = GaussianAutoencoder(Architecture())
    return plan_curve(jax.random.key(1), source, system, [0.5], LANES, training=training, samples=64)


def size(tree: Any) -> int:
    """Bytes of all leaves, arrays or their shapes."""
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def state_bytes(curve: CurvePlan) -> int:
    """Bytes of one lane's state."""
    begin = curve.training.begin
    return size(jax.eval_shape(lambda key: begin(key, curve.source, curve.system), curve.keys[0, 0]))


def program_bytes(curve: CurvePlan, lanes: int, together: int) -> int:
    """Bytes that the training program of so many lanes on one device needs, memory that is shared counted once."""

    def advance(state_and_lane: Any, shared: Any) -> LaneState:
        (state, (key, level)), (source, stop) = state_and_lane, shared
        return curve.training.advance(state, key, source, curve.system, level, stop)

    def begin(lane: Any, source: Any) -> LaneState:
        return curve.training.begin(lane[0], source, curve.system)

    stacked = curve.keys.ravel()[:lanes], jnp.zeros(lanes)
    state = sweep(begin, 1).shapes(stacked, curve.source)
    shared = curve.source, jnp.int32(0)
    found = sweep(advance, 1, together).batched.lower((state, stacked), shared).compile().memory_analysis()
    own = found.argument_size_in_bytes + found.output_size_in_bytes - found.alias_size_in_bytes
    return int(own + found.temp_size_in_bytes)


def most_resident(lanes: LanePrograms, groups: range, kept: list[Any]) -> int:
    """Most bytes that this process has held so far, after these groups and with their figures kept."""
    for first in groups:
        kept += lanes(list(range(first, first + lanes.size)))
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def memory_part(devices: int) -> Iterator[str]:
    curve = plan(Training(), 16)
    one = curve.training
    state = state_bytes(curve)
    histories = 4 * one.total
    yield f"A lane's state in the default curve is {state / 1024:.0f} KiB: parameters and two moments of each"
    yield f"({(state - histories) / 1024:.0f}), and the losses of {one.total:,} steps ({histories / 1024:.0f})."
    yield ""
    few, many = (f"{lanes} lanes, MiB" for lanes in GROUPS)
    yield f"| lanes of a device | {few} | {many} | KiB for a further lane | in states |"
    yield "| :-- | --: | --: | --: | --: |"
    for words, batched in (("one after another", False), ("as one batch", True)):
        small, large = (program_bytes(curve, lanes, lanes if batched else 1) for lanes in GROUPS)
        each = (large - small) / (GROUPS[1] - GROUPS[0])
        yield (f"| {words} | {small / 2**20:.1f} | {large / 2**20:.1f} | {each / 1024:.0f} | {each / state:.1f} |")
    yield ""
    short = plan(Training(steps=50, receiver_steps=20), 8)
    lanes, kept = LanePrograms(short, devices), []
    first = most_resident(lanes, range(0, LANES // 5, devices), kept)
    last = most_resident(lanes, range(LANES // 5, LANES, devices), kept)
    held = size(kept[0])
    state = state_bytes(short)
    each = (last - first) / (LANES - LANES // 5)
    yield f"A sweep runs its lanes group by group. From {LANES // 5} lanes to {LANES} the most memory that the process"
    yield f"had held grew by {each / 1024:.1f} KiB a lane, {held / 1024:.1f} KiB of them its figures and history;"
    yield f"the states of all lanes, stacked, would take {state / 1024:.0f} KiB a lane (8 bits, 50 steps)."
