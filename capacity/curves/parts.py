"""Finished lanes on disk: what a group ended with is one part, one file with one checksum.

A part is named by its curve, its first lane and its number of lanes, and says itself which lanes it holds: groups may
be other ones when a run goes on, with other devices or other workers.  It also says for which plan, so that lanes of
another key or source are not taken for this one's, wherever parts are kept.
"""

from __future__ import annotations

import re
import warnings

import numpy as np

from capacity.runtime.files.parts import Arrays, Parts

LANES, MADE_FOR = "lanes", "made_for"


def save_lanes(store: Parts, curve: str, lanes: list[int], arrays: list[Arrays], made_for: str = "") -> None:
    """Keep the arrays of a group's lanes as one part.

    Args:
        store: where.
        curve: its name.
        lanes: their numbers.
        arrays: of each, in that order.
        made_for: the digest of the plan.
    """
    stacked = {name: np.stack([one[name] for one in arrays]) for name in arrays[0]}
    about = {LANES: np.asarray(lanes), MADE_FOR: np.asarray(made_for)}
    store.save(f"{curve}-{lanes[0]:04d}-{len(lanes)}", stacked | about)


def load_lanes(store: Parts, curve: str, made_for: str = "") -> dict[int, Arrays]:
    """Arrays of every lane of a curve that is there whole; with a warning, those of another plan are left out.

    Args:
        store: where they are.
        curve: its name.
        made_for: the digest of the plan.
    """
    lanes: dict[int, Arrays] = {}
    for name in _names(store, curve):
        part = store.load(name)
        if part is None:
            continue
        if str(part.pop(MADE_FOR, "")) != made_for:
            warnings.warn(f"Part {name} was made for another plan; its lanes are made again.", stacklevel=2)
            continue
        for i, lane in enumerate(part.pop(LANES).tolist()):
            lanes[lane] = {name: array[i] for name, array in part.items()}
    return lanes


def count_lanes(store: Parts, curve: str) -> int:
    """How many lanes of a curve are there, by the names of their parts, which may be damaged."""
    return sum(int(name.rsplit("-", 1)[1]) for name in _names(store, curve))


def _names(store: Parts, curve: str) -> list[str]:
    """Of this curve alone, where another one's name begins with its name."""
    return sorted(name for name in store.names(curve) if re.fullmatch(rf"{re.escape(curve)}-\d+-\d+", name))
