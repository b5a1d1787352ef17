"""What pilots decide: rungs where work is lost, chains and samples within the budget."""

from __future__ import annotations

from functools import partial

import jax
import numpy as np
import pytest
from codes import keyed_bits

from capacity import Joint
from capacity.bounds.annealed.chains import Chains
from capacity.bounds.annealed.ladder import STRIDE, even_ladder
from capacity.bounds.annealed.legs import LANES, Samples
from capacity.bounds.annealed.schedule import (
    CHAINS,
    FIRST_RUNGS,
    PILOT_CHAINS,
    Cost,
    Pilot,
    cost_of,
    gap_of,
    optimal_ladder,
    pilots,
    plan_sampling,
    respaced,
)
from capacity.bounds.posterior.additive_fit import fit_additive

COST = Cost(2e-6, 8e-6, 1e-5, 3e-6)  # billions of operations of one sample's rung, rung, chain and density


def made_up(temper: np.ndarray, bridge: np.ndarray) -> Pilot:
    """A pilot whose legs dissipated so many nats a rung; every chain the same."""
    gap, n = (temper, bridge), 2 * LANES
    lost = temper.sum() + bridge.sum()
    noise = np.random.default_rng(0).normal(size=n)
    samples = Samples(0, 0, 0, np.full(n, 1 / n))
    ran = Chains(noise, np.full((PILOT_CHAINS, n), -lost / 2), np.full(n, lost / 2), gap, np.ones(len(bridge)), samples)
    return Pilot(ran, even_ladder(len(temper), len(bridge)), 0.0)


def test_respaced_rungs_are_a_ladder() -> None:
    rng = np.random.default_rng(1)
    for count in (16, 96, 400):
        rungs = respaced(np.linspace(0, 1, 65), rng.exponential(size=64), count)
        assert rungs.shape == (count + 1,)
        assert rungs[0] == 0 and rungs[-1] == 1
        assert (np.diff(rungs) > 0).all()


def test_rungs_are_dense_where_work_was_lost() -> None:
    """Steps go as one over the root of the friction: half the ladder loses nine times as much, so a third the step."""
    lost = np.where(np.arange(256) < 128, 9.0, 1.0)
    steps = np.diff(respaced(np.linspace(0, 1, 257), lost, 512))
    np.testing.assert_allclose(steps[-100:].mean() / steps[:200].mean(), 3.0, rtol=0.05)


@pytest.mark.parametrize("lost", [np.ones(64), np.zeros(64)])
def test_even_losses_keep_the_ladder_even(lost: np.ndarray) -> None:
    np.testing.assert_allclose(respaced(np.linspace(0, 1, 65), lost, 32), np.linspace(0, 1, 33), atol=1e-9)


def test_a_noisy_pilot_leaves_no_stretch_without_rungs() -> None:
    """Losses measured as negative, by chance, are taken for a tenth of the mean, not for nothing."""
    lost = np.full(128, -0.5)
    lost[:32] = 8.0
    steps = np.diff(respaced(np.linspace(0, 1, 129), lost, 256))
    assert steps.max() < 10 / 256


def test_rungs_go_to_the_leg_that_loses_and_is_cheap() -> None:
    """R as sqrt(a / c): the same loss at a quarter of the cost_of is worth twice the rungs."""
    pilot = made_up(np.ones(64), np.ones(64))
    ladder = optimal_ladder(pilot, COST, 0.05)
    temper, bridge = len(ladder.temper) - 1, len(ladder.bridge) - 1
    assert temper % STRIDE == bridge % STRIDE == 0
    np.testing.assert_allclose(temper / bridge, 2.0, rtol=0.05)
    assert COST.of_chains(1, 0, ladder) <= 0.05


