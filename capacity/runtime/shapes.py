"""Shapes in types: what the axes of an array mean (jaxtyping).

The tests check every call of the annotated rooms against them; outside the tests they cost nothing.  All are of one
item: batching is the caller's `vmap`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import jax
from jaxtyping import Array, Float, Shaped
from jaxtyping import Key as KeyOf

Key: TypeAlias = KeyOf[Array, ""]
"""A typed random key, by `jax.random.key`."""
Scalar: TypeAlias = Float[Array, ""]
"""One real number."""
Units: TypeAlias = Float[Array, " units"]
"""A real number for each unit of the code: the code itself, noisy units, nats or bits by unit."""
Vector: TypeAlias = Float[Array, " dim"]
"""What carries a message to the network."""
Message: TypeAlias = Shaped[Array, " message_dim"]
"""What is sent: whole numbers of a discrete source, real ones of a continuous one."""

if TYPE_CHECKING:
    ArrayLeaf: TypeAlias = jax.Array
else:
    ArrayLeaf = Any
"""An array that is a field of a pytree: while JAX handles the tree, a placeholder of any type may stand for it."""
