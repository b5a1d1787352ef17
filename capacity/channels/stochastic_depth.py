"""Stochastic depth: whole residual blocks are dropped at random (Huang et al. 2016).

h_(l+1) = h_l + b_l f_l(h_l), b_l = 1 with the survival probability of block l.  Z = h_L takes one of 2^L values, and
all its units share the pattern: the channel has memory.  Its code is everything that the network may answer, a table
of 2^L outcomes (`residual_outcomes`).  Where there is no skip a dropped block kills the signal, which then passes with
probability prod(survival); with identity skips every pattern passes something, and no limit follows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from capacity.channels.atoms import AtomicChannel
from capacity.channels.channel import Number, check_level
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Units

DECAYS = ("uniform", "linear")
Outcomes: TypeAlias = Float[Array, "outcomes units"]


@register_dataclass
@dataclass(frozen=True)
class StochasticDepth(AtomicChannel):
    """One of the code's 2^L outcomes (2^L, units), for all units together; masses on the atoms.

    Bit l of an outcome's number says whether block l, from 0 at the bottom, is kept; the last outcome keeps all.
    Gradients pass to the outcome that was drawn (pathwise, exact).

    Attributes:
        rate: probability that the last block is dropped, the level.
        decay: "uniform", the same rate for all blocks, or "linear", rate (l + 1)/L for block l (the authors' rule).

    Raises:
        ValueError: if the rate is no probability, or the decay is neither.
    """

    rate: Number
    decay: str = field(default="uniform", metadata={"static": True})
    memoryless: ClassVar[bool] = False
    code_axes: ClassVar[int] = 2
    name: ClassVar[str] = "stochastic_depth"
    summary: ClassVar[str] = "residual blocks dropped at random, for all units at once; no ceiling for real units"
    no_ceiling_because: ClassVar[str] = (
        "real-valued units carry unlimited information on every path that lives; where a dropped block kills the "
        "signal, a source passes prod(survival) of its bits"
    )

    def __post_init__(self) -> None:
        check_level("rate", self.rate, 0.0, 1.0)
        if self.decay not in DECAYS:
            raise ValueError(f"Expected a decay among {', '.join(DECAYS)}; got {self.decay!r}.")

    def survival(self, blocks: int) -> Float[Array, " blocks"]:
        """Probability that each block is kept, (blocks,), from the bottom."""
        rate = jnp.asarray(self.rate)
        share = jnp.arange(1, blocks + 1, dtype=rate.dtype) / blocks
        return 1 - rate * (share if self.decay == "linear" else jnp.ones_like(share))

    def atoms(self, u: Outcomes) -> tuple[Outcomes, Float[Array, " outcomes"]]:
        """The outcomes (2^L, units), and the log probabilities of their patterns (2^L,).

        Raises:
            ValueError: if the number of outcomes is no power of two.
        """
        blocks = u.shape[0].bit_length() - 1
        if u.ndim != 2 or u.shape[0] != 2**blocks:
            raise ValueError(f"Expected a code of 2^L outcomes, (2^L, units); got shape {u.shape}.")
        keep = self.survival(blocks).astype(u.dtype)
        kept = (jnp.arange(2**blocks)[:, None] >> jnp.arange(blocks)[None]) & 1
        return u, jnp.where(kept == 1, jnp.log(keep)[None], jnp.log1p(-keep)[None]).sum(1)

    def __call__(self, key: Key, u: Outcomes) -> Units:
        """The outcome of a random pattern, shape (units,)."""
        values, _ = self.atoms(u)
        blocks = u.shape[0].bit_length() - 1
        kept = jax.random.bernoulli(key, self.survival(blocks), (blocks,))
        return values[(kept.astype(jnp.int32) << jnp.arange(blocks)).sum()]

    def signal(self, u: Outcomes) -> Units:
        """The outcome with all blocks kept."""
        return u[-1]


def residual_outcomes(h: Units, blocks: Sequence[Callable[[jax.Array], jax.Array]], skip: bool = True) -> Outcomes:
    """What residual blocks make of h (units,) under every pattern: (2^L, units), the code of `StochasticDepth`.

    Args:
        h: what enters the first block.
        blocks: f_l, each from (units,) to (units,).
        skip: h + f(h) where a block is kept and h where dropped; without, f(h) and 0: a dropped block kills the signal.
    """
    outcomes = h[None]
    for block in blocks:
        out = jax.vmap(block)(outcomes)
        dropped, kept = (outcomes, outcomes + out) if skip else (jnp.zeros_like(out), out)
        outcomes = jnp.concatenate([dropped, kept])
    if skip:
        return outcomes
    # What blocks above make of a dead signal is nothing, biases and all: only the pattern that keeps all lives.
    return outcomes * (jnp.arange(len(outcomes)) == len(outcomes) - 1).astype(h.dtype)[:, None]
