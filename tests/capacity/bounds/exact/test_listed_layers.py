"""Listed layers against sums that are written down anew: every message, every mask, in float64."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import Layer, Stack
from capacity.bounds.exact.listed_layers import distinct_rows, information_of_law, measure_listed, merged
from capacity.channels import (
    BinarySymmetric,
    Chain,
    Dropout,
    Erasure,
    Gaussian,
    Quantized,
    SharedDropout,
    StochasticBinarised,
    Uniform,
)
from synthetic import FairBits

BITS = 4


def dense(weights: jax.Array, x: jax.Array) -> jax.Array:
    return jnp.tanh(x @ weights)


def rectified_sums(weights: jax.Array, x: jax.Array) -> jax.Array:
    return jax.nn.relu(x @ weights)


def layer(encoder: Callable[..., jax.Array], weights: np.ndarray, channel: Any) -> Layer:
    return Layer(jax.tree_util.Partial(encoder, jnp.asarray(weights, jnp.float32)), channel)


def fair(bits: int = BITS) -> FairBits:
    return FairBits(jnp.eye(bits))


def signs(bits: int = BITS) -> np.ndarray:
    """All messages' vectors, from the source itself: their order says nothing."""
    return np.asarray(fair(bits).codebook()[0], np.float64)


Law = dict[tuple[float, ...], float]


def masked(law: Law, encode: Callable[[np.ndarray], np.ndarray], rate: float) -> Law:
    """The law of masked units, by every mask of every value."""
    found: Law = {}
    for value, mass in law.items():
        units = encode(np.array(value))
        for mask in itertools.product((0, 1), repeat=len(units)):
            weight = np.prod([1 - rate if kept else rate for kept in mask])
            key = tuple(np.round(units * mask, 7) + 0.0)
            found[key] = found.get(key, 0.0) + mass * float(weight)
    return found


def bits_of(laws: Sequence[Law]) -> float:
    values = sorted({value for law in laws for value in law})
    table = np.array([[law.get(value, 0.0) for value in values] for law in laws])
    together = table.mean(0)
    ratio = np.log2(np.where(table > 0, table, 1.0) / np.where(table > 0, together[None], 1.0))
    return float((table * ratio).sum(1).mean())


