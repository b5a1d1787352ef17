"""Whether the numbers of a code can hold its noise: z = u + noise is rounded before its density is taken."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from capacity.bounds.exact.listing import Listed
from capacity.channels.channel import Channel
from capacity.results.estimate import NATS_PER_BIT, Estimate

RESOLUTION = 256.0  # roundings of a unit that its noise must exceed: the figure then errs by some 1e-5 nats


def check_finite(listed: Listed) -> None:
    """Refuse codes with an entry that is no finite number.

    Raises:
        ValueError: naming how many messages have one, and message and unit of the first.
    """
    for leaf in jax.tree.leaves(listed.codes):
        table = np.asarray(leaf)
        bad = ~np.isfinite(table) if np.issubdtype(table.dtype, np.floating) else np.zeros(table.shape, bool)
        bad &= (np.asarray(listed.log_probs) > -np.inf).reshape(-1, *[1] * (table.ndim - 1))
        if bad.any():
            first = tuple(int(i) for i in np.argwhere(bad)[0])
            raise ValueError(
                f"Expected finite codes; got {table[first]} in unit {first[-1]} of message {first[0]}, and codes that "
                f"are not finite for {int(bad.reshape(len(bad), -1).any(1).sum())} of {len(table)} messages. Look at "
                "what the encoder does with these (a division by 0, a logarithm of 0, an overflow)."
            )


def unresolved(channel: Channel, listed: Listed) -> Bool[Array, "messages units"]:
    """Which units of which messages are so large that rounding, at the precision of the codes, drowns their noise."""
    centre, variance = jax.vmap(channel.moments)(listed.codes)
    least = RESOLUTION * jnp.finfo(centre.dtype).eps * jnp.abs(centre)
    drowned: jax.Array = (variance > 0) & (jnp.sqrt(variance) < least) & (listed.log_probs > -jnp.inf)[:, None]
    return drowned & jnp.asarray(not channel.atomic)


def check_resolved(channel: Channel, listed: Listed) -> None:
    """Refuse codes whose noise is below the resolution of their numbers.

    Raises:
        ValueError: naming the first message and unit.
    """
    drowned = np.asarray(unresolved(channel, listed))
    if drowned.any():
        message, unit = (int(i) for i in np.argwhere(drowned)[0])
        centre, variance = channel.moments(jax.tree.map(lambda leaf: leaf[message], listed.codes))
        raise ValueError(
            f"Expected noise above the rounding of the units; got {float(centre[unit]):.6g} with noise of "
            f"{float(variance[unit]) ** 0.5:.3g} in unit {unit} of message {message}, which {centre.dtype} "
            "cannot hold. Subtract a constant from the units, or make them smaller."
        )


def within_resolution(found: Estimate, channel: Channel, listed: Listed) -> Estimate:
    """The information, its interval from 0 to H(M) where rounding drowns the noise; traceable."""
    rest = listed.entropy / NATS_PER_BIT - found.bits
    down, up = (jnp.where(unresolved(channel, listed).any(), part, 0.0) for part in (found.bits, rest))
    return found.widened_to(down, up)
