"""Systems trained and enumerated in lanes, and codes measured through channels: what claims on noise in units share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from capacity.bounds.exact.enumeration import information
from capacity.bounds.exact.listing import list_codes
from capacity.bounds.exact.units import unit_information
from capacity.claims import answers as statistics
from capacity.claims.claim import Answer, Context
from capacity.claims.lab.experiment import Figures, Lane, LaneFigures, grid, intervals, keys_of, run_lanes
from capacity.joint.joint import Joint
from capacity.plots.style import legend_below, quiet_grid
from capacity.results.estimate import Estimate
from capacity.training import System, Training, measurement_key, sender

if TYPE_CHECKING:
    from synthetic.source import Source

SAMPLES = 8192
PARTS = ("bits", "low", "high", "stderr", "n", "limit")


def train_and_enumerate(
    context: Context,
    name: str,
    key: jax.Array,
    source: Source,
    system: System,
    levels: tuple[float, ...],
    seeds: int,
    training: Training,
    *,
    span: tuple[float, float] = (0.0, 1.0),
    per_unit: bool = False,
) -> dict[str, np.ndarray]:
    """A system trained at every level and seed in one program, its information enumerated.

    Args:
        context: of the claim's run.
        name: common name of the parts.
        key: decides every training and measurement.
        source: whose messages can be listed.
        system: with its sizes.
        levels: of its noise.
        seeds: trainings at each level.
        training: how long and how.
        span: from where to where the progress runs.
        per_unit: whether the bits of every unit alone are measured too.

    Returns:
        Arrays (levels, seeds): `bits` with `low`, `high`, `stderr`, `n`, `limit`; `power` a unit; with `per_unit` also
        (levels, seeds, units) `marginal` bits of every unit alone, and `marginal_stderr`.
    """

    def lane(one: Lane, source: Source) -> LaneFigures:
        params, _ = training.train(one["key"], source, system, one["level"])
        joint = sender(one["key"], params, source, system, one["level"])
        listed, keys = list_codes(joint), jax.random.split(measurement_key(one["key"]))
        found = information(keys[0], joint, listed, SAMPLES)
        arrays = {part: jnp.asarray(getattr(found, part)) for part in PARTS} | {"power": listed.power.mean()}
        if per_unit:
            marginal = unit_information(keys[1], joint, listed, SAMPLES // 8).marginal
            arrays |= {"marginal": marginal.bits, "marginal_stderr": marginal.stderr}
        return arrays

    lanes = grid(level=levels, seed=range(seeds))
    args = {
        "key": keys_of(key, np.arange(len(lanes["seed"]))),
        "level": jnp.asarray(lanes["level"], jnp.float32),
    }
    found = run_lanes(context, name, lane, args, source, span=span)
    return {part: values.reshape(len(levels), seeds, *values.shape[1:]) for part, values in found.items()}


def enumerating_lane(training: Training, system: System, samples: int) -> Callable[[Lane, Source], LaneFigures]:
    """A lane that trains a system at the `level` it is given, and enumerates: `bits`, and `power` a unit.

    Args:
        training: how long and how.
        system: with its sizes.
        samples: noisy codes of the enumeration.
    """

    def lane(one: Lane, source: Source) -> LaneFigures:
        params, _ = training.train(one["key"], source, system, one["level"])
        joint = sender(one["key"], params, source, system, one["level"])
        listed = list_codes(joint)
        found = information(measurement_key(one["key"]), joint, listed, samples)
        return {"bits": found.bits, "power": listed.power.mean()}

    return lane


def through(key: jax.Array, joint: Joint, samples: int = 8192) -> Estimate:
    """Bits of a hand-made code through a channel, enumerated; traceable."""
    return information(key, joint, list_codes(joint), samples)


def estimates_of(arrays: Figures, name: str) -> list[Estimate]:
    """Estimates from arrays `NAME_bits`, `NAME_low` and so on, all of shape (levels,)."""
    each = zip(*(arrays[f"{name}_{part}"] for part in PARTS), strict=True)
    return [Estimate(**dict(zip(PARTS, map(float, values), strict=True)), kind="exact") for values in each]


def gap(first: Estimate, second: Estimate, miss_rate: float) -> Answer:
    """First less second, from independent samples."""
    stderr = float(np.hypot(float(first.stderr), float(second.stderr)))
    apart = Estimate.from_normal(
        bits=float(first.bits) - float(second.bits), stderr=stderr, kind="point", n=int(first.n)
    )
    return statistics.of_estimate(apart, miss_rate)


def absolute(answer: Answer) -> Answer:
    """The absolute value of a figure, with the interval that follows."""
    low = 0.0 if answer.low <= 0 <= answer.high else min(abs(answer.low), abs(answer.high))
    return answer._replace(value=abs(answer.value), low=low, high=max(abs(answer.low), abs(answer.high)))


def lane_answers(found: Figures, truth: np.ndarray, miss_rate: float) -> list[Answer]:
    """Bits less a truth (levels,), each level and seed by its own enumeration at its share of the miss rate."""
    shape = found["bits"].shape
    rate = miss_rate / found["bits"].size
    answers = []
    for i in np.ndindex(shape):
        estimate = Estimate(**{part: float(found[part][i]) for part in PARTS}, kind="exact")
        answers.append(statistics.of_estimate(estimate, rate, float(truth[i[0]])))
    return answers


def level_answers(found: Figures, truth: np.ndarray, miss_rate: float) -> list[Answer]:
    """Mean over seeds of the bits less a truth (levels,), where every seed's truth is the same; as `lane_answers`."""
    levels, seeds = found["bits"].shape
    stderr = np.sqrt(np.square(found["stderr"]).sum(1)) / seeds
    means = zip(found["bits"].mean(1), stderr, truth, strict=True)
    n = int(found["n"].sum() / levels)
    each = [
        (Estimate.from_normal(bits=float(bits), stderr=float(error), kind="exact", n=n), float(t))
        for bits, error, t in means
    ]
    return [statistics.of_estimate(estimate, miss_rate / levels, t) for estimate, t in each]


def draw_curve(axes: Axes, levels: ArrayLike, bits: ArrayLike, colour: str, label: str, marker: str = "o") -> None:
    """Mean over seeds with the 95 % interval.

    Args:
        axes: drawn on.
        levels: (levels,), along the axis.
        bits: (levels, seeds).
        colour, label, marker: of the points.
    """
    ends = intervals(bits)
    reach = np.stack([ends["value"] - ends["low"], ends["high"] - ends["value"]])
    axes.errorbar(levels, ends["value"], reach, fmt=marker, color=colour, mfc="white", ms=5, capsize=3, label=label)


def label_axes(axes: Axes, xlabel: str, ylabel: str, title: str) -> None:
    """Words, a quiet grid, the legend below the axes.

    Args:
        axes: drawn already.
        xlabel, ylabel, title: its words.
    """
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.set_title(title)
    quiet_grid(axes)
    legend_below(axes)
