"""Bits that linear convolutional codes of ±1 units carry through Gaussian noise, by their trellis, in float64.

An independent computation, which shares nothing with `capacity.bounds.local`: long messages, states of the encoder's
register, and p(z) by the forward recursion (Arnold & Loeliger 2001; Pfister, Soriaga & Siegel 2001).  Messages start
from a register of zeros and end anywhere, as the encoder here has them.
"""

from __future__ import annotations

import math
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

import synthetic
from capacity.channels import Gaussian
from capacity.joint.joint import Joint

DIGITS = 2**21  # in all: the error is then below 1e-3 of a bit a digit
FEW_DIGITS = 2**18
CODES: dict[int, tuple[tuple[int, ...], ...]] = {
    2: ((1, 0, 1), (1, 1, 1)),
    3: ((1, 0, 1, 1), (1, 1, 1, 1)),
    4: ((1, 0, 0, 1, 1), (1, 1, 1, 0, 1)),
    6: ((1, 0, 1, 1, 0, 1, 1), (1, 1, 1, 1, 0, 0, 1)),
}
"""Generators by memory: those of the greatest free distance (Lin & Costello 2004, table 12.1)."""


def trellis_joint(memory: int, outputs: int, digits: int, sigma: float) -> Joint:
    """The code as an encoder, its units in Gaussian noise.

    Args:
        memory, outputs, sigma: as of `trellis_bits`.
        digits: of a message.
    """
    generators = CODES[memory][:outputs]

    def encode(x: jax.Array) -> jax.Array:
        earlier = jnp.concatenate([-jnp.ones(memory), x])  # a digit of 0 is sent as -1
        units = []
        for taps in generators:
            parts = [earlier[memory - delay : memory - delay + len(x)] for delay, tap in enumerate(taps) if tap]
            units.append(-jnp.prod(-jnp.stack(parts), axis=0))
        return jnp.stack(units, axis=1).reshape(-1)

    return Joint(synthetic.PlainBits(digits, digits), encode, Gaussian(jnp.float32(sigma)))


@cache
def trellis_bits(memory: int, outputs: int, digits: int, sigma: float, total: int = DIGITS) -> tuple[float, float]:
    """I(M;Z) of a message of so many digits, and its standard error, bits.

    Args:
        memory: of the code, a key of `CODES`.
        outputs: how many of its units are sent each time.
        digits: of a message.
        sigma: of the noise.
        total: digits of all messages that are drawn.
    """
    generators = np.array(CODES[memory][:outputs])
    random, streams = np.random.default_rng(0), total // digits
    states = np.arange(2**memory)
    register = (states[:, None] >> np.arange(memory)) & 1  # the newest digit counts one
    signs = np.empty((2, 2**memory, outputs))
    for digit in (0, 1):
        whole = np.concatenate([np.full((2**memory, 1), digit), register], axis=1)
        signs[digit] = 1.0 - 2.0 * ((whole @ generators.T) & 1)
    following = [((states << 1) | digit) & (2**memory - 1) for digit in (0, 1)]
    moves = [np.eye(2**memory)[states_after] for states_after in following]
    sent, belief = np.zeros(streams, int), np.zeros((streams, 2**memory))
    belief[:, 0] = 1.0
    told = np.zeros(streams)
    for _ in range(digits):
        drawn = random.integers(0, 2, streams)
        z = signs[drawn, sent] + sigma * random.standard_normal((streams, outputs))
        own = np.square(z - signs[drawn, sent]).sum(1)
        after = np.zeros_like(belief)
        for digit in (0, 1):
            distance = np.square(z[:, None] - signs[digit][None]).sum(2)
            branch = 0.5 * belief * np.exp((own[:, None] - distance) / (2 * sigma**2))
            after += branch @ moves[digit]
        total = after.sum(1)
        told -= np.log(total)
        belief, sent = after / total[:, None], np.where(drawn == 1, following[1][sent], following[0][sent])
    bits = told / math.log(2)
    return float(bits.mean()), float(bits.std(ddof=1) / math.sqrt(streams))
