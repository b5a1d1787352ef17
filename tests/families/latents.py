"""Tables of posteriors for `measure_latent`: plain, far points, moved as a whole, rare narrow ones, all told apart."""

from __future__ import annotations

import jax
import numpy as np

from capacity import measure_latent
from tests.families.problem import Family, Interval, Problem, Truth, coarse, log_uniform
from tests.families.truths import even, stratified, sums_by_units

SHAPES = ((256, 2), (1024, 3))
KINDS = ("plain", "far", "moved", "narrow", "apart")
WORK = 4e8


def problem(rng: np.random.Generator, number: int) -> Problem:
    """Kinds in turn; one unit, and one pair of units, are drawn for the figures by unit."""
    count, units = SHAPES[number % len(SHAPES)]
    kind = KINDS[number % len(KINDS)]
    means = rng.normal(size=(count, units)) * 10 ** rng.uniform(-0.7, 0.3, units)
    stds = np.exp(np.log(log_uniform(rng, 0.1, 1.0)) + 0.3 * rng.normal(size=means.shape))
    few, words, moved = int(rng.integers(1, 9)), kind, 0.0
    if kind == "far":
        factor = log_uniform(rng, 10, 1e6)
        means[:few] *= factor
        words = f"{few} points far by {factor:.3g}"
    elif kind == "narrow":
        factor = log_uniform(rng, 1e-5, 1e-1)
        stds[:few] *= factor
        words = f"{few} posteriors narrow by {factor:.3g}"
    elif kind == "moved":
        moved = log_uniform(rng, 1e3, 1e7)
        words = f"moved by {moved:.3g}"
    elif kind == "apart":
        means = 40.0 * np.stack([rng.permutation(count) for _ in range(units)], 1)
    words = f"{words}, {count} points, {units} units"
    means = means + moved
    spoken, second = rng.permutation(units)[:2].tolist()
    pair = sorted((spoken, second))
    subsets = (tuple(range(units)), tuple(pair), *((unit,) for unit in range(units)))
    values, controls = sums_by_units(rng, means, stds, even(count), subsets, WORK)

    def truth(figure: str, value: np.ndarray) -> Truth:
        return Truth(figure, *stratified(value, controls, even(count)))

    whole, both, alone = values[0], values[1], values[2:]
    truths = [
        truth("information", whole),
        truth("marginal", alone[spoken]),
        truth("total correlation", alone.sum(0) - whole),
        truth("shared", alone[pair[0]] + alone[pair[1]] - both),
        truth("growth", whole),
    ]
    if kind == "apart":
        truths.append(Truth("growth, an eighth", float(np.log2(count // 8))))

    def ask(key: jax.Array) -> list[Interval]:
        found = measure_latent(key, means, np.log(stds), given="log_std", samples=2048)
        at = next(i for i, two in enumerate(zip(found.shared.first, found.shared.second, strict=True))
                  if sorted(int(unit) for unit in two) == pair)  # fmt: skip
        pairs = jax.tree.map(lambda leaf: leaf[at], found.shared.bits)
        unit = jax.tree.map(lambda leaf: leaf[spoken], found.marginal)
        grown = [jax.tree.map(lambda leaf, i=i: leaf[i], found.growth.information) for i in (-1, 0)]
        all_figures = [found.information, unit, found.total_correlation, pairs, *grown]
        return [Interval.of(one, one) for one in all_figures[: len(truths)]]

    return Problem(words, "latent", float(np.log2(count)), tuple(truths), ask, coarse(means, stds))


FAMILY = Family("latent tables", 80, problem, "posteriors of 256 or 1,024 points: far, moved, narrow, told apart")
