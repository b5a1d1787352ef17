"""Series with memory: Bartlett's formula and Gaussian information in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from capacity import choose, estimate
from capacity.estimators import effective_rows, lagged_information, rows_resemble_neighbours, time_interval
from capacity.estimators.neighbours.ksg import KSG
from capacity.estimators.parametric.gaussian import GaussianMI


def series(seed: int, n: int, memory: float, count: int = 2) -> np.ndarray:
    """Independent AR(1) of variance 1, shape (count, n)."""
    noise = np.random.default_rng(seed).normal(size=(count, n + 1000)) * (1 - memory**2) ** 0.5
    return np.asarray(lfilter([1], [1, -memory], noise)[:, 1000:])


@pytest.mark.parametrize("memory", [0.9, 0.99])
def test_order_is_seen_without_being_told(memory: float) -> None:
    """Neighbours in time lie close on both sides, which looks like bits."""
    x, y = series(5, 1500, memory)
    found = choose(0, x, y)
    assert "order='any'" in found.why
    assert found.estimate.low <= 0.0 <= found.estimate.high
    assert float(estimate(0, x, y).low) <= 0.0


def test_independent_draws_may_be_said_and_sorted_tables_are_taken_for_them() -> None:
    x, y = series(5, 600, 0.95)
    told = choose(0, x, y, order="any")
    assert told.estimate.low > 0.0 and "Neighbouring" not in told.why
    label = np.repeat([0, 1, 2], 200)
    found = choose(0, np.random.default_rng(0).normal(size=600) + label, label)
    assert "sorted" in found.why and found.method != "mixed" and float(found.estimate.low) > 0.2


def test_series_that_are_short_against_their_memory_are_open() -> None:
    found = choose(0, *np.random.default_rng(3).normal(size=(2, 300)).cumsum(axis=1))
    assert found.estimate.low <= 0.0 and bool(found.estimate.saturated) and "against their memory" in found.why
    with pytest.raises(ValueError, match='"any"'):
        choose(0, *series(5, 100, 0.9), order="rows")  # type: ignore[arg-type]


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_effective_rows_are_those_of_bartlett(memory: float) -> None:
    x, y = series(0, 20_000, memory)
    truth = 20_000 * (1 - memory**2) / (1 + memory**2)
    assert effective_rows(x, y) == pytest.approx(truth, rel=0.2)
    assert effective_rows(x, np.random.default_rng(1).normal(size=20_000)) > 18_000


KINDS = {
    "real": lambda r, n: r.normal(size=n),
    "zeros": lambda r, n: np.maximum(r.normal(size=n) - 1.5, 0),
    "symbols": lambda r, n: r.geometric(0.1, n),
    "wide": lambda r, n: r.normal(size=(n, 12)),
    "heavy": lambda r, n: r.standard_cauchy(n),
}


@pytest.mark.parametrize("kind", KINDS)
def test_independent_rows_do_not_resemble_their_neighbours(kind: str) -> None:
    fired = 0
    for seed in range(200):
        x = KINDS[kind](np.random.default_rng(seed), 150)
        fired += rows_resemble_neighbours(x, x).resemble
    assert fired <= 2


def test_series_resemble_their_neighbours_on_both_sides() -> None:
    x, y = series(2, 1000, 0.9)
    found = rows_resemble_neighbours(x, (y > 0).astype(int))
    assert found.resemble and found.p_value < 1e-9 and found.effective_rows < 500 and not found.sorted
    white = np.random.default_rng(3).normal(size=1000)
    assert not rows_resemble_neighbours(x, white).resemble
    assert rows_resemble_neighbours(np.sort(x), y).sorted
    assert rows_resemble_neighbours(np.repeat([0, 1, 2], 40), white[:120]).sorted


def test_independent_series_share_nothing_within_the_interval() -> None:
    held = 0
    for seed in range(20):
        x, y = series(seed, 2000, 0.95)
        found = time_interval(seed, x, y, GaussianMI())
        held += found.low <= 0 <= found.high
    assert held >= 17
    plain = GaussianMI()(0, x, y)
    assert found.high - found.low > plain.high - plain.low


@pytest.mark.parametrize("memory", [0.8, 0.97])
def test_dependent_series_are_held(memory: float) -> None:
    bits, held = 0.5, 0
    rho = (1 - 2 ** (-2 * bits)) ** 0.5
    for seed in range(20):
        x, other = series(100 + seed, 3000, memory)
        found = time_interval(seed, x, rho * x + (1 - rho**2) ** 0.5 * other, GaussianMI())
        held += found.low <= bits <= found.high
    assert held >= 17


def test_lags_are_found_with_their_sign() -> None:
    """y is x three rows before, and noise: at lag 3 the bits of one against the other, else those of x's memory."""
    x = series(4, 3003, 0.5, 1)[0]
    y = x[:-3] + np.random.default_rng(5).normal(size=3000)
    x = x[3:]
    found = lagged_information(0, x, y, lags=range(-2, 6), method="gaussian")
    correlation = 0.5 ** np.abs(found.lag.values - 3) / 2**0.5
    truth = -0.5 * np.log2(1 - correlation**2)
    assert int(found.bits.values.argmax()) == 5 and found.bits.attrs["units"] == "bits"
    assert ((found.low <= truth) & (truth <= found.high)).all()
    assert abs(found.bits.values - truth).max() < 0.05
    mirrored = lagged_information(0, y, x, lags=[-3], method="gaussian")
    assert float(mirrored.bits[0]) == pytest.approx(float(found.bits[5]), abs=0.01)


def test_lags_of_symbols_and_mixtures() -> None:
    x, _ = series(7, 400, 0.5)
    sign = (x > 0).astype(int)
    assert lagged_information(0, sign[1:], sign[:-1], lags=[1]).attrs["method"] == "plugin"
    found = lagged_information(0, sign[1:], np.maximum(x[:-1], 0.0), lags=[0, 1])
    assert found.attrs["method"] == "mixed" and float(found.low[1]) <= 1.0 <= float(found.high[1])
    assert float(found.bits[1]) > 0.9 > float(found.bits[0])


def test_it_refuses_in_words() -> None:
    x, y = series(6, 400, 0.99)
    with pytest.raises(ValueError, match="long against their memory; got 400 rows that are worth"):
        time_interval(0, x, y, KSG())
    with pytest.raises(ValueError, match="Expected a block from 5 to a quarter of the 400 rows; got 200"):
        time_interval(0, x, y, GaussianMI(), block=200)
    with pytest.raises(ValueError, match="Expected lags of at most a quarter of the 400 rows"):
        lagged_information(0, x, y, lags=[200])
