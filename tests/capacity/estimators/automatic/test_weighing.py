"""Which figure is believed: pairs on which a type or a closed form would decide wrongly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import xlogy
from scipy.stats import norm

from capacity import choose
from capacity.estimators.automatic import weighing
from capacity.estimators.automatic.foretold import foretold
from capacity.estimators.automatic.weighing import opened
from capacity.results.estimate import Estimate


def related(n: int, dim: int, bits: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rho = np.sqrt(1 - 2 ** (-2 * bits / dim))
    x = rng.normal(size=(n, dim))
    return x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=(n, dim))


@pytest.mark.parametrize("critic", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_surface_in_many_columns_goes_to_neighbours(critic: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An injective map of each side keeps its bits, and makes laws of covariances count them again and again."""
    if not critic:  # neighbours are taken before one is trained
        monkeypatch.setattr(weighing, "CRITIC_DIMENSIONS", 100)
    x, y = related(1500, 2, 2.0, 0)
    rng = np.random.default_rng(1)
    hidden = [np.tanh(side @ rng.normal(size=(2, 48)) + rng.normal(size=48)) for side in (x, y)]
    sides = [side @ rng.normal(size=(48, 9)) / 48**0.5 for side in hidden]
    found = choose(0, *sides)
    assert found.method == "ksg" and "not believed" in found.why
    assert found.estimate.low <= 2.0 <= found.estimate.high
    assert float(found.estimate.bits) == pytest.approx(2.0, rel=0.15)


@pytest.mark.parametrize("turns", [pytest.param(10, marks=pytest.mark.slow), 100])
def test_turns_are_resolved_or_said_not_to_be(turns: int) -> None:
    rng = np.random.default_rng(2)
    x = rng.uniform(size=2000)
    found = choose(0, x, np.sin(2 * np.pi * turns * x) + 0.1 * rng.normal(size=2000)).estimate
    assert found.low <= 2.451 <= found.high and found.bits > 0.2
    assert bool(found.saturated) == (turns == 100)


@pytest.mark.parametrize(("turns", "n"), [(87, 500), (115, 1000)])
def test_what_turns_too_fast_for_neighbours_is_foretold(turns: int, n: int) -> None:
    """A few points a turn: balls of five average it away, and every figure said 0 within .01 bits."""
    rng = np.random.default_rng(4)
    x = rng.uniform(size=n)
    found = choose(0, x, np.sin(2 * np.pi * turns * x) + 0.1 * rng.normal(size=n)).estimate
    assert found.kind == "lower" or bool(found.saturated)
    assert 0.1 < found.bits and found.low < 2.45


@pytest.mark.parametrize("kind", ["normal", "heavy", "slope"])
def test_no_more_is_foretold_than_there_is(kind: str) -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        x = rng.normal(size=(300, 2))
        noise = rng.standard_cauchy((300, 1)) if kind == "heavy" else rng.normal(size=(300, 1))
        y = 0.8 * x[:, :1] + 0.6 * noise if kind == "slope" else noise
        bound = foretold(x, y)
        assert bound.bits - 4 * bound.stderr < (0.737 if kind == "slope" else 0.0)


def test_atoms_compete() -> None:
    """Half of y is 0: the bits of the sign of a sum, and of its size where it is above."""
    x, y = related(2000, 1, 1.5, 3)
    clipped = np.maximum(y, 0.0)
    rho = np.sqrt(1 - 2**-3.0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    spread = np.sqrt(1 - rho**2)
    chance = norm.cdf(-rho * nodes / spread)
    weights = weights / weights.sum()
    grid = np.linspace(1e-4, 8, 4000)
    given = norm.pdf((grid[None] - rho * nodes[:, None]) / spread) / spread
    ratio = np.log2(np.maximum(given, 1e-300) / norm.pdf(grid)[None])
    truth = float(weights @ (xlogy(chance, 2 * chance) / np.log(2) + (given * ratio).sum(1) * (grid[1] - grid[0])))
    found = choose(0, x, clipped)
    assert "repeat in 1 of 1 columns of y" in found.why
    assert found.estimate.low <= truth <= found.estimate.high
    assert float(found.estimate.bits) == pytest.approx(truth, rel=0.1)


def test_a_value_far_from_all_others_is_named() -> None:
    x, y = related(1000, 1, 0.5, 4)
    x[:3] = -9999.0
    found = choose(0, x, y)
    assert "is -9999 in 3 rows" in found.why
    assert found.estimate.low <= 0.5 <= found.estimate.high


def test_rows_with_missing_values_are_refused_or_left_out() -> None:
    x, y = related(200, 1, 0.5, 5)
    x[:7] = np.nan
    with pytest.raises(ValueError, match="0 in 7 of 200 rows"):
        choose(0, x, y)
    found = choose(0, x, y, missing="drop")
    assert found.estimate.dropped == 7
    assert float(found.estimate.bits) == float(choose(0, x[7:], y[7:]).estimate.bits)


def test_an_interval_wider_than_its_figure_is_open() -> None:
    narrow = Estimate.from_nats(nats=1.0, stderr=0.1, kind="point", n=1000, limit=5.0)
    assert opened(narrow) == (narrow, "")
    near_zero = Estimate.from_nats(nats=0.0, stderr=0.05, kind="point", n=1000)
    assert opened(near_zero)[0] is near_zero  # an interval that is narrow is of use, whatever the figure
    wide, words = opened(Estimate.from_nats(nats=0.5, stderr=0.3, kind="point", n=1000))
    assert bool(wide.saturated) and float(wide.high) == pytest.approx(np.log2(1000)) and "left open" in words
