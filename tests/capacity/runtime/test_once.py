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
