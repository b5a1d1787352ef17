"""Curves: labels, bounds in order, resuming bit for bit, refusals before any work."""

from __future__ import annotations

import json

import jax
import numpy as np
import optax
import pytest
import xarray as xr

from capacity import VAE, Architecture, Bracket, GaussianAutoencoder, Joint, Training, plan_curve
from capacity.bounds import Decoder, MaximumEntropy
from capacity.bounds.variational.decoder import LogDecoder
from capacity.curves.execute import run_plan
from capacity.curves.plan import CurvePlan
from synthetic import FairBits

KEY = jax.random.key(0)
SMALL = Training(steps=300, batch=64, receiver_steps=100, receiver_batch=64)


def source(bits: int = 4) -> FairBits:
    return FairBits.build(jax.random.key(7), bits, max(bits, 6))


def plan(system: object = None, **changes: object) -> CurvePlan:
    architecture = Architecture(units=2, widths=(16,))
    arguments = dict(levels=[0.3, 1.0], seeds=2, training=SMALL, samples=512) | changes
    chosen = arguments.pop("source", None) or source()
    return plan_curve(KEY, chosen, system or GaussianAutoencoder(architecture), **arguments)


class Memory(dict):
    """A store in memory that can be cut off."""

    left = 1000

    def names(self, prefix: str) -> list[str]:
        return [name for name in self if name.startswith(prefix)]

    def load(self, name: str) -> dict | None:
        return dict(self[name]) if name in self else None

    def save(self, name: str, arrays: dict) -> None:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        self[name] = arrays


def test_lanes_by_level_then_seed() -> None:
    """A lane's key is folded from its seed and its level, one by one or many at once."""
    small = plan()
    keys, levels = small.lanes([3, 0])
    np.testing.assert_array_equal(levels, np.float32([1.0, 0.3]))
    for number, key in zip((3, 0), keys, strict=True):
        level, seed = divmod(number, 2)
        expected = jax.random.key_data(jax.random.fold_in(jax.random.fold_in(KEY, seed), level))
        np.testing.assert_array_equal(jax.random.key_data(key), expected)
        np.testing.assert_array_equal(jax.random.key_data(small.lane(number)[0]), expected)


@pytest.fixture(scope="module")
def curve() -> xr.Dataset:
    return run_plan(plan())


def test_labels(curve: xr.Dataset) -> None:
    assert curve.bits.dims == ("level", "seed")
    assert curve.marginal_bits.dims == ("level", "seed", "unit")
    assert curve.loss.dims == ("level", "seed", "step")
    for name, variable in curve.variables.items():
        assert variable.attrs.get("units") and variable.attrs.get("long_name"), name
    configuration = json.loads(curve.attrs["configuration"])
    assert configuration["training"]["steps"] == 300
    assert "jax" in json.loads(curve.attrs["versions"])


def test_bounds_are_in_order(curve: xr.Dataset) -> None:
    assert (curve.decoder_bits_low <= curve.bits_high).all()
    assert (curve.bits_low <= np.minimum(curve.ceiling, curve.source_bits)).all()
    np.testing.assert_allclose(curve.power, 1, rtol=1e-4)
    np.testing.assert_allclose(curve.rate, curve.ceiling.broadcast_like(curve.rate), rtol=1e-3)
    np.testing.assert_allclose(curve.rate - curve.bits, curve.excess, atol=1e-4)
    np.testing.assert_allclose(curve.excess_high - curve.excess_low, curve.bits_high - curve.bits_low, atol=1e-3)
    assert not curve.diverged.any()


def test_more_noise_fewer_bits(curve: xr.Dataset) -> None:
    assert (curve.bits.sel(level=0.3) > curve.bits.sel(level=1.0)).all()


@pytest.mark.slow
def test_interrupted_and_resumed_ends_in_the_same_bits(curve: xr.Dataset) -> None:
    store = Memory()
    store.left = 3
    with pytest.raises(KeyboardInterrupt):
        run_plan(plan(), store)
    assert len(store) == 3
    store.left = 1000
    ticks: list[float] = []
    resumed = run_plan(plan(), store, progress=lambda n, _: ticks.append(n))
    assert ticks[0] == 3 / 4 and ticks[-1] == 1
    xr.testing.assert_identical(resumed.drop_attrs(), curve.drop_attrs())


@pytest.mark.slow
def test_a_lane_does_not_depend_on_the_others(curve: xr.Dataset) -> None:
    alone = run_plan(plan(levels=[0.3], seeds=1))
    assert alone.bits.item() == curve.bits.isel(level=0, seed=0).item()


