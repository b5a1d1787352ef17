"""Public methods on the same joints, in plain formulas; figures in bits.

On N = 2,048 samples, with the exact conditional density p(z|m) as critic, P_ij = log p(z_i|m_j):

    InfoNCE          mean_i [P_ii - log mean_j exp P_ij] <= log N           van den Oord et al. 2018; Poole et al. 2019
    leave-one-out    mean_i [P_ii - log mean_{j != i} exp P_ij]             Poole et al. 2019, section 2.4
    pairwise KL      -mean_i log mean_j exp -KL(p(z|m_i) || p(z|m_j))       Kolchinsky & Tracey 2017, equation 10

The first is a lower bound and stops at log N; the second an upper bound in expectation; the third an upper bound on
the bits of the N samples' own mixture, hence at most log N too, and none on the population's.  On more samples:

    maximum entropy  1/2 log det(2 pi e Cov Z) - h(Z|M), upper              Cover & Thomas 2006, theorem 8.6.5
    decoder          E log q(m|z) - log p(m), lower                         Barber & Agakov 2003, equation 3

with q the linear receiver of least squared error (Verdu 1998), or the posterior of a linear code where the message is
continuous, and the system's own decoder where one was trained.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import logsumexp

from capacity.bounds import Decoder
from capacity.bounds.posterior.additive_fit import fit_additive
from capacity.bounds.posterior.gaussian import fit_gaussian
from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT

SAMPLES = 2048
DECODED = 2**14
CHUNK = 2**13
SAMPLES_PER_UNIT = 256  # of the covariance: its log determinant is too low by about units^2 / (4 samples) nats

LogDecoder = Callable[[jax.Array, jax.Array], jax.Array]
Floats = np.ndarray


def public(key: jax.Array, joint: Joint, log_decoder: LogDecoder | None = None) -> dict[str, float | None]:
    """All of them; the decoder's is None where none was trained."""
    key_pairs, key_moments, key_fit, key_decoder, key_trained = jax.random.split(key, 5)
    _, codes, z = joint.sample(key_pairs, SAMPLES)
    table = densities(joint.channel, codes, z)
    return {
        "info_nce": info_nce(table),
        "leave_one_out": leave_one_out(table),
        "pairwise_kl": pairwise_kl(divergences(*jax.vmap(joint.channel.moments)(codes))),
        "maximum_entropy": maximum_entropy(key_moments, joint),
        "receiver": receiver(key_fit, key_decoder, joint),
        "decoder": None if log_decoder is None else float(Decoder(log_decoder, DECODED)(key_trained, joint).bits),
    }


def densities(channel: Any, codes: Any, z: jax.Array) -> Floats:
    """log p(z_i|m_j), nats, (n, n), float64."""

    def of(z_one: jax.Array) -> jax.Array:
        return jax.vmap(lambda code: channel.log_prob(z_one, code).sum())(codes)

    return np.asarray(jax.jit(lambda all_z: jax.lax.map(of, all_z))(z), np.float64)


def info_nce(table: Floats) -> float:
    """Lower bound, at most log2 n, bits."""
    own = np.diagonal(table)
    return float((own - logsumexp(table, axis=1) + np.log(len(table))).mean() / NATS_PER_BIT)


def leave_one_out(table: Floats) -> float:
    """Upper bound in expectation, bits."""
    own, others = np.diagonal(table), table.copy()
    np.fill_diagonal(others, -np.inf)
    return float((own - logsumexp(others, axis=1) + np.log(len(table) - 1)).mean() / NATS_PER_BIT)


def divergences(means: jax.Array, variances: jax.Array) -> Floats:
    """KL(p(z|m_i) || p(z|m_j)), nats, (n, n), of normals with independent units: means and variances (n, units)."""

    def of(one: tuple[jax.Array, jax.Array]) -> jax.Array:
        mean, variance = one
        ratio = variance[None] / variances
        return 0.5 * (ratio + jnp.square(mean[None] - means) / variances - 1 - jnp.log(ratio)).sum(1)

    return np.asarray(jax.jit(lambda pair: jax.lax.map(of, pair))((means, variances)), np.float64)


def pairwise_kl(divergence: Floats) -> float:
    """Upper bound for the samples' own mixture, at most log2 n, bits."""
    return float((np.log(len(divergence)) - logsumexp(-divergence, axis=1)).mean() / NATS_PER_BIT)


def maximum_entropy(key: jax.Array, joint: Joint) -> float:
    """Entropy of the normal density with Z's covariance, less the noise's, bits."""

    @jax.jit
    def moments(key: jax.Array) -> Any:
        codes = jax.vmap(joint.encoder)(joint.source.sample(key, CHUNK).vector)
        means, variances = jax.vmap(joint.channel.moments)(codes)
        products = jnp.matmul(means.T, means, precision=jax.lax.Precision.HIGHEST)
        return means.sum(0), products, variances.sum(0), jax.vmap(joint.channel.entropy)(codes).sum()

    units = jax.eval_shape(lambda k: joint.sample(k, 1), key)[2].shape[1]
    chunks = max(8, -(-SAMPLES_PER_UNIT * units // CHUNK))
    total, n = [np.zeros(())] * 4, chunks * CHUNK
    for number in range(chunks):
        found = moments(jax.random.fold_in(key, number))
        total = [so_far + np.asarray(part, np.float64) for so_far, part in zip(total, found, strict=True)]
    mean, second, variance, entropy = (part / n for part in total)
    covariance = second - np.outer(mean, mean) + np.diag(variance)
    whole = 0.5 * (np.linalg.slogdet(covariance)[1] + units * np.log(2 * np.pi * np.e))
    return float((whole - entropy) / NATS_PER_BIT)


def receiver(key_fit: jax.Array, key: jax.Array, joint: Joint) -> float:
    """Lower bound of the linear receiver, bits."""
    code: Any = (fit_additive if joint.source.discrete else fit_gaussian)(key_fit, joint)

    def value(pair: tuple[jax.Array, jax.Array]) -> jax.Array:
        message, z = pair
        observation = code.observe(z)
        return code.log_start(observation, code.state_of(observation, message)) - joint.source.log_prob(message)

    message, _, z = joint.sample(key, DECODED)
    values = jax.jit(lambda pairs: jax.lax.map(value, pairs, batch_size=256))((message, z))
    return float(np.asarray(values, np.float64).mean() / NATS_PER_BIT)
