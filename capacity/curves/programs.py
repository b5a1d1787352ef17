"""The two compiled programs of a curve, training and measurement, for groups of one lane per device."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from capacity.curves.figures import arrays_of, bracket_of, figures_of
from capacity.results.estimate import Estimate
from capacity.runtime.files.checkpoints import Checkpoints
from capacity.runtime.files.parts import Arrays
from capacity.runtime.shapes import Message, Scalar, Vector
from capacity.training import LaneState, Params, measurement_key, pad_lanes, sender, sweep
from capacity.training.lanes import CompiledProgram, Stacked, StackedProgram

if TYPE_CHECKING:
    from capacity.curves.plan import CurvePlan
    from synthetic.source import Source

KeyAndLevel: TypeAlias = tuple[jax.Array, jax.Array]
"""Key and level, of one lane or stacked."""

CHECKPOINT_SECONDS = 60.0
FIRST_STEPS = 64


class LanePrograms:
    """The programs of a plan, called with the numbers of at most `size` lanes; `seconds` says what they spent.

    Attributes:
        together: lanes that a device runs at once.
        size: lanes of a group: `together` on each device.
    """

    def __init__(self, plan: CurvePlan, devices: int, together: int = 1):
        self.plan, self.together, self.size = plan, together, devices * together
        self.seconds = {"compile": 0.0, "train": 0.0, "measure": 0.0}
        system, training = plan.system, plan.training

        def begin(lane: KeyAndLevel, source: Source) -> LaneState:
            return training.begin(lane[0], source, system)

        def advance(state_and_lane: tuple[LaneState, KeyAndLevel], shared: tuple[Source, jax.Array]) -> LaneState:
            (state, (key, level)), (source, stop) = state_and_lane, shared
            return training.advance(state, key, source, system, level, stop)

        def measure(lane: tuple[KeyAndLevel, Params], source: Source) -> dict[str, Any]:
            (key, level), params = lane
            finite = jnp.stack([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(params)]).all()
            with jax.default_matmul_precision("highest"):  # as `measure` has it
                joint = sender(key, params, source, system, level)
                return figures_of(measurement_key(key), plan, params, level, joint) | {"finite": finite}

        def decode(params: Params, source: Source, message: Message, z: Vector) -> Scalar:
            return system.log_decoder(params, source)(message, z)

        self.decode = decode  # one function for all lanes: compiled once
        self.sender = jax.jit(lambda key, params, level, source: sender(key, params, source, system, level))
        started = time.perf_counter()
        lanes = self._stack([0])
        begins = sweep(begin, devices, together)
        state = begins.shapes(lanes, plan.source)
        with ThreadPoolExecutor() as threads:  # a program compiles while the next is traced

            def start(program: StackedProgram, *args: PyTree) -> Future[CompiledProgram]:
                return threads.submit(program.lower(*args).compile)

            programs = (
                start(sweep(measure, devices, together), (lanes, state.params), plan.source),
                start(sweep(advance, devices, together), (state, lanes), (plan.source, jnp.int32(0))),
                start(begins, lanes, plan.source),
            )
            self.measure, self.advance, self.begin = (program.result() for program in programs)
        self.seconds["compile"] += time.perf_counter() - started

    def _stack(self, group: list[int]) -> KeyAndLevel:
        """Keys and levels of a group, the last lane again and again until they fill a batch."""
        return self.plan.lanes([*group, *[group[-1]] * (-len(group) % self.together)])

    def __call__(self, group: list[int], checkpoints: Checkpoints | None = None) -> list[Arrays]:
        """Train and measure the lanes of these numbers, at most `size`: their figures as named arrays.

        Args:
            checkpoints: where lanes are kept while they train, if that takes more than `CHECKPOINT_SECONDS`.
        """
        started = time.perf_counter()
        lanes = self._stack(group)
        state = self._train(group, lanes, checkpoints)
        params, history = state.params, np.asarray(state.history)
        trained = time.perf_counter()
        stacked = self.measure((lanes, params), self.plan.source)
        each = []
        for i in range(len(group)):
            figures = row_of(stacked, i)
            if not self.plan.listed:
                figures |= self._bracket(row_of((lanes, params), i), figures["power"])
            each.append(arrays_of(figures, history[i]))
        self.seconds["train"] += trained - started
        self.seconds["measure"] += time.perf_counter() - trained
        return each

    def _train(self, group: list[int], lanes: KeyAndLevel, checkpoints: Checkpoints | None) -> LaneState:
        """All steps at once; or, if checkpoints are asked for, in parts of about `CHECKPOINT_SECONDS`."""
        state: LaneState = self.begin(lanes, self.plan.source)
        total = self.plan.training.total
        if checkpoints is None:
            state = self.advance((state, lanes), (self.plan.source, jnp.int32(total)))
            return state
        state, step = _restored(state, group, checkpoints)
        rate = FIRST_STEPS  # steps that are dared between two looks at the clock
        while step < total:
            stop, started = min(step + rate, total), time.perf_counter()
            state = self.advance((state, lanes), (self.plan.source, jnp.int32(stop)))
            each = (time.perf_counter() - started) / (stop - step)
            rate, step = max(int(CHECKPOINT_SECONDS / each), 1), stop
            if each * total > CHECKPOINT_SECONDS:  # a short group is sooner made again than kept
                for i, lane in enumerate(group):
                    checkpoints.save(lane, step, row_of(state, i))
        return state

    def _bracket(self, lane: tuple[KeyAndLevel, Params], power: jax.Array) -> dict[str, Estimate]:
        (key, level), params = lane
        joint = self.sender(key, params, level, self.plan.source)
        decoder = jax.tree_util.Partial(self.decode, params, joint.source)
        return bracket_of(measurement_key(key), joint, decoder, self.plan.budget_gflop, power)


def row_of(stacked: Stacked, i: int) -> Stacked:
    """One lane's part of stacked arrays."""
    row: Stacked = jax.tree.map(lambda leaf: leaf[i], stacked)
    return row


def _restored(state: LaneState, group: list[int], checkpoints: Checkpoints) -> tuple[LaneState, int]:
    """The group's lanes as far as they were kept, and the steps that all of them have done."""
    like = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), state)
    kept = [checkpoints.load(lane, like) for lane in group]
    if all(one is None for one in kept):
        return state, 0
    ones = [row_of(state, i) if one is None else one for i, one in enumerate(kept)]
    whole = jax.tree.map(lambda *leaves: jnp.stack(leaves), *ones)
    return pad_lanes(whole, state.step.shape[0]), int(min(one.step for one in ones))
