"""Nats of many points, some at a time: both ends of their evidence, and what the encoder's posterior says of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import logsumexp

from capacity.analysis.model.chains import ChainPlan, ends
from capacity.analysis.model.latent_model import LOG_2PI, CodeRows, LatentModel, PointRows
from capacity.analysis.model.pilots import Told

IMPORTANCE = 256  # codes of the encoder for the importance-weighted bound
DRAWS = 16  # of them for the bound itself


class PointNats(NamedTuple):
    """Nats of n points, all (n,); the last three NaN without an encoder.

    Attributes:
        lower, upper: of the log evidence in expectation; the upper one NaN where no code is known that made the point.
        accepted: mean probability that a move was accepted.
        elbo: of the evidence lower bound of the encoder's posterior.
        rate: KL(q(z|x) || p(z)).
        importance: of the importance-weighted bound with 256 codes of the encoder.
    """

    lower: Float[np.ndarray, " n"]
    upper: Float[np.ndarray, " n"]
    accepted: Float[np.ndarray, " n"]
    elbo: Float[np.ndarray, " n"]
    rate: Float[np.ndarray, " n"]
    importance: Float[np.ndarray, " n"]


class EncoderNats(NamedTuple):
    """Nats of n points by the encoder's posterior alone, all (n,): see `PointNats`."""

    elbo: Float[np.ndarray, " n"]
    rate: Float[np.ndarray, " n"]
    importance: Float[np.ndarray, " n"]


def point_nats(
    rng: np.random.Generator,
    model: LatentModel,
    plan: ChainPlan,
    x: PointRows,
    chains: int,
    told: Told,
    z: CodeRows | None = None,
) -> PointNats:
    """Nats of points, as many at a time as their chains have rows in a batch.

    Args:
        rng: decides chains and codes.
        model: decoder, prior and encoder.
        plan: of pilots.
        x: (n, ...).
        chains: for each point.
        told: is told how many points are done.
        z: (n, units), the codes that made them; None: there are none.
    """
    parts: list[PointNats] = []
    for rows in _blocks(len(x), max(model.batch // chains, 1)):
        found = ends(rng, model, plan, x[rows], chains, None if z is None else z[rows])
        parts.append(PointNats(*found, *encoder_nats(rng, model, x[rows], IMPORTANCE)))
        told(f"{rows.stop:,} of {len(x):,} points")
    return PointNats(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def encoder_nats(rng: np.random.Generator, model: LatentModel, x: PointRows, codes: int = DRAWS) -> EncoderNats:
    """What the encoder's posterior says of points; NaN without an encoder.

    Args:
        rng: decides the codes.
        model: decoder, prior and encoder.
        x: (n, ...).
        codes: drawn for each point.
    """
    if model.encode is None:
        return EncoderNats(*(np.full(len(x), np.nan) for _ in range(3)))
    parts: list[EncoderNats] = []
    for rows in _blocks(len(x), max(model.batch // codes, 1)):
        parts.append(_of_encoder(rng, model, x[rows], codes))
    return EncoderNats(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _of_encoder(rng: np.random.Generator, model: LatentModel, x: PointRows, codes: int) -> EncoderNats:
    """The rate is a closed form for the standard normal prior; for others it comes from the same codes.

    The bound itself is all from the codes: log p(x, z)/q(z) is the same at all of them where q is the posterior.
    """
    mean, spread = model.posterior(x)
    n, units = mean.shape
    noise = rng.normal(size=(n, codes, units))
    noise[:, codes // 2 :] = -noise[:, : codes - codes // 2]  # antithetic: what is linear in the noise averages out
    if spread.ndim == 2:
        log_root, moved = spread.sum(1), np.exp(spread)[:, None] * noise
        square = np.square(mean).sum(1) + np.exp(2 * spread).sum(1)
    else:
        log_root, moved = np.linalg.slogdet(spread)[1], noise @ np.swapaxes(spread, 1, 2)
        square = np.square(mean).sum(1) + np.square(spread).sum((1, 2))
    z = (mean[:, None] + moved).reshape(-1, units)
    log_q = -0.5 * (np.square(noise).sum(2) + LOG_2PI * units) - log_root[:, None]
    with np.errstate(all="ignore"):
        likelihood = model.likelihood(np.repeat(x, codes, 0), z).reshape(n, codes)
        to_prior = log_q - model.log_prior(z).reshape(n, codes)
    rate = to_prior.mean(1) if model.prior is not None else 0.5 * (square - units) - log_root
    importance = logsumexp(likelihood - to_prior, axis=1) - np.log(codes)
    return EncoderNats((likelihood - to_prior).mean(1), rate, np.asarray(importance))


def _blocks(n: int, size: int) -> Iterator[slice]:
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))
