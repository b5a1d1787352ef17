"""A bracket of a code with short windows, from sampled information densities: no chains, linear in the bits.

With p~(z|m) the product of the units' laws given their windows, and p~(z) its sum over messages, on true samples

    E log p~(z|m)/p~(z)  <=  I(M;Z)  <=  E log p(z|m)/p~(z):

q(m|z) = p(m) p~(z|m)/p~(z) is a decoder (Barber & Agakov 2003), and p~(z) a normalised density, the auxiliary channel
and its output law of Arnold, Loeliger, Vontobel, Kavcic & Zeng (2006).  Both hold whatever the encoder does; where no
unit depends on a digit outside of its window both are the information, whatever its length.

What no sample saw: messages of a share P whose code is another than the windows say tell at most H(M) more, and h(P) of
their being such, for I(M;Z) <= I(M;Z|E) + H(E); and they take the lower bound's share and log n, for the decoder gives
the prior with probability 1/n.  Where windows leave nothing out, some thousand codes are held against them, and P is
below 3 in so many (the rule of three); else it is 3 in the samples.  Events within a window of d digits move 2 d bits
at most: its own, and those of the windows on both sides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from capacity.bounds.annealed.controls import Controls
from capacity.bounds.annealed.refusals import check_codes
from capacity.bounds.annealed.tightest import check_agreement, clipped_to_source, tighter_bound
from capacity.bounds.annealed.two_phase import SecondPhase, controlled
from capacity.bounds.local.banded import BandedNormal, fit_banded
from capacity.bounds.local.coded import CodedMessages, ReceivedCodes
from capacity.bounds.local.forward import ForwardPass
from capacity.bounds.local.frontier import Frontier, plan_frontier
from capacity.bounds.local.receptive import find_fields
from capacity.bounds.local.window_laws import list_windows
from capacity.bounds.variational.decoder import LogDecoder, bounded, log_ratios
from capacity.joint.joint import Joint, as_tree
from capacity.results.estimate import NATS_PER_BIT, Bracket, Estimate, TracePoint
from capacity.results.intervals import CONSERVATIVE_ERRORS, MEAN_ROUNDING, rule_of_three_bits
from capacity.runtime.progress import Progress

MAX_SLOTS = 16
TABLE_BYTES = 2**30  # of the codes of all windows, on whatever machine
OPERATIONS = 30.0  # of one state of one step, as many as take about as long
FITTED, PILOT = 2**11, 32  # samples that the normal density is fitted to, and that say how many more there should be
NARROW = 0.005  # of the bits: a narrower bracket is not asked for
MIN_SAMPLES, MAX_SAMPLES = 64, 2**14
MIN_CHECKED, MAX_CHECKED, CHECKED_DIGITS = 2**12, 2**14, 2**23  # codes held against the windows: the first phase
COMPARED = 2**8  # codes at once
DECODED_DIGITS, MAX_DECODED = 2**25, 2**15  # of all samples that a trained decoder is judged on; samples at most
WINDOW_BITS = 2.0  # of each digit of a window, that an event within it moves
SAME = 1e-4  # of a unit's size: codes nearer than this are one


class WindowValues(NamedTuple):
    """Values of n samples under windows that were fixed before, nats, and what the same samples tell for nothing.

    Attributes:
        lower, upper: (n,), of both bounds.
        columns: (N, 2), the noise's surprise, of mean 0; and log r(z), r a normal density; the first n rows
            are those of the values.
        alike: whether the code of each of the N messages is what the windows say.
        certain: whether a channel with a density left some unit without noise: there are no bounds then.
    """

    lower: Float[np.ndarray, " n"]
    upper: Float[np.ndarray, " n"]
    columns: Float[np.ndarray, "N 2"]
    alike: bool
    certain: bool


class LocalBracket(NamedTuple):
    """A bracket, and whether both its bounds are the information itself: no code was seen to be another."""

    bracket: Bracket
    exact: bool


def local_bracket(
    key: jax.Array, joint: Joint, budget_gflop: float, log_decoder: LogDecoder | None, progress: Progress
) -> LocalBracket | None:
    """A bracket where units depend on few digits each; None where they do not, or the noise has memory.

    Args:
        key: the same key gives the same bracket.
        joint: an encoder that can be traced, and any channel.
        budget_gflop: billions of operations, at most, besides some hundred calls of the encoder.
        log_decoder: its lower bound is taken where it is the higher one.
        progress: called with the share of the work that is done, and what was just done.

    Raises:
        ValueError: for codes of such a kind that are not finite, or too large for their noise in single precision.
    """
    if not (joint.source.discrete and _fair_digits(joint) and _memoryless(joint)):
        return None
    key_fields, key_laws, key_normal, key_pilot, key_main, key_decoder = jax.random.split(key, 6)
    encoded = CodedMessages(joint)
    fields = find_fields(key_fields, encoded)
    if fields is None or fields.pairs == 0:
        return None
    check_codes(key_pilot, joint)
    room = TABLE_BYTES / (4 * fields.units)
    frontier = plan_frontier(fields, int(min(MAX_SLOTS, np.log2(max(room, 2)), np.log2(max(budget_gflop, 1e-3)) + 10)))
    if not frontier.exact and not joint.channel.normal:
        return None
    how = f"windows of {frontier.slots} digits"
    progress(0.1, how)
    laws = list_windows(key_laws, encoded, frontier)
    if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(laws)):
        return None
    forward = ForwardPass(joint.channel, frontier, laws)
    each = OPERATIONS * 2.0**frontier.slots * fields.units * 1e-9
    normal = fit_banded(np.asarray(encoded.received(key_normal, FITTED).z)[:, frontier.units])
    pilot = _judged(key_pilot, encoded, forward, normal, PILOT, PILOT)
    most = int(np.clip(budget_gflop / each, MIN_SAMPLES, MAX_SAMPLES))
    samples = int(np.clip(_enough(pilot, frontier.slots), MIN_SAMPLES, most))
    progress(0.3, f"{how}, {samples} samples")
    checked = int(np.clip(CHECKED_DIGITS // fields.digits, MIN_CHECKED, MAX_CHECKED))
    found = _judged(key_main, encoded, forward, normal, samples, max(checked, samples))
    if pilot.certain or found.certain:
        return None
    lower, upper = _bounds(found, frontier, joint.source.bits)
    how = f"{how}, {samples} samples"
    if log_decoder is not None:
        lower, taken = tighter_bound(lower, _decoder_bound(key_decoder, encoded, log_decoder))
        how = f"decoder below; {how}" if taken else how
    check_agreement(lower, upper)
    lower, upper = clipped_to_source(lower, upper, joint.source.bits)
    progress(1.0, how)
    ends = (float(lower.bits), float(upper.bits), float(lower.low), float(upper.high))
    bracket = Bracket(lower, upper, how, (TracePoint(each * (samples + PILOT), *ends, how),))
    return LocalBracket(bracket, found.alike)


def _fair_digits(joint: Joint) -> bool:
    """Whether a message is one array of fair and independent digits."""
    message = jax.eval_shape(lambda key: joint.source.sample(key, 1).message, jax.random.key(0))
    plain = len(jax.tree.leaves(message)) == 1 and len(jax.tree.leaves(message)[0].shape) == 2
    return bool(plain and joint.source.bits == joint.source.message_dim)


def _memoryless(joint: Joint) -> bool:
    """Whether the noise is independent by unit and alike on all."""
    channel = joint.channel
    shapes = [[np.shape(leaf) for leaf in jax.tree.leaves(part)] for part in (channel, channel.part(slice(0, 1)))]
    return bool(channel.memoryless and channel.code_axes == 1 and shapes[0] == shapes[1])


def _decoder_bound(key: jax.Array, encoded: CodedMessages, log_decoder: LogDecoder) -> Estimate:
    """The lower bound of a trained decoder."""
    joint = encoded.joint
    samples = int(np.clip(DECODED_DIGITS // joint.source.message_dim, MIN_CHECKED, MAX_DECODED))
    decoder, ratios = as_tree(log_decoder), []
    for at in range(0, samples, encoded.batch):
        received = encoded.received(jax.random.fold_in(key, at), encoded.batch)
        ratios.append(log_ratios(decoder, joint, jnp.asarray(received.message), jnp.asarray(received.z)))
    return bounded(jnp.concatenate(ratios), joint.source.bits).conservative()


def _judged(
    key: jax.Array, encoded: CodedMessages, forward: ForwardPass, normal: BandedNormal, dear: int, cheap: int
) -> WindowValues:
    received = encoded.received(key, cheap)
    message, z = np.asarray(received.message), np.asarray(received.z)
    told, alone = forward.increments(message[:dear], z[:dear])
    told, alone = told.astype(np.float64).sum(1), alone.astype(np.float64).sum(1)
    lower = np.logaddexp(told + np.log1p(-1 / dear), -np.log(dear))
    upper = received.conditional[:dear] - alone + told
    log_r = normal.log_prob(z[:, forward.frontier.units])
    certain = bool(np.asarray(received.certain).any()) and not encoded.joint.channel.atomic
    alike = forward.frontier.exact and _alike(received, forward)
    return WindowValues(lower, upper, np.stack([received.surprise, log_r], axis=1), alike, certain)


def _alike(received: ReceivedCodes, forward: ForwardPass) -> bool:
    """Whether every code is the one that the windows say."""
    units, codes = forward.frontier.units, forward.laws.codes
    rows, message = np.arange(len(units))[:, None], np.asarray(received.message)
    for at in range(0, len(message), COMPARED):
        some = slice(at, at + COMPARED)
        patterns = forward.patterns(message[some])
        for leaf, table in zip(jax.tree.leaves(received.code), jax.tree.leaves(codes), strict=True):
            said = table[rows, patterns].T
            if (np.abs(leaf[some][:, units] - said) > SAME * np.abs(table).max(1)).any():
                return False
    return True


def _enough(pilot: WindowValues, slots: int) -> float:
    """Samples after which the bracket is narrow enough, by the spread of a pilot's values less what columns explain."""
    columns = np.concatenate([pilot.columns[: len(pilot.lower)], np.ones((len(pilot.lower), 1))], axis=1)
    left = pilot.lower - columns @ np.linalg.lstsq(columns, pilot.lower, rcond=None)[0]
    spread = np.sqrt(np.square(left).sum() / (len(left) - columns.shape[1])) / NATS_PER_BIT
    wanted = NARROW * max(float(pilot.lower.mean()) / NATS_PER_BIT, 1.0)
    unseen = rule_of_three_bits(2 * WINDOW_BITS * slots, 1)
    return float(np.square(2 * CONSERVATIVE_ERRORS * spread / wanted) + unseen / wanted)


