"""The figures of one trained lane: what is measured inside the compiled program, and what is made of it outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from capacity.bounds import Decoder, Rate
from capacity.bounds.exact.enumeration import PRECISION_SAMPLES, information_of, widen
from capacity.bounds.exact.listing import list_codes
from capacity.bounds.exact.rate import listed_rate, marginal_kl, rate_less_information
from capacity.bounds.exact.sample import sampled
from capacity.bounds.exact.units import unit_information
from capacity.bounds.measurement import measure
from capacity.bounds.variational.decoder import LogDecoder
from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.runtime.files.parts import Arrays
from capacity.runtime.shapes import Key, Scalar
from capacity.training import Params

if TYPE_CHECKING:
    from capacity.curves.plan import CurvePlan

DECODER_SAMPLES = 16384  # its error is then about that of the exact bits where theirs is largest
POWER_SAMPLES = 32768  # codes behind power and noise where messages cannot be listed
DISTORTION_SAMPLES = 8192  # vectors behind the squared error
MAX_NUMBERS, MIN_SAMPLES = 2**25, 2048  # of all vectors of a figure's samples; samples at the least
MIN_UNIT_SAMPLES = 16  # behind the bits of a unit; else an eighth of the plan's: they cost units times as much
BRACKET_KEY, UNITS_KEY = 8, 9  # the bracket's number among the figures' keys leaves room for more figures before it


class FigureKeys(NamedTuple):
    """A key for each figure, so that one more figure changes no other."""

    sample: jax.Array
    rate: jax.Array
    decoder: jax.Array
    vector: jax.Array
    noise: jax.Array
    bracket: jax.Array
    units: jax.Array

    @classmethod
    def of(cls, key: jax.Array) -> FigureKeys:
        """Keys of all figures of one lane, from its measurement key."""
        # fold_in(key, i) is split(key, n)[i] for any n.
        sample, rate, decoder, vector, noise = jax.random.split(key, 5)
        bracket, units = (jax.random.fold_in(key, number) for number in (BRACKET_KEY, UNITS_KEY))
        return cls(sample, rate, decoder, vector, noise, bracket, units)


def affordable(samples: int, joint: Joint) -> int:
    """So many samples, or fewer where their vectors are long."""
    return max(min(samples, MAX_NUMBERS // joint.source.dim), min(samples, MIN_SAMPLES))


def _finite(name: str, array: np.ndarray) -> bool:
    """Whether a figure is a number; without noise a ratio to it is infinite, and beside atoms the rate."""
    endless = name == "snr" or name.startswith(("rate", "excess"))
    return bool((np.isfinite(array) | (endless & (array == np.inf))).all())


def figures_of(key: Key, plan: CurvePlan, params: Params, level: Scalar, joint: Joint) -> dict[str, Any]:
    """All figures of one lane, estimates and arrays under their names; traceable.

    Args:
        key: the lane's measurement key.
        plan: by `plan_curve`.
        params: of all networks, as trained.
        level: how strong the noise is.
        joint: the trained sender.
    """
    keys = FigureKeys.of(key)
    architecture = plan.system.architecture
    log_decoder = jax.tree_util.Partial(plan.system.log_decoder(params, joint.source))
    out: dict[str, Any] = {}
    if plan.listed:
        listed = list_codes(joint)
        power, noise = listed.power, listed.noise
        sample = sampled(keys.sample, joint, listed, plan.samples)
        out["bits"] = information_of(joint, listed, sample)
        fewer = max(plan.samples // 8, MIN_UNIT_SAMPLES)
        units = unit_information(keys.units, joint, listed, fewer)
        out["marginal_bits"], out["increment_bits"] = units.marginal, units.increment
        out["joint_bits_per_unit"] = out["bits"].bits / plan.units
        if not joint.channel.atomic:
            prior_std = plan.system.prior_std(level, power.mean())
            if joint.channel.has_entropy:
                out["rate"] = listed_rate(listed, joint.channel, prior_std)
            else:
                out["rate"] = Rate(prior_std)(keys.rate, joint)
                out["excess"] = marginal_kl(joint, listed, sample, prior_std)
        few = slice(PRECISION_SAMPLES)
        out["check"] = (joint.channel, listed, sample.z[few], sample.q.joint[few])
    else:
        _, codes, _ = joint.sample(keys.sample, affordable(POWER_SAMPLES, joint))
        power = jnp.square(jax.vmap(joint.channel.signal)(codes)).mean(0)
        noise = jax.vmap(joint.channel.moments)(codes)[1].mean(0)
        if not joint.channel.atomic:  # a normal r(z) gives atoms no probability: the rate would be infinite
            out["rate"] = Rate(plan.system.prior_std(level, power.mean()), affordable(POWER_SAMPLES, joint))(
                keys.rate, joint
            )
    out["decoder_bits"] = Decoder(log_decoder, affordable(DECODER_SAMPLES, joint))(keys.decoder, joint)
    out["power"], out["unit_power"] = power.mean(), power
    out["snr"] = power.mean() / noise.mean()
    if architecture.decode == "bits":
        out["distortion"] = joint.source.bits - out["decoder_bits"].bits
    else:
        count = affordable(DISTORTION_SAMPLES, joint)
        batch = joint.source.sample(keys.vector, count)
        key_noise = jax.random.split(keys.noise, count)
        z = jax.vmap(joint.channel)(key_noise, jax.vmap(joint.encoder)(batch.vector))
        front = plan.system.front(params, joint.source)
        out["distortion"] = architecture.squared_error(params, joint.source, batch.vector, jax.vmap(front)(z))
    return out


def bracket_of(
    key: jax.Array, joint: Joint, log_decoder: LogDecoder, budget_gflop: float, power: jax.Array
) -> dict[str, Estimate]:
    """Both bounds of a lane by the referee; a lane that diverged, whose power is no number, has NaN for both.

    Args:
        key: the lane's measurement key.
        joint: the trained sender.
        log_decoder: log q(m|z), nats.
        budget_gflop: billions of operations.
        power: mean power of a unit.
    """
    if not np.isfinite(power):
        nothing = Estimate.from_normal(bits=np.nan, stderr=np.nan, kind="point")
        return {"lower": nothing, "upper": nothing}
    found = measure(
        FigureKeys.of(key).bracket, joint, budget_gflop=budget_gflop, log_decoder=log_decoder, method="bracket"
    )
    return {"lower": found.lower, "upper": found.upper}


def arrays_of(figures: dict[str, Any], history: np.ndarray) -> Arrays:
    """A lane's figures as named arrays: an estimate's figure, error and ends; the loss in bits; whether it diverged."""
    check, finite = figures.pop("check", None), bool(figures.pop("finite"))
    if check is not None:
        figures["bits"] = widen(figures["bits"], *check)
        if "rate" in figures and "excess" not in figures:
            figures["excess"] = rate_less_information(figures["rate"].bits, figures["bits"])
    arrays = {}
    for name, figure in figures.items():
        if isinstance(figure, Estimate):
            arrays[name] = figure.bits
            arrays |= {f"{name}_{part}": getattr(figure, part) for part in ("stderr", "low", "high")}
        else:
            arrays[name] = figure
    arrays["loss"] = history / NATS_PER_BIT
    diverged = not (finite and all(_finite(name, np.asarray(a)) for name, a in arrays.items()))
    return {name: np.asarray(a) for name, a in arrays.items()} | {"diverged": np.asarray(diverged)}
