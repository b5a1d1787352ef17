"""Gaussian vectors of a given spectrum: the continuous source whose rate is known exactly.

X = (sqrt(lambda) * N) R with R orthogonal. Reverse water-filling: at total squared error D,
R(D) = sum_i max(0, 1/2 log2(lambda_i / theta)) with sum_i min(theta, lambda_i) = D.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np

from synthetic.algebra import checked_orthonormal, matmul, orthonormal
from synthetic.pytrees import register
from synthetic.sizes import check_spectrum
from synthetic.source import Batch, NamedSource


@register()
@dataclass(frozen=True, eq=False)
class GaussianVectors(NamedSource):
    """Zero-mean Gaussian vectors with the eigenvalues `spectrum` along the rows of `rotation`.

    Continuous, so that the message is the vector itself and carries infinitely many bits: `rate`
    says how many are needed for a given squared error. The mean square of an entry is the mean of
    the spectrum, averaged over entries.

    Args:
      spectrum: (dim,) variances, positive.
      rotation: (dim, dim) orthogonal; None for no rotation.

    Raises:
      ValueError: variances not positive and finite, or a rotation not as said.
    """

    name: ClassVar[str] = "gaussian"
    summary: ClassVar[str] = "Gaussian vectors with a geometrically decaying spectrum"
    discrete: ClassVar[bool] = False

    spectrum: jax.Array
    rotation: jax.Array | None = None

    def __post_init__(self) -> None:
        """Check the fields, and keep them as float32 arrays or plain values."""
        spectrum = np.asarray(self.spectrum, np.float32)
        if spectrum.ndim != 1 or spectrum.size == 0:
            raise ValueError(f"Expected spectrum of shape (dim,); got shape {spectrum.shape}.")
        if not (np.isfinite(spectrum).all() and (spectrum > 0).all()):
            raise ValueError("Expected a spectrum of positive variances; got others.")
        object.__setattr__(self, "spectrum", jnp.asarray(spectrum))
        if self.rotation is not None:
            rotation = checked_orthonormal(self.rotation, "rotation")
            if rotation.shape != (spectrum.size, spectrum.size):
                raise ValueError(
                    f"Expected rotation of shape ({spectrum.size}, {spectrum.size}); got shape {rotation.shape}."
                )
            object.__setattr__(self, "rotation", rotation)

    @classmethod
    def build(cls, key: jax.Array, bits: int, dim: int) -> Self:
        """A geometric spectrum of mean 1 whose rate is `bits` where all of `dim` still count.

        The entropy is infinite, so `bits` sets the decay: R(D) = bits at D = dim * lambda_min, the
        largest distortion at which every dimension is coded. Neighbouring variances differ by
        the factor 2**(4 bits / (dim (dim - 1))), the extremes by 2**(4 bits / dim).

        Raises:
          ValueError: dim < 2, where nothing can decay, or bits > 16 dim, past float32's range.
        """
        check_spectrum(bits, dim)
        spectrum = 2.0 ** (-4.0 * bits / (dim * (dim - 1)) * np.arange(dim))
        return cls(jnp.asarray(spectrum * dim / spectrum.sum(), jnp.float32), orthonormal(key, dim, dim))

    @property
    def bits(self) -> float:
        """Infinite: a real number carries no finite number of bits without noise."""
        return math.inf

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.spectrum.shape[-1]

    @property
    def message_dim(self) -> int:
        """Length of a message, which is the vector."""
        return self.dim

    @property
    def differential_entropy(self) -> float:
        """h(X) in bits: 1/2 sum log2(2 pi e lambda_i) (Cover & Thomas 2006, theorem 8.4.1)."""
        spectrum = np.asarray(self.spectrum, np.float64)
        return float(0.5 * np.log2(2.0 * math.pi * math.e * spectrum).sum())

    def rate(self, distortion: float) -> float:
        """Fewest bits a vector at expected total squared error `distortion`.

        Exact reverse water-filling (Kolmogorov 1956; Cover & Thomas 2006, theorem 10.3.3).

        Raises:
          ValueError: `distortion` not positive, where the rate is infinite.
        """
        if not distortion > 0:
            raise ValueError(f"Expected a positive distortion; got {distortion}.")
        ascending = np.sort(np.asarray(self.spectrum, np.float64))
        if distortion >= ascending.sum():
            return 0.0
        # With the i smallest variances given up whole, the others share what distortion is left;
        # the first i at which the shared level does not reach the next variance is the right one.
        given_up = np.concatenate([[0.0], np.cumsum(ascending)[:-1]])
        levels = (distortion - given_up) / np.arange(ascending.size, 0, -1)
        first = int(np.argmax(levels <= ascending))
        return float(0.5 * np.log2(ascending[first:] / levels[first]).sum())

    def sample(self, key: jax.Array, n: int) -> Batch:
        """Draw n: message and vector are the same (n, dim) float32."""
        normal = jax.random.normal(key, (n, self.dim), jnp.float32)
        vector = normal * jnp.sqrt(self.spectrum)[None, :]
        if self.rotation is not None:
            vector = matmul(vector, self.rotation)
        return Batch(vector, vector)

    def embed(self, message: jax.Array) -> jax.Array:
        """The message itself, (dim,)."""
        return message

    def log_prob(self, message: jax.Array) -> jax.Array:
        """Log density () in nats of one message (dim,)."""
        along = message if self.rotation is None else matmul(message, self.rotation.T)
        squares = along**2 / self.spectrum
        return -0.5 * jnp.sum(squares + jnp.log(2.0 * math.pi * self.spectrum))
