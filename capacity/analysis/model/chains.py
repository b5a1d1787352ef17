"""Annealed importance sampling both ways: weights whose mean is p(x), and one that a sample of the posterior gives.

    w = prod_t f(v_{t-1})^(b_t - b_{t-1}),   f = p(x, z)/q(z),   v_t from v_{t-1} by a move that leaves b_t's law

E w = p(x) of forward chains (Neal 2001).  With K of them E log mean w <= log p(x); with one of the K a reverse chain
from the code that made x, E log mean w >= log p(x) (Grosse, Ghahramani & Adams 2015; several: Sobolev & Vetrov 2019).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import logsumexp

from capacity.analysis.model.latent_model import CodeRows, LatentModel, PointRows
from capacity.analysis.model.moves import Annealed, ChainState
from capacity.analysis.model.starts import ChainStart


class ChainPlan(NamedTuple):
    """Everything that pilots decide.

    Attributes:
        start: where chains start.
        precision: (units,), of the posterior, in the start's coordinates, beside 1 of the start.
        betas: (T + 1,), from 0 to 1.
        steps: (T + 1,), of moves at each of them.
    """

    start: ChainStart
    precision: Float[np.ndarray, " units"]
    betas: Float[np.ndarray, " rungs"]
    steps: Float[np.ndarray, " rungs"]

    def on(self, model: LatentModel, x: PointRows, chains: int) -> Annealed:
        """What so many chains for each point walk on."""
        coordinates = self.start.at(model, x).repeated(chains)
        return Annealed(model, np.repeat(x, chains, 0), coordinates, self.precision)


class EvidenceEnds(NamedTuple):
    """Nats of n points: log evidence from below, from above (NaN without a code that made the point), and acceptance.

    Attributes:
        lower: (n,), at most log p(x) in expectation.
        upper: (n,), at least log p(x) in expectation.
        accepted: (n,), mean probability of acceptance.
    """

    lower: Float[np.ndarray, " n"]
    upper: Float[np.ndarray, " n"]
    accepted: Float[np.ndarray, " n"]


def ends(
    rng: np.random.Generator, model: LatentModel, plan: ChainPlan, x: PointRows, chains: int, z: CodeRows | None = None
) -> EvidenceEnds:
    """Both ends of the log evidence of n points, nats.

    Args:
        rng: decides the chains.
        model: decoder and prior.
        plan: of pilots on other draws.
        x: (n, ...).
        chains: K, forward ones for each point.
        z: (n, units), the codes that made the points; None: only the lower end.
    """
    ground = plan.on(model, x, chains)
    forward, accepted = _forward(rng, ground, plan)
    weights, accepted = forward.reshape(-1, chains), accepted.reshape(-1, chains).mean(1)
    lower = _log_mean(weights)
    if z is None:
        return EvidenceEnds(lower, np.full(len(x), np.nan), accepted)
    one = plan.on(model, x, 1)
    reverse = _reverse(rng, one, one.exact(z), plan)
    upper = _log_mean(np.hstack([weights[:, 1:], reverse[:, None]]))
    return EvidenceEnds(lower, upper, accepted)


def _forward(rng: np.random.Generator, ground: Annealed, plan: ChainPlan) -> tuple[np.ndarray, np.ndarray]:
    at = ground.state(rng.normal(size=ground.coordinates.mean.shape))
    weight, accepted = np.zeros(len(at.v)), np.zeros(len(at.v))
    rises = np.diff(plan.betas)
    for t, rise in enumerate(rises):
        if t:
            at, chance = ground.move(rng, at, float(plan.betas[t]), float(plan.steps[t]))
            accepted += chance / (len(rises) - 1)
        weight = weight + rise * at.log_weight
    return weight, accepted if len(rises) > 1 else np.ones(len(at.v))


def _reverse(rng: np.random.Generator, ground: Annealed, at: ChainState, plan: ChainPlan) -> np.ndarray:
    weight = np.zeros(len(at.v))
    rises = np.diff(plan.betas)
    for t in range(len(rises) - 1, -1, -1):
        weight = weight + rises[t] * at.log_weight
        if t:
            at, _ = ground.move(rng, at, float(plan.betas[t]), float(plan.steps[t]))
    return weight


def _log_mean(weights: Float[np.ndarray, "n chains"]) -> Float[np.ndarray, " n"]:
    return np.asarray(logsumexp(weights, axis=1) - np.log(weights.shape[1]))
