"""Codes whose bits are known: Markov sources, independent positions, rare events, heavy rows, noisy symbols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Truth(NamedTuple):
    """Bits of a law of codes: of the whole, of each position, and what pairs share."""

    whole: float
    positions: np.ndarray
    shared: dict[tuple[int, int], float]

    @property
    def total_correlation(self) -> float:
        return float(self.positions.sum()) - self.whole


@dataclass(frozen=True)
class Markov:
    """A source whose next symbol depends on the last: `successors` of each, or all with Dirichlet weights."""

    positions: int
    size: int
    successors: int | None = None
    concentration: float = 1.0

    def matrix(self, seed: int) -> np.ndarray:
        rng = np.random.default_rng((seed, 1))
        if self.successors is None:
            return rng.dirichlet(np.full(self.size, self.concentration), self.size)
        out = np.zeros((self.size, self.size))
        for row, weights in zip(out, rng.dirichlet(np.ones(self.successors), self.size), strict=True):
            row[rng.choice(self.size, self.successors, replace=False)] = weights
        return out

    def sample(self, seed: int, points: int) -> np.ndarray:
        rng, cumulated = np.random.default_rng((seed, 2)), self.matrix(seed).cumsum(1)
        codes = np.empty((points, self.positions), int)
        codes[:, 0] = rng.integers(self.size, size=points)
        for j in range(1, self.positions):
            below = cumulated[codes[:, j - 1]] < rng.random((points, 1))
            codes[:, j] = np.minimum(below.sum(1), self.size - 1)
        return codes

    def truth(self, seed: int, every_pair: bool = True) -> Truth:
        matrix = self.matrix(seed)
        power, steps = np.eye(self.size), []
        for _ in range(self.positions):
            steps.append(power)
            power = power @ matrix
        laws = [step.mean(0) for step in steps]
        single = np.array([entropy(law) for law in laws])
        whole = np.log2(self.size) + sum(float(law @ row_entropies(matrix)) for law in laws[:-1])
        pairs = [(j, k) for j in range(self.positions) for k in range(j + 1, self.positions)]
        shared = {
            (j, k): single[k] - float(laws[j] @ row_entropies(steps[k - j]))
            for j, k in pairs
            if every_pair or k == j + 1
        }
        return Truth(whole, single, shared)


@dataclass(frozen=True)
class Independent:
    """Positions of laws p(s) ~ 1/(s + 1)^power, of sizes of their own."""

    sizes: tuple[int, ...]
    power: float = 0.0

    def laws(self) -> list[np.ndarray]:
        return [zipf(size, self.power) for size in self.sizes]

    def sample(self, seed: int, points: int) -> np.ndarray:
        rng = np.random.default_rng((seed, 3))
        return np.stack([rng.choice(len(law), points, p=law) for law in self.laws()], 1)

    def truth(self, seed: int) -> Truth:
        del seed
        single = np.array([entropy(law) for law in self.laws()])
        pairs = {(j, k): 0.0 for j in range(len(single)) for k in range(j + 1, len(single))}
        return Truth(float(single.sum()), single, pairs)


@dataclass(frozen=True)
class Rare:
    """One row nearly always, but with this chance any of all rows."""

    positions: int
    size: int
    chance: float = 1e-3

    def sample(self, seed: int, points: int) -> np.ndarray:
        rng = np.random.default_rng((seed, 4))
        codes = rng.integers(self.size, size=(points, self.positions))
        return codes * (rng.random((points, 1)) < self.chance)

    def truth(self, seed: int) -> Truth:
        del seed
        single = np.full(self.positions, self._entropy(1))
        pair = 2 * self._entropy(1) - self._entropy(2)
        pairs = {(j, k): pair for j in range(self.positions) for k in range(j + 1, self.positions)}
        return Truth(self._entropy(self.positions), single, pairs)

    def _entropy(self, positions: int) -> float:
        rows = float(self.size) ** positions
        each = self.chance / rows
        usual = 1 - self.chance + each
        return -usual * np.log2(usual) - (rows - 1) * each * np.log2(each)


@dataclass(frozen=True)
class HeavyRows:
    """A few rows come often, by Zipf's law, and otherwise any of all rows."""

    positions: int
    size: int
    rows: int
    share: float

    def sample(self, seed: int, points: int) -> np.ndarray:
        rng = np.random.default_rng((seed, 5))
        heavy = self.heavy(seed)[rng.choice(self.rows, points, p=zipf(self.rows, 1.0))]
        light = rng.integers(self.size, size=(points, self.positions))
        return np.where(rng.random((points, 1)) < self.share, heavy, light)

    def heavy(self, seed: int) -> np.ndarray:
        return np.random.default_rng((seed, 6)).integers(self.size, size=(self.rows, self.positions))

    def truth(self, seed: int) -> Truth:
        heavy, law = self.heavy(seed), zipf(self.rows, 1.0)
        shared = {}
        single = np.array([entropy(self._mixed(heavy[:, [j]], law)) for j in range(self.positions)])
        for j in range(self.positions):
            for k in range(j + 1, self.positions):
                shared[j, k] = single[j] + single[k] - entropy(self._mixed(heavy[:, [j, k]], law))
        light = (1 - self.share) / float(self.size) ** self.positions
        mass = self.share * law + light
        rest = float(self.size) ** self.positions - self.rows  # equal heavy rows are too few to matter
        return Truth(entropy(mass) - rest * light * np.log2(light), single, shared)

    def _mixed(self, columns: np.ndarray, law: np.ndarray) -> np.ndarray:
        cells = self.size ** columns.shape[1]
        numbers = columns @ self.size ** np.arange(columns.shape[1])
        return self.share * np.bincount(numbers, law, minlength=cells) + (1 - self.share) / cells


@dataclass(frozen=True)
class NoisySymbols:
    """Posteriors: each position's own symbol, uniform, with the rest of the probability on all others alike."""

    positions: int
    size: int
    noise: float

    def sample(self, seed: int, points: int) -> np.ndarray:
        symbols = np.random.default_rng((seed, 7)).integers(self.size, size=(points, self.positions))
        probs = np.full((*symbols.shape, self.size), self.noise / (self.size - 1))
        np.put_along_axis(probs, symbols[:, :, None], 1 - self.noise, 2)
        return probs

    def truth(self, seed: int) -> Truth:
        del seed
        own = np.r_[1 - self.noise, np.full(self.size - 1, self.noise / (self.size - 1))]
        single = np.full(self.positions, np.log2(self.size) - entropy(own))
        return Truth(float(single.sum()), single, {})


def zipf(size: int, power: float) -> np.ndarray:
    law = 1 / np.arange(1, size + 1) ** power
    return np.asarray(law / law.sum())


def entropy(law: np.ndarray) -> float:
    return float(row_entropies(np.ravel(law)[None])[0])


def row_entropies(laws: np.ndarray) -> np.ndarray:
    return np.asarray(-(laws * np.log2(np.where(laws > 0, laws, 1.0))).sum(1))
