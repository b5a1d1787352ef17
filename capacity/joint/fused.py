"""Noises with nothing between them are one noise: layers whose encoder is the identity, told by its own program.

A channel after a channel is a channel (`Chain`, `Erased`) whose density is exact, where the first has atoms, or the
second drops units.  An encoder is taken for the identity only where its traced program is to return its argument.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from capacity.channels import Chain, Channel
from capacity.channels.binary import DroppingChannel
from capacity.channels.erased import Erased
from capacity.joint.stack import Layer, Stack


def fused(stack: Stack, number: int) -> tuple[Stack, int]:
    """The same law of one layer's noisy units by fewer layers: what ends in that layer is one where it can be.

    Args:
        stack: a source and its layers.
        number: of the layer, from 1.
    """
    layers = stack.layers[:number]
    first = number - 1
    while first > 0 and is_identity(layers[first]):
        first -= 1
    for start in range(first, number - 1):
        channel = one_channel([layer.channel for layer in layers[start:]])
        if channel is not None:
            whole = (*layers[:start], Layer(layers[start].encoder, channel))
            return Stack(stack.source, whole), len(whole)
    return Stack(stack.source, layers), number


def one_channel(channels: Sequence[Channel]) -> Channel | None:
    """The channels one after another as one; None where its density is not known."""
    found = channels[0]
    for channel in channels[1:]:
        plain = channel.memoryless and channel.code is jax.Array and channel.code_axes == 1
        if found.atomic and plain:
            found = Chain(found, channel)
        elif isinstance(channel, DroppingChannel) and found.memoryless and not found.atomic:
            found = Erased(found, channel)
        else:
            return None
    return found


def is_identity(layer: Layer) -> bool:
    """Whether the encoder returns its argument as it is, by its traced program: it has no step at all."""
    if layer.channel.code is not jax.Array or layer.channel.code_axes != 1:
        return False
    try:
        program = jax.make_jaxpr(layer.encoder)(jax.ShapeDtypeStruct((2,), jnp.float32))
    except Exception:  # made for vectors of another length: it does something with them
        return False
    return not program.eqns and list(program.jaxpr.outvars) == list(program.jaxpr.invars)
