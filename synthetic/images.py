"""Small grey pictures of sprites: shape x scale x angle x position, all equally likely.

H = log2 of the number of pictures, which are checked to differ from one another. In the manner of
dSprites (Matthey et al. 2017). The outlines are signed distances d in pixels (after Quilez, "2D
distance functions"), a pixel's grey is clip(1/2 - d, 0, 1): smooth in every factor.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np
from scipy.fft import dctn
from scipy.spatial import cKDTree

from synthetic.algebra import from_digits
from synthetic.numbered import NumberedSource
from synthetic.pytrees import register
from synthetic.sizes import check_listing, check_sprites

SEPARATION = 1e-3
"""Least Euclidean distance between two pictures; rounding moves one by about 1e-5."""


class Factors(NamedTuple):
    """What one picture shows: `shape` is a number into `shapes`, `angle` in radians, rest pixels.

    `x` and `y` are the centre's offset from the picture's centre, to the right and downwards.
    """

    shape: jax.Array
    scale: jax.Array
    angle: jax.Array
    x: jax.Array
    y: jax.Array


def _square(x: jax.Array, y: jax.Array, size: jax.Array) -> jax.Array:
    return jnp.maximum(jnp.abs(x), jnp.abs(y)) - size


def _ellipse(x: jax.Array, y: jax.Array, size: jax.Array) -> jax.Array:
    return (jnp.sqrt(x**2 + (2.0 * y) ** 2) / size - 1.0) * 0.5 * size


def _triangle(x: jax.Array, y: jax.Array, size: jax.Array) -> jax.Array:
    return jnp.maximum(y, 0.5 * (math.sqrt(3.0) * jnp.abs(x) - y)) - 0.5 * size


def _heart(x: jax.Array, y: jax.Array, size: jax.Array) -> jax.Array:
    unit = size / 0.6
    u, v = jnp.abs(x) / unit, 0.55 - y / unit
    lobe = jnp.sqrt((u - 0.25) ** 2 + (v - 0.75) ** 2) - math.sqrt(2.0) / 4.0
    half = 0.5 * jnp.maximum(u + v, 0.0)
    tip = jnp.minimum(u**2 + (v - 1.0) ** 2, (u - half) ** 2 + (v - half) ** 2)
    return jnp.where(u + v > 1.0, lobe, jnp.sqrt(tip) * jnp.sign(u - v)) * unit


SHAPES: dict[str, Callable[[jax.Array, jax.Array, jax.Array], jax.Array]] = {
    "square": _square,
    "ellipse": _ellipse,
    "heart": _heart,
    "triangle": _triangle,
}


@register("side", "shapes", "scales", "angles", "xs", "ys")
@dataclass(frozen=True, eq=False)
class Sprites(NumberedSource):
    """Every combination of the factors once, by default 4 x 4 x 4 x 8 x 8 = 2**12 of 16 x 16.

    A vector is the picture's rows one after another, grey in [0, 1]; the mean square of an entry
    is the share of the picture that the sprite covers, about 0.1. A message numbers the
    combinations, the last factor counting fastest.

    Args:
      side: pixels a side.
      shapes: names among square, ellipse, heart, triangle.
      scales: half widths in pixels.
      angles: radians; squares allow none a quarter turn from another.
      xs: offsets of the centre to the right, in pixels.
      ys: offsets of the centre downwards, in pixels.

    Raises:
      ValueError: an unknown shape, an empty factor, more than 2**20 pictures, or two that agree.
    """

    name: ClassVar[str] = "sprites"
    summary: ClassVar[str] = "small grey pictures of shapes, scaled, turned and moved"

    side: int = 16
    shapes: tuple[str, ...] = ("square", "ellipse", "heart", "triangle")
    scales: tuple[float, ...] = (2.0, 2.5, 3.0, 3.5)
    angles: tuple[float, ...] = (0.0, math.pi / 8, math.pi / 4, 3 * math.pi / 8)
    xs: tuple[float, ...] = tuple(i - 3.5 for i in range(8))
    ys: tuple[float, ...] = tuple(i - 3.5 for i in range(8))

    def __post_init__(self) -> None:
        """Check the fields, and keep them as float32 arrays or plain values."""
        unknown = [shape for shape in self.shapes if shape not in SHAPES]
        if unknown:
            raise ValueError(f"Expected shapes among {list(SHAPES)}; got {unknown}.")
        object.__setattr__(self, "shapes", tuple(self.shapes))
        for label in ("scales", "angles", "xs", "ys"):
            object.__setattr__(self, label, tuple(float(v) for v in getattr(self, label)))
        if 0 in self.grid or self.side < 1 or min(self.scales) <= 0:
            raise ValueError(
                "Expected a side of at least 1, positive scales, at least one value of every "
                f"factor; got side {self.side}, scales {self.scales}, a grid of {self.grid}."
            )
        check_listing(self.count)
        _check_distinct(np.asarray(self.codebook()[0]).reshape(-1, self.side, self.side))

    @classmethod
    def build(cls, key: jax.Array, bits: int, dim: int) -> Self:
        """A grid of 2**bits pictures of sqrt(dim) x sqrt(dim) pixels; nothing random in it.

        Raises:
          ValueError: dim not the square of at least 8, or bits past 16 (4 shapes, 8 scales,
            8 angles, 16 x 16 positions).
        """
        del key
        check_sprites(bits, dim)
        side = math.isqrt(dim)
        digits = {"x": 0, "y": 0, "shape": 0, "scale": 0, "angle": 0}
        most = {"x": 4, "y": 4, "shape": 2, "scale": 3, "angle": 3}
        while sum(digits.values()) < bits:
            for factor in digits:
                digits[factor] += digits[factor] < most[factor] and sum(digits.values()) < bits
        counts = {factor: 2**digit for factor, digit in digits.items()}
        return cls(
            side=side,
            shapes=tuple(SHAPES)[: counts["shape"]],
            scales=_spread(0.125 * side, 0.225 * side, counts["scale"]),
            angles=tuple(i * math.pi / 2 / counts["angle"] for i in range(counts["angle"])),
            xs=_spread(-0.22 * side, 0.22 * side, counts["x"]),
            ys=_spread(-0.22 * side, 0.22 * side, counts["y"]),
        )

    @property
    def grid(self) -> tuple[int, int, int, int, int]:
        """Number of values of each factor, in the order of `Factors`."""
        return (
            len(self.shapes), len(self.scales), len(self.angles), len(self.xs), len(self.ys)
        )  # fmt: skip

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return math.prod(self.grid)

    @property
    def dim(self) -> int:
        """Number of pixels: side^2."""
        return self.side**2

    @property
    def layout(self) -> tuple[int, int, int]:
        """Height, width and channels of a picture, as networks over images have it."""
        return self.side, self.side, 1

    def factors(self, message: jax.Array) -> Factors:
        """What the picture of one message (message_dim,) shows; past the last it is the last one."""
        return self._factors(jnp.minimum(from_digits(message), self.count - 1))

    def _factors(self, number: jax.Array) -> Factors:
        rest, indices = number, []
        for size in reversed(self.grid):
            indices.append(rest % size)
            rest = rest // size
        shape, *indices = reversed(indices)
        tables = (self.scales, self.angles, self.xs, self.ys)
        values = (jnp.asarray(table, jnp.float32)[index] for table, index in zip(tables, indices, strict=True))
        return Factors(shape, *values)

    def vector(self, number: jax.Array) -> jax.Array:
        """Picture (dim,) of this number ()."""
        shape, scale, angle, x, y = self._factors(number)
        centres = jnp.arange(self.side, dtype=jnp.float32) - (self.side - 1) / 2
        down, right = jnp.meshgrid(centres - y, centres - x, indexing="ij")
        cos, sin = jnp.cos(angle), jnp.sin(angle)
        along, across = cos * right + sin * down, cos * down - sin * right
        # Under vmap a choice by number is a choice among all shapes, drawn, in any case.
        outlines = jnp.stack([SHAPES[name](along, across, scale) for name in self.shapes])
        return jnp.clip(0.5 - outlines[shape], 0.0, 1.0).reshape(-1)

    def codebook(self) -> tuple[jax.Array, jax.Array]:
        """Pictures (count, dim) and log masses (count,) in nats, in the order of `messages`."""
        numbers = jnp.arange(self.count, dtype=jnp.int32)
        # In batches, since each picture's shapes are all drawn before one is chosen.
        vectors = jax.lax.map(self.vector, numbers, batch_size=min(self.count, 4096))
        return vectors, jnp.full(self.count, -math.log(self.count), jnp.float32)


def _spread(low: float, high: float, count: int) -> tuple[float, ...]:
    """`count` values from low to high, the middle where there is one."""
    return tuple(np.linspace(low, high, count)) if count > 1 else ((low + high) / 2,)


def _check_distinct(pictures: np.ndarray) -> None:
    """Raise ValueError where two pictures (N, side, side) are closer than SEPARATION.

    Distances are those between the low spatial frequencies, which are never larger than the
    whole: this can refuse too much, never too little.
    """
    if len(pictures) == 1:
        return
    waves = dctn(pictures.astype(np.float64), axes=(1, 2), norm="ortho")[:, :5, :5]
    distances, _ = cKDTree(waves.reshape(len(waves), -1)).query(waves.reshape(len(waves), -1), k=2)
    worst = int(np.argmin(distances[:, 1]))
    if distances[worst, 1] < SEPARATION:
        raise ValueError(
            "Expected all sprites to look different; got picture "
            f"{worst} within {distances[worst, 1]:.1g} of another (a square looks the same after "
            "a quarter turn: keep the angles below 90 degrees, and every factor's values apart)."
        )
