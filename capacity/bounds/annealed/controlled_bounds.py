"""Both bounds from chains: a first phase of cheap samples, the means of whose controls are known, and a second of it.

Two-phase sampling (Cochran 1977, chapter 12): the first phase is simulation alone; some of its samples have chains.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, TypeAlias

import jax
import numpy as np
from jax.tree_util import Partial
from jaxtyping import Float, PyTree

from capacity.bounds.annealed import inclusion
from capacity.bounds.annealed.chains import Chains
from capacity.bounds.annealed.cheap_bounds import CheapBounds, cheap_bounds
from capacity.bounds.annealed.controls import ControlFunction, Controls, clip_range, columns_of, rounding
from capacity.bounds.annealed.first_phase import MIN_FIRST_PHASE, FirstPhase, block_numbers, prior_shortfall, simulate
from capacity.bounds.annealed.legs import Samples
from capacity.bounds.annealed.reach import Unseen, reaching
from capacity.bounds.annealed.start_bounds import start_ratios
from capacity.bounds.annealed.two_phase import SecondPhase, controlled, two_phase_mean
from capacity.bounds.posterior.approximation import PosteriorApproximation
from capacity.bounds.variational.normal import Normal, fit_normal
from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT, Estimate, Kind
from capacity.runtime.shapes import Key

Ends: TypeAlias = tuple[float, float]


class ControlledBounds(NamedTuple):
    """What a first phase of cheap samples knows, and bounds on I(M;Z) from chains by it.

    Attributes:
        key: of the cheap samples.
        joint: that both phases sample.
        approximation: that chains start from.
        normal: a density with the moments of Z.
        functions: the learnt controls, fixed before.
        clip: where these are cut off, two arrays (c,).
        first: the cheap samples.
        controls: of the cheap samples.
        odds: (N,), of each cheap sample to be among the dear ones.
        shortfall: bits by which the cheap samples' messages say less than messages do on average.
        cheap: bounds from cheap samples.
        outer: bits between which other bounds without chains, by many samples, say that the truth lies.
    """

    key: Key
    joint: Joint
    approximation: PosteriorApproximation
    normal: Normal
    functions: tuple[ControlFunction, ...]
    clip: tuple[np.ndarray, np.ndarray]
    first: FirstPhase
    controls: Controls
    odds: Float[np.ndarray, " samples"]
    shortfall: float
    cheap: CheapBounds
    outer: Ends = (0.0, np.inf)

    @classmethod
    def simulate(cls, key: Key, joint: Joint, approximation: PosteriorApproximation, n: int) -> ControlledBounds:
        """From n samples; the normal density from n others.

        Args:
            key: of both.
            joint: source, encoder and channel.
            approximation: whose start is one of the controls.
            n: a multiple of `MIN_FIRST_PHASE`.

        Raises:
            ValueError: where a channel without atoms leaves some unit of some message without any noise.
        """
        key_normal, key_first = jax.random.split(key)
        normal = fit_normal(key_normal, joint, n)
        # The trained decoder as one more was tried, and took nothing away.
        functions = Partial(_surprise, normal), Partial(_log_start, approximation)
        first = simulate(key_first, joint, approximation, normal, functions, block_numbers(n))
        clip = clip_range(first.columns.learnt, joint.source.bits * NATS_PER_BIT)
        known = _known(joint, first, clip)
        *_, key_ratios = jax.random.split(key_first, 3)  # the others are of the samples
        some = jax.tree.map(lambda leaf: leaf[:MIN_FIRST_PHASE], (first.message, first.z))
        ratios = start_ratios(key_ratios, joint, approximation, *some)
        cheap = cheap_bounds(joint, first, ratios, known[0].zero, known[-1])
        return cls(key_first, joint, approximation, normal, functions, clip, first, *known, cheap)

    def with_control(self, key: Key, function: ControlFunction, n: int) -> ControlledBounds:
        """With one more learnt control, from a first phase of n samples of its own."""
        functions = (*self.functions, function)
        first = simulate(key, self.joint, self.approximation, self.normal, functions, block_numbers(n))
        clip = clip_range(first.columns.learnt, self.joint.source.bits * NATS_PER_BIT)
        controls, odds, shortfall = _known(self.joint, first, clip)
        return self._replace(
            key=key, functions=functions, clip=clip, first=first, controls=controls, odds=odds, shortfall=shortfall
        )

    def with_samples(self, n: int) -> ControlledBounds:
        """With a first phase of n samples, its own the first of them."""
        more = block_numbers(n, len(self.odds))
        if not more:
            return self
        given = self.key, self.joint, self.approximation, self.normal, self.functions
        first = self.first.followed_by(simulate(*given, more))
        controls, odds, shortfall = _known(self.joint, first, self.clip)
        return self._replace(first=first, controls=controls, odds=odds, shortfall=shortfall)

    def draw(self, key: Key, n: int) -> Samples:
        """n of the cheap samples, rare and far ones with the most probability, and their weights."""
        rng = np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel())
        rows, weight = inclusion.draw(rng, self.odds, n)
        first = self.first
        message, code, z = jax.tree.map(lambda leaf: leaf[rows], (first.message, first.code, first.z))
        return Samples(message, code, z, weight, rows)

    def second_phase(self, samples: Samples) -> SecondPhase:
        """The controls and weights of samples that have chains."""
        if samples.rows is None:
            columns = columns_of(self.joint, self.functions, samples.message, samples.code, samples.z)
            return SecondPhase(columns.controls(*self.clip), samples.weight)
        own = Controls(*(part[samples.rows] for part in self.controls))
        return SecondPhase(own, samples.weight, samples.rows)

    def bounds(self, chains: Chains) -> tuple[Estimate, Estimate]:
        """The lower and the upper bound of some chains, in bits."""
        return self._bounds(chains.samples, chains.lower(), chains.upper(), *self.room, self.cheap.gap)

    def bounds_of(
        self, samples: Samples, lower: Float[np.ndarray, " n"], upper: Float[np.ndarray, " n"]
    ) -> tuple[Estimate, Estimate]:
        """The bounds on other bits than the joint's, from values (n,) in nats for samples that were drawn.

        Args:
            samples: that the values are of.
            lower, upper: values of means below and above the bits.
        """
        return self._bounds(samples, lower, upper, 0.0, self.joint.source.bits, np.inf)

    @property
    def room(self) -> Ends:
        """Between which bits the joint's are by bounds from all cheap samples, by any event of z too."""
        lower, upper = self.cheap.start
        least, most = self.outer
        return max(float(lower.bits), least), min(float(upper.bits), most, self.joint.source.bits)

    def unseen(self, bits: float, n: int, least: float, most: float) -> Unseen:
        """Events that none of n dear samples saw, nor any score: they move the bits no further than to these.

        Chains may miss events too, in their own moves: E[w] = p(z) over all moves, so over those without an event of
        probability p it is at most p(z)/(1 - p), and log w may be too large by p nats.

        Args:
            bits: what was found.
            n: how many dear samples.
            least, most: bits between which bounds without chains say that the truth lies.
        """
        alike = float(n * len(self.odds) / self.odds.sum())  # the dear samples that were drawn as ordinary ones
        room = [max(bits - least, 0.0), max(most - bits, 0.0) if np.isfinite(most) else 0.0]
        down, up = (min(most + 1 / NATS_PER_BIT, most * alike / 3) for most in room)
        return Unseen(alike, down, up)

    def _bounds(
        self, samples: Samples, lower: np.ndarray, upper: np.ndarray, least: float, most: float, gap: float
    ) -> tuple[Estimate, Estimate]:
        second, limit = self.second_phase(samples), self.joint.source.bits

        def bound(values: np.ndarray, kind: Kind, worst: float) -> Estimate:
            if not np.isfinite(values).all():
                # A chain that started at an impossible message: no bound, but no NaN either.
                return Estimate.from_normal(bits=worst, stderr=0.0, kind=kind, limit=limit, n=len(values))
            rounded = rounding(values, second.controls.learnt)
            found = controlled(values, second, self.controls, kind, limit, rounded).conservative()
            bits = float(found.bits)
            within = max(least, bits - gap), min(most, bits + gap)
            events = Unseen.of_source(bits, limit, len(self.odds)), self.unseen(bits, len(values), *within)
            found = reaching(found, *events)
            return replace(found, high=found.high + self.shortfall)

        return bound(lower, "lower", -np.inf), bound(upper, "upper", np.inf)

    def spread(self, chains: Chains) -> tuple[float, float]:
        """Standard deviation of a lower value, its controls taken off, and standard error of these, in bits.

        The deviation is that which samples drawn as these are have, weights and all: over the root of their number it
        is the standard error.  A pilot's upper values are spread by short chains more than by z, and longer ones will
        not be.
        """
        if not np.isfinite(chains.lower()).all():
            return np.inf, 0.0
        second = self.second_phase(chains.samples)._replace(rows=None)
        found = two_phase_mean(chains.lower(), second, self.controls)
        n, known = len(found.dear), float(np.std(found.cheap) * len(found.cheap) ** 0.5)
        return float(n**0.5 * np.linalg.norm(found.dear) / NATS_PER_BIT), known / NATS_PER_BIT

    def entropy_bound_competes(self, chains: Chains) -> bool:
        """Whether maximum entropy may turn out the lower upper bound: it lies within a pilot's interval, or below."""
        # Against atoms a normal density is no bound.
        channel = self.joint.channel
        return not (channel.atomic or channel.mixed) and bool(self.cheap.entropy.bits < self.bounds(chains)[1].high)


def _known(
    joint: Joint, first: FirstPhase, clip: tuple[np.ndarray, np.ndarray]
) -> tuple[Controls, Float[np.ndarray, " samples"], float]:
    """Of cheap samples: controls, each one's odds to be dear, and bits that their messages lack of the average."""
    odds = inclusion.odds_of(np.concatenate([first.scored.columns(), first.columns.learnt], axis=1))
    return first.columns.controls(*clip), odds, prior_shortfall(joint.source, first.message)


def _surprise(normal: Normal, message: PyTree, z: jax.Array) -> jax.Array:
    return -normal.log_prob(z)


def _log_start(approximation: PosteriorApproximation, message: PyTree, z: jax.Array) -> jax.Array:
    observation = approximation.observe(z)
    return approximation.log_start(observation, approximation.state_of(observation, message))
