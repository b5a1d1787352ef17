"""The noisy layers of a flax nnx network, found by themselves: a `Sequential`, or a list of modules and functions.

`nnx.Dropout` in training mode is noise, and so is a channel of this house; what stands between them is an encoder, with
its parameters, and its statistics frozen at their running averages.  Dropout that shares its mask along axes drops
groups of units: channels of an image, or a whole layer.  What cannot be told apart from its noise is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from capacity.channels import Channel, Dropout, SharedDropout
from capacity.joint.stack import Layer, unchanged
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Vector

Shape: TypeAlias = tuple[int, ...]
Part: TypeAlias = Callable[[jax.Array], jax.Array]
"""From a batch to a batch."""


@register_dataclass
@dataclass(frozen=True)
class FrozenModule:
    """An nnx module in evaluation mode, a function of a batch: parameters and statistics as leaves."""

    state: Any  # nnx.State, whose type arguments are no public ones
    definition: Any = field(metadata={"static": True})  # nnx.GraphDef has no public type argument

    def __call__(self, batch: jax.Array) -> jax.Array:
        found: jax.Array = nnx.merge(self.definition, self.state)(batch)
        return found


@register_dataclass
@dataclass(frozen=True)
class PartsInTurn:
    """Functions of batches one after another, of one vector: scaled, a batch of one, and flat again at the end."""

    parts: tuple[Part, ...]
    shape: Shape = field(metadata={"static": True})
    scale: float = field(default=1.0, metadata={"static": True})

    def __call__(self, vector: Vector) -> Vector:
        return self.of_batch(self.scale * vector.reshape(1, *self.shape)).reshape(-1)

    def of_batch(self, batch: jax.Array) -> jax.Array:
        """Without the shapes."""
        for part in self.parts:
            batch = part(batch)
        return batch


def layers_of_module(module: object, shape: int | Sequence[int]) -> tuple[Layer, ...]:
    """The noisy layers of an nnx network, for `Stack` and `measure_network`.

    Args:
        module: `nnx.Sequential`, `nnx.List`, or a list or tuple, of modules, functions of batches, channels, `Layer`s,
            and lists of these again.  It stays as it is.  `nnx.Dropout` counts unless it is deterministic or of rate 0.
        shape: of one example, without a batch's axis; a number for a vector.  Examples come as flat vectors.

    Returns:
        A layer for each noise, of flat units; what comes after the last noise adds no information, and is left out.

    Raises:
        TypeError: for what is neither a list of layers nor a part of one.
        ValueError: where there is no noise, and for a module that draws random numbers inside.
    """
    at: Shape = (int(shape),) if isinstance(shape, int | np.integer) else tuple(int(size) for size in shape)
    layers: list[Layer] = []
    parts: list[Part] = []
    start, scale = at, 1.0
    for number, part in enumerate(_flat(module), 1):
        channel, kept = _noise(part, at)
        if channel is None:
            if isinstance(part, nnx.Dropout):
                continue  # in evaluation mode it does nothing
            parts.append(_frozen(part, number))
            at = _shape_after(parts[-1], at, number)
            continue
        if isinstance(part, Layer):
            parts.append(_BatchOfEncoder(part.encoder))
        if layers and not parts and (scale == 1.0 or isinstance(part, nnx.Dropout)):
            layers.append(Layer(unchanged, channel))  # dropout of dropped units: the factors wait for what follows
        else:
            layers.append(Layer(PartsInTurn(tuple(parts), start, scale), channel))
            scale = 1.0
        scale *= 1 / kept
        start, parts = at, []
    if not layers:
        raise ValueError(
            "Expected noise between the layers: nnx.Dropout in training mode (module.train()), or a channel such as "
            "capacity.channels.Gaussian; got none."
        )
    return tuple(layers)


@register_dataclass
@dataclass(frozen=True)
class _BatchOfEncoder:
    """A layer's own encoder, of a batch of one."""

    encoder: Callable[[Vector], Any]

    def __call__(self, batch: jax.Array) -> jax.Array:
        code = self.encoder(batch.reshape(-1))
        if not isinstance(code, jax.Array):
            raise TypeError(
                f"Expected a layer whose code is an array, among an nnx network's; got {type(code).__name__}: put it "
                "in a Stack of one's own."
            )
        return code[None]


