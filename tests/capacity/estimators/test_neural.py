"""Neural estimators against closed forms, against what makes a bound a bound, and against the plain formulas."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp

from capacity.estimators.neural import (
    CLUB,
    MINE,
    NWJ,
    SMILE,
    BarberAgakov,
    DonskerVaradhan,
    EntropyDifference,
    InfoNCE,
    JointCritic,
    Representation,
    Residual,
    Separable,
    Stopping,
)
from capacity.estimators.neural.critic_bounds import info_nce_values, nwj_values, plug_in_values
from capacity.estimators.neural.held_out import Scores, _summary
from capacity.estimators.neural.prepare import features, guarded, reference_scores, to_float32
from capacity.estimators.neural.training import Folds
from capacity.estimators.parametric.gaussian import GaussianMI

CORRELATION = 0.8
TRUTH = -np.log2(1 - CORRELATION**2)  # bits of two such columns
QUICK = Stopping(steps=250, patience=4)
FAST = replace(QUICK, learning_rate=1e-2, steps=200)
BOUNDS = [kind(stopping=QUICK, folds=3) for kind in (InfoNCE, NWJ, DonskerVaradhan)]
POINTS = [kind(stopping=QUICK, folds=3) for kind in (MINE, SMILE)]


def pairs(n: int, seed: int = 0, correlation: float = CORRELATION, columns: int = 2) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x, noise = random.normal(size=(2, n, columns))
    return x, correlation * x + np.sqrt(1 - correlation**2) * noise


summarised = jax.jit(_summary, static_argnums=1)


def summary(scores: np.ndarray, constant: float = 0.0) -> Scores:
    found = summarised(jnp.asarray(scores, jnp.float32), np.inf)
    return Scores(*(np.asarray(a, np.float64)[None] for a in found), np.array([[constant]]))


@pytest.mark.parametrize(
    "estimator", [BOUNDS[1], *(pytest.param(e, marks=pytest.mark.slow) for e in (BOUNDS[0], POINTS[1]))]
)
def test_normal_pairs(estimator):
    # Trained on 900 pairs a critic loses a few hundredths of a bit; the sample's own error is 0.05 bits.
    found = estimator(jax.random.key(1), *pairs(1500))
    assert found.low < TRUTH
    assert abs(found.bits - TRUTH) < 0.25
    assert 0 < found.stderr < 0.1
    assert not found.saturated


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [BOUNDS[1], POINTS[0]])
def test_independent_pairs(estimator):
    x, _ = pairs(1500)
    found = estimator(jax.random.key(2), x, pairs(1500, seed=5)[1])
    assert found.low <= 0 <= found.high or abs(found.bits) < 0.002
    assert found.bits < 0.02


@pytest.mark.slow
def test_contrast_stops_at_the_log_of_its_block_and_says_so():
    x = np.random.default_rng(0).uniform(size=(600, 1))
    found = InfoNCE(critic=Separable(block=8), stopping=QUICK, folds=2)(jax.random.key(0), x, x + 0.0)
    assert found.limit < 3 + 1e-9
    assert found.limit - 0.5 < found.bits <= found.limit
    assert found.saturated and found.high == found.limit


def test_values_have_the_plain_formulas_means():
    scores = np.random.default_rng(1).normal(size=(40, 40)) + 2 * np.eye(40)
    off = scores[~np.eye(40, dtype=bool)]
    true = np.diag(scores)
    contrast = [true.mean() - logsumexp(scores, axis=a).mean() + np.log(40) for a in (0, 1)]
    assert np.isclose(info_nce_values(summary(scores)).mean(), np.mean(contrast), atol=1e-5)
    assert np.isclose(nwj_values(summary(scores, 0.3)).mean(), true.mean() + 0.7 - np.exp(off - 0.3).mean(), atol=1e-5)
    plug_in = true.mean() - np.log(np.exp(off).mean())
    assert np.isclose(plug_in_values(summary(scores)).mean(), plug_in, atol=1e-5)


@pytest.mark.parametrize("values", [info_nce_values, nwj_values, plug_in_values])
def test_the_spread_of_the_values_is_the_figure_s_own(values):
    # 400 fresh samples under a fixed critic, the true log ratio halved: the influence's standard error against theirs.
    rho, n, draws = 0.8, 100, 400
    random = np.random.default_rng(3)
    figures, errors = [], []
    for _ in range(draws):
        x, noise = random.normal(size=(2, n))
        y = rho * x + np.sqrt(1 - rho**2) * noise
        quadratic = rho**2 * (x[:, None] ** 2 + y[None] ** 2) - 2 * rho * x[:, None] * y[None]
        found = values(summary(-0.25 * quadratic / (1 - rho**2), 0.1))
        figures.append(found.mean())
        errors.append(found.std() / np.sqrt(n))
    # The standard deviation of 400 draws is known to 4 %.
    assert np.isclose(np.mean(errors), np.std(figures), rtol=0.15)
    covered = np.abs(np.array(figures) - np.mean(figures)) < 1.96 * np.array(errors)
    assert covered.mean() > 0.91


@pytest.mark.slow
def test_independent_pairs_leave_no_lower_bound_above_zero():
    # 40 samples: a bound whose interval lies above zero may happen once in forty; 4 of 40 would be 3 in a thousand.
    found = [NWJ(stopping=QUICK, folds=2)(jax.random.key(s), *_independent(600, s)) for s in range(40)]
    assert sum(f.low > 0 for f in found) <= 3


def _independent(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    return pairs(n, 2 * seed)[0], pairs(n, 2 * seed + 1)[0]


@pytest.mark.slow
def test_a_fitted_critic_is_the_log_ratio():
    x, y = pairs(1500)
    log_ratio = BOUNDS[0].fit(jax.random.key(0), x, y)
    new_x, new_y = pairs(1000, seed=6)
    quadratic = CORRELATION**2 * (new_x**2 + new_y**2) - 2 * CORRELATION * new_x * new_y
    truth = -0.5 * (quadratic / (1 - CORRELATION**2)).sum(axis=1)
    assert np.corrcoef(log_ratio(new_x, new_y), truth)[0, 1] > 0.9


def test_parts_are_disjoint_and_each_pair_is_evaluated_once():
    parts = Folds.of(jax.random.key(0), 1003, 5, 64)
    for fold in range(5):
        rows = np.concatenate([parts.training[fold], parts.validation[fold], parts.evaluation[fold]])
        assert np.array_equal(np.sort(rows), np.arange(1003))
    evaluated = parts.evaluation.ravel()
    assert len(np.unique(evaluated)) == len(evaluated) > 1003 - 5 * 4
    assert parts.evaluation.shape[1] % 4 == 0


def test_inputs_know_no_units_and_no_tails():
    inputs = jax.jit(features)
    random = np.random.default_rng(0)
    rows = np.stack([random.standard_cauchy(500), random.integers(0, 2, 500), random.normal(size=500)], axis=1)
    first, moved = (jnp.asarray(to_float32(a)) for a in (rows, 1e9 + 1e6 * rows))
    assert np.allclose(inputs(first, first[:400]), inputs(moved, moved[:400]), atol=2e-2)
    assert float(jnp.abs(inputs(first, first[:400])[:, :6]).max()) < 20
    assert np.array_equal(np.argsort(jax.jit(guarded)(first, first)[:, 2]), np.argsort(rows[:, 2]))
    assert np.allclose(jax.jit(reference_scores)(first, first)[:, 2].mean(), 0, atol=1e-3)


@pytest.mark.slow
def test_entropy_difference():
    difference = EntropyDifference(stopping=FAST, folds=2)
    assert abs(difference(jax.random.key(0), *pairs(1200)).bits - TRUTH) < 0.35
    nothing = difference(jax.random.key(0), pairs(1200)[0], pairs(1200, seed=9)[1])
    assert abs(nothing.bits) < 0.03


@pytest.mark.slow
def test_a_decoder_bounds_where_the_entropy_is_known():
    decoder = BarberAgakov(entropy=float(np.log2(2 * np.pi * np.e)), stopping=FAST, folds=2)
    found = decoder(jax.random.key(0), *pairs(1200))
    assert found.kind == "lower" and found.low < TRUTH and found.bits > TRUTH - 0.4
    # The units of y are in its entropy: tripled columns have log2(3) more each.
    tripled = replace(decoder, entropy=decoder.entropy + 2 * np.log2(3))
    x, y = pairs(1200)
    assert np.isclose(tripled(jax.random.key(0), x, 3 * y).bits, found.bits, atol=0.05)
    assert replace(decoder, entropy=None)(jax.random.key(0), x, y).kind == "point"


@pytest.mark.slow
def test_club_is_not_a_bound():
    # With the true decoder CLUB is rho^2 / (1 - rho^2) a column, which is more than three times the information.
    found = CLUB(stopping=QUICK, folds=2)(jax.random.key(0), *pairs(1500))
    expected = 2 * CORRELATION**2 / (1 - CORRELATION**2) / np.log(2)
    assert found.kind == "point"
    assert abs(found.bits - expected) < 0.2 * expected


@pytest.mark.slow
def test_representation_keeps_what_the_sides_share():
    x, y = pairs(1600)
    noise = np.random.default_rng(8).normal(size=(1600, 4))
    found = Representation(inner=GaussianMI(), dimensions=2, stopping=QUICK)(
        jax.random.key(0), np.hstack([x, noise]), y
    )
    assert TRUTH - 0.4 < found.bits < TRUTH + 0.15


@pytest.mark.slow
def test_representations_of_distinct_pairs_are_distinct():
    # With ranks as inputs, pairs between the same two training values had equal codes, which neighbours refuse.
    found = Representation(stopping=QUICK)(jax.random.key(0), *pairs(4000, columns=1))
    assert found.low < TRUTH / 2 < found.high


@pytest.mark.slow
def test_a_residual_adds_nothing_to_the_truth_and_much_to_a_law_that_misses():
    x, y = pairs(1600, columns=1)
    plan = Residual(stopping=QUICK, folds=2)
    known = plan(jax.random.key(0), x, y, GaussianMI().fit)
    assert abs(known.gain.bits) < 0.03
    assert abs(known.base.bits - TRUTH / 2) < 0.15
    missed = plan(
        jax.random.key(0), x, np.where(x > 0, y, -y) * np.sign(pairs(1600, seed=4)[0][:, :1]), GaussianMI().fit
    )
    assert missed.gain.low > 0.1


@pytest.mark.slow
def test_joint_critic():
    found = InfoNCE(critic=JointCritic(width=32, block=128), stopping=QUICK, folds=2)(jax.random.key(0), *pairs(600))
    assert abs(found.bits - TRUTH) < 0.5


@pytest.mark.parametrize("estimator", BOUNDS + POINTS + [EntropyDifference(), BarberAgakov(), CLUB()])
def test_refusals(estimator):
    x, y = pairs(250)
    with pytest.raises(ValueError, match="Expected at least 200 pairs for this method; got 150."):
        estimator(jax.random.key(0), x[:150], y[:150])
    with pytest.raises(ValueError, match="Expected x and y of one length"):
        estimator(jax.random.key(0), x, y[:-1])


def test_refused_parameters():
    with pytest.raises(ValueError, match="Expected at least 2 folds of at least 16 pairs; got 1 folds"):
        InfoNCE(folds=1)(jax.random.key(0), *pairs(250))
    with pytest.raises(ValueError, match="Expected steps of at least 1; got 0"):
        Stopping(steps=0)
    with pytest.raises(ValueError, match="Expected a base with finite values"):
        Residual()(jax.random.key(0), *pairs(700), lambda key, x, y: lambda a, b: np.full(len(a), np.nan))
    rows = np.repeat(pairs(100)[1], 10, axis=0)
    with pytest.raises(ValueError, match="are equal, to estimate an entropy"):
        BarberAgakov(stopping=Stopping(steps=1), folds=2)(jax.random.key(0), pairs(1000)[0], rows)
