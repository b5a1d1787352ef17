"""Evidence from both sides against closed forms and quadrature: wrong and missing encoders, small noise, two modes."""

from __future__ import annotations

import numpy as np
import pytest
from linear_vae import Known, folded, linear_vae
from scipy.stats import norm

from capacity.analysis.model import LatentModel
from capacity.analysis.model.chains import ChainPlan, ends
from capacity.analysis.model.moves import Annealed
from capacity.analysis.model.pilots import TriedPlan, planned
from capacity.analysis.model.starts import ENCODER, PRIOR, starts

MOST = 2000


def plan_of(known: Known, seed: int, start: str | None = None, gap: float = 0.05) -> TriedPlan:
    return planned(np.random.default_rng([seed, 0]), known.model, gap, MOST, 4, start, lambda _: None)


def errors(known: Known, seed: int, plan: ChainPlan, n: int = 64, chains: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Both ends less the truth, nats by point."""
    rng = np.random.default_rng([seed, 1])
    z, x = known.model.draw(rng, n)
    found, truth = ends(rng, known.model, plan, x, chains, z), known.evidence(x)
    return found.lower - truth, found.upper - truth


def misses(lower: np.ndarray, upper: np.ndarray) -> bool:
    """Whether the bounds are on their wrong sides by more than three standard errors."""
    low, high = (values.std() / len(values) ** 0.5 for values in (lower, upper))
    return bool(lower.mean() > 3 * low + 1e-9 or upper.mean() < -3 * high - 1e-9)


CASES = {
    "2 units": linear_vae(2, 8, 0.5),
    "64 units": linear_vae(64, 100, 0.5),
    "64 units, wrong encoder": linear_vae(64, 100, 0.5, share=0.6, shift=1.0, wide=0.5),
    "64 units, wide encoder": linear_vae(64, 100, 0.5, shift=1.0, wide=2.0),
    "2 units, little noise": linear_vae(2, 8, 0.01, shift=2.0, wide=2.0),
    "64 units, little noise": linear_vae(64, 100, 0.01, shift=2.0, wide=2.0),
    "two modes": folded(0.1),
    "two modes, less noise": folded(0.01),
    "no gradient": linear_vae(2, 8, 0.5, gradient=False),
    "a factor of the covariance": linear_vae(8, 20, 0.3, full=True, wide=1.5),
}

LONG = ("64 units", "64 units, wide encoder", "64 units, little noise", "two modes, less noise")
QUICK = [name for name in CASES if name not in LONG]


@pytest.mark.parametrize("name", QUICK)
def test_both_ends_are_within_a_tenth_of_a_nat(name: str) -> None:
    known = CASES[name]
    lower, upper = errors(known, 0, plan_of(known, 0).plan)
    assert not misses(lower, upper)
    assert abs(lower.mean()) < 0.1 and abs(upper.mean()) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_they_hold_over_seeds(name: str) -> None:
    known = CASES[name]
    found = [errors(known, seed, plan_of(known, seed).plan) for seed in range(20)]
    within = sum(abs(lower.mean()) < 0.1 and abs(upper.mean()) < 0.1 for lower, upper in found)
    missed = sum(misses(lower, upper) for lower, upper in found)
    lower, upper = (np.concatenate(part).mean() for part in zip(*found, strict=True))
    print(f"{name}: {within} of 20 within 0.1 nat, {missed} missed; mean ends {lower:+.4f}, {upper:+.4f} nats")
    assert within >= 19 and missed <= 1


@pytest.mark.slow
@pytest.mark.parametrize(("start", "wide"), [(ENCODER, 2.0), (ENCODER, 0.5), (PRIOR, 1.0)])
def test_chains_alone_come_as_near_at_64_units(start: str, wide: float) -> None:
    """Nothing corrected: thousands of temperatures do what the correction spares."""
    known = linear_vae(64, 100, 0.5, shift=1.0, wide=wide)
    plan = planned(np.random.default_rng(0), known.model, 0.1, 4000, 4, start, lambda _: None)
    lower, upper = errors(known, 0, plan.plan)
    print(f"{start}, {wide}: {plan.temperatures} temperatures, {lower.mean():+.4f}, {upper.mean():+.4f} nats")
    assert not misses(lower, upper)
    assert abs(lower.mean()) < 0.1 and abs(upper.mean()) < 0.1


def bad_plan(known: Known, temperatures: int, step: float) -> ChainPlan:
    """From the encoder, right or not, in few even steps of a size that suits nothing."""
    rng = np.random.default_rng(7)
    z, x = known.model.draw(rng, 256)
    start = starts(known.model, z, known.model.posterior(x))[ENCODER]
    betas = np.linspace(0, 1, temperatures + 1)
    return ChainPlan(start, np.ones(known.model.units), betas, np.full(len(betas), step))


@pytest.mark.parametrize("temperatures", [1, 3, 20])
@pytest.mark.parametrize("step", [0.02, 0.4])
def test_bounds_are_bounds_however_bad_the_chains(temperatures: int, step: float) -> None:
    for known in (linear_vae(6, 10, 0.3, shift=1.5, wide=0.5), linear_vae(6, 10, 0.3, wide=3.0), folded(0.2)):
        lower, upper = errors(known, 3, bad_plan(known, temperatures, step), n=256)
        assert not misses(lower, upper)


def test_weights_of_forward_chains_have_the_evidence_for_mean() -> None:
    known = linear_vae(2, 4, 0.5, shift=0.5, wide=1.3)
    rng = np.random.default_rng(0)
    _, x = known.model.draw(rng, 4)
    found = ends(rng, known.model, bad_plan(known, 4, 0.4), x, 8192)
    np.testing.assert_allclose(found.lower, known.evidence(x), atol=0.05)


@pytest.mark.parametrize("gradient", [True, False])
@pytest.mark.parametrize("beta", [0.2, 1.0])
def test_moves_leave_their_law_as_it_is(gradient: bool, beta: float) -> None:
    """From exact samples of N(0, 1)^(1-b) p(z|x)^b, normal with a linear decoder, moments stay through 20 moves."""
    known = linear_vae(3, 5, 0.5, gradient=gradient)
    rng = np.random.default_rng(1)
    _, x = known.model.draw(rng, 1)
    start = starts(known.model, np.zeros((8, 3)), None)[PRIOR]
    n = 4000
    ground = Annealed(known.model, np.repeat(x, n, 0), start.at(known.model, x).repeated(n), np.full(3, 4.0))
    at = ground.state(np.zeros((n, 3)))
    # The law's precision and mean by differences of its log density, which is a quadratic form.
    one = np.eye(3)

    def log_density(v: np.ndarray) -> float:
        state = Annealed(known.model, x, start.at(known.model, x), np.ones(3)).state(v[None])
        return float(-(1 - beta) * 0.5 * v @ v + beta * state.value[0])

    base = log_density(np.zeros(3))
    hessian = np.array([[log_density(a + b) - log_density(a) - log_density(b) + base for a in one] for b in one])
    slope = np.array([0.5 * (log_density(a) - log_density(-a)) for a in one])
    covariance = np.linalg.inv(-hessian)
    mean = covariance @ slope
    v = mean + rng.normal(size=(n, 3)) @ np.linalg.cholesky(covariance).T
    at = ground.state(v)
    for _ in range(20):
        at, accepted = ground.move(rng, at, beta, 0.5)
    assert 0.02 < accepted.mean() <= 1
    assert (np.abs(at.v - v).max(0) > 0).all()
    white = np.linalg.solve(np.linalg.cholesky(covariance), (at.v - mean).T)
    np.testing.assert_allclose(white.mean(1), 0, atol=0.08)
    np.testing.assert_allclose(np.cov(white), np.eye(3), atol=0.12)


def test_chains_that_are_nowhere_possible_give_the_bound_that_they_have() -> None:
    """A likelihood with an edge: what lies beyond is impossible, and the weight of a chain there is 0."""

    def edged(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.where(np.abs(x - z).max(1) < 0.5, 0.0, -np.inf)

    edge = LatentModel(1, edged, lambda rng, z: z + rng.uniform(-0.5, 0.5, z.shape), None, None)
    rng = np.random.default_rng(0)
    z, x = edge.draw(rng, 64)
    start = starts(edge, z, None)[PRIOR]
    plan = ChainPlan(start, np.ones(1), np.linspace(0, 1, 9), np.full(9, 0.3))
    found = ends(rng, edge, plan, x, 64, z)
    truth = np.log(norm.cdf(x[:, 0] + 0.5) - norm.cdf(x[:, 0] - 0.5))
    assert np.isfinite(found.upper).all()
    assert (found.upper - truth).mean() > -0.1 and (found.lower - truth).mean() < 0.1
