"""Sprites: all different, drawn where their factors say, and checked."""

import math

import jax
import numpy as np
import pytest

from synthetic import Sprites
from synthetic.images import SHAPES

KEY = jax.random.key(2)


def test_default_grid_has_twelve_bits() -> None:
    source = Sprites()
    assert source.bits == 12.0 and source.dim == 256 and source.grid == (4, 4, 4, 8, 8)
    vectors = np.asarray(source.codebook()[0])
    assert vectors.min() >= 0.0 and vectors.max() == 1.0
    assert len(np.unique(vectors.round(3), axis=0)) == 4096


def test_factors_are_those_of_the_picture() -> None:
    source = Sprites()
    messages = source.messages()
    shape, scale, angle, x, y = (np.asarray(f) for f in jax.vmap(source.factors)(messages))
    grid = np.stack([shape, scale, angle, x, y], axis=1)
    assert len(np.unique(grid, axis=0)) == 4096
    pictures = np.asarray(source.codebook()[0]).reshape(-1, 16, 16)
    offsets = np.arange(16) - 7.5
    weight = pictures.sum(axis=(1, 2))
    # A square's and an ellipse's centre of grey is their centre.
    even = shape < 2
    right = (pictures.sum(axis=1) @ offsets / weight)[even]
    down = (pictures.sum(axis=2) @ offsets / weight)[even]
    np.testing.assert_allclose(right, x[even], atol=0.05)
    np.testing.assert_allclose(down, y[even], atol=0.05)
    # The area of an upright square is (2 s)^2; each of four corners may be grey by 1/4 too much.
    upright = (shape == 0) & (angle == 0)
    np.testing.assert_allclose(weight[upright], 4 * scale[upright] ** 2, atol=1.001)


@pytest.mark.parametrize(("bits", "dim"), [(1, 64), (14, 256)])
def test_build_makes_the_bits(bits: int, dim: int) -> None:
    source = Sprites.build(KEY, bits, dim)
    assert source.bits == bits and source.dim == dim


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_that_look_alike_after_a_turn_are_refused(shape: str) -> None:
    turn = {"square": math.pi / 2, "ellipse": math.pi, "triangle": 2 * math.pi / 3}
    angles = (0.0, turn.get(shape, 2 * math.pi))
    with pytest.raises(ValueError, match="Expected all sprites to look different; got picture"):
        Sprites(shapes=(shape,), scales=(3.0,), angles=angles, xs=(0.0,), ys=(0.0, 1.0))


def test_refusals() -> None:
    with pytest.raises(ValueError, match="square of at least 8 pixels; got 60"):
        Sprites.build(KEY, 4, 60)
    with pytest.raises(ValueError, match="at most 16 for a grid of sprites; got 17"):
        Sprites.build(KEY, 17, 256)
    with pytest.raises(ValueError, match="Expected shapes among .* got .'moon'"):
        Sprites(shapes=("moon",))
    with pytest.raises(ValueError, match="at least one value of every factor"):
        Sprites(xs=())
    with pytest.raises(ValueError, match="at most 2..20 = 1048576 messages"):
        Sprites(xs=tuple(range(200)), ys=tuple(range(200)))