def _bounds(found: WindowValues, frontier: Frontier, source_bits: float) -> tuple[Estimate, Estimate]:
    """Both bounds, their intervals three standard errors long and longer by what was not seen."""
    n, checked = len(found.lower), len(found.columns)
    controls = Controls(found.columns[:, :1], found.columns[:, 1:])
    own = Controls(*(part[:n] for part in controls))
    second = SecondPhase(own, np.full(n, 1 / n), np.arange(n))
    least = MEAN_ROUNDING * abs(float(found.lower.mean())) / NATS_PER_BIT
    lower = controlled(found.lower, second, controls, "lower", source_bits, least).conservative()
    upper = controlled(found.upper, second, controls, "upper", source_bits, least).conservative()
    elsewhere = checked if found.alike else n
    share = 3 / elsewhere
    window = float(rule_of_three_bits(WINDOW_BITS * frontier.slots, n))
    bits = max(float(lower.bits), 0.0)
    down = window + float(rule_of_three_bits(bits + np.log2(n), elsewhere))
    up = window + share * max(source_bits - bits, 0.0) + _uncertainty(min(share, 0.5))
    return replace(lower, low=lower.low - down), replace(upper, high=upper.high + up)


def _uncertainty(share: float) -> float:
    """h(share), the entropy in bits of whether an event of this probability happens."""
    return float(-share * np.log2(share) - (1 - share) * np.log2(1 - share))
