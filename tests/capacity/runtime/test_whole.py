"""Counts are whole numbers in a range, of whoever asks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import capacity
from capacity.estimators import KSG, InfoNCE
from capacity.estimators.neural.critics import Separable
from capacity.runtime import memory
from capacity.runtime.whole import check_fields, whole

X = np.random.default_rng(0).normal(size=(300, 2))
MEANS, LOGVARS = X[:30], -np.ones((30, 2))
NO_COUNT: list[Any] = [2.0, "3", None, True, [1], np.array([1, 2]), 1e9]


@pytest.mark.parametrize("value", NO_COUNT, ids=map(repr, NO_COUNT))
def test_what_is_no_count(value: Any) -> None:
    with pytest.raises(TypeError, match="Expected samples as a whole number; got "):
        whole(value, "samples")


def test_ranges() -> None:
    assert whole(np.int8(3), "k") == 3 and whole(10**20, "k", most=None) == 10**20 and whole(-4, "k", None) == -4
    for value, words in ((0, "at least 1"), (2**31, "at most 2147483647")):
        with pytest.raises(ValueError, match=words):
            whole(value, "k")
    assert check_fields(InfoNCE(critic=Separable(width=7)))["width"] == 7


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: KSG(k=2.5)(0, X, X), TypeError, "Expected k as a whole number"),  # type: ignore[arg-type]
        (lambda: KSG(k=0)(0, X, X), ValueError, "Expected k of at least 1"),
        (lambda: KSG(k=10**12)(0, X, X), ValueError, "Expected k of at most"),
        (lambda: InfoNCE(critic=Separable(width=10**7))(0, X, X), ValueError, "Lower width"),
        (lambda: InfoNCE(critic=Separable(batch=-1))(0, X, X), ValueError, "Expected batch of at least 1"),
        (lambda: capacity.permutation_test(0, X, X, permutations=10**9), ValueError, "Lower permutations"),
        (lambda: capacity.permutation_test(0, X, X, permutations=1.5), TypeError, "permutations as a whole"),  # type: ignore[arg-type]
        (lambda: capacity.measure_latent(0, MEANS, LOGVARS, samples=2 * 10**9), ValueError, "Lower samples"),
        (lambda: capacity.measure_latent(0, MEANS, LOGVARS, samples=1e9), TypeError, "samples as a whole"),  # type: ignore[arg-type]
        (lambda: capacity.Training(steps=1.5), TypeError, "steps as a whole"),  # type: ignore[arg-type]
        (lambda: capacity.estimate(1.0, X, X), TypeError, "Expected a key by jax.random.key"),  # type: ignore[arg-type]
        (lambda: capacity.estimate("seed", X, X), TypeError, "Expected a key by jax.random.key"),  # type: ignore[arg-type]
        (lambda: capacity.estimate(np.zeros(3, np.uint32), X, X), TypeError, "Expected a key by"),  # type: ignore[arg-type]
        (lambda: capacity.estimate(-1, X, X), ValueError, "Expected a seed from 0"),
    ],
)
def test_public_functions_refuse_before_any_work(
    call: Any, kind: type[Exception], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 2.0**36)
    with pytest.raises(kind, match=words):
        call()
