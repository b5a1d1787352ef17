"""Message decoders q(m | z) that read digit after digit: a causal stack over them, with the noisy code at every place.

q(m | z) = prod_i q(m_i | z, m_<i), so that it is normalised and gives a lower bound, as a masked network does
(`decoders`).  A stack is causal if what it says of a place depends on this place and those before.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from capacity.systems.networks.decoders import log_prob_of_bits
from capacity.systems.networks.residual import linear_layer
from capacity.systems.networks.tokens import TokenStack


class CausalBits(nnx.Module):
    """q(m | z) for a message of 0/1 digits.

    Each place sees the digit before it, and what a linear layer of its own makes of the code.

    Args:
        units, digits: lengths of code and message.
        ends: numbers of a place before and after the stack.
        stack: causal, (digits, ends[0]) -> (digits, ends[1]).
        rngs: of the linear layers.
    """

    def __init__(self, units: int, digits: int, ends: tuple[int, int], stack: TokenStack, rngs: nnx.Rngs):
        self.shape = digits, ends[0]
        self.code, self.digit = linear_layer(units, digits * ends[0], rngs), linear_layer(1, ends[0], rngs)
        self.stack, self.read = stack, linear_layer(ends[1], 1, rngs)

    def log_prob(self, message: jax.Array, z: jax.Array) -> jax.Array:
        """log q(message | z) in nats, a scalar; message (digits,) of 0/1, z (units,)."""
        before = jnp.roll(2 * message.astype(z.dtype) - 1, 1).at[0].set(0)
        places = self.code(z).reshape(self.shape) + self.digit(before[:, None])
        return log_prob_of_bits(message, self.read(self.stack(places))[:, 0])
