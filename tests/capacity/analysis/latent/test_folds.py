"""Sums of densities by fold against all pairs one by one, by the expanded square and by differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from capacity.analysis.latent.folds import FOLDS, Folded, fold_sums, folded, unit_sums


def table(far: float) -> Folded:
    rng = np.random.default_rng(0)
    mean, log_std = rng.normal(size=(40, 3)), 0.3 * rng.normal(size=(40, 3))
    mean[0] += far
    mean[7:9], log_std[7:9] = mean[6], log_std[6]  # copies
    return folded(rng, mean, log_std, 20)


def densities(data: Folded) -> np.ndarray:
    """(n, points, units), each of one noisy code under one posterior, less the constant; the own are -inf."""
    left = (data.codes[:, None] - data.mean[None]) * np.exp(-data.log_std)
    out = -0.5 * left**2 - data.log_std
    out[np.arange(len(data.drawn)), data.drawn] = -np.inf
    return out


@pytest.mark.parametrize("far", [0.0, 1e9])
def test_sums_are_those_over_all_pairs(far: float) -> None:
    data = table(far)
    assert len(data.mean) == 38 and data.copies.max() == 3 and data.weight.shape == (20,)
    pairs, log_copies = densities(data), np.log(data.copies)
    for units, found in ((slice(0, 3), fold_sums(data)), (slice(1, 2), unit_sums(data)[0][1])):
        whole = pairs[:, :, units].sum(2) + log_copies
        expected = np.stack([logsumexp(whole[:, data.fold == f], axis=1) for f in range(FOLDS)], 1)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_units_up_to_each_hold_the_own_posterior_too() -> None:
    data = table(0.0)
    own = data.own().sum(1) + np.log(data.copies[data.drawn])
    expected = np.logaddexp(logsumexp(fold_sums(data), axis=1), own)
    np.testing.assert_allclose(unit_sums(data)[1][-1], expected, rtol=1e-9)


def test_fewer_codes_and_fewer_points_are_even_by_fold() -> None:
    data = table(0.0)
    assert np.bincount(data.fold[data.fewer(12).drawn]).tolist() == [2] * FOLDS
    part = data.part(18)
    assert np.diff(part.edges).tolist() == [3] * FOLDS and len(part.drawn) == len(part.noise)
    np.testing.assert_array_equal(np.isin(part.codes, data.codes), True)
    assert (part.drawn < 18).all()
