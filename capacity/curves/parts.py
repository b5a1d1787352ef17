"""Finished lanes on disk: what a group ended with is one part, one file with one checksum.

A part is named by its curve, its first lane and its number of lanes, and says itself which lanes it holds: groups may
be other ones when a run goes on, with other devices or other workers.
"""

from __future__ import annotations

import re

import numpy as np

from capacity.runtime.files.parts import Arrays, Parts

LANES = "lanes"


def save_lanes(store: Parts, curve: str, lanes: list[int], arrays: list[Arrays]) -> None:
    """Keep the arrays of a group's lanes as one part.

    Args:
        store: where.
        curve: its name.
        lanes: their numbers.
        arrays: of each, in that order.
    """
    stacked = {name: np.stack([one[name] for one in arrays]) for name in arrays[0]}
    store.save(f"{curve}-{lanes[0]:04d}-{len(lanes)}", stacked | {LANES: np.asarray(lanes)})


def load_lanes(store: Parts, curve: str) -> dict[int, Arrays]:
    """Arrays of every lane of a curve that is there whole."""
    lanes: dict[int, Arrays] = {}
    for name in _names(store, curve):
        part = store.load(name)
        if part is not None:
            for i, lane in enumerate(part.pop(LANES).tolist()):
                lanes[lane] = {name: array[i] for name, array in part.items()}
    return lanes


def count_lanes(store: Parts, curve: str) -> int:
    """How many lanes of a curve are there, by the names of their parts, which may be damaged."""
    return sum(int(name.rsplit("-", 1)[1]) for name in _names(store, curve))


def _names(store: Parts, curve: str) -> list[str]:
    """Of this curve alone, where another one's name begins with its name."""
    return sorted(name for name in store.names(curve) if re.fullmatch(rf"{re.escape(curve)}-\d+-\d+", name))
