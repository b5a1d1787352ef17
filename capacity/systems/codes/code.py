"""What every hand-made code promises: from a source and a number of units an encoder of mean 0 and power 1 a unit.

A code that sends digits has to read them from the vector first: from the nearest row of the list where that is short,
else by the linear map of least squares, which is exact where the vector holds the digits as amplitudes, rotated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol, TypeAlias, runtime_checkable

import jax
import jax.numpy as jnp

if TYPE_CHECKING:
    from synthetic.source import Source

Encoder: TypeAlias = Callable[[jax.Array], jax.Array]
"""A pytree that is called with one vector (dim,) and gives the units (units,), or a message's digits."""
MAX_LOOKED_UP = 2**12  # the longest list in which each vector is looked up
SAMPLES = 65536
VARIANCE_TOLERANCE = 1e-6  # of the largest variance: below it a component is rounding
HIGHEST = jax.lax.Precision.HIGHEST


@runtime_checkable
class HandmadeCode(Protocol):
    """A frozen dataclass whose fields are the choices of its maker."""

    name: ClassVar[str]
    summary: ClassVar[str]

    def build(self, source: Source, units: int, key: jax.Array | None = None) -> Encoder:
        """Encoder of one vector (dim,) to (units,), of mean 0 and mean square 1 a unit over the messages.

        Args:
            source: an object with a source's methods; may be traced.
            units: how many numbers are sent.
            key: for the draws that stand for the source where its messages cannot be listed.

        Raises:
            ValueError: where the code cannot be made for this source, and where a key is needed and not given.
        """
        ...


class WeightedSample(NamedTuple):
    """What stands for a source: its whole list, or a sample."""

    message: jax.Array  # (n, message_dim)
    vector: jax.Array  # (n, dim)
    probs: jax.Array  # (n,)


def weighted_sample(source: Source, key: jax.Array | None) -> WeightedSample:
    """All messages with their vectors and probabilities where they can be listed, else 65,536 samples."""
    if source.listable:
        vectors, log_probs = source.codebook()
        return WeightedSample(source.messages(), vectors, jnp.exp(log_probs))
    if key is None:
        raise ValueError("Expected a key to draw from a source that cannot be listed; got none.")
    batch = source.sample(key, SAMPLES)
    return WeightedSample(batch.message, batch.vector, jnp.full(SAMPLES, 1 / SAMPLES))


def digits_of(source: Source, key: jax.Array | None) -> Encoder:
    """Reader of the message from one vector: (dim,) -> (message_dim,) int8.

    Raises:
        ValueError: for a continuous source, and where neither a list nor a linear map reads the digits.
    """
    if not source.discrete:
        raise ValueError(f"Expected a discrete source, whose messages are digits; got {source.name}, continuous.")
    drawn = weighted_sample(source, key)
    if source.listable and len(drawn.vector) <= MAX_LOOKED_UP:
        return jax.tree_util.Partial(_look_up, drawn.vector, jnp.square(drawn.vector).sum(1), drawn.message)
    mean = drawn.probs @ drawn.vector
    centred, amplitude = drawn.vector - mean[None], 2.0 * drawn.message.astype(jnp.float32) - 1.0
    gram = jnp.matmul(centred.T, drawn.probs[:, None] * centred, precision=HIGHEST)
    seen = jnp.matmul(centred.T, drawn.probs[:, None] * amplitude, precision=HIGHEST)
    read = jax.tree_util.Partial(_linear, mean, jnp.linalg.pinv(gram, rtol=1e-5, hermitian=True) @ seen)
    wrong = (jax.vmap(read)(drawn.vector[:SAMPLES]) != drawn.message[:SAMPLES]).any()
    if _known(wrong) and bool(wrong):
        raise ValueError(
            f"Expected at most {MAX_LOOKED_UP} messages, or digits that a linear map reads; got {source.name}."
        )
    return read


def components_of(source: Source, units: int, key: jax.Array | None) -> Encoder:
    """The `units` leading principal components, each of mean 0 and variance 1: (dim,) -> (units,).

    Raises:
        ValueError: where the vectors have fewer.
    """
    drawn = weighted_sample(source, key)
    if units > source.dim:
        raise ValueError(f"Expected at most dim = {source.dim} units for as many principal components; got {units}.")
    mean = drawn.probs @ drawn.vector
    centred = drawn.vector - mean[None]
    variance, direction = jnp.linalg.eigh(jnp.matmul(centred.T, drawn.probs[:, None] * centred, precision=HIGHEST))
    variance, direction = variance[::-1][:units], direction[:, ::-1][:, :units]
    if _known(variance) and bool(variance[-1] < VARIANCE_TOLERANCE * variance[0]):
        rank = int((variance >= VARIANCE_TOLERANCE * variance[0]).sum())
        raise ValueError(f"Expected at most {rank} units, as many as the vectors have components; got {units}.")
    return jax.tree_util.Partial(_project, mean, direction / jnp.sqrt(variance)[None])


def normalised(source: Source, raw: Encoder, key: jax.Array | None) -> Encoder:
    """The encoder shifted and scaled to mean 0 and mean square 1 a unit, by the list or a sample."""
    drawn = weighted_sample(source, key)
    u = jax.lax.map(raw, drawn.vector, batch_size=min(8192, len(drawn.vector)))
    shift = drawn.probs @ u
    spread = jnp.sqrt(drawn.probs @ jnp.square(u - shift[None]))
    return jax.tree_util.Partial(_rescale, raw, shift, 1 / jnp.where(spread > 0, spread, 1.0))


def fair(source: Source) -> bool:
    """Whether every digit is an independent fair bit, so that a code's moments are known without a list."""
    return bool(source.discrete and source.bits == source.message_dim)


def dealt(digits: int, units: int) -> list[list[int]]:
    """Which digits each unit sends: as even as can be, in order; where units are left over the digits come again."""
    if units >= digits:
        return [[j % digits] for j in range(units)]
    sizes = [digits // units + (j < digits % units) for j in range(units)]
    starts = [sum(sizes[:j]) for j in range(units)]
    return [list(range(start, start + size)) for start, size in zip(starts, sizes, strict=True)]


def check_units(units: int) -> None:
    """Raise ValueError unless there is at least one unit."""
    if units < 1:
        raise ValueError(f"Expected at least one unit; got {units}.")


def _known(value: jax.Array) -> bool:
    return not isinstance(value, jax.core.Tracer)


def _look_up(rows: jax.Array, squares: jax.Array, messages: jax.Array, x: jax.Array) -> jax.Array:
    return messages[jnp.argmin(squares - 2 * jnp.matmul(rows, x, precision=HIGHEST))]


def _linear(mean: jax.Array, weights: jax.Array, x: jax.Array) -> jax.Array:
    return (jnp.matmul(x - mean, weights, precision=HIGHEST) > 0).astype(jnp.int8)


def _project(mean: jax.Array, directions: jax.Array, x: jax.Array) -> jax.Array:
    return jnp.matmul(x - mean, directions, precision=HIGHEST)


def _rescale(raw: Encoder, shift: jax.Array, scale: jax.Array, x: jax.Array) -> jax.Array:
    return (raw(x) - shift) * scale
