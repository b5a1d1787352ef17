"""One question, many answers: closed forms to the digits published, and outputs that are normalised."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.claims.lab.many_answers import bimodal_losses, go_losses, orbits
from capacity.claims.noise.one_to_many import _density


def test_the_board_has_55_orbits() -> None:
    board = orbits()
    assert board.max() + 1 == 55 and np.bincount(board.ravel()).max() == 8
    for image in (np.rot90(board), board.T, board[::-1]):
        np.testing.assert_array_equal(image, board)


def test_losses_are_the_published_ones() -> None:
    board, target = go_losses(), bimodal_losses()
    assert board["orbit"] == pytest.approx(5.7036, abs=5e-5)
    assert board["move given orbit"] == pytest.approx(2.7922, abs=5e-5)
    assert board["move"] == pytest.approx(np.log2(361))
    assert target["gaussian"] == pytest.approx(2.0543, abs=5e-5)
    assert target["truth"] == pytest.approx(-0.2748, abs=5e-5)
    assert target["deterministic"] == pytest.approx(70.86, abs=5e-3)


@pytest.mark.parametrize("out", [[0.3], [0.3, -1.0], [-1.0, 0.5, -1.0, -0.3, 0.2, 1.0]])
def test_densities_integrate_to_one(out: list[float]) -> None:
    grid = jnp.linspace(-25, 25, 20_001)
    density = jnp.exp(jax.vmap(lambda t: _density(jnp.asarray(out), t))(grid))
    assert float(density.sum()) * 50 / 20_000 == pytest.approx(1.0, abs=1e-4)


def test_a_gaussian_over_the_lattice_of_the_board_is_a_distribution() -> None:
    # So its loss in nats of density is one in nats of mass: the lattice's sum is 1 to rounding.
    line = np.arange(-80, 81)
    mass = np.exp(-0.5 * line**2 / 30) / np.sqrt(2 * np.pi * 30)
    assert mass.sum() == pytest.approx(1.0, abs=1e-12)
    assert go_losses()["gaussian"] == pytest.approx(np.log2(2 * np.pi * np.e * 30))