@pytest.mark.parametrize("budget_gflop", [1.0, 10.0, 100.0, 1000.0])
@pytest.mark.parametrize(("lost", "spread"), [(0.0, 1.0), (0.1, 0.01), (0.02, 1.0), (1.0, 5.0)])
def test_choices_stay_within_the_budget(budget_gflop: float, lost: float, spread: float) -> None:
    choice = plan_sampling(made_up(np.full(32, lost), np.full(32, lost)), spread, COST, budget_gflop)
    assert COST.of_chains(choice.samples, choice.chains, choice.ladder) <= budget_gflop
    assert choice.samples % LANES == 0 and choice.chains in CHAINS
    for rungs in choice.ladder:
        assert (len(rungs) - 1) % STRIDE == 0 and rungs[0] == 0 and rungs[-1] == 1


def test_noise_buys_samples_and_losses_buy_rungs() -> None:
    quiet = plan_sampling(made_up(np.full(32, 0.5), np.full(32, 0.5)), 0.01, COST, 100.0)
    noisy = plan_sampling(made_up(np.full(32, 0.01), np.full(32, 0.01)), 5.0, COST, 100.0)
    assert noisy.samples > quiet.samples
    assert noisy.ladder.rungs < quiet.ladder.rungs


def test_where_the_upper_bound_is_cut_anyway_samples_are_bought() -> None:
    """A gap of 46 bits is no reason for long chains where a lower bound lies a bit below the most there can be."""
    lost = made_up(np.full(32, 0.5), np.full(32, 0.5))
    limit = lost.chains.lower().mean() / np.log(2) + 1.0
    cut, uncut = (plan_sampling(lost, 1.0, COST, 100.0, limit=most) for most in (limit, np.inf))
    assert cut.samples > uncut.samples
    assert cut.width < uncut.width


def test_no_budget_is_one_short_batch() -> None:
    choice = plan_sampling(made_up(np.ones(32), np.ones(32)), 1.0, COST, 0.0)
    assert (choice.samples, choice.chains, choice.ladder.rungs) == (LANES, 1, 2 * STRIDE)


def test_the_gap_is_not_negative_and_falls_with_chains() -> None:
    assert 0 <= gap_of(made_up(np.full(32, -0.1), np.full(32, -0.1)).chains, 1) < 1e-9
    ran = made_up(np.full(32, 0.05), np.full(32, 0.05)).chains
    np.testing.assert_allclose(gap_of(ran, 1), 3.2 / np.log(2), rtol=1e-6)
    assert gap_of(ran, PILOT_CHAINS) < gap_of(ran, 1)


@pytest.mark.parametrize("chains", [1, 2, 4])
def test_a_gap_that_chance_hides_is_read_off_the_spread(chains: int) -> None:
    """Normal work of variance s^2, its mean, which would show the gap of s^2 / K, taken out."""
    s, noise = 0.3, np.random.default_rng(2).normal(size=(PILOT_CHAINS + 1, LANES))
    ran = made_up(np.zeros(32), np.zeros(32)).chains._replace(conditional=np.zeros(LANES))
    ran = ran._replace(samples=Samples(0, 0, 0, np.full(LANES, 1 / LANES)))
    ran = ran._replace(forward=s * noise[:-1], reverse=s * (noise[-1] - noise[-1].mean()))
    assert gap_of(ran, chains) == pytest.approx(s**2 / chains / np.log(2), rel=0.4)


def fresh(joint: Joint, key: jax.Array, n: int) -> Samples:
    return Samples.simulate(key, joint, n)


@pytest.mark.slow
def test_one_pilot_is_enough_for_a_separable_code() -> None:
    joint = keyed_bits(6, 0.8)
    approximation = fit_additive(jax.random.key(2), joint)
    cost = cost_of(joint, approximation)
    found = list(pilots(jax.random.key(3), joint, approximation, partial(fresh, joint), cost, 1000.0))
    assert len(found) == 1 and found[0].ladder.rungs == 2 * FIRST_RUNGS
    np.testing.assert_allclose(found[0].spent, cost.of_chains(LANES, PILOT_CHAINS, found[0].ladder))
    assert min(cost) > 0
