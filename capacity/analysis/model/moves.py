"""Moves that leave N(v; 0, 1)^(1-b) p(x, z(v))^b as it is: Hamiltonian ones, or steps at random without a gradient.

Neal (2011), "MCMC using Hamiltonian dynamics"; Roberts, Gelman & Gilks (1997).  Steps are scaled by unit,
by what the law's precision is likely to be: (1 - b) + b m, m the mean square of the posterior's score.  Step sizes
were found by pilots on other keys, so that nothing adapts here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from capacity.analysis.model.latent_model import CodeRows, LatentModel, PointRows, standard_normal
from capacity.analysis.model.starts import Coordinates

LEAPFROGS = 4
JITTER = 0.2  # of the step size, so that no orbit closes
MAX_STEP = 0.6  # of a leapfrog, in standard deviations: four of them are a quarter of an orbit and a half
WANTED_ACCEPTED = 0.8
WANTED_RANDOM_ACCEPTED = 0.3
RANDOM_STEPS = 8


class ChainState(NamedTuple):
    """Where n chains are.

    Attributes:
        v: (n, units).
        value: (n,), log density of p(x, z(v)) as one of v, nats.
        slope: (n, units), its gradient; None without one.
    """

    v: CodeRows
    value: Float[np.ndarray, " n"]
    slope: CodeRows | None

    @property
    def log_weight(self) -> Float[np.ndarray, " n"]:
        """log p(x, z)/q(z), q the start; -inf where it is impossible."""
        return np.asarray(self.value - standard_normal(self.v))


class Annealed(NamedTuple):
    """What chains walk on: a model, and for each row a point and where its chain starts.

    Attributes:
        model: decoder and prior.
        x: (n, ...), a point for each row.
        coordinates: of the rows.
        precision: (units,), m.
    """

    model: LatentModel
    x: PointRows
    coordinates: Coordinates
    precision: Float[np.ndarray, " units"]

    def state(self, v: CodeRows) -> ChainState:
        """The state of chains at v."""
        with np.errstate(all="ignore"):
            value, slope = self.model.log_joint(self.x, self.coordinates.place(v))
        pulled = None if slope is None else self.coordinates.pull(slope)
        return ChainState(v, value + self.coordinates.log_det, pulled)

    def exact(self, z: CodeRows) -> ChainState:
        """The state of chains at codes z."""
        return self.state(self.coordinates.back(z))

    def move(
        self, rng: np.random.Generator, at: ChainState, beta: float, step: float
    ) -> tuple[ChainState, Float[np.ndarray, " n"]]:
        """Chains after one move, and the probability with which each was to be accepted.

        Args:
            rng: decides it.
            at: where they are.
            beta: b, how much of the posterior.
            step: in standard deviations.
        """
        scale = step / np.sqrt((1 - beta) + beta * self.precision)
        with np.errstate(all="ignore"):
            if at.slope is not None:
                return self._hamiltonian(rng, at, beta, scale)
            accepted = np.zeros(len(at.v))
            for _ in range(RANDOM_STEPS):
                found = self.state(at.v + scale * rng.normal(size=at.v.shape))
                at, chance = _chosen(rng, at, found, _tempered(found, beta) - _tempered(at, beta))
                accepted += chance / RANDOM_STEPS
            return at, accepted

    def _hamiltonian(
        self, rng: np.random.Generator, at: ChainState, beta: float, scale: Float[np.ndarray, " units"]
    ) -> tuple[ChainState, Float[np.ndarray, " n"]]:
        scale = scale * (1 + JITTER * (2 * rng.random((len(at.v), 1)) - 1))
        momentum = rng.normal(size=at.v.shape)
        energy, found = 0.5 * np.square(momentum).sum(1), at
        momentum = momentum + 0.5 * scale * _slope(found, beta)
        for k in range(LEAPFROGS):
            found = self.state(found.v + scale * momentum)
            momentum = momentum + (0.5 if k == LEAPFROGS - 1 else 1.0) * scale * _slope(found, beta)
        gained = _tempered(found, beta) - _tempered(at, beta) + energy - 0.5 * np.square(momentum).sum(1)
        return _chosen(rng, at, found, gained)


def wanted_acceptance(model: LatentModel) -> float:
    """Probability of acceptance that steps are tuned to."""
    return WANTED_RANDOM_ACCEPTED if model.gradient is None else WANTED_ACCEPTED


def _tempered(at: ChainState, beta: float) -> Float[np.ndarray, " n"]:
    return (1 - beta) * standard_normal(at.v) + beta * at.value


def _slope(at: ChainState, beta: float) -> CodeRows:
    assert at.slope is not None
    return beta * at.slope - (1 - beta) * at.v


def _chosen(
    rng: np.random.Generator, at: ChainState, found: ChainState, gained: Float[np.ndarray, " n"]
) -> tuple[ChainState, Float[np.ndarray, " n"]]:
    """Each chain moved with probability exp(gained), where it came to a place that is possible."""
    stuck = ~np.isfinite(found.value) | ~np.isfinite(found.v).all(1)
    chance = np.where(stuck, 0.0, np.exp(np.minimum(np.nan_to_num(gained, nan=0.0, posinf=0.0), 0.0)))
    moved = rng.random(len(chance)) < chance
    slope = None if at.slope is None or found.slope is None else _where(moved, found.slope, at.slope)
    return ChainState(_where(moved, found.v, at.v), np.where(moved, found.value, at.value), slope), chance


def _where(moved: Bool[np.ndarray, " n"], one: CodeRows, other: CodeRows) -> CodeRows:
    return np.where(moved[:, None], one, other)
