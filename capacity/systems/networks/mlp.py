"""A plain multilayer perceptron, the encoders and decoders' trunk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import jax
from flax import nnx

from capacity.training.precision import product

ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "relu": jax.nn.relu,
    "silu": jax.nn.silu,
    "gelu": jax.nn.gelu,
    "hard_silu": jax.nn.hard_silu,
    "leaky_relu": jax.nn.leaky_relu,
    "tanh": jax.numpy.tanh,
}


class MLP(nnx.Module):
    """Linear layers with an activation between them; no widths make it linear.  Maps (sizes[0],) to (sizes[-1],)."""

    def __init__(self, sizes: Sequence[int], activation: str, rngs: nnx.Rngs):
        self.activation = activation
        self.layers = nnx.List([nnx.Linear(a, b, dot_general=product, rngs=rngs) for a, b in pairwise(sizes)])

    def __call__(self, x: jax.Array) -> jax.Array:
        """One item through the layers."""
        for layer in self.layers[:-1]:
            x = ACTIVATIONS[self.activation](layer(x))
        return self.layers[-1](x)
