"""Trace of a symmetric matrix from its products: E v' A v over random signs v is tr A (Hutchinson 1990)."""

from __future__ import annotations

import jax

from capacity.analysis.weights.hessian import MatrixProduct
from capacity.analysis.weights.interval import MeanInterval, student_interval
from capacity.runtime.keys import Seed, as_key


def hutchinson(key: Seed, product: MatrixProduct, dim: int, probes: int = 64) -> MeanInterval:
    """The trace with its 95 % interval; unbiased, of variance 2 sum_{i != j} A_ij^2 / probes.

    Args:
        key: of the random signs.
        product: v -> A v on (dim,).
        dim: the matrix's size.
        probes: how many independent sign vectors, at least 2; they are taken one after another.
    """
    key = as_key(key)

    def probe(key: jax.Array) -> jax.Array:
        signs = jax.random.rademacher(key, (dim,), float)
        return signs @ product(signs)

    return student_interval(jax.lax.map(probe, jax.random.split(key, probes)))
