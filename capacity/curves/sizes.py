"""How much memory a curve takes, and whether there is as much: asked before any of it is taken."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from capacity.runtime.memory import GIB, check_fits

if TYPE_CHECKING:
    from capacity.training import System, Training
    from synthetic.source import Source

FLOAT = 4  # bytes
COPIES = 5  # of a parameter while it is trained: itself, its gradient, two moments, what replaces it
BATCH_COPIES = 2  # of what hidden units say: for the gradient
SAMPLE_FLOATS = 150  # of a sample and unit while figures by unit are made; 154 were seen
LANE_FLOATS = 64  # of a lane and unit: figures and their intervals


def curve_bytes(
    layers: Sequence[int],
    lanes: int,
    *,
    batch: int = 0,
    steps: int = 0,
    samples: int = 0,
    messages: float = 0,
    at_once: int = 1,
    parameters: int | None = None,
    activations: int | None = None,
) -> dict[str, float]:
    """Bytes that a curve takes at the least, by what decides them.

    Args:
        layers: lengths of the vector, of hidden layers, and of the code.
        lanes: how many trainings.
        batch, steps: of each.
        samples: that are held against the list of all messages; 0 where there is none.
        messages: how many are listed.
        at_once: lanes that are trained side by side.
        parameters: of all networks; by default of perceptrons of these layers, encoder and decoder.
        activations: numbers of one message that training keeps; by default these layers, of both.
    """
    if parameters is None:
        parameters = 2 * sum(one * other for one, other in itertools.pairwise(layers))
    if activations is None:
        activations = 2 * sum(layers)
    dim, units = layers[0], layers[-1]
    found = {
        "widths and units": at_once * COPIES * parameters,
        "the batch": at_once * BATCH_COPIES * batch * activations,
        "levels, seeds and steps": lanes * (steps + LANE_FLOATS * units),
        "samples": at_once * SAMPLE_FLOATS * samples * units,
        "bits": messages * (dim + units),
    }
    return {name: FLOAT * float(floats) for name, floats in found.items()}


def memory_of(source: Source, system: System, training: Training, lanes: int, samples: int) -> dict[str, float]:
    """As `curve_bytes`, of a source and a system.

    Args:
        source, system, training: of every lane.
        lanes: how many.
        samples: that are held against the list of all messages; 0 where there is none.

    Raises:
        ValueError: where already the hidden layers need more than there is.
    """
    import jax  # which `curve_bytes` need not wait for

    from capacity.training import places_here

    network = system.architecture
    sizes: dict[str, Any] = (
        {one.name: getattr(network, one.name) for one in fields(network)} if is_dataclass(network) else {}
    )
    hidden = sizes.get("widths", ())  # the caller's own may have none
    of_curve: dict[str, Any] = {
        "batch": max(training.batch, training.receiver_batch),
        "steps": training.steps + training.receiver_steps,
        "samples": samples,
        "messages": 2**source.bits if samples else 0,
        "at_once": min(lanes, places_here()),
    }
    units = system.channel_units(source)
    # Any structure has as much between its hidden layers; of widths past all memory not even shapes can be had.
    check_bytes(curve_bytes((1, *hidden, units), lanes, **of_curve))
    parameters = jax.eval_shape(lambda key: system.init(key, source), jax.random.key(0))
    of_curve["parameters"] = sum(leaf.size for leaf in jax.tree.leaves(parameters))
    return curve_bytes((source.dim, *hidden, units), lanes, activations=system.activations(source), **of_curve)


def check_memory(source: Source, system: System, training: Training, lanes: int, samples: int) -> None:
    """Refuse a curve that needs more memory than there is.

    Args:
        source, system, training, lanes, samples: as in `memory_of`.

    Raises:
        ValueError: saying how much, of how much, and what to lower.
    """
    check_bytes(memory_of(source, system, training, lanes, samples))


def check_bytes(needed: Mapping[str, float]) -> None:
    """Refuse a curve of these bytes, as `curve_bytes` tells them, where there are not as many.

    Raises:
        ValueError: as `check_memory` does.
    """
    most = max(needed, key=lambda name: needed[name])
    check_fits(sum(needed.values()), "a curve", f"Lower {most}: {needed[most] / GIB:,.1f} GiB.")
