"""Closed forms and quadratures against tabulated figures."""

from __future__ import annotations

import numpy as np
import pytest

from capacity.theory import (
    gaussian_capacity,
    gaussian_noise_information,
    linear_vae,
    pam_information,
)

SPECTRUM = (4, 2, 1, 0.5, 0.25)


def test_gaussian_capacity() -> None:
    np.testing.assert_allclose(gaussian_capacity([1, 2, 4]), [0.5, 0.792481, 1.160964], atol=1e-6)
    with pytest.raises(ValueError, match="at least 0; got -1"):
        gaussian_capacity(-1)


@pytest.mark.parametrize(("snr", "truth"), [(1, 0.485944), (2, 0.721452), (4, 0.912822)])
def test_keyed_bit_through_gaussian_noise(snr: float, truth: float) -> None:
    assert gaussian_noise_information([-1, 1], [0.5, 0.5], snr**-0.5) == pytest.approx(truth, abs=1e-6)


def test_quadrature_converges() -> None:
    """Two points optimal below amplitude 1.6659 (Smith 1971): their capacity at amplitude 1.5."""
    assert gaussian_noise_information([-1.5, 1.5], [0.5, 0.5], 1.0) == pytest.approx(0.75998, abs=1e-5)


def test_pam_deals_bits_over_units() -> None:
    assert pam_information(8, 8, 1.0) == pytest.approx(8 * 0.485944, abs=1e-5)
    assert pam_information(16, 8, 0.01) == pytest.approx(16, abs=1e-9)
    assert pam_information(3, 2, 0.01) == pytest.approx(3, abs=1e-9)
    assert pam_information(16, 8, 1.0) < 4.0


@pytest.mark.parametrize(
    ("beta", "rate", "active"),
    [(1, 8.30482, 5), (2, 5.80482, 5), (4, 3.64386, 4), (16, 0.82193, 2)],
)
def test_linear_vae(beta: float, rate: float, active: int) -> None:
    found = linear_vae(SPECTRUM, 0.1, beta)
    assert found[0] == pytest.approx(rate, abs=1e-5)
    assert found[1] == active


@pytest.mark.parametrize("bad", [dict(probs=[1.0]), dict(noise_std=0.0), dict(probs=[0.5, 0.6])])
def test_refusals(bad: dict) -> None:
    arguments = dict(points=[-1, 1], probs=[0.5, 0.5], noise_std=1.0) | bad
    with pytest.raises(ValueError, match="Expected"):
        gaussian_noise_information(**arguments)