def bits_in_noise(laws: Sequence[Law], encode: Callable[[np.ndarray], np.ndarray], sigma: float) -> float:
    """One unit of normal noise, by the trapezoid rule over z."""
    centres = [np.array([encode(np.array(value))[0] for value in law]) for law in laws]
    every = np.concatenate(centres)
    z = np.linspace(every.min() - 9 * sigma, every.max() + 9 * sigma, 8001)
    densities = []
    for law, centre in zip(laws, centres, strict=True):
        kernel = np.exp(-0.5 * ((z[None] - centre[:, None]) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
        densities.append(np.array(list(law.values())) @ kernel)
    table = np.array(densities)
    ratio = np.log2(np.maximum(table, 1e-300) / np.maximum(table.mean(0), 1e-300)[None])
    return float((table * ratio).sum(1).mean() * (z[1] - z[0]))


@pytest.mark.parametrize(("first", "second"), [(0.2, 0.3), (0.01, 0.99)])
def test_two_layers_of_masks_and_noise_after_them(first: float, second: float) -> None:
    """Five masks and four, then one unit in normal noise: all listed in plain Python."""
    rng = np.random.default_rng(3)
    one, two, last = (np.asarray(rng.normal(size=s), np.float32) for s in ((BITS, 5), (5, 4), (4, 1)))
    two *= np.float32(0.3)  # tanh of large numbers is told apart in its last digits alone
    one[:, 4] = one[:, 3]  # equal units
    one[:, 2] = 0.0  # a dead one
    stack = Stack(
        fair(),
        (
            layer(rectified_sums, one, Dropout(first)),
            layer(dense, two, Dropout(second)),
            layer(dense, last, Gaussian(0.3)),
        ),
    )
    laws = [masked({tuple(x): 1.0}, lambda u: np.maximum(u @ one, 0), first) for x in signs()]
    deeper = [masked(law, lambda u: np.tanh(u @ two), second) for law in laws]
    truths = bits_of(laws), bits_of(deeper), bits_in_noise(deeper, lambda u: np.tanh(u @ last), 0.3)
    for number, truth in enumerate(truths, 1):
        found = measure_listed(jax.random.key(0), stack, number, 5.0)
        assert found is not None and found.method == "enumeration"
        assert found.low <= truth <= found.high
        if number < 3:
            assert found.width < 1e-4 + 0.02 * truth


def test_flips_erasures_and_whole_layers_by_depth() -> None:
    """n (1 - h((1 - (1 - 2p)^L)/2)), n keep^L, and the product of keeps times H."""
    p = 0.1

    def bits_through_flips(depth: int) -> float:
        wrong = (1 - (1 - 2 * p) ** depth) / 2
        return BITS * float(1 + wrong * np.log2(wrong) + (1 - wrong) * np.log2(1 - wrong))

    def told(channels: Sequence[Any], truths: Sequence[float]) -> None:
        stack = Stack(fair(), tuple(Layer(lambda x: x * 1.0, channel) for channel in channels))
        for number, truth in enumerate(truths, 1):
            found = measure_listed(jax.random.key(0), stack, number, 5.0)
            assert found is not None and found.low <= truth <= found.high and found.width < 1e-4

    told([BinarySymmetric(p)] * 3, [bits_through_flips(depth) for depth in (1, 2, 3)])
    told([Erasure(p)] * 3, [BITS * 0.9**depth for depth in (1, 2, 3)])
    told([SharedDropout.of_layer(rate, BITS) for rate in (0.2, 0.3)], [0.8 * BITS, 0.56 * BITS])
    told([Chain(BinarySymmetric(p), BinarySymmetric(p))], [bits_through_flips(2)])


def test_probabilities_that_depend_on_the_code() -> None:
    """Coins whose odds a unit sets, and coins of coins: by hand."""
    weights = np.asarray([[1.0], [0.5]], np.float32)
    stack = Stack(
        fair(2), (layer(dense, weights, StochasticBinarised(0.5)), Layer(lambda x: 0.7 * x, StochasticBinarised(0.5)))
    )
    up = 1 / (1 + np.exp(-np.tanh(signs(2) @ weights)[:, 0] / 0.5))
    again = 1 / (1 + np.exp(-0.7 / 0.5))
    for number, chance in ((1, up), (2, up * again + (1 - up) * (1 - again))):
        truth = bits_of([{(1.0,): float(c), (-1.0,): float(1 - c)} for c in chance])
        found = measure_listed(jax.random.key(0), stack, number, 5.0)
        assert found is not None and found.low <= truth <= found.high


def test_values_that_rounding_tells_apart_bound_from_both_sides() -> None:
    """Two messages whose values differ in the last digit: 0 bits merged, 1 bit apart, and all between is said."""
    rounded = np.float32(1) + np.finfo(np.float32).eps

    def nearly(x: jax.Array) -> jax.Array:
        return jnp.where(x > 0, 1.0, rounded)

    rounded_away = Stack(fair(1), (Layer(nearly, Quantized(3.0, 5.0)), Layer(lambda x: x, Dropout(0.0))))
    nothing = measure_listed(jax.random.key(0), rounded_away, 2, 1.0)
    assert nothing is not None and float(nothing.high) < 1e-5
    found = measure_listed(jax.random.key(0), Stack(fair(1), (Layer(nearly, Dropout(0.0)),)), 1, 1.0)
    assert found is not None and float(found.low) < 0.01 and float(found.high) > 0.99


def test_what_cannot_be_listed() -> None:
    """A continuum inside, messages that are many, ways that are many."""
    continuum = Stack(fair(), (Layer(jnp.tanh, Uniform(0.1)), Layer(jnp.tanh, Dropout(0.1))))
    assert measure_listed(jax.random.key(0), continuum, 2, 1.0) is None
    messages = Stack(FairBits(jnp.eye(24)), (Layer(jnp.tanh, Dropout(0.1)),))
    assert measure_listed(jax.random.key(0), messages, 1, 1.0) is None
    ways = Stack(fair(8), (Layer(lambda x: jnp.tile(x, 4) * jnp.arange(32.0), Dropout(0.1)),) * 1)
    assert measure_listed(jax.random.key(0), ways, 1, 1.0) is None


def test_rows_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 3, (500, 4)).astype(float)
    rows[0, 0] = -0.0
    first, entry = distinct_rows(rows)
    assert len(first) == len(np.unique(rows + 0.0, axis=0))
    np.testing.assert_array_equal(rows[first][entry], rows)


def test_a_law_that_says_all() -> None:
    from scipy.sparse import csr_array

    from capacity.bounds.exact.listed_layers import ValueTable

    law = csr_array(np.eye(4))
    assert information_of_law(law, np.full(4, 0.25)) == pytest.approx(2.0)
    values = np.array([[0.0], [1.0], [1.0 + 1e-8], [2.0]])
    assert information_of_law(merged(ValueTable(values, law)), np.full(4, 0.25)) == pytest.approx(1.5)
