"""Programs computed operation by operation: the figures of compiled ones, of operations in all their forms."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.bounds.exact.enumeration import information_of
from capacity.bounds.exact.listing import Listed, list_codes
from capacity.bounds.exact.sample import Sample, sampled
from capacity.bounds.exact.units import unit_information_of
from capacity.channels import LearntGaussian, Posterior
from capacity.joint.joint import Joint
from capacity.joint.table import Rows, tabled
from capacity.runtime.once import ran, run_once

X = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
ROWS = np.array([3, 0, 0, 2])
PROGRAMS: list[Callable[[jax.Array], object]] = [
    lambda x: (jnp.sort(x, 1), jnp.argsort(x, 0), jnp.sort(jnp.round(x), 0)),
    lambda x: (x[ROWS], x[:, 2], x[ROWS, ROWS], jnp.take_along_axis(x, jnp.argsort(x, 1), 1), x[1:3, ::2]),
    lambda x: jax.vmap(lambda row, i: jax.lax.dynamic_slice(row, (i,), (2,)))(x, jnp.asarray([0, 1, 4, 9])),
    lambda x: (jnp.take(x, jnp.asarray([0, 9]), 0), jnp.take(x, jnp.asarray([0, 9]), 0, mode="clip")),
    lambda x: (jnp.cumsum(x, 1), jax.lax.cumsum(x, 0, reverse=True), jnp.pad(x, ((1, 0), (2, 1)))),
    lambda x: (x @ x.T, jnp.einsum("ij,ij->i", x, x), jnp.einsum("bi,bij->bj", x, x[:, :, None] * x[:, None])),
    lambda x: jax.lax.fori_loop(0, 3, lambda i, a: a * x[i, i] + 1, x),
    lambda x: jax.lax.scan(lambda s, row: (s + row, s.sum()), x[0], x, reverse=True),
    lambda x: jax.lax.while_loop(lambda a: a.sum() < 100, lambda a: 2 * a, jnp.abs(x)),
    lambda x: jax.lax.cond(x.sum() > 0, lambda a: a, lambda a: -a, x),
    lambda x: (jnp.logaddexp(x[0], x[1]), jax.scipy.special.logsumexp(x), jnp.cbrt(x), x**3, jnp.sign(x)),
    lambda x: (x.astype(int) // 3, x.astype(int) % 3, jnp.clip(x, -0.1, 0.2), jnp.where(x > 0, x, 0.0), x > 0),
    lambda x: (x.max(0), x.min(), jnp.zeros((0, 3)).max(1), (x > 0).any(0), (x > 0).all(), jnp.quantile(x, 0.3)),
    lambda x: (jnp.max(jnp.zeros((2, 0)), 1, initial=0.0), jax.lax.clz(jnp.arange(9, dtype=jnp.uint32))),
    lambda x: jax.random.normal(jax.random.key(3), x.shape) + jax.random.uniform(jax.random.key(4)),
    lambda x: jax.lax.population_count(jax.lax.bitcast_convert_type(x, jnp.uint32)) >> 1,
    lambda x: jax.lax.map(lambda row: {"sum": row.sum(), "rows": row}, x, batch_size=3),
]


def compare(found: object, expected: object, rtol: float = 1e-5) -> None:
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert one.shape == other.shape and one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-5)


@pytest.mark.parametrize("program", PROGRAMS)
def test_operations_are_those_of_a_compiled_program(program: Callable[[jax.Array], object]) -> None:
    compare(run_once(program, X), jax.jit(program)(X))


def drawn(key: jax.Array) -> object:
    keys = jax.random.split(jax.random.fold_in(key, 7), (2, 3))
    bits = [jax.random.bits(keys[0, 1], (3, 5), width) for width in (np.uint8, np.uint16, np.uint32)]
    many = jax.vmap(lambda one: jax.random.bits(one, (4,)))(keys.reshape(-1))
    scanned = jax.lax.scan(lambda key, _: (jax.random.split(key, 1)[0], jax.random.bits(key)), key, length=3)[1]
    return bits, many, scanned, jax.random.permutation(keys[1, 2], 100), jax.random.key_data(keys)


@pytest.mark.parametrize("seed", [0, 2**31 + 5])
def test_random_bits_are_those_of_the_key(seed: int) -> None:
    key = jax.random.key(seed)
    for one, other in zip(jax.tree.leaves(run_once(drawn, key)), jax.tree.leaves(jax.jit(drawn)(key)), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", ["rbg", "unsafe_rbg"])
def test_keys_of_other_kinds_are_left_to_jax(kind: str) -> None:
    key = jax.random.key(3, impl=kind)
    found = run_once(lambda key: jax.random.bits(jax.random.split(key)[1], (3,)), key)
    np.testing.assert_array_equal(found, jax.random.bits(jax.random.split(key)[1], (3,)))


def listed_and_sampled() -> tuple[Joint, Listed, Sample]:
    table = Posterior(jnp.asarray(X[:, :2] * 3), jnp.asarray(X[:, 2:4]))
    joint = tabled(Rows.of(np.array([0.1, 0.2, 0.3, 0.4])), table, LearntGaussian())
    listed = list_codes(joint)
    return joint, listed, sampled(jax.random.key(0), joint, listed, 256, True)


def test_exact_figures_are_those_of_compiled_programs() -> None:
    joint, listed, sample = listed_and_sampled()
    compare(ran(list_codes, joint, numbers=0), listed)
    compare(ran(information_of, joint, listed, sample, numbers=0), information_of(joint, listed, sample), 1e-4)


@pytest.mark.slow
def test_figures_by_unit_are_those_of_compiled_programs() -> None:
    joint, listed, sample = listed_and_sampled()
    by_unit = unit_information_of(joint, listed, sample)
    compare(ran(unit_information_of, joint, listed, sample, numbers=0), by_unit, 1e-4)
    once = ran(sampled, jax.random.key(0), joint, listed, static=(256, True), numbers=0)
    assert np.isclose(once.z, sample.z, rtol=1e-4, atol=1e-4).mean() > 0.99  # a draw on an edge may round to another


def test_double_precision_stays_double() -> None:
    with jax.enable_x64(True):
        found = run_once(lambda x: jnp.exp(x) + 1, np.float64(1e-12))
    assert found.dtype == np.float64 and float(found) == pytest.approx(2 + 1e-12, abs=1e-15)
