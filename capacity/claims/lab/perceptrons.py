"""Perceptrons whose capacity is known, counted as the claim on memorisation counts: its instruments.

Chances of separability (Cover 1965), 2 patterns per real weight (Gardner 1988), 0.833 per binary weight (Krauth &
Mézard 1989).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from capacity.analysis.storage import Limit, longest_memory, longest_separable, reinforced_search, separable_counts
from capacity.claims.claim import Answer

SEARCHED = (0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)  # patterns per binary weight
PATTERNS = (30, 40, 50)  # of a perceptron with 20 inputs


def perceptron_figures(key: jax.Array, fast: bool) -> dict[str, np.ndarray]:
    """All of them as arrays: `search`, `separable` of `trials`, and `real` and `binary`, (3, sizes).

    The rows of the last two are sizes, mean patterns per weight, and standard errors.
    """
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    trials = 2000 if fast else 20_000
    counts = [separable_counts(rng, 20, p, trials) for p in PATTERNS]
    real_sizes, binary_sizes = (6, 10, 16, 24), (8, 10, 12, 14, 16, 18) if fast else (9, 11, 13, 15, 17, 19, 21, 23)
    real = [np.array([longest_separable(rng, n) for _ in range(100 if fast else 1000)]) / n for n in real_sizes]
    binary = [np.array([longest_memory(rng, n) for _ in range(1000)]) / n for n in binary_sizes]

    def table(sizes: tuple[int, ...], runs: list[np.ndarray]) -> np.ndarray:
        return np.array([sizes, [r.mean() for r in runs], [r.std(ddof=1) / r.size**0.5 for r in runs]])

    return {
        "search": longest_searched(jax.random.fold_in(key, 1), 12 if fast else 100),
        "separable": np.array(counts),
        "trials": np.array(trials),
        "real": table(real_sizes, real),
        "binary": table(binary_sizes, binary),
    }


def longest_searched(key: jax.Array, instances: int, weights: int = 201) -> np.ndarray:
    """The most patterns per weight, on a grid, for which the search found weights, (instances,)."""
    numbers = np.array([int(a * weights) for a in SEARCHED])

    def solved(key: jax.Array, number: jax.Array) -> jax.Array:
        patterns = jax.random.normal(key, (numbers[-1], weights))
        # Rows of zeros ask for nothing and never count as right: so all numbers of patterns share one program.
        there = (jnp.arange(numbers[-1]) < number).astype(jnp.float32)
        right: jax.Array = reinforced_search(key, patterns * there[:, None]) == number
        return right

    @jax.jit
    def search(keys: jax.Array) -> jax.Array:
        each: jax.Array = jax.lax.map(lambda k: jax.vmap(solved, (None, 0))(k, jnp.asarray(numbers)), keys)
        return each

    found = np.asarray(search(jax.random.split(key, instances)))
    most: np.ndarray = np.where(found, numbers / weights, 0).max(1)
    return most


def limit_answer(limit: Limit, miss_rate: float, n: int) -> Answer:
    """The limit at many weights as an answer, its error widened where the line does not fit the `n` sizes."""
    reach = float(stats.norm.ppf(1 - miss_rate / 2)) * limit.stderr * max(1.0, limit.misfit) ** 0.5
    return Answer(limit.value, limit.value - reach, limit.value + reach, n)
