"""Largest eigenvalues of a symmetric matrix from its products, by Lanczos with full reorthogonalisation.

Source: Lanczos (1950); Golub & Van Loan (2013), sections 10.1 and 10.3; Ghorbani et al. (2019) on Hessians of networks.
Ritz values never exceed the largest eigenvalue (Cauchy's interlacing), and within `residual` of each there is one.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from capacity.analysis.weights.hessian import MatrixProduct
from capacity.runtime.keys import Seed, as_key


class Spectrum(NamedTuple):
    """Ritz values (steps,) from the largest down, and for each how far away an eigenvalue can be at most."""

    values: jax.Array
    residual: jax.Array


def lanczos(key: Seed, product: MatrixProduct, dim: int, steps: int) -> Spectrum:
    """All Ritz values after so many products; traceable.

    Each new vector is orthogonalised twice against all before it: in floating point the plain recurrence loses
    orthogonality as soon as a value has converged, and shows that value again and again ("ghosts").  Where the
    subspace is invariant the recurrence goes on from a fresh random direction, so that repeated eigenvalues show too.

    Args:
        key: of the starting direction.
        product: v -> A v on (dim,), A symmetric.
        dim: the matrix's size.
        steps: how many products, from 1 to dim; at dim all eigenvalues are found.

    Raises:
        ValueError: for a number of steps out of range.
    """
    key = as_key(key)
    if not 1 <= steps <= dim:
        raise ValueError(f"Expected from 1 to {dim} Lanczos steps; got {steps}.")
    fresh = jax.random.normal(key, (steps + 1, dim))
    basis = jnp.zeros((steps + 1, dim)).at[0].set(fresh[0] / jnp.linalg.norm(fresh[0]))

    def clean(vector: jax.Array, basis: jax.Array) -> jax.Array:
        for _ in range(2):
            vector = vector - basis.T @ (basis @ vector)
        return vector

    def step(carry: tuple[jax.Array, jax.Array], i: jax.Array) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        basis, scale = carry
        image = product(basis[i])
        alpha = image @ basis[i]
        scale = jnp.maximum(scale, jnp.linalg.norm(image))
        rest = clean(image, basis)
        beta = jnp.linalg.norm(rest)
        broken = beta <= 100 * np.finfo(rest.dtype).eps * scale
        other = clean(fresh[i + 1], basis)
        following = jnp.where(broken, other / jnp.linalg.norm(other), rest / jnp.where(broken, 1.0, beta))
        # At i + 1 = dim nothing orthogonal is left; that last vector is never used.
        return (basis.at[i + 1].set(following), scale), jnp.stack([alpha, jnp.where(broken, 0.0, beta)])

    _, found = jax.lax.scan(step, (basis, jnp.zeros(())), jnp.arange(steps))
    alpha, beta = found[:, 0], found[:, 1]
    band = jnp.diag(alpha) + jnp.diag(beta[:-1], 1) + jnp.diag(beta[:-1], -1)
    values, vectors = _decompose(band)
    return Spectrum(values[::-1], jnp.abs(beta[-1] * vectors[-1])[::-1])


@jax.custom_batching.sequential_vmap  # type: ignore[untyped-decorator]
def _decompose(band: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Eigenvalues and vectors of one matrix at a time.

    A batch of them goes to a pool of threads that all CPU devices share: where every thread is a device's own program
    that waits for its batch, none is left to do the work, and lanes on two devices were seen to wait forever.
    """
    values, vectors = jnp.linalg.eigh(band)
    return values, vectors


def largest_eigenvalues(key: Seed, product: MatrixProduct, dim: int, count: int = 1, steps: int = 32) -> Spectrum:
    """The `count` largest Ritz values after at most `steps` products, largest first, each with its residual.

    Args:
        key: of the starting direction.
        product: v -> A v on (dim,), A symmetric.
        dim: the matrix's size.
        count: eigenvalues.
        steps: products at most.

    Raises:
        ValueError: for a count below 1, or more than the steps can show.
    """
    key = as_key(key)
    taken = min(steps, dim)
    if not 1 <= count <= taken:
        raise ValueError(f"Expected from 1 to {taken} eigenvalues; got {count}.")
    found = lanczos(key, product, dim, taken)
    return Spectrum(found.values[:count], found.residual[:count])
