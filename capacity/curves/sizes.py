"""How much memory a curve takes, and whether there is as much: asked before any of it is taken."""

from __future__ import annotations

import itertools
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from capacity.training import places_here

if TYPE_CHECKING:
    from capacity.training import System, Training
    from synthetic.source import Source

FLOAT = 4  # bytes
COPIES = 5  # of a parameter while it is trained: itself, its gradient, two moments, what replaces it
BATCH_COPIES = 2  # of what hidden units say: for the gradient
SAMPLE_FLOATS = 150  # of a sample and unit while figures by unit are made; 154 were seen
LANE_FLOATS = 64  # of a lane and unit: figures and their intervals


def memory_of(source: Source, system: System, training: Training, lanes: int, samples: int) -> dict[str, float]:
    """Bytes that a curve takes at the least, by what decides them.

    Args:
        source, system, training: of every lane.
        lanes: how many.
        samples: that are held against the list of all messages; 0 where there is none.
    """
    units, rows = system.channel_units(source), max(training.batch, training.receiver_batch)
    network = asdict(system).get("architecture")
    hidden = network.get("widths", ()) if isinstance(network, dict) else ()  # the caller's own may have none
    layers = (source.dim, *hidden, units)
    parameters = 2 * sum(one * other for one, other in itertools.pairwise(layers))
    at_once = min(lanes, places_here())
    found = {
        "widths and units": at_once * COPIES * parameters,
        "the batch": at_once * BATCH_COPIES * rows * 2 * sum(layers),
        "levels, seeds and steps": lanes * (training.steps + training.receiver_steps + LANE_FLOATS * units),
        "samples": at_once * SAMPLE_FLOATS * samples * units,
        "bits": 2**source.bits * (source.dim + units) if samples else 0,
    }
    return {name: FLOAT * float(floats) for name, floats in found.items()}


def check_memory(source: Source, system: System, training: Training, lanes: int, samples: int) -> None:
    """Refuse a curve that needs more memory than there is.

    Args:
        source, system, training, lanes, samples: as in `memory_of`.

    Raises:
        ValueError: saying how much, of how much, and what to lower.
    """
    needed, free = memory_of(source, system, training, lanes, samples), free_memory()
    whole, most = sum(needed.values()), max(needed, key=lambda name: needed[name])
    if whole > free:
        whole, part, free = (size / 2**30 for size in (whole, needed[most], free))
        raise ValueError(
            f"Expected a curve that fits into memory, of which {free:,.1f} GiB are free; got one that takes "
            f"{whole:,.0f} GiB or more. Lower {most}: {part:,.0f} GiB."
        )


def free_memory() -> float:
    """Bytes that programs may still take; of the whole machine where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
