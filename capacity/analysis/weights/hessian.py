"""Products with a loss's curvature, never the matrix: the Hessian, and its Gauss-Newton part, which is never negative.

H v = d/ds grad L(theta + s v) at s = 0, at the cost of two gradients (Pearlmutter 1994);
G v = J' (d2 l/df2) J v, J the derivative of the network's outputs f (Schraudolph 2002).
Vectors are the parameters flattened by `jax.flatten_util.ravel_pytree`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import jax
from jax.flatten_util import ravel_pytree
from jaxtyping import PyTree

MatrixProduct: TypeAlias = Callable[[jax.Array], jax.Array]
"""v -> A v, both (dim,), for a symmetric matrix A that is never formed."""


def hessian_product(loss: Callable[[PyTree], jax.Array], params: PyTree) -> tuple[MatrixProduct, int]:
    """v -> H v, both (dim,), and dim, for a scalar loss of the parameters; traceable.

    The units are those of the loss per squared unit of the parameters.
    """
    flat, unravel = ravel_pytree(params)
    gradient = jax.grad(lambda vector: loss(unravel(vector)))
    return lambda vector: jax.jvp(gradient, (flat,), (vector,))[1], flat.size


def gauss_newton_product(
    model: Callable[[PyTree], jax.Array], loss: Callable[[jax.Array], jax.Array], params: PyTree
) -> tuple[MatrixProduct, int]:
    """v -> G v, both (dim,), and dim.

    Args:
        model: from the parameters to the outputs on all data, any shape.
        loss: from those outputs to a scalar; convex in them, so that G has no negative eigenvalue.  For a negative
            log likelihood of an exponential family G is the Fisher information (Martens 2020, section 9).
        params: where.
    """
    flat, unravel = ravel_pytree(params)

    def outputs(vector: jax.Array) -> jax.Array:
        return model(unravel(vector))

    def product(vector: jax.Array) -> jax.Array:
        out, moved = jax.jvp(outputs, (flat,), (vector,))
        bent = jax.jvp(jax.grad(loss), (out,), (moved,))[1]
        curved: jax.Array = jax.vjp(outputs, flat)[1](bent)[0]
        return curved

    return product, flat.size
