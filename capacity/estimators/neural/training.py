"""Training that stops early, as one compiled loop: the parameters kept are those best on the validation part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree


@dataclass(frozen=True)
class Stopping:
    """How long and how fast to train.

    Attributes:
        learning_rate: of AdamW after a linear warm-up of 50 steps.
        weight_decay: of AdamW; strong, since a few thousand pairs are soon learnt by heart.
        steps: the most.
        every: steps between two looks at the validation part.
        patience: looks without a better one after which training ends.
        average: decay of the running mean of the parameters, which is what is validated and kept.
    """

    learning_rate: float = 4e-3
    weight_decay: float = 0.3
    steps: int = 2000
    every: int = 25
    patience: int = 8
    average: float = 0.97

    def __post_init__(self) -> None:
        for name in ("steps", "every", "patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"Expected {name} of at least 1; got {getattr(self, name)}.")
        if not self.learning_rate > 0 or not 0 <= self.average < 1 or self.weight_decay < 0:
            raise ValueError(
                "Expected a positive learning_rate, a weight_decay of at least 0 and an average in [0, 1); "
                f"got {self.learning_rate}, {self.weight_decay} and {self.average}."
            )

    def minimise(
        self,
        key: jax.Array,
        params: PyTree,
        loss: Callable[[PyTree, jax.Array], jax.Array],
        validation: Callable[[PyTree], jax.Array],
    ) -> PyTree:
        """Parameters with the least validation loss on the way; traceable.

        Args:
            key: step i draws from `fold_in(key, i)`.
            params: where to start.
            loss: `(params, key) -> scalar`.
            validation: `params -> scalar`, on pairs that `loss` never draws.
        """
        import optax  # it and the next take a quarter of a second, which only training needs

        from capacity.training.fitting import apply_update

        schedule = optax.linear_schedule(0.0, self.learning_rate, 50)
        optimiser = optax.adamw(schedule, weight_decay=self.weight_decay)
        looks = -(-self.steps // self.every)

        def step(carry: PyTree, i: jax.Array) -> tuple[PyTree, None]:
            params, state, mean = carry
            gradient = jax.grad(loss)(params, jax.random.fold_in(key, i))
            params, state = apply_update(optimiser, gradient, state, params)
            mean = jax.tree.map(lambda m, p: self.average * m + (1 - self.average) * p, mean, params)
            return (params, state, mean), None

        def look(carry: PyTree) -> PyTree:
            t, running, best, least, when = carry
            running, _ = jax.lax.scan(step, running, t * self.every + jnp.arange(self.every))
            value = validation(running[2])
            better = value < least
            best = jax.tree.map(lambda new, old: jnp.where(better, new, old), running[2], best)
            return t + 1, running, best, jnp.where(better, value, least), jnp.where(better, t, when)

        def go_on(carry: PyTree) -> jax.Array:
            t, _, _, _, when = carry
            on: jax.Array = (t < looks) & (t - when <= self.patience)
            return on

        zero = jnp.zeros((), jnp.int32)
        start = (zero, (params, optimiser.init(params), params), params, jnp.float32(jnp.inf), zero)
        return jax.lax.while_loop(go_on, look, start)[2]


def sample_rows(key: jax.Array, rows: jax.Array, count: int) -> jax.Array:
    """So many of the rows' numbers, with repetition, shape (count,)."""
    return rows[jax.random.randint(key, (count,), 0, rows.shape[0])]


@dataclass(frozen=True)
class Folds:
    """Row numbers of each fold's three parts, shape (folds, size of the part): one lane of a program each.

    Attributes:
        training, validation, evaluation: the parts.
        blocks: into how many equal blocks of consecutive numbers an evaluation part is cut.
    """

    training: np.ndarray
    validation: np.ndarray
    evaluation: np.ndarray
    blocks: int

    @classmethod
    def of(cls, key: jax.Array, n: int, folds: int, block: int) -> Folds:
        """A random division of n rows: every fold evaluates its own share and validates on a tenth of the rest.

        A share is a whole number of equal blocks of at most `block` rows; the few rows that this leaves over (fewer
        than folds x blocks) train and are not evaluated.

        Args:
            key: of the division.
            n: how many rows there are.
            folds: how many folds.
            block: rows of an evaluation block, at most.

        Raises:
            ValueError: for fewer than two folds, or fewer than 16 pairs to evaluate in each.
        """
        if folds < 2 or n // folds < 16:
            raise ValueError(f"Expected at least 2 folds of at least 16 pairs; got {folds} folds of {n} pairs.")
        order = np.asarray(jax.random.permutation(key, n))
        blocks = -(-(n // folds) // block)
        share = n // folds // blocks * blocks
        held = max((n - share) // 8, 8)
        turned = np.stack([np.roll(order, -fold * share) for fold in range(folds)])
        return cls(turned[:, share + held :], turned[:, share : share + held], turned[:, :share], blocks)

    def lanes(self, key: jax.Array, in_blocks: bool = False) -> tuple[jax.Array, ...]:
        """A program's arguments, with a leading axis of folds: keys, training, validation and evaluation rows.

        Args:
            key: split among the folds.
            in_blocks: whether evaluation rows come as (folds, blocks, block) instead of (folds, blocks * block).
        """
        folds = len(self.training)
        evaluation = self.evaluation.reshape(folds, self.blocks, -1) if in_blocks else self.evaluation
        return jax.random.split(key, folds), *map(jnp.asarray, (self.training, self.validation, evaluation))


def over_lanes(lane: Callable[..., PyTree], lanes: PyTree) -> PyTree:
    """`lane` over the leading axis of its arguments, one after another on a CPU.

    There batched small matrix products are slow.
    """
    if jax.default_backend() == "cpu":
        return jax.lax.map(lambda one: lane(*one), lanes)
    return jax.vmap(lane)(*lanes)
