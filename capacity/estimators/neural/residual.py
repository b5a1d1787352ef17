"""What a small critic finds in the data that a given log density ratio has missed.

With a base r(x, y) (of a fitted normal law, say) the critic is f = r + net(x, y), net starting from 0.  The bound of
Nguyen, Wainwright & Jordan (2010),

    I >= E[f] - c + 1 - E'[exp(f - c)],   c from the validation part,

is taken with and without the net on the same held-out pairs: the difference has a small standard error, since all that
the base explains is in both.  A base that is the true ratio leaves a difference of zero.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from capacity.estimators.checks import Takes, checked
from capacity.estimators.estimator import LogRatio
from capacity.estimators.neural.critics import Separable
from capacity.estimators.neural.held_out import log_mean_marginals
from capacity.estimators.neural.prepare import features, to_float32
from capacity.estimators.neural.training import Folds, Stopping, over_lanes
from capacity.results.estimate import Estimate, Kind
from capacity.runtime.keys import Seed, as_key

Fit: TypeAlias = Callable[[jax.Array, np.ndarray, np.ndarray], LogRatio]
BASE_FACTORS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
CLIPPED_SHARE = 1e-3  # of the training pairs' base values, at either end


@dataclass(frozen=True)
class Comparison:
    """Held-out lower bounds in bits: of the base alone, of base and net, and the second less the first (a point)."""

    base: Estimate
    total: Estimate
    gain: Estimate


@dataclass(frozen=True)
class Residual:
    """Train a critic on top of a base and compare held-out bounds.

    Rows of a part are put into groups, within which every x meets every y: the base is needed at `n * group` pairs.

    Attributes:
        critic: the net; its `batch` and `block` are not used.
        stopping: how it is trained.
        folds: each pair is evaluated once, by base and net of the fold that did not see it.
        group: rows of a group.
        groups: groups of a training batch.

    Raises:
        ValueError: for fewer than 20 groups of pairs, a base whose values are not finite numbers of shape (n,), and
            what `checked` refuses.
    """

    critic: Separable = field(default_factory=Separable)
    stopping: Stopping = field(default_factory=lambda: Stopping(patience=6))
    folds: int = 5
    group: int = 32
    groups: int = 8

    takes: ClassVar[Takes] = "continuous"

    def __call__(self, key: Seed, x: ArrayLike, y: ArrayLike, fit: Fit) -> Comparison:
        """Compare on x (n, dx) and y (n, dy); `fit` is called with each fold's training and validation rows.

        Args:
            key: a key or a seed; decides folds, batches and initial parameters.
            x, y: the pairs.
            fit: `(key, x, y) -> log_ratio`, and `log_ratio(x, y)` the base in nats at new pairs, shape (n,), up to a
                constant.
        """
        rows_x, rows_y = checked(x, y, self.takes, 20 * self.group)
        key_parts, key_lanes, key_fit = jax.random.split(as_key(key), 3)
        parts = Folds.of(key_parts, len(rows_x), self.folds, len(rows_x))
        grouped = [self._groups(part) for part in (parts.training, parts.validation, parts.evaluation)]
        bases: list[list[np.ndarray]] = [[], [], []]
        for fold in range(self.folds):
            seen = np.concatenate([parts.training[fold], parts.validation[fold]])
            log_ratio = fit(jax.random.fold_in(key_fit, fold), rows_x[seen], rows_y[seen])
            for base, rows in zip(bases, grouped, strict=True):
                base.append(_matrices(log_ratio, rows_x, rows_y, rows[fold]))
        lanes = (
            jax.random.split(key_lanes, self.folds),
            *map(jnp.asarray, grouped),
            *(jnp.asarray(np.stack(base), jnp.float32) for base in bases),
        )
        arrays = jnp.asarray(to_float32(rows_x)), jnp.asarray(to_float32(rows_y))
        without, total = (np.asarray(a, np.float64) for a in _program(lanes, *arrays, self))
        return Comparison(_estimate(without, "lower"), _estimate(total, "lower"), _estimate(total - without, "point"))

    def _groups(self, rows: np.ndarray) -> np.ndarray:
        """Row numbers (folds, groups, group) of rows (folds, m); what is left over is not used."""
        count = rows.shape[1] // self.group
        return rows[:, : count * self.group].reshape(len(rows), count, self.group)


def _matrices(log_ratio: LogRatio, x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The base at every pair of each group, shape (groups, group, group), row i the pairs of x_i."""
    count, size = rows.shape
    matrices = np.empty((count, size, size))
    for start in range(0, count, 64):
        some = rows[start : start + 64]
        left = np.repeat(some, size, axis=1).ravel()
        right = np.tile(some, (1, size)).ravel()
        values = np.asarray(log_ratio(x[left], y[right]), np.float64)
        if values.shape != left.shape or not np.isfinite(values).all():
            raise ValueError(f"Expected a base with finite values of shape {left.shape}; got shape {values.shape}.")
        matrices[start : start + 64] = values.reshape(-1, size, size)
    return matrices


