"""Which messages of a list are drawn, how often: by their probability, and oftener where much may hang on few.

A figure is a sum over messages, sum_m p(m) v(m).  With m drawn from s(m) and weighted by w = p/s its mean is the same
whatever s is (importance sampling, Owen 2013, chapter 9).  By p alone a message that is rare, or whose code lies far
from the others, may be missed or seen once, and no spread tells of it.  So s is p but

    where a message says more than twice the average, in proportion to what it says: w v is then at most 2 H(M);
    where its code is an outlier, so much oftener that rare ones are seen, half of the draws at most;
    where its code lies farther from the mean than Z does on average, in proportion to the square of how far: what noise
    does to a value, and to its controls, grows so, and the tails of Z come from there.

Without such messages s is p and all weights are 1.  Draws are stratified along the distance of the codes from their
mean (Cochran 1977, chapter 5): `PER_STRATUM` from each stratum, which is what the variance is told from.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from capacity.bounds.exact.sorting import nearly_rising_order, quantiles_of_rows
from capacity.bounds.exact.tiles import in_tiles
from capacity.runtime.shapes import Key

PER_STRATUM = 4  # the fewest that tell a variance and a skewness
MAX_TILES = 2**10  # of messages: sums over more than a few thousand would round the probability of one
LOUD = 2.0  # times the average of what messages say: one that says more is drawn oftener
OUTLYING = 2.0, 4.0  # from, and wholly from so many half-ranges of the middle 98 % on is a code an outlier
OFTENER = 64.0  # times as often are outliers drawn,
OUTLIERS_SHARE = 0.5  # but no more of all draws than this
FAR = 1.5  # times the average of Z: a code whose squared length is more is drawn oftener
UNEVEN = 0.5  # the least weight of a rare message, for that of a common one, of draws that count as even
LEARNT_FROM = 2**11  # messages whose codes say what is usual
STEP = 40503  # an odd number: every so many messages, without a pattern in their binary digits


class Proposal(NamedTuple):
    """How messages are drawn; leaves (messages,).

    Attributes:
        log_prob: log s(m), nats.
        weight: p(m) / s(m).
        order: row numbers along which strata are cut.
        uneven: (), whether what messages say makes the weights of some much smaller.
    """

    log_prob: Float[Array, " messages"]
    weight: Float[Array, " messages"]
    order: Int[Array, " messages"]
    uneven: Bool[Array, ""]


def proposal_of(
    log_probs: Float[Array, " messages"],
    outlying: Float[Array, " messages"],
    order_by: Float[Array, " messages"],
    squared: Float[Array, " messages"],
) -> Proposal:
    """The proposal for messages of these probabilities; traceable.

    Args:
        log_probs: log p(m), nats.
        outlying: by `outlyingness`.
        order_by: along which strata are cut.
        squared: squared lengths of the codes, 1 being the average of Z; capped.
    """
    probs = jnp.exp(log_probs)
    surprisal = jnp.where(probs > 0, -log_probs, 0.0)
    entropy = (probs * surprisal).sum()
    oftener = jnp.maximum(1.0, surprisal / jnp.maximum(LOUD * entropy, np.finfo(probs.dtype).tiny))
    oftener = jnp.where(entropy > 0, oftener, 1.0)
    mass = (probs * outlying).sum()
    share = jnp.minimum(OUTLIERS_SHARE, OFTENER * mass)
    apart = share * outlying / jnp.where(mass > 0, mass, 1.0)

    def ratio(usual: jax.Array) -> jax.Array:
        return (1 - share) * usual / (probs * usual).sum() + apart

    uneven = jnp.where(probs > 0, oftener, 1.0).max() * UNEVEN > 1
    found = ratio(jnp.maximum(oftener, squared / FAR))
    return Proposal(log_probs + jnp.log(found), 1 / found, nearly_rising_order(order_by), uneven)


def outlyingness(scores: Float[Array, "messages scores"], floors: Float[Array, " scores"]) -> Float[Array, " messages"]:
    """Between 0 and 1: whether some score of a message lies far out of the range that is usual.

    Args:
        scores: what may set a code apart; infinite or NaN ones count as 0.
        floors: the least half-range of each score that counts as a spread.
    """
    scores = jnp.where(jnp.isfinite(scores), scores, 0.0)
    differ = (scores != scores[:1]).any()  # of noise that is alike everywhere there is nothing to sort
    none = jnp.zeros(len(scores), scores.dtype)
    found: jax.Array = jax.lax.cond(differ, lambda: _outlyingness(scores, floors), lambda: none)
    return found


def _outlyingness(
    scores: Float[Array, "messages scores"], floors: Float[Array, " scores"]
) -> Float[Array, " messages"]:
    count = len(scores)
    some = scores[(np.arange(min(count, LEARNT_FROM), dtype=np.int64) * STEP) % count]
    low, high = quantiles_of_rows(some, (0.01, 0.99))
    middle, half = (low + high) / 2, jnp.maximum((high - low) / 2, floors)
    apart = jnp.abs(scores - middle[None])
    distance = jnp.where(apart > 0, apart / half[None], 0.0).max(1)  # nothing is far where nothing differs
    return jnp.clip((distance - OUTLYING[0]) / (OUTLYING[1] - OUTLYING[0]), 0.0, 1.0)


def stratified_size(n: int) -> int:
    """The samples that are drawn where n were asked for: the next multiple of `PER_STRATUM`."""
    return -(-n // PER_STRATUM) * PER_STRATUM


def draw_rows(key: Key, proposal: Proposal, n: int) -> Int[Array, " n"]:
    """n row numbers, a multiple of `PER_STRATUM`: as many from each stratum, in the order of the strata.

    The mass is cut into n parts, and a row drawn from each: one that has as much mass as a part is hardly missed.  What
    differs among the parts of a stratum counts as chance all the same.  A tile of rows is found first, then the row in
    it, since sums over all rows would round the probability of one.
    """
    mass = jnp.exp(proposal.log_prob)[proposal.order]
    width = -(-len(mass) // MAX_TILES)
    tiles = in_tiles(mass, width, 0.0)
    key_part, key_within = jax.random.split(key)
    position = (jnp.arange(n, dtype=mass.dtype) + jax.random.uniform(key_part, (n,), mass.dtype)) / n
    upper = jnp.cumsum(tiles.sum(1))
    tile = jnp.searchsorted(upper, _within(position * upper[-1], upper), side="right")
    tile_mass = tiles.sum(1)[tile]
    # Where in its tile a position lies is rounded too: what is lost is drawn anew.
    lost = jnp.finfo(mass.dtype).eps * jax.random.uniform(key_within, (n,), mass.dtype)
    left = position * upper[-1] - (upper[tile] - tile_mass) + lost
    within = jnp.cumsum(tiles, axis=1)[tile]
    return proposal.order[tile * width + _found(jnp.clip(left / tile_mass, 0.0, 1.0) * within[:, -1], within)]


def _found(target: Float[Array, " n"], cumulated: Float[Array, "rows count"]) -> Int[Array, " n"]:
    """Numbers (n,) of the masses in which the targets lie, whose sums are the rows of `cumulated`; none of mass 0."""
    below: jax.Array = (cumulated <= _within(target, cumulated)[:, None]).sum(1, dtype=jnp.int32)
    return below


def _within(target: Float[Array, " n"], cumulated: Float[Array, "*rows count"]) -> Float[Array, " n"]:
    """Targets before the last sum, whose own row the whole of it would lie behind."""
    return jnp.minimum(target, cumulated[..., -1] * (1 - jnp.finfo(target.dtype).eps))
