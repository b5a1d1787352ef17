"""A small classifier trained with care: held-out bits per label, log2 classes less the cross-entropy.

It starts from equal chances for all classes (0 bits) and is stopped where a validation set is foretold best, by the
same rule in both arms of a comparison: what noise or a feature adds is not what early stopping would have added.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jaxtyping import PyTree

from capacity.results.estimate import NATS_PER_BIT
from capacity.systems.networks import MLP
from capacity.systems.networks.running import merge
from capacity.training.fitting import apply_update

Carry = tuple[PyTree, optax.OptState]  # the network's state, the optimiser's


class Examples(NamedTuple):
    """Inputs (n, dim) and labels (n,) int32."""

    inputs: jax.Array
    labels: jax.Array


class Split(NamedTuple):
    """What a classifier is trained on, stopped by, and judged on."""

    train: Examples
    valid: Examples
    test: Examples


class ClassifierTraining(NamedTuple):
    """Sizes of the network and of its training.

    Attributes:
        classes: equally likely.
        width: of the one hidden layer.
        steps, batch: of Adam.
        checks: how often validation and test losses are taken.
        learning_rate: constant.
    """

    classes: int
    width: int = 64
    steps: int = 480
    batch: int = 64
    checks: int = 24
    learning_rate: float = 1e-3


def held_out_bits(
    key: jax.Array,
    recipe: ClassifierTraining,
    data: Split,
    size: jax.Array,
    augment: Callable[[jax.Array, jax.Array], jax.Array],
) -> dict[str, jax.Array]:
    """Train on the first `size` examples; traceable.

    Args:
        key: decides the start, the batches and what `augment` draws.
        recipe: sizes of the network and of its training.
        data: what it is trained on, stopped by and judged on.
        size: examples that are used, at most those of `data.train`; may be traced.
        augment: `augment(key, inputs)`, through which each batch of inputs passes in training.

    Returns:
        `bits` held-out bits per label at the check of least validation loss, `final` those at the end, `train` those
        on the examples trained on at that check; below 0 where answers are worse than none.
    """
    classes, dim = recipe.classes, data.train.inputs.shape[1]

    def build(rngs: nnx.Rngs) -> MLP:
        return MLP((dim, recipe.width, classes), "silu", rngs)

    def loss(params: PyTree, examples: Examples) -> jax.Array:
        log_probs = jax.nn.log_softmax(jax.vmap(merge(build, params))(examples.inputs))
        return -jnp.take_along_axis(log_probs, examples.labels[:, None], axis=1)[:, 0]

    optimiser = optax.adam(recipe.learning_rate)
    known = (jnp.arange(data.train.labels.shape[0]) < size).astype(jnp.float32)

    def step(carry: Carry, key: jax.Array) -> tuple[Carry, None]:
        params, state = carry
        pick, noise = jax.random.split(key)
        chosen = jax.random.randint(pick, (recipe.batch,), 0, size)
        batch = Examples(augment(noise, data.train.inputs[chosen]), data.train.labels[chosen])
        gradient = jax.grad(lambda p: loss(p, batch).mean())(params)
        return apply_update(optimiser, gradient, state, params)[:2], None

    def check(carry: Carry, keys: jax.Array) -> tuple[Carry, jax.Array]:
        params = carry[0]
        train = (loss(params, data.train) * known).sum() / known.sum()
        nats = jnp.stack([train, loss(params, data.valid).mean(), loss(params, data.test).mean()])
        return jax.lax.scan(step, carry, keys)[0], nats

    key_init, key_steps = jax.random.split(key)
    model = build(nnx.Rngs(key_init))
    model.layers[-1].kernel[...] = jnp.zeros_like(model.layers[-1].kernel[...])
    params = nnx.split(model)[1]
    keys = jax.random.split(key_steps, (recipe.checks, recipe.steps // recipe.checks))
    _, nats = jax.lax.scan(check, (params, optimiser.init(params)), keys)
    best = jnp.argmin(nats[:, 1])
    bits = (jnp.log(float(classes)) - nats) / NATS_PER_BIT
    return {"bits": bits[best, 2], "final": bits[-1, 2], "train": bits[best, 0]}
