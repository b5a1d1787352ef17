"""The referee: exact bits where the messages can be listed, else the narrowest bracket that its budget buys.

Without a list the source and the channel still say enough to bound I(M;Z) from both sides at any size: a cheap
approximation of the posterior is fitted, walks are taken from it to the truth and back (`annealing`), pilots decide
how many and how long, and what remains is the noise in z, most of which controls take away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from capacity.bounds.annealed.chains import LANES, Walks, walk
from capacity.bounds.annealed.controls import (
    Controls,
    Teller,
    controlled,
    controls_of,
    error_of_means,
    reduce,
    rounding,
)
from capacity.bounds.annealed.neighbours import fit_neighbours
from capacity.bounds.annealed.schedule import BATCHES, Choice, Cost, Pilot, choose, pilots, price
from capacity.bounds.exact.enumeration import Enumeration
from capacity.bounds.posterior.additive import fit_additive
from capacity.bounds.posterior.flips import fit_flips
from capacity.bounds.posterior.gaussian import fit_gaussian
from capacity.bounds.variational.decoder import Decoder, LogDecoder
from capacity.bounds.variational.marginal import Normal, fit_normal
from capacity.joint.encoders import traceable
from capacity.joint.joint import Joint
from capacity.results.estimate import (
    NATS,
    RARE_LOSS,
    Bracket,
    Estimate,
    Kind,
    TracePoint,
    from_values,
    interval,
    reaching,
    sure,
)
from capacity.runtime.progress import reporter

FAR_SHARE = 0.1  # of the budget: cheap samples, from which the means of the controls are learnt
DEAR_SHARE = 0.05  # and samples from which the mean of the dearest control is
MOST_SAMPLES = LANES * BATCHES[-1]
FEWEST_FAR, MOST_FAR = 2**13, 2**16
DEFAULT_BUDGET = 1000.0
NARROW = 0.05  # of the bits: a wider bracket than this to come, and another way to walk is tried
METHODS = ("auto", "enumeration", "bracket")
Progress = Callable[[float, str], None]


def measure(
    key: jax.Array,
    joint: Joint,
    *,
    budget: float = DEFAULT_BUDGET,
    log_decoder: LogDecoder | None = None,
    samples: int = 4096,
    method: str = "auto",
    progress: Progress | Literal[True] | None = None,
) -> Bracket:
    """How many bits pass: I(M;Z) of a joint, as a bracket.

    Args:
        key: the same key gives the same bracket.
        joint: source, encoder and channel.  The encoder may be any callable: where JAX cannot trace it, it is called
            once on all messages, in NumPy batches (see `capacity.joint.encoders`).
        budget: billions of operations to spend where messages cannot be listed; walks and cheap samples are counted,
            not timed, and what is fitted before them (tens of billions) is not.
        log_decoder: `(message, z) -> log q(message | z)` of one item, nats, trained on other samples; its lower bound
            is taken where it is the higher one.
        samples: how many samples enumeration draws.
        method: "enumeration", "bracket", or "auto": enumeration wherever the messages can be listed.
        progress: called with the share of the budget that is spent, and what was just done; True shows a bar.

    Returns:
        By enumeration, if the source can be listed, the same figure twice: unbiased, with a 95 % interval for the
        sampled z.  Otherwise two bounds in expectation; the truth lies between `low` and `high` with probability 95 %
        at least: they reach three standard errors of means over many independent samples, 99.7 % where such means are
        normal.

    Raises:
        ValueError: if the budget is not positive and finite, the method is none of these, the encoder can be neither
            traced nor tabled, or a bracket is asked for under a channel that makes some messages impossible or leaves
            some unit without any noise.
    """
    if method not in METHODS:
        raise ValueError(f"Expected method to be one of {', '.join(METHODS)}; got {method!r}.")
    if not (np.isfinite(budget) and budget > 0):
        raise ValueError(f"Expected a budget greater than 0, in billions of operations; got {budget}.")
    with jax.default_matmul_precision("highest"):  # by default three digits on some GPUs, and bounds are no bounds
        return _measured(key, traceable(joint), budget, log_decoder, samples, method, progress)


def _measured(
    key: jax.Array,
    joint: Joint,
    budget: float,
    log_decoder: LogDecoder | None,
    samples: int,
    method: str,
    progress: Progress | Literal[True] | None,
) -> Bracket:
    if method == "enumeration" or (method == "auto" and joint.source.listable):
        exact = Enumeration(samples)(key, joint)
        return Bracket(exact, exact, "enumeration")
    check_walkable(joint.channel)
    return _bracket(key, joint, budget, log_decoder, reporter(progress) or (lambda share, text: None))


def check_walkable(channel: Any) -> None:
    """Refuse a channel under which walks from message to message are cut off.

    Raises:
        ValueError: if its density may be 0.
    """
    if not channel.full_support:
        raise ValueError(
            f"Expected a channel that leaves every message possible, for a bracket by walks; got {channel.name}, whose "
            "noisy units rule messages out. A source of at most 2**20 messages can be enumerated instead, and Gaussian "
            "noise after the channel (`Then`) makes it fit for a bracket."
        )


def _bracket(
    key: jax.Array, joint: Joint, budget: float, log_decoder: LogDecoder | None, progress: Progress
) -> Bracket:
    key_first, key_second, key_main, key_decoder = jax.random.split(key, 4)
    trace: list[TracePoint] = []
    discrete = joint.source.discrete
    engines = [Engine.pilot(key_first, joint, fit_additive if discrete else fit_gaussian, budget, trace, progress)]
    left = budget - trace[-1].work
    choices = [engines[0].choose(left)]
    if discrete and not choices[0].width <= NARROW * min(trace[-1].high, joint.source.bits):
        engines.append(Engine.pilot(key_second, joint, fit_flips, left, trace, progress))
        left = budget - trace[-1].work
        choices = [engine.choose(left) for engine in engines]
    best, choice = min(zip(engines, choices, strict=True), key=lambda pair: pair[1].width)
    (lower, upper), how, spent = best.measure(key_main, choice)
    if log_decoder is not None:
        lower, taken = _tighter(lower, sure(Decoder(log_decoder)(key_decoder, joint)))
        how = f"decoder below; {how}" if taken else how
    if best.side.normal_is_near(best.last.walks):
        upper, taken = _tighter(upper, best.side.entropy_bound)
        how = f"maximum entropy above; {how}" if taken else how
    lower, upper = within(lower, upper, joint.source.bits)
    trace.append(_point(budget - left + spent, (lower, upper), how))
    progress(1.0, how)
    return Bracket(lower, upper, how, tuple(trace))


class Engine(NamedTuple):
    """One way to walk: an approximation of the posterior, what it costs, and how its last pilot went."""

    joint: Joint
    approximation: Any
    side: Side
    cost: Cost
    last: Pilot

    @classmethod
    def pilot(
        cls,
        key: jax.Array,
        joint: Joint,
        fit: Callable[[jax.Array, Joint], Any],
        budget: float,
        trace: list[TracePoint],
        progress: Progress,
    ) -> Engine:
        """Fit and try it; each pilot is put on the trace."""
        key_fit, key_side, key_pilot, key_more = jax.random.split(key, 4)
        approximation = fit(key_fit, joint)
        cost = price(joint, approximation)
        far = far_samples(cost.once, FAR_SHARE * budget)
        side = Side.draw(key_side, joint, approximation, far)
        spent = far * cost.once + (trace[-1].work if trace else 0.0)
        for last in pilots(key_pilot, joint, approximation, cost, budget):
            stage = f"pilot, {type(approximation).__name__}, {last.ladder.rungs} rungs"
            trace.append(_point(spent + last.spent, side.bounds(last.walks), stage))
            progress(last.spent / budget, f"{trace[-1].low:.2f} to {trace[-1].high:.2f} bits")
        engine = cls(joint, approximation, side, cost, last)
        return engine.informed(key_more, budget, trace) if joint.source.discrete else engine

    def informed(self, key: jax.Array, budget: float, trace: list[TracePoint]) -> Engine:
        """With one more control, dearer than the others, where a narrower bracket is to be expected of it."""
        spread, known = self.side.spread(self.last.walks)
        if not spread > known * MOST_SAMPLES**0.5:  # the others leave hardly any noise
            return self
        key_fit, key_far = jax.random.split(key)
        neighbours = fit_neighbours(key_fit, self.joint)
        each = self.cost.once + 2 * neighbours.cost(self.cost.truth)  # told of the noise as it is, and mirrored
        far = far_samples(each, DEAR_SHARE * budget)
        side = self.side.joined(key_far, neighbours, far)
        if not _noise(*side.spread(self.last.walks)) < _noise(spread, known):
            side = self.side
        trace.append(_point(trace[-1].work + far * each, side.bounds(self.last.walks), "controls"))
        return self._replace(side=side)

    def choose(self, budget: float) -> Choice:
        """The walks that so much buys."""
        spread, known = self.side.spread(self.last.walks)
        return choose(self.last, spread, self.cost, budget, known, self.joint.source.bits)

    def measure(self, key: jax.Array, choice: Choice) -> tuple[tuple[Estimate, Estimate], str, float]:
        """Both bounds, in bits; how they were found; and what that cost."""
        walks = walk(key, self.joint, self.approximation, choice.samples, choice.ladder, choice.chains)
        how = f"{choice.samples} samples, {choice.chains} + 1 chains of {choice.ladder.rungs} rungs"
        spent = self.cost.walks(choice.samples, choice.chains, choice.ladder)
        return self.side.bounds(walks), f"annealing from {type(self.approximation).__name__}, {how}", spent


class Side(NamedTuple):
    """What cheap samples know: the controls' means, and the bound of maximum entropy."""

    joint: Joint
    tellers: tuple[Teller, ...]
    far: Controls
    entropy_bound: Estimate

    @classmethod
    def draw(cls, key: jax.Array, joint: Joint, approximation: Any, n: int) -> Side:
        """From n samples; the normal density from n others."""
        key_normal, key_far = jax.random.split(key)
        normal = fit_normal(key_normal, joint, n)
        message, code, z, conditional, still = _far_samples(key_far, joint, n)
        # The trained decoder as one more was tried, and took nothing away.
        tellers = Partial(_surprise, normal), Partial(_log_start, approximation)
        far = controls_of(joint, tellers, message, code, z)
        values = jnp.asarray(conditional + far.learnt[:, 0])
        entropy, least = from_values(values, "upper", controls=jnp.asarray(far.zero)), rounding(far.learnt)
        if still.any() and not joint.channel.atomic:  # densities, of walks too, are no probabilities there
            raise ValueError(
                f"Expected units with a density, for a bracket by walks; got {joint.channel.name}, which left some "
                "unit of some message without any noise."
            )
        return cls(joint, tellers, far, sure(reaching(entropy, least, least)))

    def joined(self, key: jax.Array, teller: Teller, n: int) -> Side:
        """With one more teller, from n samples of its own."""
        tellers = (*self.tellers, teller)
        message, code, z, *_ = _far_samples(key, self.joint, n)
        return self._replace(tellers=tellers, far=controls_of(self.joint, tellers, message, code, z))

    def near(self, walks: Walks) -> Controls:
        """The controls of the samples of some walks."""
        return controls_of(self.joint, self.tellers, walks.message, walks.code, walks.z)

    def bounds(
        self, walks: Walks, lower: np.ndarray | None = None, upper: np.ndarray | None = None
    ) -> tuple[Estimate, Estimate]:
        """The lower and the upper bound of some walks, in bits, or of other values for the same samples, in nats."""
        near, limit = self.near(walks), self.joint.source.bits
        loss = limit if self.joint.channel.atomic else RARE_LOSS

        def bound(values: np.ndarray, kind: Kind, worst: float) -> Estimate:
            if np.isfinite(values).all():
                return sure(controlled(values, near, self.far, kind, limit, loss))
            # A walk that started at an impossible message: no bound, but no NaN either.
            return interval(worst, 0.0, kind, limit, len(values))

        below = bound(walks.lower() if lower is None else lower, "lower", -np.inf)
        above = bound(walks.upper() if upper is None else upper, "upper", np.inf)
        return below, reaching(above, up=untold(self.joint.source, walks.message))

    def spread(self, walks: Walks) -> tuple[float, float]:
        """Standard deviation of a lower value, its controls taken off, and standard error of these, in bits.

        A pilot's upper values are spread by short walks more than by z, and longer ones will not be.
        """
        if not np.isfinite(walks.lower()).all():
            return np.inf, 0.0
        reduced, slope, _ = reduce(walks.lower(), self.near(walks), self.far)
        return float(reduced.std() / NATS), error_of_means(slope, self.far)

    def normal_is_near(self, walks: Walks) -> bool:
        """Whether maximum entropy may turn out the lower upper bound: it lies within a pilot's interval, or below."""
        # Against atoms a normal density is no bound.
        return not self.joint.channel.atomic and bool(self.entropy_bound.bits < self.bounds(walks)[1].high)


