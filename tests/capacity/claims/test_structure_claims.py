"""Structures at equal size, and dropout inside: closed forms met by networks nobody trained, tiny runs end to end."""

from __future__ import annotations

from functools import partial

import jax
import numpy as np
import pytest
from matplotlib.figure import Figure

from capacity.claims.claim import Context, check_answers, miss_rate
from capacity.claims.lab.inner_dropout import InnerDropout
from capacity.claims.noise import inner_dropout, structures
from synthetic import FairBits

SOURCE = FairBits.build(jax.random.key(1), 4, 5)
TINY = partial(InnerDropout, steps=2, batch=8)


@pytest.mark.parametrize(
    ("groups", "rate"), [(2, 0.5), *(pytest.param(*p, marks=pytest.mark.slow) for p in ((1, 0.3), (4, 0.25)))]
)
def test_what_passes_the_dropped_layer_is_the_closed_form_whatever_was_learnt(groups: int, rate: float) -> None:
    low, high = TINY(groups, rate, hidden=4).bits(jax.random.key(groups), SOURCE)
    truth = 4 * (1 - rate**groups)
    assert low[0] - 1e-3 < truth < high[0] + 1e-3
    assert high[1] <= high[0] and 0 <= low[1] <= high[1]


@pytest.mark.slow
def test_without_dropout_all_bits_pass_the_layer() -> None:
    low, high = TINY(0, 0.0, hidden=4).bits(jax.random.key(0), SOURCE)
    assert low[0] == pytest.approx(4, abs=1e-3) and high[0] == pytest.approx(4, abs=1e-3)


def test_groups_are_of_one_size() -> None:
    assert np.asarray(InnerDropout(2, 0.5).channel.members).sum(1).tolist() == [4, 4]
    assert np.asarray(InnerDropout(8, 0.5).channel.members).tolist() == np.eye(8, dtype=bool).tolist()


@pytest.mark.slow
def test_a_tiny_run_of_inner_dropout_answers_every_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inner_dropout, "InnerDropout", TINY)
    claim = inner_dropout.InnerDropoutNoise()
    evidence = claim.run(jax.random.key(0), Context(miss_rate(claim), fast=True))
    check_answers(claim, evidence.answers)
    exact = claim.predictions[-1]
    assert exact.instrument and exact.standing(evidence.answers[exact.name]) == "for"
    claim.plot(evidence.data, Figure())
    assert all("units" in v.attrs and "long_name" in v.attrs for v in evidence.data.variables.values())


@pytest.mark.slow
def test_a_tiny_run_of_structures_answers_every_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structures, "Training", lambda steps, **more: structures_training(**more))
    claim = structures.Structures()
    evidence = claim.run(jax.random.key(0), Context(miss_rate(claim), fast=True))
    check_answers(claim, evidence.answers)
    sizes = evidence.data.parameters.values
    assert np.abs(sizes / sizes[0] - 1).max() < 0.05
    assert (evidence.data.bits < evidence.data.limit + 0.05).all()
    claim.plot(evidence.data, Figure())
    assert all("units" in v.attrs and "long_name" in v.attrs for v in evidence.data.variables.values())


structures_training = partial(structures.Training, 5, 16)
