"""A closed form is held against what pairs of its own law show: right laws pass, wrong ones do not."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from capacity.estimators import FeatureCCA, GaussianCopula, GaussianMI, Student, StudentCopula
from capacity.estimators.automatic.evidence import Compared, check, shown_by
from capacity.estimators.estimator import RatioEstimator
from capacity.estimators.features.projected import Projected

KEY = jax.random.key(0)


def normal_pair(n: int, dim: int, bits: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rho = np.sqrt(1 - 2 ** (-2 * bits / dim))
    x = rng.normal(size=(n, dim))
    return x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=(n, dim))


def checked(model: RatioEstimator, x: np.ndarray, y: np.ndarray, seed: int = 0) -> Compared:
    shown = shown_by(jax.random.key(seed), (model,), x, y)[model]
    found = check(jax.random.key(seed + 1), model, shown, x, y)
    assert found is not None
    return found.held_out


@pytest.mark.parametrize(
    "model", [GaussianMI(), GaussianCopula(), Student(), StudentCopula(), FeatureCCA(), Projected()], ids=str
)
def test_normal_pairs_show_what_a_normal_law_would(model: RatioEstimator) -> None:
    """Also where the fit loses much of it: 3 + 3 columns of 400 rows."""
    errors = [checked(model, *normal_pair(400, 3, 2.0, seed), seed).errors for seed in range(2)]
    assert min(errors) > -3.5 and abs(np.mean(errors)) < 2.5


@pytest.mark.parametrize("model", [GaussianMI(), GaussianCopula()], ids=str)
def test_many_columns_of_few_rows_are_no_evidence_against_a_law(model: RatioEstimator) -> None:
    errors = [checked(model, *normal_pair(300, 20, 6.0, seed), seed).errors for seed in range(4)]
    assert min(errors) > -3.5


@pytest.mark.parametrize(
    "model",
    [GaussianMI(), *(pytest.param(m, marks=pytest.mark.slow) for m in (GaussianCopula(), Student(), StudentCopula()))],
    ids=str,
)
def test_hidden_numbers_in_many_columns_are_not_counted_many_times(model: RatioEstimator) -> None:
    rng = np.random.default_rng(4)
    hidden = [np.tanh(side @ rng.normal(size=(2, 40)) + rng.normal(size=40)) for side in normal_pair(1500, 2, 2.0, 3)]
    wide = [side @ rng.normal(size=(40, 9)) for side in hidden]
    found = checked(model, *wide)
    assert found.errors < -3 and found.more < -0.3


def test_heavy_tails_pass_by_their_own_law() -> None:
    rng = np.random.default_rng(5)
    x, y = normal_pair(1000, 2, 1.0, 6)
    scale = np.sqrt(3 / rng.chisquare(3, size=(1000, 1)))
    assert checked(Student(), x * scale, y * scale).errors > -3
    assert checked(StudentCopula(), x * scale, y * scale).errors > -3
