"""Public functions given odd arguments: an answer, or a TypeError or ValueError that says what was expected."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import capacity
from capacity.channels import Gaussian
from capacity.estimators import KSG
from synthetic import FairBits

QUICK, MANY = 200, 2000
ROWS = 24
RNG = np.random.default_rng(0)
X = RNG.normal(size=(ROWS, 2))
SOURCE = FairBits(jnp.eye(2))

KEYS: list[Any] = [0, 0, 7, np.int64(3), -1, 2**32, 1.5, "seed", None, True, np.zeros(3, np.uint32), jax.random.key(1),
                   jax.random.split(jax.random.key(0), 2), np.zeros(2, np.uint32), [0], "s" * 5000]  # fmt: skip
COUNTS: list[Any] = [256, 0, -1, 1, 10**9, 10**12, 2.5, "3", None, float("nan"), True, np.int8(5), 10**30]
ARRAYS: list[Any] = [
    X, X[:, 0], X[:5], X[:, :1] > 0, X.astype("f4"), (X * 3).astype(int), X * np.nan, X * 0, X * 1e300, X[:0], X[None],
    np.array(1.0), None, "text", [1, 2, "a"], np.full((ROWS, 1), "a\x1b[31m"), X.astype(complex), X.astype(object),
    {"a": X[:, 0], "b\x1b": X[:, 1]}, {}, np.where(X > 1, np.inf, X), X.tolist(), np.ma.masked_array(X, X > 1),
    -np.ones((ROWS, 2)),
]  # fmt: skip


def _rows(x: Any) -> np.ndarray:
    return np.tile([0.5, -2.0], (*np.shape(x)[:1], 1))


ENCODERS: list[Any] = [
    lambda x: (_rows(x), _rows(x)), lambda x: _rows(x), lambda x: {"mu": _rows(x), "sigma": _rows(x) + 9},
    lambda x: _rows(x) > 0, lambda x: {"mu": x}, lambda x: {"logits": x}, lambda x: x, lambda x: (x, x), lambda x: None,
    lambda x: "\x1b[31m", lambda x: _rows(x)[:1], lambda x: [1, "a"], None, 3, "encode",
]  # fmt: skip
METHODS: list[Any] = ["gaussian", "ksg", "plugin", "gausian", "", None, 3, KSG, KSG(k=3), KSG(k=10**12)]
WORDS: list[Any] = [None, "time", "drop", "refuse", "logvar", "std", "tmie", 3, ""]


def _pick(values: list[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


Draw = Callable[[st.SearchStrategy[Any]], Any]
CALLS: dict[str, Callable[[Draw], Any]] = {
    "estimate": lambda d: capacity.estimate(
        d(_pick(KEYS)), d(_pick(ARRAYS)), d(_pick(ARRAYS)), d(_pick(METHODS)), missing=d(_pick(WORDS))
    ),
    "pairwise": lambda d: capacity.pairwise(
        d(_pick(KEYS)), d(_pick(ARRAYS)), d(_pick(["gaussian", "gausian", 3])), missing=d(_pick(WORDS))
    ),
    "permutation_test": lambda d: capacity.permutation_test(
        d(_pick(KEYS)), d(_pick(ARRAYS)), d(_pick(ARRAYS)), permutations=d(_pick(COUNTS)), order=d(_pick(WORDS)),
        block=d(_pick([None, None, *COUNTS])),
    ),
    "measure_latent": lambda d: capacity.measure_latent(
        d(_pick([-1, 1.5, "seed"])), d(_pick(ARRAYS)), d(_pick(ARRAYS)), given=d(_pick(WORDS)), samples=d(_pick(COUNTS))
    ),
    "collect_module": lambda d: capacity.collect_module(
        d(_pick(ENCODERS)), d(_pick([*ARRAYS, [X], [(X, X)], [{"x": X}], [{"x": X, "b": 1}], 3])),
        encode=d(_pick([None, None, "encode", "", 3])), inputs=d(_pick([None, None, 0, 7, "x", ("x",), 1.5])),
        given=d(_pick(WORDS)), points=d(_pick([None, None, *COUNTS])),
    ),
    "measure_codes": lambda d: capacity.measure_codes(
        d(_pick([-1, 1.5, "seed"])), d(_pick(ARRAYS)), codebook=d(_pick([None, *COUNTS]))
    ),
    "measure_probs": lambda d: capacity.measure_probs(
        d(_pick([-1, 1.5, "seed"])), d(_pick(ARRAYS)), given=d(_pick(WORDS)), samples=d(_pick(COUNTS))
    ),
    "architecture": lambda d: capacity.Architecture(
        d(_pick([1, 0, -3, 10**12])), (d(_pick([1, 0, 10**12])),), activation=d(_pick(["relu", "rleu", ""])),
        decode=d(_pick(["bits", "bist"])),
    ),
    "training": lambda d: capacity.Training(d(_pick(COUNTS)), d(_pick(COUNTS)), d(_pick(COUNTS))),
    "plan_curve": lambda d: capacity.plan_curve(
        d(_pick(KEYS)), d(_pick([SOURCE, SOURCE, None, "bits"])),
        d(_pick([capacity.GaussianAutoencoder(capacity.Architecture(2, (3,))), capacity.VAE, "vae"])),
        d(_pick([[0.5], [], [0.1, 0.1], [np.nan], [1e300], [-1]])), d(_pick(COUNTS)), samples=d(_pick(COUNTS)),
    ),
    "measure": lambda d: capacity.measure(
        d(_pick(KEYS)), capacity.Joint(SOURCE, jnp.asarray, Gaussian(0.7)), samples=d(_pick([10**15, 0, 2.5])),
        budget_gflop=d(_pick([1.0, 0, -1, float("nan")])), method=d(_pick(["auto", "atuo"])),
    ),
    "lagged_information": lambda d: capacity.lagged_information(
        d(_pick(KEYS)), d(_pick(ARRAYS)), d(_pick(ARRAYS)), d(_pick([[0], [10**9], [], [-30]])), "gaussian"
    ),
}  # fmt: skip


def try_calls(examples: int) -> Counter[str]:
    counts: Counter[str] = Counter()

    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(data=st.data())
    def one(data: st.DataObject) -> None:
        name = data.draw(_pick(sorted(CALLS)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                CALLS[name](data.draw)
            except (TypeError, ValueError) as error:
                said = str(error)
                checked = type(error).__name__ == "TypeCheckError"  # of shapes in types, which tests turn on
                assert checked or ("Expected " in said and len(said) < 6000), (name, error)
                counts["refusals"] += 1
            else:
                counts["answers"] += 1

    one()
    return counts


def test_odd_arguments_are_answered_or_refused_in_words() -> None:
    counts = try_calls(QUICK)
    assert counts["refusals"] > 10 and sum(counts.values()) >= QUICK


@pytest.mark.slow
def test_many_odd_arguments() -> None:
    counts = try_calls(MANY)
    print(counts)
    assert counts["answers"] > 10 and sum(counts.values()) >= MANY
