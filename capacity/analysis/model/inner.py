"""log p(z|i) of a layer after inner noise, from above: a mean over noise in which the very noise that made z has part.

With normal inner channels the noise e is a latent code of its own, with prior N(0, 1) and likelihood p(z|i, e): chains
anneal from an approximation, linear in e, to its posterior and back.  Of other noises the mean is over K + 1 sampled
codes, of which one made z: E log mean >= log p(z|i) (Grosse, Ghahramani & Adams 2015, without annealing).
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from capacity.analysis.model.chains import ends
from capacity.analysis.model.latent_model import LatentModel
from capacity.analysis.model.passage import codes_of, noise_code, noise_size, sent_through
from capacity.analysis.model.pilots import planned
from capacity.channels.channel import Channel, Code
from capacity.joint.joint import ENCODED_TOGETHER
from capacity.joint.stack import Layer
from capacity.runtime.shapes import Key, Vector

CHAINS = 4
GAP = 0.02  # nats
MAX_FACTORED = 64  # numbers of noise of which the whole covariance is taken
SAMPLED = 255  # codes besides the one that made z
TOGETHER = 64  # noisy codes
SLOPES = 64  # points over which a slope is averaged


class LayerSample(NamedTuple):
    """Noisy codes of points drawn at random.

    Attributes:
        rows: (n,), the points.
        z: (n, units), their noisy codes.
        above: (n,) nats, at least log p(z|i) in expectation.
        mean, variance: (n, units), of the noisy codes given what came before.
        linear: (n, units), what the inner noise adds to the codes' means, were these linear in it: J e.
        slope: J, (units, noise); None where inner noise is not normal, and `linear` then zeros.
    """

    rows: Int[np.ndarray, " n"]
    z: Float[np.ndarray, "n units"]
    above: Float[np.ndarray, " n"]
    mean: Float[np.ndarray, "n units"]
    variance: Float[np.ndarray, "n units"]
    linear: Float[np.ndarray, "n units"]
    slope: Float[np.ndarray, "units noise"] | None


def layer_sample(
    key: jax.Array, layers: tuple[Layer, ...], vectors: Float[Array, "points dim"], n: int, temperatures: int
) -> LayerSample:
    """Noisy codes of the last of some layers, and log p(z|i) from above.

    Args:
        key: decides them.
        layers: first to last, all with noise.
        vectors: the points.
        n: how many.
        temperatures: at most, where the noise is annealed.
    """
    inner = all(layer.channel.normal for layer in layers[:-1])
    if inner and layers[-1].channel.full_support:
        return _annealed(key, layers, vectors, n, temperatures)
    key_rows, key_send, key_codes = jax.random.split(key, 3)
    rows = jax.random.randint(key_rows, (n,), 0, len(vectors))
    codes, z = sent_through(layers, key_send, vectors[rows])
    parts = []
    for number, start in enumerate(range(0, n, TOGETHER)):
        here = slice(start, start + TOGETHER)
        others = codes_of(layers, jax.random.fold_in(key_codes, number), vectors[rows[here]], SAMPLED)
        own = jax.tree.map(lambda leaf, here=here: leaf[here], codes)
        parts.append(np.asarray(_log_mean(layers[-1].channel, own, others, z[here])))
    mean, variance = _moments(layers[-1].channel, codes)
    arrays = (np.asarray(part) for part in (rows, z, np.concatenate(parts), mean, variance, jnp.zeros_like(z)))
    sent, received, above, middle, spread, linear = arrays
    return LayerSample(sent, received, above, middle, spread, linear, None)


@jax.jit
def _moments(channel: Channel, codes: Code) -> tuple[Float[Array, "n units"], Float[Array, "n units"]]:
    found: tuple[jax.Array, jax.Array] = jax.vmap(channel.moments)(codes)
    return found


@jax.jit
def _codes(layers: tuple[Layer, ...], vectors: Float[Array, "n dim"], noise: Float[Array, "n noise"]) -> Code:
    code: Code = jax.lax.map(lambda one: noise_code(layers, *one), (vectors, noise), batch_size=ENCODED_TOGETHER)
    return code


@jax.jit
def _log_mean(channel: Channel, own: Code, others: Code, z: Float[Array, "n units"]) -> Float[Array, " n"]:
    codes = jax.tree.map(lambda one, many: jnp.concatenate([one[:, None], many], 1), own, others)

    def of_one(one: tuple[Code, jax.Array]) -> jax.Array:
        values = jax.vmap(lambda code: channel.log_prob(one[1], code).sum())(one[0])
        return jax.nn.logsumexp(values) - jnp.log(len(values))

    found: jax.Array = jax.lax.map(of_one, (codes, z))
    return found


def _annealed(
    key: jax.Array, layers: tuple[Layer, ...], vectors: Float[Array, "points dim"], n: int, temperatures: int
) -> LayerSample:
    count, dim = vectors.shape
    size = noise_size(layers, vectors[0])

    def likelihood(row: jax.Array, noise: jax.Array) -> jax.Array:
        return _likelihood(layers, row[1 : 1 + dim], row[1 + dim :], noise)

    def simulate(one: Key, noise: jax.Array) -> jax.Array:
        key_row, key_noise = jax.random.split(one)
        row = jax.random.randint(key_row, (), 0, count)
        z = layers[-1].channel(key_noise, noise_code(layers, vectors[row], noise))
        return jnp.concatenate([row[None].astype(z.dtype), vectors[row], z])

    def encode(row: jax.Array) -> tuple[jax.Array, jax.Array]:
        return _linear(layers, row[1 : 1 + dim], row[1 + dim :], size)

    model = LatentModel.from_jax(size, likelihood, simulate, encode=encode)
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel().tolist())
    found = planned(rng, model, GAP, temperatures, CHAINS, None, lambda _: None)
    noise, table = model.draw(rng, n)
    parts = []
    for start in range(0, n, model.batch // CHAINS):
        here = slice(start, start + model.batch // CHAINS)
        parts.append(ends(rng, model, found.plan, table[here], CHAINS, noise[here]).upper)
    rows = table[:, 0].astype(int)
    mean, variance = _moments(layers[-1].channel, _codes(layers, vectors[rows], jnp.asarray(noise)))
    slopes = jax.vmap(lambda v: jax.jacfwd(lambda e: _middle(layers, v, e))(jnp.zeros(size)))(vectors[:SLOPES])
    slope = np.asarray(slopes.mean(0))
    above, z, linear = np.concatenate(parts), table[:, 1 + dim :], noise @ slope.T
    return LayerSample(rows, z, above, np.asarray(mean), np.asarray(variance), linear, slope)


def _likelihood(layers: tuple[Layer, ...], vector: Vector, z: jax.Array, noise: jax.Array) -> jax.Array:
    value: jax.Array = layers[-1].channel.log_prob(z, noise_code(layers, vector, noise)).sum()
    return value


def _middle(layers: tuple[Layer, ...], vector: Vector, noise: jax.Array) -> jax.Array:
    mean: jax.Array = layers[-1].channel.moments(noise_code(layers, vector, noise))[0]
    return mean


def _linear(layers: tuple[Layer, ...], vector: Vector, z: jax.Array, size: int) -> tuple[jax.Array, jax.Array]:
    """The posterior of the noise, were the code linear in it and its own noise normal: mean, and root or logarithms."""

    middle = partial(_middle, layers, vector)
    none = jnp.zeros(size)
    variance = layers[-1].channel.moments(noise_code(layers, vector, none))[1]
    scale = 1 / jnp.sqrt(jnp.maximum(variance, 1e-12 * jnp.maximum(variance.max(), 1e-30)))
    slope = scale[:, None] * jax.jacfwd(middle)(none)
    precision = jnp.eye(size) + slope.T @ slope
    mean = jnp.linalg.solve(precision, slope.T @ (scale * (z - middle(none))))
    if size > MAX_FACTORED:
        return mean, -0.5 * jnp.log(jnp.diagonal(precision))
    return mean, jnp.linalg.cholesky(jnp.linalg.inv(precision))
