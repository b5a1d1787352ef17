"""Normal densities with few samples: all are upper bounds, and the shrunk one is close where the full one is not."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import synthetic
from capacity.bounds import MaximumEntropy
from capacity.bounds.variational.covariances import CHUNK, COVARIANCES, code_moments, restricted_covariance
from capacity.channels import Gaussian
from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT

UNITS = 256


def _joint() -> tuple[Joint, float]:
    """A Gaussian source sent as it is, and its bits in closed form."""
    source = synthetic.GaussianVectors.build(jax.random.key(0), UNITS, UNITS)
    spectrum = np.asarray(source.spectrum, np.float64)
    return Joint(source, lambda x: x, Gaussian(jnp.float32(0.5))), 0.5 * float(
        np.log1p(spectrum / 0.25).sum()
    ) / NATS_PER_BIT


def test_every_covariance_is_above_the_truth() -> None:
    joint, truth = _joint()
    found = {kind: MaximumEntropy(CHUNK, kind)(jax.random.key(1), joint) for kind in COVARIANCES}
    assert all(float(bound.high) > truth for bound in found.values())
    assert truth < float(found["shrunk"].bits) < float(found["full"].bits)


def test_a_shrunk_covariance_is_the_sample_s_where_samples_are_many() -> None:
    joint, _ = _joint()
    moments = code_moments(jax.random.key(1), joint, 32 * CHUNK)
    full, shrunk, blocks = (restricted_covariance(moments, kind) for kind in ("full", "shrunk", "blocks"))
    assert np.abs(full - shrunk).max() < 0.02 * np.abs(full).max()
    assert np.array_equal(blocks[:64, :64], full[:64, :64]) and not blocks[:64, 64:].any()


def test_another_covariance_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected covariance to be one of full, diagonal"):
        MaximumEntropy(CHUNK, "banded")(jax.random.key(0), _joint()[0])