def untold(source: Any, message: Any) -> float:
    """By how many bits these messages say less than messages do on average: 0 if all are equally likely.

    Where a few rare messages have most of the bits, a sample may have none of them, and no spread shows it.
    """
    if not source.discrete:
        return 0.0
    log_prob = jax.vmap(getattr(source, "log_mass", source.log_prob))(message)
    return max(float(source.bits + log_prob.mean() / NATS), 0.0)


def _noise(spread: float, known: float, n: int = 1024) -> float:
    """Standard error of a mean of so many values whose controls' means are known so well, bits."""
    return float(np.hypot(spread / n**0.5, known))


def far_samples(each: float, room: float) -> int:
    """How many cheap samples, at so much each, there is room for: a power of two between 2^13 and 2^16."""
    return int(np.clip(2 ** np.floor(np.log2(max(room / each, 1.0))), FEWEST_FAR, MOST_FAR))


def _surprise(normal: Normal, message: Any, z: jax.Array) -> jax.Array:
    return -normal.log_prob(z)


def _log_start(approximation: Any, message: Any, z: jax.Array) -> jax.Array:
    heard = approximation.hear(z)
    return approximation.log_start(heard, approximation.place(heard, message))


def _far_samples(key: jax.Array, joint: Joint, n: int) -> tuple[Any, ...]:
    """Messages, codes, z, log p(z|u), and whether some unit had no noise, of n samples, a multiple of `FEWEST_FAR`: one
    program for any number."""
    blocks = [_far_block(jax.random.fold_in(key, block), joint) for block in range(n // FEWEST_FAR)]
    return jax.tree.map(lambda *parts: np.concatenate(list(map(np.asarray, parts))), *blocks)


@jax.jit
def _far_block(key: jax.Array, joint: Joint) -> tuple[Any, ...]:
    message, code, z = joint.sample(key, FEWEST_FAR)
    still = (jax.vmap(joint.channel.moments)(code)[1] == 0).any(1)
    return message, code, z, jax.vmap(joint.conditional)(z, code), still


def _tighter(first: Estimate, second: Estimate) -> tuple[Estimate, bool]:
    """Of two lower bounds the one whose interval starts higher, of two upper ones that ends lower; if it is the second.

    Each errs with less than a quarter of 5 %, at `SURE` standard errors: all hold at once (Bonferroni), so any choice
    does.
    """
    is_tighter = second.low > first.low if first.kind == "lower" else second.high < first.high
    taken = not np.isfinite(first.bits) or bool(is_tighter)  # infinite: no walk came through
    return (first, second)[taken], taken


def within(lower: Estimate, upper: Estimate, source_bits: float) -> tuple[Estimate, Estimate]:
    """The bounds cut off at 0 and at the source's bits, which need no samples.

    An interval goes along with a figure that is cut, lest a figure that chance put far beyond an end leave an interval
    of no width there.
    """

    def cut(bound: Estimate) -> Estimate:
        bits, low, high = (float(getattr(bound, part)) for part in ("bits", "low", "high"))
        moved = np.clip(bits, 0.0, source_bits) - bits if np.isfinite(bits) else 0.0
        ends = {"bits": bits, "low": low + min(moved, 0.0), "high": high + max(moved, 0.0)}
        return replace(bound, **{part: np.clip(end, 0.0, source_bits) for part, end in ends.items()})

    return cut(lower), cut(upper)


def _point(work: float, bounds: tuple[Estimate, Estimate], stage: str) -> TracePoint:
    lower, upper = bounds
    return TracePoint(work, float(lower.bits), float(upper.bits), float(lower.low), float(upper.high), stage)
