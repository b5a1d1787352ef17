"""Laws for every estimator: whatever is enrolled in `ESTIMATORS` is tested here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar

import jax
import numpy as np
import pytest
from scipy.stats import ortho_group

from capacity import estimate
from capacity.estimators import Estimator, choose, information_scorer, pairwise
from capacity.estimators.checks import Takes, checked
from capacity.estimators.neural import Stopping
from capacity.estimators.registry import ESTIMATORS
from capacity.results.estimate import Estimate
from capacity.runtime.contracts import missing_members

N = 1200
KEY = jax.random.key(3)
SHORT = Stopping(learning_rate=1e-2, steps=50)  # laws hold however long a method trains
QUICK = ("auto", "infonce")  # of those that compile a training loop
TRAINED = [n for n, e in ESTIMATORS.items() if ".neural." in e.__module__]
NAMES = [pytest.param(n, marks=[pytest.mark.slow] if n in TRAINED and n not in QUICK else []) for n in ESTIMATORS]
Pair = tuple[np.ndarray, np.ndarray]


def made(name: str) -> Any:
    """The estimator as it is enrolled; a trained one trains for as little as a law needs."""
    return replace(ESTIMATORS[name](), stopping=SHORT) if name in TRAINED else ESTIMATORS[name]()


def having(asked: Callable[[Any], bool]) -> list[Any]:
    """The names of the estimators that a law is about."""
    return [name for name in NAMES if asked(ESTIMATORS[str(name.values[0])])]


def slow_too(*names: str, among: list[Any] = NAMES) -> list[Any]:
    return [pytest.param(*p.values, marks=[pytest.mark.slow]) if p.values[0] in names else p for p in among]


def real(correlation: float) -> Pair:
    """Two columns each, the first of x and of y correlated."""
    noise = np.random.default_rng(5).normal(size=(N, 4))
    y = correlation * noise[:, 0] + (1 - correlation**2) ** 0.5 * noise[:, 2]
    return noise[:, :2], np.column_stack([y, noise[:, 3]])


def drawn(name: str, dependent: bool) -> Pair:
    """Data that the estimator takes."""
    takes = ESTIMATORS[name].takes
    x, y = real(0.8 if dependent else 0.0)
    if takes == "discrete":
        return (x[:, :1] > 0).astype(int), np.digitize(y[:, 0], [-1.0, 0.0, 1.0])
    if takes == "mixed":
        return (x[:, 0] > 0).astype(int), y
    return x, y


@cache
def found_on(name: str, dependent: bool = True) -> Estimate:
    """What the estimator says of the data drawn for it; laws that change the data hold against this."""
    return made(name)(KEY, *drawn(name, dependent))


def covers(found: Estimate, bits: float, slack: float = 1.0) -> bool:
    """Whether an interval, `slack` times as wide, holds the figure; a lower bound may lie below, an upper one above."""
    reach_low = slack * (float(found.bits) - float(found.low))
    reach_high = slack * (float(found.high) - float(found.bits))
    below = found.kind == "lower" or float(found.bits) + reach_high >= bits - 1e-9
    return below and (found.kind == "upper" or float(found.bits) - reach_low <= bits + 1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_keeps_the_contract(name: str) -> None:
    estimator = ESTIMATORS[name]()
    assert isinstance(estimator, Estimator) and estimator.name == name
    assert estimator.summary and "\n" not in estimator.summary
    assert repr(estimator).startswith(type(estimator).__name__) and estimator == ESTIMATORS[name]()
    found = found_on(name)
    assert isinstance(found, Estimate) and found.n > 0
    assert found.low <= found.bits <= found.high and found.bits <= found.limit + 1e-9
    assert found.kind in ("lower", "upper", "point") and bool(found.saturated) in (True, False)


@pytest.mark.parametrize("name", NAMES)
def test_the_key_decides(name: str) -> None:
    first, again = found_on(name), made(name)(KEY, *drawn(name, dependent=True))
    assert float(first.bits) == float(again.bits) and float(first.high) == float(again.high)


@pytest.mark.parametrize("name", slow_too("classifier"))
def test_independent_sides_share_nothing(name: str) -> None:
    # One draw for all: a third more than the 95 % interval keeps some fifteen methods together at 5 %.
    assert covers(found_on(name, dependent=False), 0.0, slack=1.5)


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_the_same_after_all_of_its_training(name: str) -> None:
    found, silent = (ESTIMATORS[name]()(KEY, *drawn(name, dependent)) for dependent in (True, False))
    assert found.low <= found.bits <= found.high and found.bits <= found.limit + 1e-9
    assert covers(silent, 0.0, slack=1.5)


@pytest.mark.parametrize("name", having(lambda e: e.symmetric))
def test_symmetric_where_it_says_so(name: str) -> None:
    x, y = drawn(name, dependent=True)
    assert float(found_on(name).bits) == pytest.approx(float(made(name)(KEY, y, x).bits), abs=1e-6)


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "shift": lambda a: a + np.arange(1.0, a.shape[1] + 1),
    "scale": lambda a: a * np.geomspace(0.25, 4.0, a.shape[1]),
    "rotation": lambda a: a @ ortho_group.rvs(a.shape[1], random_state=1) if a.shape[1] > 1 else -a,
    "monotone": lambda a: np.sinh(a),
    "relabelling": lambda a: np.array([7, 3, 11, 5])[a],
}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        pytest.param(n, c, marks=[pytest.mark.slow] if (n, c) == ("gaussian_mixture", "shift") else [])
        for n, e in ESTIMATORS.items()
        for c in sorted(e.unchanged_by)
        if c != "relabelling"
    ],
)
def test_unchanged_where_it_says_so(name: str, change: str) -> None:
    sides = [np.asarray(side) for side in drawn(name, dependent=True)]
    before = found_on(name)
    for i, side in enumerate(sides):
        if side.dtype.kind == "f":
            changed = list(sides)
            changed[i] = CHANGES[change](side)
            after = made(name)(KEY, *changed)
            assert float(after.bits) == pytest.approx(float(before.bits), abs=1e-4), f"side {i}"


@pytest.mark.parametrize("name", having(lambda e: "relabelling" in e.unchanged_by))
def test_labels_do_not_matter(name: str) -> None:
    x, y = drawn(name, dependent=True)
    if ESTIMATORS[name].takes != "discrete":
        x = (x[:, 0] > 0).astype(int) if x.dtype.kind == "f" else x
    renamed = CHANGES["relabelling"](x)
    before, after = ESTIMATORS[name]()(KEY, x, y), ESTIMATORS[name]()(KEY, renamed, y)
    assert float(after.bits) == pytest.approx(float(before.bits), abs=1e-9)


@pytest.mark.parametrize(
    "name",
    # Of other shapes: those that compile a training loop would compile another.
    slow_too(*TRAINED, "classifier", among=having(lambda e: e.takes in ("continuous", "any"))),
)
def test_an_independent_column_changes_nothing(name: str) -> None:
    x, y = real(0.8)
    more = np.column_stack([x, np.random.default_rng(6).normal(size=N)])
    before, after = found_on(name), made(name)(KEY, more, y)
    assert float(after.low) <= float(before.high) and float(before.low) <= float(after.high)


@pytest.mark.parametrize("name", NAMES)
def test_refuses_in_words(name: str) -> None:
    x, y = (np.asarray(side) for side in drawn(name, dependent=True))
    for bad_x, bad_y, words in refused(x, y):
        with pytest.raises(ValueError, match=words):
            estimate(KEY, bad_x, bad_y, method=ESTIMATORS[name]())
    if ESTIMATORS[name].takes == "continuous":
        with pytest.raises(ValueError, match=r"astype\(float\)"):
            estimate(KEY, (x * 10).astype(int), y, method=ESTIMATORS[name]())
    if ESTIMATORS[name].takes == "discrete":
        with pytest.raises(ValueError, match=r"astype\(int\)"):
            estimate(KEY, x + 0.5, y, method=ESTIMATORS[name]())


def refused(x: np.ndarray, y: np.ndarray) -> list[tuple[Any, Any, str]]:
    still = np.zeros_like(x)
    cases = [
        (x[:-1], y, f"got {len(x) - 1} and {len(x)} rows"),
        (x[:1], y[:1], "Expected at least .* pairs"),
        (x.astype(object), y, "array of Python objects"),
        (still, y, "columns that change"),
        (x.reshape(-1, 1, 1), y[: x.size], "of shape"),
    ]
    for name, a, b in (("x", x, y), ("y", y, x)):
        if a.dtype.kind == "f":
            holed = a.copy()
            holed[7, 0] = np.nan
            cases.append((holed, b, f"nan in {name}, row 7") if name == "x" else (b, holed, f"nan in {name}, row 7"))
    return cases


def test_unknown_methods_are_named() -> None:
    with pytest.raises(ValueError, match="Did you mean 'ksg'"):
        estimate(KEY, *real(0.5), method="kgs")


def test_the_door_numbers_symbols() -> None:
    words, flags = checked(np.array([["b", "x"], ["a", "x"], ["b", "y"]]), np.array([True, False, True]), "any")
    assert words.ravel().tolist() == [1, 0, 2] and flags.ravel().tolist() == [1, 0, 1]
    assert words.dtype == flags.dtype == np.int64


@dataclass(frozen=True)
class Correlation(Estimator):
    """The normal law's figure, -1/2 log(1 - r^2), of one column a side: an estimator of one's own, in full."""

    name: ClassVar[str] = "correlation"
    summary: ClassVar[str] = "a normal law of one column a side"
    takes: ClassVar[Takes] = "continuous"

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        r = np.corrcoef(x[:, 0], y[:, 0])[0, 1]
        return Estimate.from_nats(nats=-0.5 * np.log1p(-(r**2)), stderr=abs(r) / len(x) ** 0.5, kind="point", n=len(x))


def test_an_estimator_of_ones_own_is_its_formula() -> None:
    x, y = (side[:, :1] for side in real(0.8))
    found = estimate(KEY, x, y, method=Correlation())
    assert found == Correlation()(KEY, x, y) and covers(found, -0.5 * np.log2(1 - 0.64))
    assert missing_members(Correlation, Estimator) == []
    with pytest.raises(ValueError, match=r"astype\(float\)"):
        Correlation()(KEY, x > 0, y)


def test_a_seed_is_taken_for_its_key() -> None:
    x, y = real(0.8)
    for seeded, keyed in zip(*([call(key) for call in calls(x, y)] for key in (3, KEY)), strict=True):
        assert np.array_equal(seeded, keyed, equal_nan=True)
    with pytest.raises(TypeError, match="Expected a key by jax.random.key"):
        estimate("3", x, y, method="gaussian")  # type: ignore[arg-type]


def calls(x: np.ndarray, y: np.ndarray) -> list[Callable[[Any], Any]]:
    """What takes a key, as functions of it alone."""
    return [
        lambda key: float(ESTIMATORS["ksg"]()(key, x, y).high),
        lambda key: float(estimate(key, x, y, method="ksg").high),
        lambda key: float(choose(key, x[:150], y[:150]).estimate.high),
        lambda key: pairwise(key, x, method="ksg").high.values,
        lambda key: information_scorer(key, "ksg")(x, y[:, 0]),
    ]
