"""One training on few labelled images: on all but a fold of them, validated on the fold, tested on others."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optax

from capacity.claims.lab.experiment import Lane
from capacity.training import cosine_adam
from capacity.training.fitting import apply_update

TEST = 100  # images
BATCH = 32
FOLDS, NO_FOLD = 3, -1
SIZE_LIMIT = 1024  # places that are counted through
Layers = list[dict[str, jax.Array]]  # "kernel" (inputs, outputs) and "bias" (outputs,) of each
_Carry = tuple[Layers, optax.OptState]


def outside_fold(fold: jax.Array, size: jax.Array) -> tuple[jax.Array, jax.Array]:
    """How many of the first `size` places are not of this fold (every third from its number), and which the j-th is."""
    inside = jnp.where(fold == NO_FOLD, 0, (size - fold + FOLDS - 1) // FOLDS)
    j = jnp.arange(SIZE_LIMIT)
    round_, rest = j // (FOLDS - 1), j % (FOLDS - 1)
    place = round_ * FOLDS + rest + (rest >= fold).astype(jnp.int32)
    return size - inside, jnp.where(fold == NO_FOLD, j, place)


def train_and_test(
    key: jax.Array,
    images: jax.Array,
    labels: jax.Array,
    widths: tuple[int, ...],
    one: Lane,
    steps: int,
) -> dict[str, jax.Array]:
    """Train on the first `size` of a shuffled pool but for a fold, validate on the fold, test on the last 100.

    Args:
        key: decides the order, the start and the batches.
        images: (n, pixels).
        labels: +-1, (n,).
        widths: of the hidden layers.
        one: `size`, `fold` (or `NO_FOLD`), `decay` of weights and learning `rate`.
        steps: of training.

    Returns:
        `validation`, summed nats of the fold; `bits` per label held out, and `accuracy`.
    """
    key_order, key_init, key_batch = jax.random.split(key, 3)
    order = jax.random.permutation(key_order, labels.shape[0])
    x, y = images[order], labels[order]
    count, places = outside_fold(one["fold"], one["size"])
    schedule = cosine_adam(1.0, steps)

    def loss(params: Layers, rows: jax.Array) -> jax.Array:
        decay = sum(jnp.square(layer["kernel"]).sum() for layer in params)
        return -layers_log_probs(params, x[rows], y[rows]).mean() + one["decay"] * decay

    def step(carry: _Carry, i: jax.Array) -> tuple[_Carry, None]:
        params, state = carry
        rows = places[jax.random.randint(jax.random.fold_in(key_batch, i), (BATCH,), 0, count)]
        gradient = jax.grad(loss)(params, rows)
        moved, state = apply_update(schedule, gradient, state, params)
        return (jax.tree.map(lambda p, m: p + one["rate"] * (m - p), params, moved), state), None

    params = init_layers(key_init, (images.shape[1], *widths, 1))
    (params, _), _ = jax.lax.scan(step, (params, schedule.init(params)), jnp.arange(steps))
    log_probs = layers_log_probs(params, x, y)
    number = jnp.arange(labels.shape[0])
    held = (number < one["size"]) & (number % FOLDS == one["fold"])
    test = log_probs[-TEST:]
    share = (labels > 0).mean()
    entropy = -(share * jnp.log(share) + (1 - share) * jnp.log(1 - share))
    return {
        "validation": -jnp.where(held, log_probs, 0.0).sum(),
        "bits": (entropy + test.mean()) / jnp.log(2.0),
        "accuracy": (test > -jnp.log(2.0)).mean(),
    }


def init_layers(key: jax.Array, sizes: tuple[int, ...]) -> Layers:
    """Layers between so many units each, scaled for rectifiers (variance two over the number of inputs)."""
    keys = jax.random.split(key, len(sizes) - 1)
    # Only the last layer starts at 0: a linear model then starts as logistic regression does, at even odds.
    return [
        {
            "kernel": jax.random.normal(k, (a, b)) * (2 / a) ** 0.5 * float(i < len(keys) - 1),
            "bias": jnp.zeros(b),
        }
        for i, (k, a, b) in enumerate(zip(keys, sizes[:-1], sizes[1:], strict=True))
    ]


def layers_log_probs(params: Layers, x: jax.Array, y: jax.Array) -> jax.Array:
    """(n,) nats of the true labels +-1."""
    for layer in params[:-1]:
        x = jax.nn.relu(x @ layer["kernel"] + layer["bias"][None])
    return jax.nn.log_sigmoid(y * (x @ params[-1]["kernel"] + params[-1]["bias"][None])[:, 0])
