"""Exact information by listing every message: I(M;Z) = E log p(z|m) - log sum_m' p(m') p(z|m'),
the definition (Shannon 1948; Cover & Thomas 2006, equation 2.35).

The outer mean is over sampled (m, z), the inner sum over all messages, so the estimate is unbiased at any number of
samples and no log of a batch limits it.  Control variates whose mean is known exactly (from the listed codes) take
away most of the Monte-Carlo noise, which without them is about 0.73 sqrt(units) bits a sample.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from capacity.bounds.bound import Bound
from capacity.bounds.exact.densities import log_densities
from capacity.bounds.exact.listing import Listed, as_columns, draw_listed, list_codes, listed_of
from capacity.bounds.exact.rare_events import (
    control_effect,
    message_entropy_gone,
    unseen_messages,
    unseen_noise,
    with_unseen_atoms,
)
from capacity.bounds.exact.resolution import check_finite, check_resolved, unresolved, within_resolution
from capacity.bounds.exact.sample import Sample, sampled, surprise
from capacity.channels.channel import Channel
from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.results.intervals import MEAN_ROUNDING
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.once import run_once
from capacity.runtime.shapes import Key
from capacity.runtime.whole import whole

Tree = TypeVar("Tree")
PRECISION_SAMPLES = 8  # densities that are computed again in float64
FEW_PAIRS = 2**18  # numbers of these against the list: of more, a compiled program is worth its while


def information(key: Key, joint: Joint, listed: Listed, n: int) -> Estimate:
    """I(M;Z) in bits from n fresh samples and the listed codes; traceable, so lanes can be mapped over it.

    Args:
        key: of the samples.
        joint: whose source can be listed.
        listed: its codes, by `list_codes`.
        n: samples, at least 2.
    """
    found: Estimate = information_of(joint, listed, sampled(key, joint, listed, n))
    return found


@jax.jit
def information_of(joint: Joint, listed: Listed, sample: Sample) -> Estimate:
    """I(M;Z) in bits from a sample.

    The sample brings controls of the noise and of lengths.  One more is log p(m, z) of the message sent less its
    mean over p(m|z), whose expectation is 0 at every z: with weight 1 it replaces the message sent by the average over
    all that could have been (Rao & Blackwell).  Messages that are equally likely start from there, for near H(M) a few
    rare confusions would decide the weight.  The last is what the message says less H(M).

    Where z has atoms the weight of that one is not left to the sample, which may have seen none of a rare noise: the
    values are H(M) - H(M|z), a function of z between 0 and H(M) for equally likely messages.
    """
    q, n = sample.q, len(sample.z)
    controls = sample.controls.joint
    if joint.channel.atomic:
        known = as_columns(controls, sample.z)
        values = message_entropy_gone(joint, sample, q.whole)
        found = sample.plain_mean(values, known)
        found = with_unseen_atoms(found, control_effect(sample, values, known), joint, listed)
    else:
        message = -sample.log_prob - listed.entropy / jnp.maximum(sample.weight, np.finfo(sample.z.dtype).tiny)
        columns = as_columns([*controls, surprise(sample), message], sample.z)
        nats = sample.conditional.sum(1) - q.joint - jnp.where(listed.equally_likely, surprise(sample), 0.0)
        found = sample.mean(nats, columns)
        found = found.widened_to(*unseen_noise(found.bits, joint, listed, sample, q.whole))
    wide = found.widened_to(*unseen_messages(joint.channel, listed, found.bits, n))
    return possible(within_resolution(wide, joint.channel, listed), listed)


def possible(found: Estimate, listed: Listed) -> Estimate:
    """The figure, its interval cut to what information can be: from 0 to H(M)."""
    entropy = (1 + MEAN_ROUNDING) * listed.entropy / NATS_PER_BIT
    low = jnp.maximum(found.low, jnp.minimum(found.bits, 0.0))
    return replace(found, low=low, high=jnp.minimum(found.high, jnp.maximum(found.bits, entropy)))


def widen(
    estimate: Estimate,
    channel: Channel,
    listed: Listed,
    z: Float[Array | np.ndarray, "n units"],
    log_q: Float[Array | np.ndarray, " n"],
) -> Estimate:
    """The estimate, its interval widened by the rounding error of single precision, in densities and in their mean.

    Args:
        estimate: whose densities and mean were computed in float32.
        channel: of the noisy codes.
        listed: all codes.
        z: a few noisy codes.
        log_q: their log densities as computed in float32; held here against float64.
    """
    with jax.enable_x64(True):
        double = jax.tree.map(lambda a: np.asarray(a, np.float64), (listed, channel, z))
        if z.size * len(listed.log_probs) <= FEW_PAIRS:
            exact = np.asarray(run_once(log_densities, *double).joint)
        else:
            exact = np.asarray(_log_densities(*double).joint)
    error = float(np.abs(np.asarray(log_q, np.float64) - exact).max()) / NATS_PER_BIT
    error += MEAN_ROUNDING * abs(float(estimate.bits))
    return replace(estimate, low=estimate.low - error, high=estimate.high + error)


@dataclass(frozen=True)
class Enumeration(Bound):
    """The exact information of a source that can be listed, up to 2^20 messages.

    Raises (when called):
        ValueError: if the source cannot be listed.
    """

    samples: int = 4096
    name: ClassVar[str] = "enumeration"
    summary: ClassVar[str] = "exact bits by listing all messages (up to 2^20); unbiased, with 95 % interval"

    def __call__(self, key: Seed, joint: Joint) -> Estimate:
        """I(M;Z) in bits; the interval also holds the difference seen between float32 and float64 densities."""
        whole(self.samples, "samples")
        listed = list_codes(joint)
        check_finite(listed)
        if np.asarray(_unresolved(joint.channel, listed)).any():
            return self._in_double(as_key(key), joint, listed)
        key_bits, key_check = jax.random.split(as_key(key))
        z = _draw(key_check, joint.channel, listed, n=PRECISION_SAMPLES).z
        estimate = _information(key_bits, joint, listed, n=self.samples)
        return widen(estimate, joint.channel, listed, z, _log_densities(listed, joint.channel, z).joint)

    def _in_double(self, key: Key, joint: Joint, listed: Listed) -> Estimate:
        """The same in float64, for noise that float32 would round away."""
        with jax.enable_x64(True):
            codes, log_probs, channel = in_default_precision((listed.codes, listed.log_probs, joint.channel))
            double = replace(joint, channel=channel)
            listed = _listed_of(codes, log_probs, channel)
            check_resolved(channel, listed)
            estimate = _information(key, double, listed, n=self.samples)
        single: Estimate = in_default_precision(estimate)
        return single


def in_default_precision(tree: Tree) -> Tree:
    """A pytree with its floating-point leaves in float64 where that is enabled, else in float32."""

    def cast(leaf: Any) -> Any:
        array = np.asarray(leaf)
        return jnp.asarray(array, float) if np.issubdtype(array.dtype, np.floating) else leaf

    done: Tree = jax.tree.map(cast, tree)
    return done


_listed_of = jax.jit(listed_of)
_unresolved = jax.jit(unresolved)
_log_densities = jax.jit(log_densities)
_draw = jax.jit(draw_listed, static_argnames="n")
_information = jax.jit(information, static_argnames="n")