def _flat(module: object) -> Iterable[object]:
    """The parts of a list, and of lists among them."""
    if isinstance(module, nnx.Sequential):
        module = module.layers
    if not isinstance(module, nnx.List | list | tuple):
        raise TypeError(
            f"Expected nnx.Sequential, nnx.List or a list of layers; got {type(module).__name__}: give its layers in "
            "the order in which they are called, [model.first, nnx.relu, model.dropout, ...]."
        )
    for part in module:
        if isinstance(part, nnx.Sequential | nnx.List | list | tuple):
            yield from _flat(part)
        else:
            yield part


def _noise(part: object, shape: Shape) -> tuple[Channel | None, float]:
    """The channel that a part is, or None, and what share its survivors are multiplied by the inverse of."""
    if isinstance(part, Layer):
        return part.channel, 1.0
    if isinstance(part, Channel):
        return part, 1.0
    if not isinstance(part, nnx.Dropout) or part.deterministic or part.rate == 0:
        return None, 1.0
    if part.deterministic is None:
        raise ValueError(
            "Expected dropout that is on or off; got one without `deterministic`: module.train() or eval() sets it."
        )
    rate = float(part.rate)
    axes = {axis % (1 + len(shape)) for axis in part.broadcast_dims} - {0}
    kept = 1 - rate if rate < 1 else 1.0
    if not axes:
        return Dropout(rate), kept
    numbers = np.arange(int(np.prod(shape))).reshape(shape)
    for axis in axes:  # all of a group have the number of the first along the axes that share
        numbers = np.broadcast_to(np.take(numbers, [0], axis - 1), shape)
    members = numbers.ravel()[None] == np.unique(numbers)[:, None]
    return SharedDropout(rate, members), kept


def _frozen(part: object, number: int) -> Part:
    """A part without noise as a function of a batch; a module's copy in evaluation mode."""
    if not isinstance(part, nnx.Module):
        if not callable(part):
            raise TypeError(f"Expected a module, function or channel as part {number}; got {type(part).__name__}.")
        return jax.tree_util.Partial(part)
    for path, inner in nnx.iter_modules(part):
        if isinstance(inner, nnx.Dropout) and not inner.deterministic and inner.rate > 0:
            where = ".".join(map(str, path)) or "itself"
            raise ValueError(
                f"Expected noise between the parts of the list; got dropout inside part {number} "
                f"({type(part).__name__}, {where}): give its own parts in its place, or call its eval()."
            )
    copy = nnx.merge(*nnx.split(part))
    nnx.Module.eval(copy)  # type: ignore[no-untyped-call]
    definition, state = nnx.split(copy)
    return FrozenModule(state, definition)


def _shape_after(part: Part, shape: Shape, number: int) -> Shape:
    """The shape of one example after a part."""
    batch = jax.ShapeDtypeStruct((1, *shape), jnp.float32)
    if _draws(part, batch):
        raise ValueError(
            f"Expected part {number} to be the same at each call; got one that draws random numbers inside: make its "
            "noise a channel of the list (capacity.channels), or turn it off."
        )
    found = jax.eval_shape(part, batch)
    if not isinstance(found, jax.ShapeDtypeStruct) or not found.shape or found.shape[0] != 1:
        raise ValueError(
            f"Expected part {number} to make an array with a batch's axis of one of {batch.shape}; got "
            f"{found.shape if isinstance(found, jax.ShapeDtypeStruct) else type(found).__name__}."
        )
    return tuple(found.shape[1:])


def _draws(part: Part, batch: jax.ShapeDtypeStruct) -> bool:
    """Whether a module counts on in one of its streams of random numbers."""
    if not isinstance(part, FrozenModule):
        return False
    module = nnx.merge(part.definition, part.state)
    before = [int(count[...]) for count in _counts(module)]
    module(jnp.zeros(batch.shape, batch.dtype))
    return before != [int(count[...]) for count in _counts(module)]


def _counts(module: nnx.Module) -> list[nnx.Variable[jax.Array]]:
    return [variable for _, variable in nnx.to_flat_state(nnx.state(module, nnx.RngCount))]
