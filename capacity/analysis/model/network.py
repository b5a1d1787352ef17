"""Bits of N data points that pass each noisy layer of a trained network, the noise as it is: I(i;Z_l), at most log2 N.

The first layer with noise has a density in closed form, and all N are listed.  From the second on, p(z|i) is a mean
over the noise before: laws fitted to sampled codes bound what is said from below (`critics`), and

    I(i;Z_l)  <=  E log p(z|i) - E log r(z)

from above, log p(z|i) by annealing over the inner noise from the very noise that made z, where it is normal, or with a
mean over sampled noise in which that noise has part.  What reaches a layer has passed all before it: no figure exceeds
the one before (data processing, Cover & Thomas 2006, theorem 2.8.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from capacity.analysis.latent.population import MIN_POINTS, measure_population
from capacity.analysis.model.critics import Critics, guess, mixtures
from capacity.analysis.model.inner import layer_sample
from capacity.analysis.model.layer_controls import layer_controls
from capacity.analysis.model.passage import (
    VectorFunction,
    checked_points,
    codes_of,
    mirrored_codes,
    noisy_layers,
    sent_through,
)
from capacity.bounds.exact.enumeration import in_default_precision, information
from capacity.bounds.exact.listing import list_codes
from capacity.bounds.exact.resolution import check_finite, check_resolved
from capacity.bounds.layers import processed
from capacity.channels.channel import Channel, Code
from capacity.joint.stack import Layer
from capacity.joint.table import Rows, tabled
from capacity.results.estimate import Bracket, Estimate, Kind
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.progress import Progress, reporter
from capacity.runtime.whole import whole

MAX_DENSITIES = 1e9  # of single units, for the mixtures of sampled codes
KERNELS = 64  # sampled codes of a point, at most
FITTED_CODES = 3e6  # numbers, of all points, that normal laws are fitted to
MIN_FITTED, MAX_FITTED = 16, 512
BLOCK_BYTES = 3e7  # of one table of densities
MIN_SAMPLES = 64


@dataclass(frozen=True)
class LayerBits:
    """Bits that reach one layer.

    Attributes:
        layer: its number among those given, from 1.
        information: I(i;Z_l) of these N points, at most log2 N.
        population: I(X;Z) of the distribution the points were drawn from, where the noise is normal and none came
            before; None elsewhere.
    """

    layer: int
    information: Bracket
    population: Bracket | None


def measure_network(
    key: Seed,
    layers: Sequence[Layer | VectorFunction],
    points: ArrayLike,
    *,
    samples: int = 2048,
    temperatures: int = 400,
    progress: Progress | Literal[True] | None = None,
) -> list[LayerBits]:
    """I(i;Z_l) at every noisy layer of a network over N points, each as likely.

    Args:
        key: decides the samples; a whole number is taken as a seed.
        layers: first to last, `Layer(function, channel)`, or a function alone where no noise comes after it; functions
            of one vector in JAX, the first of a point (dim,).
        points: (N, dim).
        samples: noisy codes for each layer.
        temperatures: of chains over the noise of inner layers, at most.
        progress: called with the share that is done, and what was just done; True shows a bar.

    Returns:
        A bracket for each layer with noise, of all at once with probability 95 %: each is widened for their number.

    Raises:
        ValueError: for points that are no table, no layer with noise, none in the last, or codes that are not finite.
    """
    table = checked_points(np.asarray(points))
    numbers, noisy_ones = noisy_layers(layers)
    whole(samples, "samples", MIN_SAMPLES)
    whole(temperatures, "temperatures", 4)
    keys = jax.random.split(as_key(key), len(numbers) + 1)
    report = reporter(progress) or (lambda share, text: None)
    report(0.0, f"{len(table):,} points, {len(numbers)} layers with noise")
    with jax.enable_x64(True):
        vectors, network = jnp.asarray(table), in_default_precision(noisy_ones)
        codes = jax.tree.map(lambda leaf: leaf[:, 0], codes_of(network[:1], keys[0], vectors, 1))
        found = [_listed(keys[1], codes, network[0].channel, samples)]
        for depth, one in enumerate(keys[2:], 2):
            report((depth - 1) / len(numbers), f"{float(found[-1].low):.2f} to {float(found[-1].high):.2f} bits")
            found.append(_deep(one, network[:depth], vectors, samples, temperatures))
        population = _population(keys[0], codes, network[0].channel, samples)
    found = processed(found)
    report(1.0, f"{float(found[-1].low):.2f} to {float(found[-1].high):.2f} bits")
    return [
        LayerBits(number, bracket, population if number == numbers[0] else None)
        for number, bracket in zip(numbers, found, strict=True)
    ]


def _listed(key: jax.Array, codes: Code, channel: Channel, samples: int) -> Bracket:
    count = len(jax.tree.leaves(codes)[0])
    joint = tabled(in_default_precision(Rows.of(np.full(count, 1 / count))), codes, channel)
    listed = list_codes(joint)
    check_finite(listed)
    check_resolved(channel, listed)
    exact = _limited(information(key, joint, listed, samples), count)
    return Bracket(exact, exact, "enumeration")


def _population(key: jax.Array, codes: Code, channel: Channel, samples: int) -> Bracket | None:
    """The population's, where noise is normal and every unit has some."""
    if not channel.normal:
        return None
    mean, variance = (np.asarray(part, np.float64) for part in jax.vmap(channel.moments)(codes))
    if not (variance > 0).all() or len(mean) < MIN_POINTS:
        return None
    return measure_population(key, mean, 0.5 * np.log(variance), samples, pairs=False).information


