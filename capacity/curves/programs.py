"""The two compiled programs of a curve, training and measurement, for groups of one lane per device."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from capacity.bounds import Decoder, Rate
from capacity.bounds.exact.enumeration import (
    PRECISION_SAMPLES,
    excess,
    information_of,
    listed_rate,
    sampled,
    unit_information_of,
    widen,
)
from capacity.bounds.exact.listing import list_codes
from capacity.bounds.measurement import measure as measure_bits
from capacity.results.estimate import NATS, Estimate, interval
from capacity.runtime.files.checkpoints import Checkpoints
from capacity.training import LaneState, front_of, log_decoder_of, measurement_key, pad_lanes, sender, sweep

if TYPE_CHECKING:
    from capacity.curves.run import CurvePlan

Arrays = dict[str, np.ndarray]
FIGURE_KEYS = 8
CHECKPOINT_SECONDS = 60.0
FIRST_STEPS = 64
DECODER_SAMPLES = 16384  # its error is then about that of the exact bits where theirs is largest


class Lanes:
    """The programs of a plan, called with the numbers of at most `size` lanes; `seconds` says what they spent.

    Attributes:
        size: lanes of a group: `together` on each device.
    """

    def __init__(self, plan: CurvePlan, devices: int, together: int = 1):
        self.plan, self.size = plan, devices * together
        self.seconds = {"compile": 0.0, "train": 0.0, "measure": 0.0}
        system, training = plan.system, plan.training

        def begin(lane: Any, source: Any) -> LaneState:
            return training.begin(lane[0], system, source)

        def advance(state_and_lane: Any, shared: Any) -> LaneState:
            (state, (key, level)), (source, stop) = state_and_lane, shared
            return training.advance(state, key, system, level, source, stop)

        def measure(lane: Any, source: Any) -> Any:
            (key, level), params = lane
            finite = jnp.stack([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(params)]).all()
            with jax.default_matmul_precision("highest"):  # as `measure` has it
                joint = sender(key, system, params, level, source)
                return figures_of(measurement_key(key), plan, params, level, joint) | {"finite": finite}

        def decode(params: Any, source: Any, message: Any, z: jax.Array) -> jax.Array:
            return log_decoder_of(system, params, source)(message, z)

        self.decode = decode  # one function for all lanes: compiled once
        self.sender = jax.jit(lambda key, params, level, source: sender(key, system, params, level, source))
        started = time.perf_counter()
        lanes = self._stack([0])
        begins = sweep(begin, devices, together)
        state = jax.eval_shape(begins, lanes, plan.source)
        with ThreadPoolExecutor() as threads:  # a program compiles while the next is traced

            def start(program: Any, *args: Any) -> Any:
                return threads.submit(program.lower(*args).compile)

            programs = (
                start(sweep(measure, devices, together), (lanes, state.params), plan.source),
                start(sweep(advance, devices, together), (state, lanes), (plan.source, jnp.int32(0))),
                start(begins, lanes, plan.source),
            )
            self.measure, self.advance, self.begin = (program.result() for program in programs)
        self.seconds["compile"] += time.perf_counter() - started

    def _stack(self, group: list[int]) -> Any:
        """Keys and levels of a group, the last lane again and again until there are `size`."""
        return self.plan.lanes([*group, *[group[-1]] * (self.size - len(group))])

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
        stacked = jax.tree.map(np.asarray, jax.block_until_ready(self.measure((lanes, params), self.plan.source)))
        found = []
        for i in range(len(group)):
            figures = _row(stacked, i)
            if not self.plan.listed:
                figures |= self._bracket(_row((lanes, params), i), figures)
            found.append(self._arrays(figures, history[i]))
        self.seconds["train"] += trained - started
        self.seconds["measure"] += time.perf_counter() - trained
        return found

    def _train(self, group: list[int], lanes: Any, checkpoints: Checkpoints | None) -> LaneState:
        """All steps at once; or, if checkpoints are asked for, in parts of about `CHECKPOINT_SECONDS`."""
        state = self.begin(lanes, self.plan.source)
        total = self.plan.training.total
        if checkpoints is None:
            return jax.block_until_ready(self.advance((state, lanes), (self.plan.source, jnp.int32(total))))
        state, step = _restored(state, group, checkpoints)
        rate = FIRST_STEPS  # steps that are dared between two looks at the clock
        while step < total:
            stop, started = min(step + rate, total), time.perf_counter()
            state = jax.block_until_ready(self.advance((state, lanes), (self.plan.source, jnp.int32(stop))))
            each = (time.perf_counter() - started) / (stop - step)
            rate, step = max(int(CHECKPOINT_SECONDS / each), 1), stop
            if each * total > CHECKPOINT_SECONDS:  # a short group is sooner made again than kept
                for i, lane in enumerate(group):
                    checkpoints.save(lane, step, _row(state, i))
        return state

    def _bracket(self, lane: Any, figures: dict[str, Any]) -> dict[str, Any]:
        """Both bounds by the referee, unless the lane diverged: then they say NaN, as the other figures do."""
        if not np.isfinite(figures["power"]):
            nothing = interval(np.nan, np.nan, "point")
            return {"lower": nothing, "upper": nothing}
        (key, level), params = lane
        joint = self.sender(key, params, level, self.plan.source)
        decoder = jax.tree_util.Partial(self.decode, params, joint.source)
        key = jax.random.split(measurement_key(key), FIGURE_KEYS + 1)[-1]  # of its own: `figures_of` has the others
        found = measure_bits(key, joint, budget=self.plan.budget, log_decoder=decoder, method="bracket")
        return {"lower": found.lower, "upper": found.upper}

    def _arrays(self, figures: dict[str, Any], history: np.ndarray) -> Arrays:
        check, finite = figures.pop("check", None), bool(figures.pop("finite"))
        if check is not None:
            figures["bits"] = widen(figures["bits"], *check)
        arrays = {}
        for name, figure in figures.items():
            if isinstance(figure, Estimate):
                arrays[name] = figure.bits
                arrays |= {f"{name}_{part}": getattr(figure, part) for part in ("stderr", "low", "high")}
            else:
                arrays[name] = figure
        arrays["loss"] = history / NATS
        diverged = not (finite and all(_finite(name, np.asarray(a)) for name, a in arrays.items()))
        return {name: np.asarray(a) for name, a in arrays.items()} | {"diverged": np.asarray(diverged)}


def _row(stacked: Any, i: int) -> Any:
    """One lane's part of stacked arrays."""
    return jax.tree.map(lambda leaf: leaf[i], stacked)


