"""A network of one hidden layer of tanh units and one real output, as plain arrays."""

from __future__ import annotations

import jax
import jax.numpy as jnp

TwoLayer = dict[str, jax.Array]  # "in" (inputs, hidden), "bias" (hidden,), "out" (hidden,), "shift" ()


def init_two_layer(key: jax.Array, inputs: int, hidden: int) -> TwoLayer:
    """Normal weights of variance one over the number of inputs of each layer, biases 0."""
    key_in, key_out = jax.random.split(key)
    return {
        "in": jax.random.normal(key_in, (inputs, hidden)) / inputs**0.5,
        "bias": jnp.zeros(hidden),
        "out": jax.random.normal(key_out, (hidden,)) / hidden**0.5,
        "shift": jnp.zeros(()),
    }


def two_layer(params: TwoLayer, x: jax.Array) -> jax.Array:
    """Outputs (n,) for inputs (n, inputs)."""
    hidden = jnp.tanh(x @ params["in"] + params["bias"][None])
    return hidden @ params["out"] + params["shift"]
