"""Sweep a system over its noise levels, measure every lane, and label the figures: bits against level.

The work is planned first, so that whatever cannot work is refused before any training; then lanes run in groups of
one per device, and each finished lane can be kept in a store, from which the same plan goes on.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from capacity.bits import NATS, Estimate
from capacity.bounds import Decoder, Rate
from capacity.bounds.enumeration import (
    PRECISION_SAMPLES,
    excess,
    information,
    list_codes,
    listed_rate,
    log_densities,
    unit_information,
    widen,
)
from capacity.bounds.measure import bracket
from capacity.channels import Gaussian
from capacity.store import fingerprint
from capacity.theory import pam_information
from capacity.training import Training, pad_lanes, sender, sweep

Progress = Callable[[int, str], None]
Arrays = dict[str, np.ndarray]

LONG_NAMES = {
    "bits": "information I(M;Z), exact by enumeration",
    "lower": "lower bound on I(M;Z), by the decoder",
    "upper": "upper bound on I(M;Z)",
    "decoder_bits": "decoder lower bound on I(M;Z)",
    "rate": "rate E KL(p(z|m) || r(z)), upper bound on I(M;Z)",
    "excess": "KL(q(z) || r(z)), what the rate counts beyond I(M;Z)",
    "marginal_bits": "information in one unit alone, I(M;Z_j)",
    "increment_bits": "information that a unit adds to those before, I(M;Z_j|Z_<j)",
}


class Parts(Protocol):
    """Where finished lanes are kept: `capacity.store.Store`, or anything that loads and saves named arrays."""

    def load(self, name: str) -> Arrays | None:
        """Arrays of a part, or None if it is not there whole."""

    def save(self, name: str, arrays: Arrays) -> None:
        """Keep a part, whole or not at all."""


@dataclass(frozen=True)
class CurvePlan:
    """A checked capacity curve, ready to run; made by `plan_curve`."""

    key: jax.Array
    source: Any
    system: Any
    levels: tuple[float, ...]
    seeds: int
    training: Training
    samples: int
    listed: bool

    @property
    def total(self) -> int:
        """Number of lanes."""
        return len(self.levels) * self.seeds

    @cached_property
    def configuration(self) -> dict[str, Any]:
        """Everything that decides the figures, as JSON."""
        return {
            "system": {"name": self.system.name} | asdict(self.system),
            "source": {
                "name": getattr(self.source, "name", type(self.source).__name__),
                "bits": float(self.source.bits),
                "dim": int(self.source.dim),
                "digest": fingerprint(self.source),
            },
            "levels": list(self.levels),
            "seeds": self.seeds,
            "training": self.training.configuration,
            "samples": self.samples,
            "measure": "enumeration" if self.listed else "bracket",
            "key": np.asarray(jax.random.key_data(self.key)).tolist(),
            "versions": versions(),
        }

    def run(self, store: Parts | None = None, name: str = "curve", progress: Progress | None = None) -> xr.Dataset:
        """Train and measure all lanes that the store does not hold yet.

        Args:
            store: where finished lanes are kept as they finish, under `name-NNNN`.
            name: their common name.
            progress: called with the number of finished lanes and what was just done.
        """
        seconds = {"compile": 0.0, "train": 0.0, "measure": 0.0}
        done: dict[int, Arrays] = {}
        for i in range(self.total):
            part = store.load(f"{name}-{i:04d}") if store is not None else None
            if part is not None:
                done[i] = part
        if progress and done:
            progress(len(done), f"{len(done)} of {self.total} lanes found in the store")
        missing = [i for i in range(self.total) if i not in done]
        if missing:
            devices = min(jax.local_device_count(), len(missing))
            runner = _Runner(self, devices, seconds)
            for start in range(0, len(missing), devices):
                group = missing[start : start + devices]
                for i, arrays in zip(group, runner(group), strict=True):
                    if store is not None:
                        store.save(f"{name}-{i:04d}", arrays)
                    done[i] = arrays
                if progress:
                    level = self.levels[group[-1] // self.seeds]
                    progress(len(done), f"{self.system.name} {self.system.level_symbol}={level:g}")
        return self._label([done[i] for i in range(self.total)], seconds)

    def lane(self, index: int) -> tuple[jax.Array, jax.Array]:
        """Key and level of a lane; lanes are ordered by level, then seed."""
        level, seed = divmod(index, self.seeds)
        key = jax.random.fold_in(jax.random.fold_in(self.key, seed), level)
        return key, jnp.asarray(self.levels[level], jnp.float32)

    def _label(self, lanes: list[Arrays], seconds: dict[str, float]) -> xr.Dataset:
        shape = (len(self.levels), self.seeds)
        dims = {0: ("level", "seed")}
        variables: dict[str, Any] = {}
        for name in lanes[0]:
            stacked = np.stack([lane[name] for lane in lanes])
            stacked = stacked.reshape(*shape, *stacked.shape[1:])
            last = {"loss": ("step",)}.get(name, ("unit",) * (stacked.ndim - 2))
            variables[name] = (
                dims[0] + last,
                stacked,
                {"long_name": _long_name(name), "units": _units(name, self)},
            )
        variables["source_bits"] = (
            (),
            float(self.source.bits),
            {"long_name": "entropy of the source", "units": "bits"},
        )
        variables |= self._theory()
        units = self.system.architecture.units
        coordinates = {
            "level": ("level", np.array(self.levels), self._level_attributes()),
            "seed": (
                "seed",
                np.arange(self.seeds),
                {"long_name": "seed of the lane", "units": "1"},
            ),
            "unit": ("unit", np.arange(units), {"long_name": "unit of the code", "units": "1"}),
            "step": (
                "step",
                np.arange(self.training.steps),
                {"long_name": "step of the optimiser", "units": "1"},
            ),
        }
        source = self.configuration["source"]
        attributes = {
            "title": f"{self.system.name}: {source['bits']:g} bits in {source['dim']} dimensions, {units} units",
            "system": self.system.name,
            "source": source["name"],
            "configuration": json.dumps(self.configuration),
            "versions": json.dumps(versions()),
        } | {f"seconds_{k}": v for k, v in seconds.items()}
        return xr.Dataset(variables, coordinates, attributes)

    def _level_attributes(self) -> dict[str, str]:
        return {
            "long_name": self.system.level_name,
            "symbol": self.system.level_symbol,
            "units": "1",
        }

    def _theory(self) -> dict[str, Any]:
        channel, power = self.system.channel(1.0), getattr(self.system, "power", None)
        if not channel.has_ceiling or power is None:
            return {}
        units, bits = self.system.architecture.units, self.source.bits
        ceiling = [units * float(self.system.channel(s).ceiling(jnp.float32(power))) for s in self.levels]
        attributes = {"long_name": "capacity of the channel over all units", "units": "bits"}
        found: dict[str, Any] = {"ceiling": (("level",), np.array(ceiling), attributes)}
        if isinstance(channel, Gaussian) and self.source.discrete and bits == round(bits) and bits <= 10 * units:
            pam = [pam_information(round(bits), units, s, power) for s in self.levels]
            attributes = {
                "long_name": "hand-made PAM code of the same bits, units and power",
                "units": "bits",
            }
            found["pam_bits"] = (("level",), np.array(pam), attributes)
        return found


def plan_curve(
    key: jax.Array,
    source: Any,
    system: Any,
    levels: Sequence[float],
    seeds: int = 3,
    *,
    training: Training | None = None,
    samples: int = 1024,
    measure: str = "auto",
) -> CurvePlan:
    """Check everything that a curve needs, before any work.

    Args:
        key: decides every lane; the same key gives the same figures on one device or many.
        source: an object with a source's methods.
        system: a system, for example `GaussianSystem()`.
        levels: its noise levels, positive and distinct.
        seeds: lanes at each level.
        training: steps, batches and optimisers.
        samples: how many samples enumeration draws for each figure.
        measure: "enumeration", "bracket", or "auto": enumeration wherever the messages can be listed.

    Raises:
        ValueError: saying what was expected and what came.
    """
    values = tuple(float(level) for level in levels)
    if not values or not all(np.isfinite(v) and v > 0 for v in values):
        raise ValueError(
            f"Expected noise levels that are finite and greater than 0; got {', '.join(map(str, values)) or 'none'}."
        )
    if len(set(values)) < len(values):
        raise ValueError(f"Expected distinct noise levels; got {', '.join(map(str, values))}.")
    if seeds < 1:
        raise ValueError(f"Expected at least one seed; got {seeds}.")
    if samples < 16:
        raise ValueError(f"Expected at least 16 samples for a figure with an interval; got {samples}.")
    if measure not in ("auto", "enumeration", "bracket"):
        raise ValueError(f"Expected measure to be 'auto', 'enumeration' or 'bracket'; got {measure!r}.")
    if measure == "enumeration" and not source.listable:
        raise ValueError(f"Expected at most 2**20 messages to enumerate; got a source of {source.bits:g} bits.")
    if not source.discrete and system.architecture.decode == "bits":
        raise ValueError("Expected decode='vector' for a continuous source; got decode='bits'.")
    listed = source.listable and measure != "bracket"
    return CurvePlan(key, source, system, values, seeds, training or Training(), samples, listed)


def capacity_curve(
    key: jax.Array,
    source: Any,
    system: Any,
    levels: Sequence[float] | None = None,
    seeds: int = 3,
    *,
    training: Training | None = None,
    samples: int = 1024,
    measure: str = "auto",
    store: Parts | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Bits through a noisy network against the noise, with source, ceiling and bounds on the same coordinates.

    Arguments and errors as in `plan_curve`; `levels` default to the system's own.  Returns a dataset with dims
    `level, seed, unit, step`, every variable with `units` and `long_name`.
    """
    chosen = system.default_levels if levels is None else levels
    plan = plan_curve(key, source, system, chosen, seeds, training=training, samples=samples, measure=measure)
    return plan.run(store, system.name, progress)


