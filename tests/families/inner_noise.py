"""Three layers of any noises that take finitely many ways, then normal noise: every message and every way in NumPy.

Rates may be 0.01 or 0.99, weights a thousandth or a thousand, units dead or equal.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from capacity import channels, measure_layers
from capacity.joint.stack import Layer, Stack
from synthetic import FairBits
from tests.families.problem import Family, Interval, Problem, Truth, double, log_uniform, single

DIGITS, SIZES = 3, (3, 3, 2, 1)
BUDGET = 0.3
SAME = 1e-9  # of the largest value: what counts as one
FAINT = 1e-14  # a mass that counts for nothing
NODES = np.arange(-180, 181) * 0.05  # standard deviations of normal noise
MEMBERS = {2: np.eye(2), 3: np.array([[1.0, 0, 0], [0, 1, 1]])}
KINDS = (
    ("dropout", "dropout"), ("shared", "dropout"), ("flips", "dropout"), ("coins", "flips"), ("dropout", "rounding"),
    ("rounding", "shared"), ("coins", "dropout"), ("dropout", "flips"),
)  # fmt: skip
Law = dict[tuple[float, ...], float]
Ways = Callable[[np.ndarray], Iterator[tuple[np.ndarray, float]]]


def dense(weights: jax.Array, x: jax.Array) -> jax.Array:
    """W x."""
    return x @ weights


def bent(weights: jax.Array, x: jax.Array) -> jax.Array:
    """tanh W x."""
    return jnp.tanh(x @ weights)


def rectified(weights: jax.Array, x: jax.Array) -> jax.Array:
    """max(W x, 0)."""
    return jax.nn.relu(x @ weights)


ENCODERS: dict[str, tuple[Callable[..., jax.Array], Callable[[np.ndarray], np.ndarray]]] = {
    "linear": (dense, lambda u: u),
    "tanh": (bent, np.tanh),
    "relu": (rectified, lambda u: np.maximum(u, 0.0)),
}


def each(chances: np.ndarray, values: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
    """All ways of independent units: chances and values (ways, units)."""
    units = np.arange(chances.shape[1])
    for way in itertools.product(range(len(chances)), repeat=len(units)):
        yield values[list(way), units], float(chances[list(way), units].prod())


def noise_of(rng: np.random.Generator, kind: str, units: int) -> tuple[Any, Ways, str]:
    """A channel, its ways in NumPy, and words."""
    rate = float(double(rng.choice([0.01, 0.99, 0.1, 0.5, rng.uniform(0.02, 0.98)])))
    level, words = jnp.float32(rate), f"{kind} {rate:.2g}"
    both = np.array([[1 - rate], [rate]])
    if kind == "dropout":
        return channels.Dropout(level), lambda u: each(both.repeat(len(u), 1), np.stack([u, 0 * u])), words
    if kind == "flips":
        return channels.BinarySymmetric(level), lambda u: each(both.repeat(len(u), 1), np.stack([u, -u])), words
    if kind == "shared":
        members = MEMBERS[units]
        kept = np.stack([np.ones(len(members)), np.zeros(len(members))])
        ways = [(one @ members, mass) for one, mass in each(both.repeat(len(members), 1), kept)]
        channel = channels.SharedDropout(level, jnp.asarray(members > 0))
        return channel, lambda u: ((u * one, mass) for one, mass in ways), words
    if kind == "coins":
        temperature = float(double(log_uniform(rng, 0.1, 10)))

        def coins(u: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
            up = 1 / (1 + np.exp(-u / temperature))
            return each(np.stack([up, 1 - up]), np.stack([np.ones_like(u), -np.ones_like(u)]))

        return channels.StochasticBinarised(jnp.float32(temperature)), coins, f"coins {temperature:.2g}"

    def rounded(u: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
        steps = np.round((np.clip(u / 1.5, -1, 1) + 1) * 1.5)
        yield 1.5 * (2 * steps / 3 - 1), 1.0

    return channels.Quantized(jnp.float32(4), jnp.float32(1.5)), rounded, "rounding"


def weights_of(rng: np.random.Generator, before: int, units: int) -> np.ndarray:
    """Dead, equal, whole, tiny and huge ones among them."""
    weights = rng.normal(size=(before, units))
    if rng.random() < 0.25:
        weights[:, rng.integers(units)] = 0
    if units > 1 and rng.random() < 0.25:
        weights[:, 0] = weights[:, 1]
    if rng.random() < 0.2:
        weights = np.round(weights) + 0.0
    return single(weights * (1 if rng.random() < 0.5 else log_uniform(rng, 1e-3, 1e3)))


def encoded(bend: Callable[[np.ndarray], np.ndarray], weights: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A layer's units before noise."""
    return np.asarray(bend(v @ weights))


