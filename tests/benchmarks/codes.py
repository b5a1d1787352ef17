"""How often the brackets of discrete codes hold: sources whose bits are known, many seeds.

    python -m tests.benchmarks.codes --seeds 20

Prints, for each source and number of points, how many brackets of the whole, of positions, of total correlation and of
pairs held the truth, and their median widths.
"""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

import numpy as np

from capacity import measure_codes, measure_probs
from capacity.results.estimate import Bracket
from tests.capacity.analysis.codes.known_codes import HeavyRows, Independent, Markov, NoisySymbols, Rare, Truth

SOURCES = {
    "Markov, 4 successors": Markov(16, 512, 4),
    "Markov, 32 successors": Markov(16, 512, 32),
    "Markov, dense, Dirichlet 0.1": Markov(16, 512, None, 0.1),
    "Markov, dense, Dirichlet 1": Markov(16, 512, None, 1.0),
    "FSQ [8,5,5,5], uniform": Independent((8, 5, 5, 5)),
    "FSQ [8,5,5,5], one number": Independent((1000,)),
    "independent, Zipf, 8 x 64": Independent((64,) * 8, 1.0),
    "independent, uniform, 16 x 512": Independent((512,) * 16),
    "binary, 12 positions": Markov(12, 2, None, 0.5),
    "rare event of 1e-3, 16 x 512": Rare(16, 512),
    "heavy rows beside all others": HeavyRows(8, 16, 50, 0.7),
}
STOCHASTIC = {
    "noisy symbols, 4 x 8, 0.4": NoisySymbols(4, 8, 0.4),
    "noisy symbols, 8 x 4, 0.15": NoisySymbols(8, 4, 0.15),
    "noisy symbols, 2 x 64, 0.02": NoisySymbols(2, 64, 0.02),
}
ROUNDING = 1e-9


class Held(NamedTuple):
    """Of one bracket or a stack: how many held the truth, of how many, and their median width, bits."""

    held: int
    of: int
    width: float


def held(found: Bracket, truth: np.ndarray | float) -> Held:
    low, high = (np.atleast_1d(np.asarray(end, float)) for end in (found.low, found.high))
    inside = (low <= np.asarray(truth) + ROUNDING) & (np.asarray(truth) <= high + ROUNDING)
    return Held(int(inside.sum()), inside.size, float(np.median(high - low)))


def run(name: str, seed: int, points: int) -> dict[str, Held]:
    """Which brackets of one draw hold."""
    stochastic = name in STOCHASTIC
    source = STOCHASTIC[name] if stochastic else SOURCES[name]
    data, truth = source.sample(seed, points), source.truth(seed)
    found = measure_probs(seed, data) if stochastic else measure_codes(seed, data, codebook=sizes_of(source))
    wide = found.population
    out = {"whole": held(wide.information, truth.whole), "position": held(wide.marginal, truth.positions)}
    out["total correlation"] = held(wide.total_correlation, truth.total_correlation)
    if wide.shared is not None and truth.shared:
        out["pair"] = held(wide.shared.bits, pairs_of(truth, wide.shared.first, wide.shared.second))
    return out


def sizes_of(source: object) -> list[int]:
    if isinstance(source, Independent):
        return list(source.sizes)
    return [source.size] * source.positions if isinstance(source, Markov | Rare | HeavyRows) else []


def pairs_of(truth: Truth, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.array([truth.shared[j, k] for j, k in zip(first.tolist(), second.tolist(), strict=True)])


def main() -> None:
    """Run all, a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--points", type=int, nargs="*", default=[1000, 4000])
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    print("| source | points | seconds | figure | held | median width, bits |\n|---|---|---|---|---|---|")
    for name in [*SOURCES, *STOCHASTIC]:
        if asked.only not in name:
            continue
        for points in asked.points:
            started = time.monotonic()
            all_held = [run(name, seed, points) for seed in range(asked.seeds)]
            seconds = (time.monotonic() - started) / asked.seeds
            for figure in all_held[0]:
                rows = [one[figure] for one in all_held]
                count = f"{sum(row.held for row in rows)} of {sum(row.of for row in rows)}"
                width = np.median([row.width for row in rows])
                print(f"| {name} | {points:,} | {seconds:.1f} | {figure} | {count} | {width:.3f} |", flush=True)


if __name__ == "__main__":
    main()