@pytest.mark.slow
def test_vector_decoding_and_the_bracket() -> None:
    architecture = Architecture(units=2, widths=(16, 16), decode="vector")
    curve = run_plan(plan(VAE(architecture), levels=[0.2], seeds=1, measure="bracket", budget_gflop=2))
    assert "bits" not in curve and "ceiling" not in curve
    assert (curve.lower_low <= curve.upper_high).all()
    assert (curve.upper <= 4 + 1e-6).all()
    assert curve.distortion.attrs["units"] == "squared error per vector"


def test_unlisted_source_is_given_to_the_referee(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the trained decoder and the budget; here one that compiles no chains."""
    asked: dict[str, object] = {}

    def referee(key: jax.Array, joint: Joint, *, log_decoder: LogDecoder, **options: object) -> Bracket:
        asked.update(options)
        return Bracket(Decoder(log_decoder)(key, joint), MaximumEntropy(2**12)(key, joint), "no chains")

    monkeypatch.setattr("capacity.curves.figures.measure", referee)
    curve = run_plan(plan(source=source(24), levels=[1.0], seeds=1, budget_gflop=2))
    assert asked == {"budget_gflop": 2, "method": "bracket"}
    errors = float(curve.lower_stderr.item()), float(curve.upper_stderr.item())
    assert curve.lower.item() <= curve.upper.item() + 3 * np.hypot(*errors)
    assert curve.upper.item() <= 1.001 + 3 * errors[1] and max(errors) < 0.1
    assert "ceiling" in curve and not curve.diverged.any()


@pytest.mark.slow
def test_unlisted_source_gets_a_bracket() -> None:
    curve = run_plan(plan(source=source(24), levels=[1.0], seeds=1, budget_gflop=2))
    lower, upper = curve.lower.item(), curve.upper.item()
    errors = float(curve.lower_stderr.item()), float(curve.upper_stderr.item())
    assert 0 <= lower <= upper + 3 * np.hypot(*errors)
    assert upper <= 1.001 + 3 * errors[1] and max(errors) < 0.05


@pytest.mark.slow
def test_divergence_is_recorded_not_hidden() -> None:
    wild = Training(steps=50, batch=16, receiver_steps=0, optimiser=optax.sgd(1e12))
    assert run_plan(plan(VAE(Architecture(units=2, widths=(8,))), levels=[1.0], seeds=1, training=wild)).diverged.all()


def test_the_callers_optimiser_is_in_the_configuration() -> None:
    def digest(rate: float) -> object:
        return plan(training=Training(optimiser=optax.adam(rate))).configuration["training"]["optimiser"]

    assert digest(1e-3) == digest(1e-3) != digest(2e-3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (dict(levels=[0.1, 0.0]), "greater than 0; got 0.1, 0.0"),
        (dict(levels=[float("nan")]), "finite and greater than 0; got nan"),
        (dict(levels=[]), "got none"),
        (dict(levels=[1.0, 1.0]), "distinct noise levels"),
        (dict(levels=[0.3, 0.3 + 1e-11]), "distinct noise levels, in single precision"),
        (dict(levels=[1.0, 1e300]), "from 1e-18 to 1e.18"),
        (dict(levels=[1e-45, 1.0]), "from 1e-18 to 1e.18"),
        (dict(seeds=10**12), "Lower levels, seeds and steps"),
        (dict(samples=10**9), "Lower samples"),
        (dict(training=Training(steps=10**12)), "Lower levels, seeds and steps"),
        (dict(training=Training(batch=10**10)), "Lower the batch"),
        (dict(system=GaussianAutoencoder(Architecture(units=10**9))), "GiB or more. Lower"),
        (dict(system=GaussianAutoencoder(Architecture(widths=(10**9, 16)))), "GiB or more. Lower"),
        (dict(seeds=0), "at least one seed; got 0"),
        (dict(samples=3), "at least 16 samples"),
        (dict(measure="guess"), "one of auto, enumeration, bracket; got 'guess'"),
        (dict(source=source(24), measure="enumeration"), r"2\*\*20 messages to enumerate"),
    ],
)
def test_refused_before_any_work(changes: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        plan(**changes)


@pytest.mark.parametrize("bad", ["steps", "batch", "receiver_batch"])
def test_training_refusals(bad: str) -> None:
    with pytest.raises(ValueError, match=f"{bad} of at least 1; got 0"):
        Training(**{bad: 0})
