"""One noiseless unit: the packing of 24 bits counted, entropies of lists, and a tiny run from one end to the other."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.figure import Figure

from capacity.claims.claim import Context, check_answers, miss_rate
from capacity.claims.noise import deterministic


@pytest.mark.parametrize("digits", [1, 10, 20])
def test_packed_digits_are_all_told_apart(digits: int) -> None:
    assert deterministic.packed_bits(digits) == pytest.approx(digits, abs=1e-9)


def test_entropies_of_lists() -> None:
    assert deterministic.bits_of_counts(np.array([2, 1, 1])) == pytest.approx(1.5)
    values = jnp.sort(jnp.asarray([0.5, 0.5, -1.0, 2.0]))
    assert deterministic._entropy_of_sorted(values) == pytest.approx(1.5)


def test_a_tiny_run_answers_every_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    lane = deterministic._lane
    monkeypatch.setattr(deterministic, "_lane", lambda steps: lane(10))
    monkeypatch.setattr(deterministic, "FAST_BITS", (1, 16, 24))  # those that predictions are about
    monkeypatch.setattr(deterministic, "packed_bits", lambda digits: 24.0)
    monkeypatch.setattr(deterministic, "FRESH", 1024)
    claim = deterministic.Deterministic()
    evidence = claim.run(jax.random.key(0), Context(miss_rate(claim), fast=True))
    check_answers(claim, evidence.answers)
    # Ten steps read next to nothing, and yet tell all messages apart.
    assert evidence.answers["told apart by a learnt unit, 14 bits of source"].value > 13.9
    assert evidence.answers["read through noise, over the capacity"].high < 3.4
    claim.plot(evidence.data, Figure())
    assert all("units" in v.attrs and "long_name" in v.attrs for v in evidence.data.variables.values())