def _finite(name: str, array: np.ndarray) -> bool:
    """Whether a figure is a number; without noise a ratio to it is infinite, and beside atoms the rate."""
    endless = name == "snr" or name.startswith(("rate", "excess"))
    return bool((np.isfinite(array) | (endless & (array == np.inf))).all())


def _restored(state: LaneState, group: list[int], checkpoints: Checkpoints) -> tuple[LaneState, int]:
    """The group's lanes as far as they were kept, and the steps that all of them have done."""
    like = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), state)
    kept = [checkpoints.load(lane, like) for lane in group]
    if all(one is None for one in kept):
        return state, 0
    ones = [_row(state, i) if one is None else one for i, one in enumerate(kept)]
    whole = jax.tree.map(lambda *leaves: jnp.stack(leaves), *ones)
    return pad_lanes(whole, state.step.shape[0]), int(min(one.step for one in ones))


def figures_of(key: jax.Array, plan: CurvePlan, params: Any, level: jax.Array, joint: Any) -> dict[str, Any]:
    """All figures of one lane; traceable."""
    keys = iter(jax.random.split(key, FIGURE_KEYS))
    architecture = plan.system.architecture
    log_decoder = jax.tree_util.Partial(log_decoder_of(plan.system, params, joint.source))
    out: dict[str, Any] = {}
    if plan.listed:
        listed = list_codes(joint)
        power, noise = listed.power, listed.noise
        sample = sampled(next(keys), joint, listed, plan.samples)
        out["bits"] = information_of(joint, listed, sample)
        fewer = sample.first(max(plan.samples // 8, 16)).by_unit(joint, listed)
        units = unit_information_of(joint, listed, fewer)
        out["marginal_bits"], out["increment_bits"] = units.marginal, units.increment
        out["joint_bits_per_unit"] = out["bits"].bits / plan.units
        rate_key = next(keys)
        if not joint.channel.atomic:
            prior_std = plan.system.prior_std(level, power.mean())
            known = joint.channel.has_entropy
            out["rate"] = listed_rate(listed, joint.channel, prior_std) if known else Rate(prior_std)(rate_key, joint)
            out["excess"] = excess(joint, listed, sample, prior_std)
        few = sample.first(PRECISION_SAMPLES)
        out["check"] = (joint.channel, listed, few.z, few.q.joint)
    else:
        _, codes, _ = joint.sample(next(keys), 32768)
        power = jnp.square(jax.vmap(joint.channel.signal)(codes)).mean(0)
        noise = jax.vmap(joint.channel.moments)(codes)[1].mean(0)
        rate_key = next(keys)
        if not joint.channel.atomic:  # a normal r(z) gives atoms no probability: the rate would be infinite
            out["rate"] = Rate(plan.system.prior_std(level, power.mean()))(rate_key, joint)
    out["decoder_bits"] = Decoder(log_decoder, DECODER_SAMPLES)(next(keys), joint)
    out["power"], out["unit_power"] = power.mean(), power
    out["snr"] = power.mean() / noise.mean()
    if architecture.decode == "bits":
        out["distortion"] = joint.source.bits - out["decoder_bits"].bits
    else:
        batch = joint.source.sample(next(keys), 8192)
        key_noise = jax.random.split(next(keys), 8192)
        z = jax.vmap(joint.channel)(key_noise, jax.vmap(joint.encoder)(batch.vector))
        heard = front_of(plan.system, params, joint.source)
        out["distortion"] = architecture.squared_error(params, joint.source, batch.vector, jax.vmap(heard)(z))
    return out
