"""The additive code, the linear effect of inner noise, and the laws of its choices, that are nearest to a stack's."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from capacity.bounds.posterior.additive_fit import fit_additive
from capacity.bounds.posterior.choices import ChoiceReceiver, curvature_of
from capacity.bounds.posterior.stack import StackApproximation
from capacity.channels import Gaussian
from capacity.channels.inner_noise import LEAST_LOG_MASS
from capacity.joint.joint import Joint, drawn
from capacity.joint.stack import mean_code, source_of
from capacity.runtime.shapes import Key, Message, Units, Vector

SAMPLES = 2**14
MEAN_DRAWS = 16  # of the normal inner noise, in the mean code of a message
MOMENT_BATCH = 1024  # codes at once
CURVATURES = 64  # messages over which the squared effects of choices are averaged
RIDGE = 1e-6  # of a variance: codes that hardly move in some direction


def fit_stack(key: Key, joint: Joint) -> StackApproximation:
    """The approximation of a stack's joint (`Stack.joint`) with a discrete source.

    Args:
        key: of the samples that it is fitted to.
        joint: of message and inner noise.

    Raises:
        ValueError: if the joint is not of a stack, or its source is continuous.
    """
    source = source_of(joint)
    if not source.discrete:
        raise ValueError("Expected a discrete source for the layers of a stack; got a continuous one.")
    key_mean, key_samples, key_code, key_effects = jax.random.split(key, 4)
    normals = jax.random.normal(key_mean, (MEAN_DRAWS, source.shape.normal))
    batch = drawn(source, key_samples, SAMPLES)
    codes, variances, means, masses = (np.asarray(p, np.float64) for p in _moments(joint, normals, batch.vector))
    noise, left = np.asarray(batch.message.noise.normal, np.float64), codes - means
    slope = np.linalg.lstsq(noise, left, rcond=None)[0]  # B', (e, units)
    rest = left - noise @ slope
    within = np.diag(variances.mean(0)) + (rest.T @ rest / SAMPLES if source.has_choices else _diagonal(rest))
    within += RIDGE * np.diag(np.diagonal(within)) + np.diag(1e-12 * np.square(codes).mean(0) + 1e-30)
    spread = within + slope.T @ slope
    gain = np.linalg.solve(spread, slope.T).T
    root = np.linalg.cholesky(spread)
    whitener = jnp.asarray(np.linalg.inv(root), jnp.float32)
    white = Joint(source.base, jax.tree_util.Partial(_whitened, joint, normals, whitener), Gaussian(jnp.float32(1)))
    with np.errstate(divide="ignore"):
        log_choices = np.maximum(np.log(masses.mean(0) / masses.mean(0).sum(-1, keepdims=True)), LEAST_LOG_MASS)
    receiver = ChoiceReceiver(joint, whitener)
    messages = drawn(source.base, key_effects, CURVATURES).message
    return StackApproximation(
        fit_additive(key_code, white),
        whitener,
        jnp.asarray(gain @ root, jnp.float32),
        jnp.asarray(np.linalg.cholesky(np.eye(len(slope)) - gain @ slope.T), jnp.float32),
        jnp.asarray(log_choices, jnp.float32),
        _curvatures(receiver, messages) if source.has_choices else jnp.zeros(1),
        receiver,
    )


def _diagonal(rest: np.ndarray) -> np.ndarray:
    return np.diag(np.square(rest).mean(0))


@jax.jit
def _curvatures(receiver: ChoiceReceiver, messages: jax.Array) -> Float[Array, " draws"]:
    def of_message(message: Message) -> jax.Array:
        _, _, slopes, variance = receiver.effects(message)
        return curvature_of(slopes, variance)

    found: jax.Array = jax.lax.map(of_message, messages, batch_size=8)
    return found.mean(0)


@jax.jit
def _moments(joint: Joint, normals: jax.Array, pairs: PyTree) -> tuple[jax.Array, ...]:
    """Mean and variance of the noisy units of each pair of vector and noise, the mean code of the vector, and the
    choices' probabilities there."""

    def of_pair(pair: PyTree) -> tuple[jax.Array, ...]:
        return *joint.moments(pair), *_mean_and_masses(joint, normals, pair[0])

    moments: tuple[jax.Array, ...] = jax.lax.map(of_pair, pairs, batch_size=MOMENT_BATCH)
    return moments


def _mean_and_masses(
    joint: Joint, normals: Float[Array, "draws normal"], vector: Vector
) -> tuple[jax.Array, jax.Array]:
    """The last layer's mean code (units,) of a vector over draws of the normal noise that all vectors share, every
    choice taken for its mean; and the choices' probabilities."""

    def of_draw(normal: jax.Array) -> tuple[jax.Array, jax.Array]:
        code, noise = mean_code(joint, vector, normal)
        return joint.channel.moments(code)[0], noise.choices

    mean, choices = jax.vmap(of_draw)(normals)
    return mean.mean(0), choices.mean(0)


def _whitened(joint: Joint, normals: jax.Array, whitener: jax.Array, vector: jax.Array) -> Units:
    return whitener @ _mean_and_masses(joint, normals, vector)[0]
