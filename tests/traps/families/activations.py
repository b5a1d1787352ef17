"""Units of networks: embeddings of normal latent numbers, rectified and saturating units, noisy units of sent bits."""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr, logsumexp

from tests.traps.laws.given import Given, normal_given
from tests.traps.laws.grids import legendre, normal_nodes
from tests.traps.laws.law import Law, beside, monte_carlo
from tests.traps.laws.listed import codewords
from tests.traps.laws.normal import correlation_of, normal
from tests.traps.laws.shows import leaky_layer, opposed_relus, tanh_network
from tests.traps.task import Task

FAMILY = "activations"


def rectified_unit(noise: float) -> Law:
    """X standard normal, Y = max(X + noise, 0): an atom at 0."""
    nodes, masses = normal_nodes(600)
    positive, weights = legendre(np.linspace(0.0, 9.0 * np.hypot(1.0, noise), 80))

    def log_given(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        above = -0.5 * ((y - x) / noise) ** 2 - np.log(noise) - 0.5 * np.log(2 * np.pi)
        return np.where(y > 0, above, log_ndtr(-x / noise))

    return Given(
        lambda random, n: random.normal(size=(n, 1)),
        lambda random, x: np.maximum(x + noise * random.normal(size=x.shape), 0.0),
        log_given,
        (nodes[:, None], masses),
        (np.append(positive, 0.0), np.append(weights, 1.0)),
    ).law()


def saturating_unit(gain: float, noise: float) -> Law:
    """X standard normal, Y = tanh(gain X) + noise."""
    draw_y, log_given = normal_given(lambda x: np.tanh(gain * x[:, 0]), lambda x: np.full(len(x), noise))
    nodes, masses = normal_nodes(1500)
    y = legendre(np.linspace(-1.0 - 9.0 * noise, 1.0 + 9.0 * noise, 150))
    return Given(lambda random, n: random.normal(size=(n, 1)), draw_y, log_given, (nodes[:, None], masses), y).law()


def network_of_bits(bits: int, hidden: int, units: int, noise: float, seed: int) -> Law:
    """Fair signs sent through a random network of tanh units to noisy units; all codes listed."""
    words = 2.0 * codewords(bits) - 1.0
    random = np.random.default_rng(seed)
    inner, outer = random.normal(size=(bits, hidden)) * 1.5 / bits**0.5, random.normal(size=(hidden, units)) * 2.0

    def code(x: np.ndarray) -> np.ndarray:
        return np.tanh(x @ inner) @ outer / hidden**0.5

    codes = code(words)

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x = words[random.integers(len(words), size=n)]
        return x, code(x) + noise * random.normal(size=(n, units))

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        own = -0.5 * ((y - code(x)) ** 2).sum(axis=1) / noise**2
        alone = [
            logsumexp(_half_squares(part, codes) / noise**2, axis=1) for part in np.array_split(y, len(y) // 4096 + 1)
        ]
        return (own - np.concatenate(alone)) / np.log(2.0) + bits

    return Law(draw, density, lambda: monte_carlo(draw, density))


def _half_squares(points: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Minus half the squared distance of every point to every code."""
    return points @ codes.T - 0.5 * (points**2).sum(axis=1)[:, None] - 0.5 * (codes**2).sum(axis=1)


def tasks() -> list[Task]:
    """The family."""

    def latent(bits: float, columns: int) -> Law:
        return normal(correlation_of(bits, columns))

    return [
        Task("tanh-networks-3-to-16", FAMILY, latent(3.0, 3), tanh_network(3, 64, 16, 11), tanh_network(3, 64, 16, 13)),
        Task("tanh-networks-2-to-40", FAMILY, latent(1.0, 2), tanh_network(2, 64, 40, 15), tanh_network(2, 64, 40, 17)),
        Task(
            "steep-tanh-networks-2-to-8",
            FAMILY,
            latent(2.0, 2),
            tanh_network(2, 32, 8, 19, 2.0),
            tanh_network(2, 32, 8, 21),
        ),
        Task("leaky-relus-2-to-20", FAMILY, latent(2.0, 2), leaky_layer(2, 20, 23), leaky_layer(2, 20, 25)),
        Task("opposed-relus-2-to-24", FAMILY, latent(1.5, 2), opposed_relus(2, 12, 27), opposed_relus(2, 12, 29)),
        Task("rectified-units-3", FAMILY, beside(*[rectified_unit(0.7)] * 3)),
        Task("saturating-units-4", FAMILY, beside(*[saturating_unit(2.0, 0.3)] * 4)),
        Task("bits-8-to-noisy-units-5", FAMILY, network_of_bits(8, 24, 5, 0.5, 31)),
        Task("bits-6-to-noisy-units-12", FAMILY, network_of_bits(6, 24, 12, 2.0, 33)),
    ]
