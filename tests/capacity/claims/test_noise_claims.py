"""Claims on noise in units: published closed forms, answers from many lanes, and tiny runs through the real systems."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from figure_checks import faults
from matplotlib.figure import Figure

from capacity.claims import CLAIMS
from capacity.claims.claim import Answer, Context, check_answers, miss_rate
from capacity.claims.lab.enumerated import (
    PARTS,
    absolute,
    estimates_of,
    gap,
    lane_answers,
    level_answers,
    train_and_enumerate,
)
from capacity.claims.noise import binary, dropout, gaussian_dropout, quantized
from capacity.results.estimate import Estimate
from capacity.systems import SYSTEMS, Architecture
from capacity.training import Training
from synthetic import FairBits

KEY = jax.random.key(0)


def test_flips_are_the_published_ones() -> None:
    assert binary.flip_capacity([0.11, 0.0, 0.5]) == pytest.approx([0.500084, 1.0, 0.0], abs=5e-7)
    assert binary.chain_truth() == pytest.approx([0.53100, 0.31992, 0.07890], abs=5e-6)


def test_gaussian_dropout_on_signs_is_the_published_one() -> None:
    found = dict(zip(gaussian_dropout.RATES, gaussian_dropout.sign_bits(), strict=True))
    assert found[0.2] == pytest.approx(0.912822, abs=5e-7) and found[0.5] == pytest.approx(0.485944, abs=5e-7)


def test_absolute_values_and_gaps() -> None:
    assert absolute(Answer(-0.3, -0.4, -0.2, 5))[:3] == (0.3, 0.2, 0.4)
    assert absolute(Answer(-0.1, -0.4, 0.2, 5))[:3] == (0.1, 0.0, 0.4)
    found = gap(
        Estimate.from_normal(bits=2.0, stderr=0.3, kind="exact", n=9),
        Estimate.from_normal(bits=1.0, stderr=0.4, kind="exact", n=9),
        0.05,
    )
    assert found.value == pytest.approx(1.0) and found.high - found.value == pytest.approx(1.96 * 0.5, rel=1e-3)


def test_many_lanes_share_the_miss_rate() -> None:
    rng = np.random.default_rng(0)
    bits = 3 + 0.1 * rng.normal(size=(2, 50))
    found = {"bits": bits, "stderr": np.full(bits.shape, 0.1), "n": np.full(bits.shape, 100), "limit": bits + np.inf}
    found |= {"low": bits - 0.196, "high": bits + 0.196}
    answers = lane_answers(found, np.array([3.0, 3.0]), 0.05)
    assert len(answers) == 100 and all(a.low < 0 < a.high for a in answers)
    means = level_answers(found, np.array([3.0, 3.0]), 0.05)
    assert [a.high - a.value for a in means] == pytest.approx([2.2414 * 0.1 / np.sqrt(50)] * 2, rel=1e-3)


def test_signs_through_dropout_are_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dropout, "BITS", 4)
    source = FairBits.build(KEY, dropout.BITS, dropout.BITS)
    found = dropout._signs(KEY, source, (0.3, 0.7))
    for estimate, p in zip(estimates_of(found, "dropout"), (0.3, 0.7), strict=True):
        reach = 4 * float(estimate.stderr) + 1e-3
        assert float(estimate.bits) == pytest.approx(dropout.BITS * (1 - p), abs=reach)
    assert set(found) == {f"{name}_{part}" for name in ("dropout", "vae") for part in PARTS}


def test_lanes_of_a_system_keep_below_its_ceiling() -> None:
    source = FairBits.build(KEY, 5, 5)
    system = SYSTEMS["quantized"](Architecture(2, (16,)))
    training = Training(20, 32, receiver_steps=0)
    context = Context(0.05)
    found = train_and_enumerate(context, "x", KEY, source, system, (2.0, 4.0), 2, training, per_unit=True)
    assert found["bits"].shape == (2, 2) and found["marginal"].shape == (2, 2, 2)
    assert (found["bits"] <= 2 * np.log2([2.0, 4.0])[:, None] + 1e-3).all()
    assert (found["marginal"] <= np.log2([2.0, 4.0])[:, None, None] + 0.01).all()


@pytest.mark.slow
def test_a_tiny_run_of_finite_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantized, "Training", lambda steps, *args, **options: Training(25, 32, receiver_steps=0))
    monkeypatch.setattr(quantized, "BITS", 4)
    claim = quantized.Quantization()
    evidence = claim.run(KEY, Context(miss_rate(claim), fast=True))
    check_answers(claim, evidence.answers)
    assert evidence.answers["bits over units × log2 levels, at most"].high < 0.01
    claim.plot(evidence.data, Figure())


def test_every_claim_is_complete() -> None:
    for claim in CLAIMS.values():
        names = [p.name for p in claim.predictions]
        assert len(set(names)) == len(names) and claim.sentence and claim.source
        assert any(not p.instrument for p in claim.predictions)
        assert jnp.isfinite(miss_rate(claim()))


def test_binary_lanes_are_labelled_and_drawn() -> None:
    flips, rng = (1e-4, 0.1), np.random.default_rng(1)
    lanes = {"bits": rng.uniform(0, 8, (2, 3)), "marginal": rng.uniform(0, 1, (2, 3, 8))}
    lanes["marginal_stderr"] = np.full((2, 3, 8), 1e-3)
    chain = {f"chain_{part}": np.full(3, 1.0) for part in PARTS}
    data = binary._dataset(flips, {"sign": lanes, "coin": lanes}, chain)
    np.testing.assert_array_equal(data.sign_marginal, lanes["marginal"].max(-1))
    figure = Figure(figsize=(10, 5.5), layout="constrained")
    binary.BinaryUnits().plot(data, figure)
    assert [fault for fault in faults(figure) if not fault.startswith("cropped")] == []
    top = binary._most({"sign": lanes}, 0.01)
    assert top.value == pytest.approx(lanes["marginal"].max(), rel=1e-6)  # estimates are float32
    assert top.low < top.value < top.high
