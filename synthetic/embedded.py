"""A smooth, injective, nonlinear embedding of any discrete source.

x_0 = b V with V orthonormal lifts the base vector b; each layer is x -> g(x Q) with Q orthogonal
and g(x) = x + c (sqrt(1 + x^2) - 1), 0 <= c < 1, a smooth leaky rectifier with slopes in
(1 - c, 1 + c). Each step is one to one and undone in closed form: the entropy is the base's.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np

from synthetic.algebra import checked_orthonormal, matmul, orthonormal
from synthetic.bits import FairBits
from synthetic.pytrees import register
from synthetic.sizes import check_linear
from synthetic.source import Batch, NamedSource, Source


@register("bend")
@dataclass(frozen=True, eq=False)
class Embedded(NamedSource):
    """A discrete source carried on a curved surface instead of a flat one.

    Distances change by at most the factors (1 - bend)**depth and (1 + bend)**depth; the mean square
    of an entry stays within a few times `source.dim / dim` of the base's.

    Args:
      source: the base, discrete.
      injection: (source.dim, dim) with orthonormal rows.
      rotations: (depth, dim, dim), each orthogonal.
      bend: c above, 0 <= bend < 1; 0 is linear.

    Raises:
      ValueError: a continuous base, shapes that do not match, or `bend` out of range.
    """

    name: ClassVar[str] = "nonlinear"
    summary: ClassVar[str] = "fair bits on a smooth, curved, invertible embedding"

    source: Source
    injection: jax.Array
    rotations: jax.Array
    bend: float = 0.8

    def __post_init__(self) -> None:
        """Check the fields, and keep them as float32 arrays or plain values."""
        if not self.source.discrete:
            raise ValueError(f"Expected a discrete source to embed; got '{self.source.name}'.")
        if not 0.0 <= self.bend < 1.0:
            raise ValueError(f"Expected bend in [0, 1); got {self.bend}.")
        injection = checked_orthonormal(self.injection, "injection")
        if injection.shape[0] != self.source.dim:
            raise ValueError(f"Expected injection with source.dim = {self.source.dim} rows; got {injection.shape[0]}.")
        rotations, dim = np.asarray(self.rotations), injection.shape[1]
        if rotations.ndim != 3 or rotations.shape[1:] != (dim, dim):
            raise ValueError(f"Expected rotations of shape (depth, {dim}, {dim}); got shape {rotations.shape}.")
        for number, rotation in enumerate(rotations):
            checked_orthonormal(rotation, f"rotations[{number}]")
        object.__setattr__(self, "injection", injection)
        object.__setattr__(self, "rotations", jnp.asarray(rotations, jnp.float32))
        object.__setattr__(self, "bend", float(self.bend))

    @classmethod
    def wrap(cls, key: jax.Array, source: Source, dim: int, depth: int = 3, bend: float = 0.8) -> Self:
        """Embed `source` in `dim` dimensions through `depth` random layers.

        Args:
          key: of the lift and the layers' rotations.
          source: the base, discrete.
          dim: length of a vector.
          depth: how many layers.
          bend: c above, 0 <= bend < 1.

        Raises:
          ValueError: dim < source.dim, or depth < 0.
        """
        if dim < source.dim:
            raise ValueError(f"Expected dim of at least source.dim = {source.dim}; got {dim}.")
        if depth < 0:
            raise ValueError(f"Expected depth of at least 0; got {depth}.")
        lift, *keys = jax.random.split(key, depth + 1)
        layers = [orthonormal(layer, dim, dim) for layer in keys]
        rotations = jnp.stack(layers) if layers else jnp.zeros((0, dim, dim), jnp.float32)
        return cls(source, orthonormal(lift, source.dim, dim), rotations, bend)

    @classmethod
    def build(cls, key: jax.Array, bits: int, dim: int) -> Self:
        """`bits` fair bits through three random layers; ValueError unless 1 <= bits <= dim."""
        check_linear(bits, dim)
        base_key, key = jax.random.split(key)
        return cls.wrap(key, FairBits.build(base_key, bits, bits), dim)

    @property
    def bits(self) -> float:
        """Entropy in bits: the base's."""
        return self.source.bits

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.injection.shape[-1]

    @property
    def message_dim(self) -> int:
        """Length of the base's message."""
        return self.source.message_dim

    @property
    def listable(self) -> bool:
        """Whether the base is."""
        return self.source.listable

    def bent(self, base: jax.Array) -> jax.Array:
        """Vector (dim,) of one base vector (source.dim,)."""

        def layer(x: jax.Array, rotation: jax.Array) -> tuple[jax.Array, None]:
            x = matmul(x, rotation)
            return x + self.bend * (jnp.sqrt(1.0 + x**2) - 1.0), None

        return jax.lax.scan(layer, matmul(base, self.injection), self.rotations)[0]

    def sample(self, key: jax.Array, n: int) -> Batch:
        """Draw n: messages (n, message_dim) int8, vectors (n, dim) float32."""
        base = self.source.sample(key, n)
        return Batch(base.message, jax.vmap(self.bent)(base.vector))

    def embed(self, message: jax.Array) -> jax.Array:
        """Vector (dim,) of one message."""
        return self.bent(self.source.embed(message))

    def log_prob(self, message: jax.Array) -> jax.Array:
        """Log mass () in nats of one message: the base's."""
        return self.source.log_prob(message)

    def messages(self) -> jax.Array:
        """The base's messages (M, message_dim) int8; ValueError past 2**20."""
        return self.source.messages()

    def codebook(self) -> tuple[jax.Array, jax.Array]:
        """Vectors (M, dim) and log masses (M,) in nats, in the order of `messages`."""
        base, log_probs = self.source.codebook()
        return jax.vmap(self.bent)(base), log_probs