def sent_on(law: Law, encode: Callable[[np.ndarray], np.ndarray], ways: Ways) -> Law:
    """The law of the next layer's noisy units."""
    found: Law = {}
    for value, mass in law.items():
        for z, chance in ways(encode(np.array(value))):
            if mass * chance > 0:
                key = tuple(z + 0.0)
                found[key] = found.get(key, 0.0) + mass * chance
    return found


def bits_of_atoms(laws: list[Law]) -> float:
    """Bits of equally likely messages in values that are told apart."""
    scale = max(max(map(abs, value)) for law in laws for value in law) or 1.0
    rows: list[dict[tuple[int, ...], float]] = []
    for law in laws:
        row: dict[tuple[int, ...], float] = {}
        for value, mass in law.items():
            key = tuple(round(v / scale / SAME) for v in value)
            row[key] = row.get(key, 0.0) + mass
        rows.append(row)
    keys = sorted({key for row in rows for key in row})
    table = np.array([[row.get(key, 0.0) for key in keys] for row in rows])
    ratio = np.where(table > 0, table, 1.0) / np.where(table > 0, table.mean(0)[None], 1.0)
    return float((table * np.log2(ratio)).sum(1).mean())


def bits_in_normal_noise(laws: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Bits in one unit with noise of 1, of laws as centres and masses: the trapezoid rule around each centre."""

    def log_density(z: np.ndarray, centres: np.ndarray, masses: np.ndarray) -> np.ndarray:
        terms = -0.5 * (z[:, None] - centres[None]) ** 2 + np.log(np.maximum(masses, 1e-300))[None]
        top = terms.max(1)
        return np.asarray(top + np.log(np.exp(terms - top[:, None]).sum(1)))

    every = np.concatenate([c for c, _ in laws]), np.concatenate([m for _, m in laws]) / len(laws)
    density = np.exp(-0.5 * NODES**2) * 0.05 / np.sqrt(2 * np.pi)
    total = 0.0
    for centres, masses in laws:
        for centre, mass in zip(centres, masses, strict=True):
            if mass > FAINT:
                z = centre + NODES
                total += mass * float(density @ (log_density(z, centres, masses) - log_density(z, *every)))
    return total / len(laws) / np.log(2)


def problem(rng: np.random.Generator, number: int) -> Problem:
    """Two layers of one of eight pairs of noises, and one of normal noise."""
    vectors, _ = FairBits(jnp.eye(DIGITS)).codebook()
    laws: list[Law] = [{tuple(map(float, x)): 1.0} for x in np.asarray(vectors)]
    layers, truths, said = [], [], []
    for depth in range(3):
        name = list(ENCODERS)[int(rng.integers(3))]
        weights = weights_of(rng, *SIZES[depth : depth + 2])
        encode = partial(encoded, ENCODERS[name][1], double(weights))
        if depth < 2:
            channel, ways, words = noise_of(rng, KINDS[number % len(KINDS)][depth], SIZES[depth + 1])
            laws = [sent_on(law, encode, ways) for law in laws]
            truths.append(bits_of_atoms(laws))
        else:
            centres = [np.array([encode(np.array(v))[0] for v in law]) for law in laws]
            spread = float(np.std(np.concatenate(centres))) or 1.0
            sigma = float(double(max(spread, 1e-6) * log_uniform(rng, 0.03, 10)))
            channel, words = channels.Gaussian(jnp.float32(sigma)), f"normal {sigma:.2g}"
            masses = [np.array(list(law.values())) for law in laws]
            truths.append(bits_in_normal_noise([(c / sigma, m) for c, m in zip(centres, masses, strict=True)]))
        layers.append(Layer(jax.tree_util.Partial(ENCODERS[name][0], jnp.asarray(weights)), channel))
        said.append(f"{name} to {np.abs(weights).max():.2g}, {words}")
    stack = Stack(FairBits(jnp.eye(DIGITS)), tuple(layers))

    def ask(key: jax.Array) -> list[Interval]:
        return [Interval.of(b.lower, b.upper) for b in measure_layers(key, stack, budget_gflop=BUDGET)]

    named = tuple(Truth(f"layer {i}", max(bits, 0.0)) for i, bits in enumerate(truths, 1))
    return Problem("; ".join(said), "layers", float(DIGITS), named, ask)


FAMILY = Family(
    "inner noise", 200, problem, "3 bits through 2 layers of dropout, flips, coins or rounding, then normal noise"
)
