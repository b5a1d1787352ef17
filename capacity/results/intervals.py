"""How far a figure may err: control variates, skewed means, and what a sample cannot show.  Numbers in, numbers out.

A mean of skewed values has an interval with unequal arms (Hall 1992, J. R. Stat. Soc. B 54).  An event that no sample
saw is bounded by the rule of three (Hanley & Lippman-Hand 1983).
"""

from __future__ import annotations

from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Numbers: TypeAlias = jax.Array | np.ndarray | float | int
"""A real number, or an array of them where lanes are stacked."""
Z95 = 1.959963984540054  # standard normal quantile of a two-sided 95 % interval
# Standard errors that a bracket reaches either way.  95 % is promised; but of twenty such intervals one misses by
# design, and a bracket chooses between bounds.  With three, none of twenty misses 19 times of 20.
CONSERVATIVE_ERRORS = 3.0
RARE_LOSS = 5.0  # bits that one rare confusion costs in continuous noise; at 2, signs near their limit covered 81 %
ROUNDING_TOLERANCE = 1e-5  # a control that spreads less is a constant and the rounding of single precision


@jax.jit  # a loop outside of a compiled program would be compiled anew at every call
def less_explained(nats: Float[Array, " n"], controls: Float[Array, "n controls"]) -> Float[Array, " n"]:
    """The values (n,) less the least-squares combination of the controls (n, c), column after column (modified Gram &
    Schmidt).

    A column that the ones before it explain is left out.  No LAPACK: its batched calls, made by lanes on several CPU
    devices at once, were seen to wait for each other forever.
    """
    centred = controls - controls.mean(0, keepdims=True)
    varies = jnp.sqrt(jnp.square(centred).mean(0)) > ROUNDING_TOLERANCE * (1 + jnp.abs(controls).max(0))
    centred, controls = (jnp.where(varies[None], c, 0.0) for c in (centred, controls))
    size, columns = jnp.square(centred).sum(0), jnp.arange(controls.shape[1])

    def remove(k: jax.Array, left: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        nats, controls, centred = left
        one, power = centred[:, k], jnp.square(centred[:, k]).sum()
        scale = jnp.where(power > ROUNDING_TOLERANCE * size[k], 1 / jnp.where(power > 0, power, 1.0), 0.0)
        share = jnp.where(columns > k, one @ centred * scale, 0.0)
        amount = one @ (nats - nats.mean()) * scale
        shared = controls[:, k]
        return nats - amount * shared, controls - jnp.outer(shared, share), centred - jnp.outer(one, share)

    left: jax.Array = jax.lax.fori_loop(0, controls.shape[1], remove, (nats, controls, centred))[0]
    return left


def skewed_ends(mean: jax.Array, stderr: jax.Array, skewness: jax.Array, n: int) -> tuple[jax.Array, jax.Array]:
    """Both ends of the 95 % interval of a mean of n values of this skewness (Hall 1992), in the unit of the mean.

    Args:
        mean, stderr: a figure and its standard error.
        skewness: of the values, without a unit.
        n: how many values.
    """
    low, high = (mean - stderr * _unskew(y, skewness / n**0.5) for y in (Z95, -Z95))
    return low, high


def rule_of_three_bits(loss: Numbers, n: Numbers) -> Numbers:
    """What events that are not among n samples take at most, in bits, at 95 %, if each takes `loss` bits: 3/n of it."""
    return 3 / n * loss


def rule_of_three(distance: Numbers, n: Numbers, loss: Numbers) -> jax.Array:
    """What events too rare to be among n samples may take, in bits, from a figure at this distance of its limit.

    Where nearly every sample gives the limit, events that cost up to `loss` bits come once in many samples; with none
    seen, their share is below 3/n at 95 % (the rule of three, Hanley & Lippman-Hand 1983), and no variance shows it.
    """
    most = rule_of_three_bits(loss, n)
    return jnp.where(distance < 10 * most, most, 0.0)


def _unskew(y: float, a: jax.Array) -> jax.Array:
    """The inverse of Hall's (1992, equation 2.4) cubic that makes a Student ratio of skewed values normal.

    With a = skewness/sqrt(n) it is 3 (cbrt(1 + a (y - a/6)) - 1) / a, which tends to y; near 0 by its series.
    Losses of a good code are rare and large: without it, 95 % intervals at high signal-to-noise covered 92 %.
    """
    small = jnp.abs(a) < 1e-2
    safe = jnp.where(small, 1.0, a)
    return jnp.where(small, y - a / 6 - a * y**2 / 3, 3 * (jnp.cbrt(1 + safe * (y - safe / 6)) - 1) / safe)
