"""Means over drawn points as bounds of the population: three standard errors, and what no point showed."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np

from capacity.analysis.latent.folds import FOLDS, Folded, over
from capacity.analysis.latent.reference import normal
from capacity.results.estimate import Estimate, Kind
from capacity.results.intervals import rule_of_three_bits
from capacity.runtime.once import ran

TOGETHER = 8  # means that are traced as one program


def own_mixture(data: Folded, sums: np.ndarray, own: np.ndarray) -> np.ndarray:
    """(n,) log density of the codes under the mixture of all posteriors, their own too."""
    whole = np.logaddexp(over(sums, list(range(FOLDS))), own + np.log(data.copies[data.drawn]))
    return np.asarray(whole - np.log(data.copies.sum()))


def noise_controls(data: Folded) -> np.ndarray:
    """(n, 2) of mean 0: squares of the noise, and a normal law's log density less its mean at each point."""
    law = normal(data.mean, data.log_std, data.copies)
    mean, log_std = data.mean[data.drawn], data.log_std[data.drawn]
    told = (law.each_unit(mean, log_std) - law.each_unit(data.codes)).sum(1)
    return np.stack([0.5 * (data.noise**2 - 1).sum(1), told], 1)


def bound_of(
    data: Folded, values: np.ndarray, kind: Kind, controls: np.ndarray | None, limit: float = np.inf
) -> Estimate:
    """`bounds_of` for one mean.

    Args:
        data: whose drawn points the values are of.
        values: (n,), nats.
        kind: `lower` or `upper`.
        controls: (n, c), of mean 0 at every point; None: there are none.
        limit: the most that the bound could be, bits.
    """
    found = bounds_of(data, values[None], kind, None if controls is None else controls[None], limit)
    one: Estimate = jax.tree.map(lambda leaf: leaf[0], found)
    return one


def bounds_of(data: Folded, values: np.ndarray, kind: Kind, controls: np.ndarray | None, limit: float) -> Estimate:
    """Means of values as bounds that reach three standard errors, weighted by copies; leaves (k,) of float64.

    Args:
        data: whose drawn points the values are of.
        values: (k, n), nats.
        kind: `lower` or `upper`.
        controls: (k, n, c), of mean 0 at every point; None: there are none.
        limit: the most that the bounds could be, bits.
    """
    weight = data.weight
    columns = np.zeros((*values.shape, 0)) if controls is None else controls * weight[:, None]
    found = _conservative(values * weight, columns)
    unseen = rule_of_three_bits(np.maximum(found.bits, 0.0), values.shape[1]) if kind == "lower" else 0.0
    return replace(found, low=found.low - unseen, limit=np.full(len(values), limit), kind=kind)


def _conservative(values: np.ndarray, columns: np.ndarray) -> Estimate:
    """Leaves (k,): few one after another, which share what is traced for one."""
    if len(values) >= TOGETHER:
        found: Estimate = jax.tree.map(np.asarray, ran(_conservative_means, values, columns, numbers=columns.size))
        return found
    each = [ran(conservative_mean, *row, numbers=row[1].size) for row in zip(values, columns, strict=True)]
    found = jax.tree.map(lambda *leaves: np.stack(leaves), *each)
    return found


@jax.jit
def _conservative_means(nats: jax.Array, controls: jax.Array) -> Estimate:
    found: Estimate = jax.vmap(conservative_mean)(nats, controls)
    return found


@jax.jit
def conservative_mean(nats: jax.Array, controls: jax.Array) -> Estimate:
    """The mean of values (n,), controls (n, c) taken off, with three standard errors; bits.

    Args:
        nats: values.
        controls: of mean 0.
    """
    return Estimate.from_samples(nats=nats, kind="lower", controls=controls).conservative()


def not_below_zero(found: Estimate) -> Estimate:
    """The bound, cut to what information can be."""
    bits, low, high = (np.maximum(np.asarray(end), 0.0) for end in (found.bits, found.low, found.high))
    return replace(found, bits=bits, low=low, high=high)