@functools.partial(jax.jit, static_argnames=("plan",))
def _program(lanes: PyTree, x: jax.Array, y: jax.Array, plan: Residual) -> tuple[jax.Array, jax.Array]:
    critic = plan.critic

    def lane(key: jax.Array, *given: jax.Array) -> PyTree:
        training, validation, evaluation, base_training, base_validation, base_evaluation = given
        low, high = jnp.quantile(_true(base_training), jnp.array([CLIPPED_SHARE, 1 - CLIPPED_SHARE]))
        bases = [jnp.clip(base, low, high) for base in (base_training, base_validation, base_evaluation)]
        base_training, base_validation, base_evaluation = (_factor(bases[1]) * base for base in bases)
        in_x, in_y = (features(side, side[training.reshape(-1)]) for side in (x, y))
        key_init, key_fit = jax.random.split(key)
        params = critic.init(key_init, in_x.shape[1], in_y.shape[1])
        # With both sides of the product at zero there would be no gradient: y's side and x's own term are enough.
        params["y"] = params["y"] | {name: jax.tree.map(jnp.zeros_like, params["y"][name]) for name in ("last", "past")}
        for name in ("last", "past"):
            params["x"][name] = jax.tree.map(lambda a: a.at[..., -1].set(0.0), params["x"][name])

        def net(params: PyTree, rows: jax.Array) -> jax.Array:
            size = rows.shape[-1]
            return jax.vmap(lambda a, b: critic.scores(params, a, b))(
                in_x[rows.reshape(-1)].reshape(-1, size, in_x.shape[1]),
                in_y[rows.reshape(-1)].reshape(-1, size, in_y.shape[1]),
            )

        def loss(params: PyTree, key: jax.Array) -> jax.Array:
            some = jax.random.randint(key, (min(plan.groups, len(training)),), 0, len(training))
            return _loss(base_training[some] + net(params, training[some]))

        def validate(params: PyTree) -> jax.Array:
            return _loss(base_validation + net(params, validation))

        params = plan.stopping.minimise(key_fit, params, loss, validate)
        more = net(params, validation)
        factor = _factor(more, base_validation)
        added = factor * net(params, evaluation)
        return tuple(
            _values(jnp.minimum(on_evaluation, on_validation.max()), on_validation)
            for on_evaluation, on_validation in (
                (base_evaluation, base_validation),
                (base_evaluation + added, base_validation + factor * more),
            )
        )

    values: tuple[jax.Array, jax.Array] = over_lanes(lane, lanes)
    return values


def _true(scores: jax.Array) -> jax.Array:
    true: jax.Array = jnp.diagonal(scores, axis1=1, axis2=2)
    return true


def _loss(scores: jax.Array) -> jax.Array:
    """Minus Donsker & Varadhan's figure of scores (groups, group, group)."""
    marginals = jax.nn.logsumexp(jax.vmap(log_mean_marginals)(scores)) - jnp.log(jnp.float32(len(scores)))
    return marginals - jnp.mean(_true(scores))


def _factor(scores: jax.Array, to: jax.Array | float = 0.0) -> jax.Array:
    """The factor with which the scores do best, added to others; 0 if they only harm."""
    factors = jnp.array(BASE_FACTORS)
    return factors[jnp.argmin(jax.lax.map(lambda factor: _loss(to + factor * scores), factors))]


def _values(scores: jax.Array, validation: jax.Array) -> jax.Array:
    """Each group's bound, nats, shape (groups,): independent given the critic and the constant from validation."""
    scores = scores - (_loss(validation) + _true(validation).mean())
    return _true(scores).mean(1) + 1 - jnp.exp(jax.vmap(log_mean_marginals)(scores))


def _estimate(values: np.ndarray, kind: Kind) -> Estimate:
    spread = values - values.mean(axis=1, keepdims=True)
    stderr = np.sqrt((spread**2).sum() / (values.size - len(values)) / values.size)
    return Estimate.from_nats(nats=float(values.mean()), stderr=float(stderr), kind=kind, n=values.size)
