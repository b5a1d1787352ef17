"""Scores of every pair by a critic that was neither trained nor stopped on it (cross-fitting).

Each fold has three parts: one trains, one says when to stop and how far to trust the critic (a factor on the scores,
which shrinks them to nothing where the critic has learnt only noise), one is scored.  Pairs of an evaluation part are
scored with one another in blocks, which makes every x_i with every y_j, i != j, a sample of the product of marginals.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from capacity.estimators.estimator import LogRatio
from capacity.estimators.neural.critics import Critic
from capacity.estimators.neural.prepare import features, to_float32, to_units
from capacity.estimators.neural.training import Folds, Stopping, over_lanes, sample_rows

Objective: TypeAlias = Callable[[jax.Array], jax.Array]
"""Scores (n, n) of a batch, true pairs on the diagonal, to the loss in nats."""

PAIRS_AT_ONCE = 65_536  # pairs scored at once
MAX_VALIDATED = 1024  # pairs of the validation part that are looked at
SCORE_FACTORS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1)


@dataclass(frozen=True)
class Scores:
    """What bounds are made of, in nats, float64, shape (folds * blocks, block), position i a pair's own.

    Attributes:
        true: f(x_i, y_i).
        row, column: log mean over j != i of exp f(x_i, y_j), and of exp f(x_j, y_i), within the block.
        row_share, column_share: sum over k of exp f(x_k, y_i) / sum_j exp f(x_k, y_j), and with x and y exchanged: how
            much pair i weighs in the others' softmax; 1 on average.
        constant: log mean of exp f over the product of marginals on the fold's validation part, (folds * blocks, 1).
    """

    true: np.ndarray
    row: np.ndarray
    column: np.ndarray
    row_share: np.ndarray
    column_share: np.ndarray
    constant: np.ndarray


def held_out(
    key: jax.Array,
    x: np.ndarray,
    y: np.ndarray,
    critic: Critic,
    stopping: Stopping,
    objective: Objective,
    folds: int,
    clip: float = np.inf,
) -> Scores:
    """Train a critic for each fold, as lanes of one compiled program, and score what it has not seen.

    Args:
        key: decides the folds, the batches and the initial parameters.
        x, y: float64 (n, dx) and (n, dy).
        critic, stopping: what to train and for how long.
        objective: the training loss.
        folds: how many.
        clip: scores in row, column and constant are kept within +-clip (after Song & Ermon 2020).
    """
    key_parts, key_lanes = jax.random.split(key)
    lanes = Folds.of(key_parts, len(x), folds, critic.block).lanes(key_lanes, in_blocks=True)
    arrays = jnp.asarray(to_float32(x)), jnp.asarray(to_float32(y))
    summaries = _program(lanes, *arrays, critic, stopping, objective, clip)
    return Scores(*(np.asarray(a, np.float64).reshape(-1, a.shape[-1]) for a in summaries))


@functools.partial(jax.jit, static_argnames=("critic", "stopping", "objective", "clip"))
def _program(
    lanes: PyTree, x: jax.Array, y: jax.Array, critic: Critic, stopping: Stopping, objective: Objective, clip: float
) -> tuple[jax.Array, ...]:
    def lane(key: jax.Array, training: jax.Array, validation: jax.Array, evaluation: jax.Array) -> PyTree:
        in_x, in_y = features(x, x[training]), features(y, y[training])
        params, factor, known = _trained(key, in_x, in_y, training, validation, critic, stopping, objective)
        constant = log_mean_marginals(jnp.clip(known, -clip, clip))
        summary = jax.lax.map(
            lambda rows: _summary(factor * critic.scores(params, in_x[rows], in_y[rows]), clip), evaluation
        )
        return *summary, jnp.broadcast_to(constant, (len(evaluation), 1))

    summaries: tuple[jax.Array, ...] = over_lanes(lane, lanes)
    return summaries


def _trained(
    key: jax.Array,
    in_x: jax.Array,
    in_y: jax.Array,
    training: jax.Array,
    validation: jax.Array,
    critic: Critic,
    stopping: Stopping,
    objective: Objective,
) -> tuple[PyTree, jax.Array, jax.Array]:
    """Parameters, the factor that validation chooses, and the scores of the validation part with it."""
    key_init, key_fit = jax.random.split(key)
    looked = validation[:MAX_VALIDATED]
    batch = min(critic.batch, training.shape[0])

    def scored(params: PyTree, rows: jax.Array) -> jax.Array:
        return critic.scores(params, in_x[rows], in_y[rows])

    params = stopping.minimise(
        key_fit,
        critic.init(key_init, in_x.shape[1], in_y.shape[1]),
        lambda params, key: objective(scored(params, sample_rows(key, training, batch))),
        lambda params: objective(scored(params, looked)),
    )
    known = scored(params, looked)
    values = jax.lax.map(lambda factor: donsker_varadhan(factor * known), jnp.array(SCORE_FACTORS))
    factor = jnp.array(SCORE_FACTORS)[jnp.argmin(values)]
    return params, factor, factor * known


def fit_critic(
    key: jax.Array, x: np.ndarray, y: np.ndarray, critic: Critic, stopping: Stopping, objective: Objective
) -> LogRatio:
    """A critic trained on seven eighths of the pairs and stopped on the rest: its scores of new pairs, nats (n,).

    Args:
        key: decides the parts, the batches and the initial parameters.
        x, y: float64 (n, dx) and (n, dy).
        critic, stopping: what to train and for how long.
        objective: the training loss.
    """
    key_order, key_fit = jax.random.split(key)
    order = np.asarray(jax.random.permutation(key_order, len(x)))
    held = max(len(x) // 8, 8)
    units_x, units_y = to_units(x), to_units(y)
    known = jnp.asarray(units_x(x[order[held:]])), jnp.asarray(units_y(y[order[held:]]))
    rows = jnp.asarray(units_x(x[order])), jnp.asarray(units_y(y[order]))
    params, factor = _fit(key_fit, *rows, held, critic, stopping, objective)

    def log_ratio(new_x: np.ndarray, new_y: np.ndarray) -> np.ndarray:
        parts = []
        for start in range(0, len(new_x), PAIRS_AT_ONCE):
            sides = (units_x(new_x[start : start + PAIRS_AT_ONCE]), units_y(new_y[start : start + PAIRS_AT_ONCE]))
            # One length for all but small calls, so that one program serves them.
            count = len(sides[0])
            length = PAIRS_AT_ONCE if len(new_x) > PAIRS_AT_ONCE else count
            padded = (jnp.asarray(np.pad(side, ((0, length - count), (0, 0)))) for side in sides)
            parts.append(np.asarray(_of_pairs(params, *padded, *known, critic), np.float64)[:count])
        return float(factor) * np.concatenate(parts)

    return log_ratio


@functools.partial(jax.jit, static_argnames=("held", "critic", "stopping", "objective"))
def _fit(
    key: jax.Array, x: jax.Array, y: jax.Array, held: int, critic: Critic, stopping: Stopping, objective: Objective
) -> tuple[PyTree, jax.Array]:
    training, validation = jnp.arange(held, len(x)), jnp.arange(held)
    in_x, in_y = features(x, x[held:]), features(y, y[held:])
    return _trained(key, in_x, in_y, training, validation, critic, stopping, objective)[:2]


@functools.partial(jax.jit, static_argnames=("critic",))
def _of_pairs(
    params: PyTree, x: jax.Array, y: jax.Array, known_x: jax.Array, known_y: jax.Array, critic: Critic
) -> jax.Array:
    return critic.of_pairs(params, features(x, known_x), features(y, known_y))


def log_mean_marginals(scores: jax.Array, axis: int | None = None) -> jax.Array:
    """log mean of exp of the scores off the diagonal of (n, n): all of them, or of each row (axis 1) or column (0)."""
    n = scores.shape[0]
    count = n * (n - 1) if axis is None else n - 1
    off = jnp.where(jnp.eye(n, dtype=bool), -jnp.inf, scores)
    return jax.nn.logsumexp(off, axis) - jnp.log(jnp.float32(count))


def info_nce(scores: jax.Array) -> jax.Array:
    """Minus the InfoNCE figure, mean of both directions, of scores (n, n) (van den Oord et al. 2018, equation 4)."""
    both = jax.nn.logsumexp(scores, 0) + jax.nn.logsumexp(scores, 1)
    return jnp.mean(0.5 * both - jnp.diagonal(scores)) - jnp.log(jnp.float32(scores.shape[0]))


def donsker_varadhan(scores: jax.Array) -> jax.Array:
    """Minus the plug-in Donsker-Varadhan figure of scores (n, n) (Belghazi et al. 2018, equation 10)."""
    return log_mean_marginals(scores) - jnp.mean(jnp.diagonal(scores))


def nwj(scores: jax.Array) -> jax.Array:
    """Minus the figure of Nguyen, Wainwright & Jordan (2010) of scores (n, n): E[f] - E'[exp(f - 1)]."""
    return jnp.exp(log_mean_marginals(scores) - 1.0) - jnp.mean(jnp.diagonal(scores))


def jensen_shannon(scores: jax.Array) -> jax.Array:
    """Logistic loss of true pairs against others, from scores (n, n) (Nowozin, Cseke & Tomioka 2016, table 6)."""
    n = scores.shape[0]
    others = jnp.where(jnp.eye(n, dtype=bool), 0.0, jax.nn.softplus(scores)).sum() / (n * (n - 1))
    return jax.nn.softplus(-jnp.diagonal(scores)).mean() + others


def _summary(scores: jax.Array, clip: float) -> tuple[jax.Array, ...]:
    within = jnp.clip(scores, -clip, clip)
    shares = (jax.nn.softmax(scores, axis).sum(1 - axis) for axis in (1, 0))
    return jnp.diagonal(scores), log_mean_marginals(within, 1), log_mean_marginals(within, 0), *shares
