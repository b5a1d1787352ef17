"""Problems whose information is known, by family and number: what the study of validity measures.

Everything of a problem comes from a NumPy generator seeded by its family and number, its truth from NumPy in float64.
"""

from __future__ import annotations

import zlib

import jax
import numpy as np

from tests.families import (
    blocks,
    channels,
    copies,
    events,
    far,
    hashes,
    inner_noise,
    latents,
    layers,
    networks,
    noises,
    parities,
    scales,
    skewed,
    sources,
    steps,
)
from tests.families.problem import Family, Interval, Problem, Truth

__all__ = ["FAMILIES", "Family", "Interval", "Problem", "Truth", "key_of", "problem_of"]

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        far.FAMILY, events.FAMILY, skewed.FAMILY, scales.FAMILY, copies.FAMILY, steps.FAMILY, hashes.FAMILY,
        parities.FAMILY, sources.FAMILY, channels.FAMILY, noises.FAMILY, latents.FAMILY, layers.FAMILY, networks.FAMILY,
        events.LONG, blocks.FAMILY, inner_noise.FAMILY,
    )
}  # fmt: skip


def problem_of(family: str, number: int) -> Problem:
    """The problem of this number."""
    return FAMILIES[family].problem(np.random.default_rng([zlib.crc32(family.encode()), number]), number)


def key_of(family: str, number: int) -> jax.Array:
    """The key with which it is measured."""
    return jax.random.fold_in(jax.random.key(zlib.crc32(family.encode())), number)
