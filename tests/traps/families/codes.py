"""Codes of binary units and symbols: flips, random networks of signs, skewed units, several levels; by enumeration."""

from __future__ import annotations

import numpy as np

from tests.traps.laws.law import Law, beside
from tests.traps.laws.listed import codewords, flipped, listed
from tests.traps.task import Task

FAMILY = "codes"


def pairs_of_bits(shares: np.ndarray, flips: np.ndarray, ones_alone: bool = False) -> Law:
    """Independent bits, each 1 at its share, each flipped at its own chance; only ones are, if so said."""
    laws = []
    for share, flip in zip(shares, flips, strict=True):
        kept = 1.0 if ones_alone else 1.0 - flip
        given = np.array([[kept, 1.0 - kept], [flip, 1.0 - flip]])
        laws.append(listed(np.array([1.0 - share, share])[:, None] * given))
    return beside(*laws)


def network_of_signs(widths: list[int], flip: float, seed: int) -> Law:
    """Fair bits through layers of random signs, the last layer's bits flipped."""
    random, words = np.random.default_rng(seed), codewords(widths[0])
    layer = 2.0 * words - 1.0
    for wide in widths[1:]:
        layer = np.where(
            layer @ random.normal(size=(layer.shape[1], wide)) + 0.3 * random.normal(size=wide) > 0, 1.0, -1.0
        )
    given = flipped((layer > 0).astype(int), flip)
    return listed(given / len(words), words, codewords(widths[-1]))


def noisy_symbols(symbols: int, concentration: float, seed: int) -> Law:
    """One symbol each side, of a random table."""
    random = np.random.default_rng(seed)
    return listed(random.dirichlet(np.full(symbols**2, concentration)).reshape(symbols, symbols))


def shifted_levels(count: int, chance: float) -> Law:
    """A unit of so many levels, moved one up around the circle at a chance."""
    return listed(((1.0 - chance) * np.eye(count) + chance * np.roll(np.eye(count), 1, axis=1)) / count)


def signs(code: np.ndarray) -> np.ndarray:
    """Bits as people store units: real -1 and 1."""
    return 2.0 * code - 1.0


def tasks() -> list[Task]:
    """The family."""
    skewed = np.array([0.1, 0.2, 0.3, 0.5, 0.8, 0.9, 0.5, 0.4])
    return [
        Task("flips-16-of-.05", FAMILY, pairs_of_bits(np.full(16, 0.5), np.full(16, 0.05)), signs, signs),
        Task("flips-16-of-.3", FAMILY, pairs_of_bits(np.full(16, 0.5), np.full(16, 0.3))),
        Task("flips-8-skewed", FAMILY, pairs_of_bits(skewed, np.linspace(0.02, 0.2, 8)), signs, signs),
        Task("lost-ones-10", FAMILY, pairs_of_bits(np.full(10, 0.1), np.full(10, 0.3), ones_alone=True)),
        Task("signs-7-to-10", FAMILY, network_of_signs([7, 10], 0.1, 51), signs, signs),
        Task("signs-10-to-16-to-6", FAMILY, network_of_signs([10, 16, 6], 0.05, 53)),
        Task("symbols-20", FAMILY, noisy_symbols(20, 0.05, 55)),
        Task("symbols-6-nearly-independent", FAMILY, noisy_symbols(6, 3.0, 57)),
        Task("levels-4-of-5-units", FAMILY, beside(*[shifted_levels(4, 0.2)] * 5)),
    ]
