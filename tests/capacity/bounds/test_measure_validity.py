"""Validity before tightness: random problems of at most 12 bits, enumerated, against the bracket found without a list.

Shapes are few, since each compiles for seconds; weights, their scale, noise, source and channel are drawn.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import Joint, measure
from capacity.bounds import Enumeration
from capacity.channels import Gaussian, LearntGaussian, Posterior
from capacity.results.estimate import Z95
from synthetic import Codebook, FairBits, LinearCode, MarkovBits

BUDGET = 1.0  # billions of operations
TRUTH_SAMPLES = 2**16
PROBLEMS = 500


class Kind(NamedTuple):
    """What fixes the shapes: binary digits, widths of the layers (tanh between them), source and channel."""

    digits: int
    widths: tuple[int, ...]
    squashed: bool  # whether the last layer is followed by tanh too
    source: str
    learnt: bool


KINDS = (
    Kind(3, (5,), False, "uneven book", False),
    Kind(6, (3,), False, "fair", False),
    Kind(6, (3,), False, "markov", True),
    Kind(6, (3,), False, "uneven book", True),
    Kind(4, (8,), True, "code", False),
    Kind(10, (8,), True, "fair", False),
    Kind(10, (8,), True, "code", True),
    Kind(8, (32, 4), False, "fair", False),
    Kind(8, (32, 4), False, "markov", True),
    Kind(8, (32, 4), False, "uniform book", False),
    Kind(12, (16, 16, 6), True, "markov", False),
    Kind(12, (16, 16, 6), True, "fair", True),
)


class Problem(NamedTuple):
    joint: Joint
    words: str


class Verdict(NamedTuple):
    """All in bits; `off` is how far outside the bracket the truth lies, 0 inside."""

    words: str
    truth: float
    stderr: float
    low: float
    high: float
    off: float
    source_bits: float


def network(layers: list[jax.Array], squashed: bool, x: jax.Array) -> jax.Array:
    for weights in layers[:-1]:
        x = jnp.tanh(weights @ x)
    x = layers[-1] @ x
    return jnp.tanh(x) if squashed else x


def plain_network(layers: list[jax.Array], x: jax.Array) -> jax.Array:
    return network(layers, False, x)


def squashed_network(layers: list[jax.Array], x: jax.Array) -> jax.Array:
    return network(layers, True, x)


def noisy(encode: Any, log_std: jax.Array, slope: jax.Array, x: jax.Array) -> Posterior:
    """Noise that the message sets, up to e^+-1 about its level."""
    return Posterior(encode(x), log_std + jnp.tanh(slope @ x))


def random_source(key: jax.Array, name: str, digits: int) -> Any:
    dim = 2 * digits
    match name:
        case "fair":
            return FairBits.build(key, digits, dim)
        case "markov":
            return MarkovBits.build(key, digits, dim)
        case "code":
            return LinearCode.build(key, digits, dim)
        case "uniform book":
            return Codebook.build(key, digits, dim)
    rows = max(2, int(0.7 * 2**digits))  # some numbers of `digits` digits have no row
    probs = 1.0 / np.arange(1, rows + 1)
    return Codebook(jax.random.normal(key, (rows, dim)), probs / probs.sum())


def random_problem(key: jax.Array, kind: Kind | None = None) -> Problem:
    """Weights' scale from 0.3 to 3, noise from 0.01 to 10, both evenly in their logarithms; all else drawn too."""
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    drawn = KINDS[rng.integers(len(KINDS))]
    kind = kind or drawn
    scale, sigma = 0.3 * 10 ** rng.uniform(0, 1), 10 ** rng.uniform(-2, 1)
    inputs = (2 * kind.digits, *kind.widths[:-1])
    layers = [
        jnp.asarray(rng.normal(size=(out, into)) * scale / into**0.5, jnp.float32)
        for into, out in zip(inputs, kind.widths, strict=True)
    ]
    encode = jax.tree_util.Partial(squashed_network if kind.squashed else plain_network, layers)
    channel: Gaussian | LearntGaussian = Gaussian(jnp.float32(sigma))
    if kind.learnt:
        slope = jnp.asarray(rng.normal(size=(kind.widths[-1], inputs[0])) / inputs[0] ** 0.5, jnp.float32)
        encode = jax.tree_util.Partial(noisy, encode, jnp.full(kind.widths[-1], np.log(sigma), jnp.float32), slope)
        channel = LearntGaussian()
    words = f"{kind.source} {kind.digits}->{kind.widths} {channel.name} scale {scale:.2g} sigma {sigma:.3g}"
    return Problem(Joint(random_source(key, kind.source, kind.digits), encode, channel), words)


def judge(key: jax.Array, problem: Problem, budget_gflop: float = BUDGET) -> Verdict:
    """The bracket against the enumerated truth, the truth's own standard error added to the ends in squares."""
    key_truth, key_bracket = jax.random.split(key)
    exact = Enumeration(TRUTH_SAMPLES)(key_truth, problem.joint)
    found = measure(key_bracket, problem.joint, budget_gflop=budget_gflop, method="bracket")
    truth, stderr = min(float(exact.bits), problem.joint.source.bits), float(exact.stderr)
    below = np.hypot(float(found.lower.bits) - float(found.low), Z95 * stderr)
    above = np.hypot(float(found.high) - float(found.upper.bits), Z95 * stderr)
    off = max(float(found.lower.bits) - below - truth, truth - float(found.upper.bits) - above, 0.0)
    return Verdict(problem.words, truth, stderr, float(found.low), float(found.high), off, problem.joint.source.bits)


def report(verdicts: dict[int, Verdict]) -> float:
    """The share of problems whose truth lies in the bracket; misses are printed with the number of their key."""
    for number, v in verdicts.items():
        if v.off > 0:
            widths = v.off / max(v.high - v.low, 1e-12)
            print(
                f"key {number}: {v.words}: {v.truth:.4f} not in [{v.low:.4f}, {v.high:.4f}], off by {widths:.2f} widths"
            )
    relative = [(v.high - v.low) / max(v.truth, 1e-9) for v in verdicts.values()]
    held = float(np.mean([v.off == 0 for v in verdicts.values()]))
    print(f"{len(verdicts)} problems: {held:.3f} held; median width {np.median(relative):.3f} of the truth")
    return held


@pytest.mark.slow
def test_brackets_hold_problems_of_one_kind() -> None:
    """One kind, whose own noise leaves something to anneal: weights, scale and level differ, so one set of programs.

    At 95 % each, all of six hold in three keys of four: one miss is let pass, a second is one key in thirty.
    """
    keys = jax.random.split(jax.random.key(6), 6)
    judged = {n: judge(jax.random.fold_in(k, 1), random_problem(k, KINDS[2])) for n, k in enumerate(keys)}
    assert report(judged) >= 5 / 6


def judged(number: int) -> Verdict:
    """The verdict on one of the problems, all told by its number."""
    key = jax.random.split(jax.random.key(500), PROBLEMS)[number]
    return judge(jax.random.fold_in(key, 1), random_problem(key))


@pytest.mark.slow
def test_brackets_hold_at_their_rate() -> None:
    """The first hundred are a family of `python -m tests.benchmarks.validity`, their truths by other means."""
    assert report({number: judged(number) for number in range(PROBLEMS)}) >= 0.95