def versions() -> dict[str, str]:
    """Versions and the platform that figures depend on."""
    found = {"python": platform.python_version(), "platform": jax.default_backend()}
    for package in ("infocapacity", "jax", "jaxlib", "flax", "optax", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


class _Runner:
    """The two compiled programs of a plan, for groups of one lane per device."""

    def __init__(self, plan: CurvePlan, devices: int, seconds: dict[str, float]):
        self.plan, self.devices, self.seconds = plan, devices, seconds
        system, training = plan.system, plan.training

        def train(lane: Any, source: Any) -> Any:
            return training.train(lane[0], system, lane[1], source)

        def figures(lane: Any, source: Any) -> Any:
            (key, level), params = lane
            joint = sender(key, system, params, level, source)
            return _figures(jax.random.fold_in(key, 1), plan, params, level, joint)

        started = time.perf_counter()
        lanes = self._stack([0] * devices)
        self.train = sweep(train, devices).lower(lanes, plan.source).compile()
        params, _ = jax.eval_shape(sweep(train, devices), lanes, plan.source)
        self.measure = sweep(figures, devices).lower((lanes, params), plan.source).compile()
        self.seconds["compile"] += time.perf_counter() - started

    def _stack(self, group: list[int]) -> Any:
        keys, levels = zip(*(self.plan.lane(i) for i in group), strict=True)
        return pad_lanes((jnp.stack(keys), jnp.stack(levels)), self.devices)

    def __call__(self, group: list[int]) -> list[Arrays]:
        started = time.perf_counter()
        lanes = self._stack(group)
        params, history = jax.block_until_ready(self.train(lanes, self.plan.source))
        trained = time.perf_counter()
        stacked = jax.tree.map(np.asarray, jax.block_until_ready(self.measure((lanes, params), self.plan.source)))
        found = [
            self._arrays(jax.tree.map(lambda a, i=i: a[i], stacked), np.asarray(history[i])) for i in range(len(group))
        ]
        self.seconds["train"] += trained - started
        self.seconds["measure"] += time.perf_counter() - trained
        return found

    def _arrays(self, figures: dict[str, Any], history: np.ndarray) -> Arrays:
        check = figures.pop("check", None)
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
        diverged = not (np.isfinite(history).all() and all(np.isfinite(a).all() for a in arrays.values()))
        return {name: np.asarray(a) for name, a in arrays.items()} | {"diverged": np.asarray(diverged)}


def _figures(key: jax.Array, plan: CurvePlan, params: Any, level: jax.Array, joint: Any) -> dict[str, Any]:
    """All figures of one lane; traceable."""
    key_bits, key_units, key_excess, key_bounds, key_check = jax.random.split(key, 5)
    architecture = plan.system.architecture
    log_decoder = jax.tree_util.Partial(architecture.log_decoder(params, joint.source))
    out: dict[str, Any] = {}
    if plan.listed:
        listed = list_codes(joint)
        power, variance, mean = listed.power, jnp.diagonal(listed.covariance), listed.mean
        prior_std = plan.system.prior_std(level, power.mean())
        out["bits"] = information(key_bits, joint, listed, plan.samples)
        units = unit_information(key_units, joint, listed, max(plan.samples // 8, 16))
        out["marginal_bits"], out["increment_bits"] = units.marginal, units.increment
        out["joint_bits_per_unit"] = out["bits"].bits / architecture.units
        out["rate"] = listed_rate(listed, joint.channel, prior_std)
        out["excess"] = excess(key_excess, joint, listed, plan.samples, prior_std)
        z = joint.sample(key_check, PRECISION_SAMPLES)[2]
        out["check"] = (joint.channel, listed, z, log_densities(listed, joint.channel, z).joint)
    else:
        _, codes, z = joint.sample(key_check, 32768)
        power = jnp.square(jax.vmap(joint.channel.signal)(codes)).mean(0)
        variance, mean = z.var(0), z.mean(0)
        prior_std = plan.system.prior_std(level, power.mean())
        out["lower"], out["upper"] = bracket(key_bounds, joint, log_decoder, prior_std)
        out["rate"] = Rate(prior_std)(jax.random.fold_in(key_bounds, 1), joint)
    key_decoder, key_distortion = jax.random.split(key_bounds)
    out["decoder_bits"] = Decoder(log_decoder)(key_decoder, joint)
    out["power"], out["unit_power"] = power.mean(), power
    out["snr"] = power.mean() / (variance - (power - jnp.square(mean))).mean()
    if architecture.decode == "bits":
        out["distortion"] = joint.source.bits - out["decoder_bits"].bits
    else:
        batch = joint.source.sample(key_distortion, 8192)
        key_noise = jax.random.split(jax.random.fold_in(key_distortion, 1), 8192)
        z = jax.vmap(joint.channel)(key_noise, jax.vmap(joint.encoder)(batch.vector))
        out["distortion"] = architecture.squared_error(params, joint.source, batch.vector, z)
    return out


def _long_name(name: str) -> str:
    plain = {
        "power": "mean power E[u^2] of a unit",
        "unit_power": "power E[u^2] of each unit",
        "snr": "mean power over mean noise variance",
        "distortion": "expected reconstruction loss",
        "joint_bits_per_unit": "information I(M;Z) divided by the number of units",
        "loss": "training loss",
        "diverged": "whether training or a figure left the finite numbers",
    }
    for suffix, words in (
        ("_stderr", ", standard error"),
        ("_low", ", 95 % interval, low end"),
        ("_high", ", high end"),
    ):
        if name.endswith(suffix) and name.removesuffix(suffix) in LONG_NAMES:
            return LONG_NAMES[name.removesuffix(suffix)] + words
    return LONG_NAMES.get(name) or plain[name]


def _units(name: str, plan: CurvePlan) -> str:
    if name == "distortion":
        return "bits" if plan.system.architecture.decode == "bits" else "squared error per vector"
    return "1" if name in ("power", "unit_power", "snr", "diverged") else "bits"