def _deep(key: jax.Array, layers: tuple[Layer, ...], vectors: jax.Array, samples: int, temperatures: int) -> Bracket:
    """One half of the noisy codes chooses the laws that bound the other."""
    count, channel = len(vectors), layers[-1].channel
    key_fit, key_rows, key_send, key_main = jax.random.split(key, 4)
    rows = jax.random.randint(key_rows, (samples,), 0, count)
    _, z = sent_through(layers, key_send, vectors[rows])
    units = z.shape[1]
    kernels = int(np.clip(MAX_DENSITIES / (2 * samples * count * units), 1, KERNELS))
    fitted = 2 * (max(int(np.clip(FITTED_CODES / (count * units), MIN_FITTED, MAX_FITTED)), kernels) // 2)
    critics = Critics(channel, mirrored_codes(layers, key_fit, vectors, fitted), kernels)
    told, seen = _held(critics, np.asarray(z), np.asarray(rows), count)
    guesser, law = _best(told), _best(seen)
    main = layer_sample(key_main, layers, vectors, samples, temperatures)
    told, seen = _held(critics, main.z, main.rows, count)
    controls = layer_controls(critics, main)
    lower = _estimate(told[guesser], "lower", count, controls)
    upper = _estimate(main.above - seen[law], "upper", count, controls)
    return Bracket(lower, upper, f"law of {guesser} below, of {law} above")


def _best(values: dict[str, np.ndarray]) -> str:
    return max(values, key=lambda name: float(values[name].mean()))


def _estimate(nats: Float[np.ndarray, " n"], kind: Kind, count: int, controls: Float[np.ndarray, "n c"]) -> Estimate:
    """The mean in bits; where a code has no density under the law, as with atoms amid a continuum, log2 N at most."""
    most = float(np.log2(count))
    if not np.isfinite(nats).all():
        return Estimate(most, np.inf, 0.0, most, most, len(nats), kind)
    columns = jnp.asarray(controls)
    found = Estimate.from_samples(nats=jnp.asarray(nats), kind=kind, controls=columns).conservative()
    return _limited(found, count)


def _limited(found: Estimate, count: int) -> Estimate:
    """The estimate in plain numbers, cut to what information of so many points can be."""
    most = float(np.log2(count))
    bits, low, high = (float(np.clip(end, 0.0, most)) for end in (found.bits, found.low, found.high))
    return replace(found, bits=bits, stderr=float(found.stderr), low=low, high=high, limit=most, n=int(found.n))


def _held(
    critics: Critics, z: Float[np.ndarray, "n units"], rows: np.ndarray, count: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What every law guesses, and its mixture's log density, of noisy codes: (n,) nats by name."""
    told: dict[str, list[np.ndarray]] = {}
    seen: dict[str, list[np.ndarray]] = {}
    step = int(np.clip(BLOCK_BYTES / 8 / count, 1, 256))
    for start in range(0, len(z), step):
        here = slice(start, start + step)
        tables = critics.log_densities(z[here])
        for name, values in mixtures(critics.densities(tables)).items():
            seen.setdefault(name, []).append(values)
        for name, table in tables.items():
            told.setdefault(name, []).append(guess(table, rows[here]))
    return (
        {name: np.concatenate(parts) for name, parts in told.items()},
        {name: np.concatenate(parts) for name, parts in seen.items()},
    )
