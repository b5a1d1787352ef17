"""Bits of the population from any posterior that can be drawn from and has a density: `latent.population`, by draws.

One noisy code of each point is all that is used.  Below: the mixture of posteriors and the interpolated bound.  Above:
log q(z|i) - log r(z), r fitted to the noisy codes of other folds, chosen by a third part and held against the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from capacity.analysis.latent.bounding import bound_of, not_below_zero, own_mixture
from capacity.analysis.latent.folds import FOLDS, Folded, folded, over, sums_by_fold
from capacity.analysis.latent.laws import CHOICE_ERRORS
from capacity.analysis.latent.population import MIN_POINTS, following, interpolated
from capacity.analysis.latent.posteriors.points import Posteriors
from capacity.analysis.latent.posteriors.prior import PRIORS, USUAL
from capacity.analysis.latent.reference import Law, bulk, independent, normal, share_of_tails
from capacity.analysis.latent.unseen import reaching_for_unseen
from capacity.bounds.exact.densities import pair_log_probs
from capacity.channels import Channel, Code
from capacity.results.estimate import Bracket, Estimate

PAIRS = 2**21  # densities at a time
NO_WIDTH = -40.0  # log standard deviation of a code that is drawn already
LogDensity = Callable[[np.ndarray], np.ndarray]
LawOfCodes = Callable[[np.ndarray, np.ndarray], LogDensity]


def bracket_of_population(key: jax.Array, posteriors: Posteriors, samples: int) -> Bracket:
    """Between two bounds, I(X;Z) of the distribution that the points were drawn from.

    Args:
        key: decides folds and noise.
        posteriors: of N points, drawn independently but for copies.
        samples: of how many points a noisy code is drawn, at most.
    """
    flat = np.hstack([np.asarray(leaf, np.float64).reshape(posteriors.count, -1) for leaf in _leaves(posteriors)])
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel().tolist())
    tags = np.unique(flat, axis=0, return_inverse=True)[1].reshape(-1, 1).astype(float)
    data = folded(rng, tags, np.zeros_like(tags), samples)
    if len(data.mean) < MIN_POINTS or posteriors.space == "atoms":
        few = len(data.mean) < MIN_POINTS
        words = f"fewer than {MIN_POINTS} points that differ" if few else "no bound above for noise with atoms"
        zero, high = np.zeros(()), np.full((), np.inf)
        below = Estimate(zero, zero, zero, zero, high, zero + len(data.mean), "lower")
        return Bracket(below, replace(below, bits=high, low=high, high=high, kind="upper"), words)
    first = np.unique(tags[:, 0], return_index=True)[1][data.mean[:, 0].astype(int)]
    with jax.enable_x64(True):
        codes = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)[first], float), posteriors.codes)
        return _bracket(key, data, posteriors, codes)


def _leaves(posteriors: Posteriors) -> list[np.ndarray]:
    return jax.tree.leaves(posteriors.codes)


def _bracket(key: jax.Array, data: Folded, posteriors: Posteriors, codes: Code) -> Bracket:
    drawn = jax.tree.map(lambda leaf: leaf[data.drawn], codes)
    keys = jax.random.split(
        jax.random.wrap_key_data(jnp.asarray(np.asarray(jax.random.key_data(key)))), len(data.drawn)
    )
    channel = jax.tree.map(lambda leaf: jnp.asarray(leaf, float), posteriors.channel)
    z = _noisy(channel, keys, drawn)
    sums, own, gone = _against_all(data, channel, codes, z)
    z = np.asarray(z)
    noise = _controls(channel, drawn, own)
    lowers = {"enumeration": bound_of(data, own - own_mixture(data, sums, own), "lower", noise, data.limit)}
    laws = _laws(posteriors)
    fallback = laws["bulk"] if "bulk" in laws else laws["prior"]
    if len(data.mean) == data.copies.sum():
        log_r = np.empty(len(own))
        side = data.fold[data.drawn] % 2
        for half in (0, 1):
            log_r[side == half] = fallback(z[side != half], data.weight[side != half])(z[side == half])
        lowers["interpolation"] = bound_of(data, interpolated(data, sums, own, log_r, gone), "lower", noise)
    values, names = _chosen(data, z, sums, own, laws, fallback)
    upper = bound_of(data, values, "upper", noise)
    upper = reaching_for_unseen(upper, len(data.drawn), len(data.mean))
    best = max(lowers, key=lambda name: float(lowers[name].low))
    return Bracket(not_below_zero(lowers[best]), not_below_zero(upper), f"{best} below, {names} above")


def _laws(posteriors: Posteriors) -> dict[str, LawOfCodes]:
    """Laws by name: from codes (n, units) and weights (n,) to a log density of codes."""
    usual = USUAL[posteriors.space]
    log_prior = jax.vmap(PRIORS[usual or "normal"])
    prior: LawOfCodes = lambda z, weight: lambda codes: np.asarray(log_prior(jnp.asarray(codes)))  # noqa: E731
    if posteriors.space == "sphere":
        return {"prior": prior}
    return {"prior": prior} | {
        name: partial(_fitted, fit)
        for name, fit in {"bulk": bulk, "normal": normal, "independent normal": independent}.items()
    }


def _fitted(fit: Callable[[np.ndarray, np.ndarray, np.ndarray], Law], z: np.ndarray, weight: np.ndarray) -> LogDensity:
    law = fit(z, np.full_like(z, NO_WIDTH), weight)
    return lambda codes: -law.cross_entropy(codes)


def _chosen(
    data: Folded, z: np.ndarray, sums: np.ndarray, own: np.ndarray, laws: dict[str, LawOfCodes], fallback: LawOfCodes
) -> tuple[Float[np.ndarray, " n"], str]:
    """Nats (n,) whose mean is at least I(X;Z) in expectation, as in `laws`."""
    fold, weight = data.fold[data.drawn], data.weight
    trials: list[str] = [*laws, "other posteriors"]

    def against(name: str, fitting: list[int], judged: np.ndarray) -> np.ndarray:
        chosen = np.isin(fold, fitting)
        fit = laws.get(name, fallback)
        told = fit(z[chosen], weight[chosen])(z[judged])
        if name not in laws:
            copies = data.copies[np.isin(data.fold, fitting)].sum()
            told = share_of_tails(over(sums[judged], fitting) - np.log(copies), told)
        return np.asarray(own[judged] - told)

    def charged(name: str, fitting: list[int], judged: np.ndarray) -> float:
        nats = weight[judged] * against(name, fitting, judged)
        return float(nats.mean() + CHOICE_ERRORS * nats.std() / len(nats) ** 0.5) if np.isfinite(nats).all() else np.inf

    values, names = np.empty(len(own)), set()
    for half in (0, 1):
        mine, other = ([f for f in range(FOLDS) if f % 2 == side] for side in (half, 1 - half))
        judged = np.isin(fold, other[-1:])
        name = min(trials, key=lambda one: charged(one, other[:-1], judged))
        names.add(name)
        for f in mine:
            here = fold == f
            values[here] = against(name, [g for g in range(FOLDS) if g != f], here)
    return values, ", ".join(sorted(names))


@jax.jit
def _noisy(channel: Channel, keys: jax.Array, codes: Code) -> jax.Array:
    noisy: jax.Array = jax.vmap(channel)(keys, codes)
    return noisy


@jax.jit
def _table(channel: Channel, codes: Code, z: jax.Array) -> jax.Array:
    """log q(z|i), (n, N) nats."""
    count = len(jax.tree.leaves(codes)[0])
    return pair_log_probs(jnp.zeros((count, 1), z.dtype), channel, z, codes).T


def _against_all(
    data: Folded, channel: Channel, codes: Code, z: jax.Array
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log sums by fold without the own posterior (n, FOLDS); log density under the own (n,), and under `following`."""
    n, count = len(z), len(data.mean)
    step = int(np.clip(PAIRS // count, 1, n))
    next_of = following(data)
    sums, own, gone = np.empty((n, FOLDS)), np.empty(n), np.empty(n)
    for start in range(0, n, step):
        rows = np.arange(start, min(start + step, n))
        block = jnp.pad(z[rows], ((0, step - len(rows)), (0, 0)))
        table = np.array(_table(channel, codes, block))[: len(rows)]
        place = np.arange(len(rows))
        own[rows], gone[rows] = table[place, data.drawn[rows]], table[place, next_of[rows]]
        sums[rows] = sums_by_fold(table + np.log(data.copies), data.drawn[rows], data.edges)
    return sums, own, gone


def _controls(channel: Channel, codes: Code, own: np.ndarray) -> np.ndarray | None:
    """(n, 1), the log density less its mean at each point, where that is known."""
    if not channel.has_entropy:
        return None
    return np.asarray(own + np.asarray(jax.vmap(channel.entropy)(codes)).sum(1))[:, None]
